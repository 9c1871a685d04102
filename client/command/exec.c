#include "client/command/exec.h"

#include "protocol/core/file.h"
#include "protocol/core/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const bench_words[] = {"fft", "reconstruct", "dispatch", "gpu-registry", NULL};

const struct ff_external ff_externals[] = {
    {"gpu", "gpu list", "show the GPUs of this node and who holds them", NULL},
    {"doctor", "doctor", "tell what reconstructions here compute on, and why not on GPUs", NULL},
    {"reconstruct", "reconstruct FILE", "reconstruct a scan here and now, without a service", NULL},
    {"inspect", "inspect FILE", "tell what a measurement file holds", NULL},
    {"show", "show RESULT", "print the figures of a result, and draw it on a terminal", NULL},
    {"compare", "compare A B", "tell how near two results are, or a result and the truth", NULL},
    {"simulate", "simulate", "make a measurement file of a known object", NULL},
    {"bench", "bench WHAT", "measure: fft, reconstruct, dispatch, gpu-registry", bench_words},
    {NULL, NULL, NULL, NULL},
};

const struct ff_external *ff_external_find(const char *name)
{
    for (const struct ff_external *verb = ff_externals; verb->name != NULL; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

char *ff_program_path(const char *program, struct ff_error *error)
{
    char *folder = ff_program_folder(error);
    if (folder == NULL)
        return NULL;
    char *path = ff_path_join(folder, program);
    free(folder);
    if (path == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
        return NULL;
    }
    if (access(path, X_OK) < 0) {
        ff_fail(error, FF_UNSUPPORTED, "this installation has no %s", path);
        ff_hint(error, "build and install all of Farfield again");
        free(path);
        return NULL;
    }
    return path;
}

int ff_exec_program(const char *program, const char *argv[], struct ff_error *error)
{
    char *path = ff_program_path(program, error);
    if (path == NULL)
        return -1;
    argv[0] = path;
    execv(path, (char *const *)argv);
    ff_fail_errno(error, FF_IO, errno, "cannot run %s", path);
    free(path);
    return -1;
}

static int unknown_word(const struct ff_external *verb, const char *word, struct ff_error *error)
{
    char all[256] = "";
    size_t used = 0;
    size_t count = 0;
    for (; verb->words[count] != NULL; count++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", count > 0 ? ", " : "",
                                 verb->words[count]);
    if (word == NULL)
        return ff_fail(error, FF_INVALID_ARGUMENT, "`farfield %s` needs one of: %s", verb->name,
                       all);
    ff_fail(error, FF_INVALID_ARGUMENT, "`farfield %s` does not know '%s'", verb->name, word);
    const char *nearest = ff_text_nearest(word, verb->words, count);
    if (nearest != NULL)
        return ff_hint(error, "did you mean `farfield %s %s`? All: %s", verb->name, nearest, all);
    return ff_hint(error, "one of: %s", all);
}

int ff_external_run(const struct ff_external *verb, int count, char *const arguments[],
                    struct ff_error *error)
{
    char program[128];
    snprintf(program, sizeof program, "farfield-%s", verb->name);
    if (verb->words != NULL) {
        const char *word = count > 0 ? arguments[0] : NULL;
        size_t at = 0;
        while (word != NULL && verb->words[at] != NULL && strcmp(verb->words[at], word) != 0)
            at++;
        if (word == NULL || verb->words[at] == NULL)
            return unknown_word(verb, word, error);
        snprintf(program, sizeof program, "farfield-%s-%s", verb->name, word);
        count--;
        arguments++;
    }
    const char **argv = calloc((size_t)count + 2, sizeof *argv);
    if (argv == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the command line");
    for (int i = 0; i < count; i++)
        argv[i + 1] = arguments[i];
    ff_exec_program(program, argv, error);
    free(argv);
    return -1;
}
