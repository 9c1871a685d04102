#include "endpoint/probe.h"

#include "endpoint/providers/command.h"
#include "endpoint/reach.h"
#include "protocol/core/file.h"
#include "protocol/core/yaml.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REACH_MS = 5000, RUN_MS = 20000, OUTPUT_LIMIT = 4096, WRONG_USE = 2 };

static void note_run(void *user, const struct ff_command_result *result)
{
    struct ff_probe_answer *answer = user;
    /* Without arguments it says how it is called. A library that is missing says something else. */
    if (result->status == WRONG_USE)
        snprintf(answer->manager, sizeof answer->manager, "ok");
    else
        ff_command_words(result, "farfield-manager", answer->manager, sizeof answer->manager);
}

static void try_manager(struct ff_probe_answer *answer)
{
    struct ff_error error;
    char *programs = ff_program_folder(&error);
    char *path = programs != NULL ? ff_path_join(programs, "farfield-manager") : NULL;
    const char *const arguments[] = {path, NULL};
    const struct ff_command_question question = {arguments, RUN_MS, OUTPUT_LIMIT, note_run, answer};
    if (path == NULL || ff_command_run(&question, &error) < 0)
        snprintf(answer->manager, sizeof answer->manager, "%.250s", error.message);
    free(path);
    free(programs);
}

static void see_gpus(struct ff_probe_answer *answer)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    glob_t found;
    size_t devices = glob("/dev/nvidia[0-9]*", 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    snprintf(answer->gpus, sizeof answer->gpus, "%zu GPU%s in /dev, CUDA_VISIBLE_DEVICES %s%.100s",
             devices, devices == 1 ? "" : "s", visible != NULL ? "is " : "not set",
             visible != NULL ? visible : "");
}

static void append(struct ff_buffer *buffer, const char *key, const char *value)
{
    ff_buffer_printf(buffer, "%s: ", key);
    ff_yaml_quote(buffer, value);
    ff_buffer_append_text(buffer, "\n");
}

int ff_probe_run(const char *folder, const char *url, struct ff_error *error)
{
    struct ff_probe_answer answer = {.reach = "ok"};
    struct ff_buffer buffer;
    struct ff_error why;
    const char *name = getenv("SLURMD_NODENAME");
    if (name != NULL)
        snprintf(answer.node, sizeof answer.node, "%s", name);
    else
        gethostname(answer.node, sizeof answer.node - 1);
    try_manager(&answer);
    if (ff_reach(url, REACH_MS, &why) < 0)
        snprintf(answer.reach, sizeof answer.reach, "%.250s", why.message);
    see_gpus(&answer);
    ff_buffer_init(&buffer, 65536);
    append(&buffer, "node", answer.node);
    append(&buffer, "manager", answer.manager);
    append(&buffer, "reach", answer.reach);
    append(&buffer, "gpus", answer.gpus);
    char *path = ff_path_join(folder, "answer");
    int result = path == NULL ? ff_fail(error, FF_NO_MEMORY, "no memory for a path")
                              : ff_file_write(path, ff_buffer_span(&buffer), 0600, error);
    free(path);
    ff_buffer_dispose(&buffer);
    return result;
}

static int take_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct ff_probe_answer *answer = user;
    const struct {
        const char *key;
        char *to;
    } texts[] = {{"node", answer->node},
                 {"manager", answer->manager},
                 {"reach", answer->reach},
                 {"gpus", answer->gpus}};
    (void)line;
    (void)error;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(key, texts[i].key) == 0)
            snprintf(texts[i].to, sizeof answer->node, "%s", value);
    return 0;
}

int ff_probe_read(const char *folder, struct ff_probe_answer *answer, struct ff_error *error)
{
    char *path = ff_path_join(folder, "answer");
    memset(answer, 0, sizeof *answer);
    if (path == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    int result = access(path, F_OK) < 0 ? ff_fail(error, FF_NOT_FOUND, "there is no %s", path)
                                        : ff_yaml_read(path, take_pair, answer, error);
    free(path);
    return result;
}
