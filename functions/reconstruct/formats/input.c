#include "functions/reconstruct/formats/input.h"

#include "functions/reconstruct/formats/linked.h"
#include "functions/reconstruct/formats/store.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 1 << 16 };

struct ff_input {
    char **paths;
    size_t count;
    struct ff_hdf5_file *first, *other;
    size_t other_index;
};

static int add(struct ff_input *input, const char *path, size_t length, struct ff_error *error)
{
    char **more = realloc(input->paths, (input->count + 1) * sizeof *more);
    if (more == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the names of the input");
    input->paths = more;
    if ((more[input->count] = strndup(path, length)) == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the names of the input");
    input->count++;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int add_pattern(struct ff_input *input, const char *pattern, struct ff_error *error)
{
    glob_t found = {0};
    int status = glob(pattern, 0, NULL, &found);
    int result = 0;
    if (status == GLOB_NOMATCH) {
        ff_fail(error, FF_INPUT_MISSING, "no file fits the pattern %s", pattern);
        result = ff_hint(error, "check the path; relative ones begin at the current folder");
    } else if (status != 0 || found.gl_pathc > FILES_MAX) {
        result = ff_fail(error, FF_INPUT_INVALID,
                         "the files that fit %s cannot be listed, or are "
                         "more than %d",
                         pattern, FILES_MAX);
    }
    for (size_t i = 0; result == 0 && i < found.gl_pathc; i++)
        result = add(input, found.gl_pathv[i], strlen(found.gl_pathv[i]), error);
    if (result == 0 && input->count > 1)
        qsort(input->paths, input->count, sizeof *input->paths, compare);
    if (status == 0)
        globfree(&found);
    return result;
}

static int add_list(struct ff_input *input, const char *list, struct ff_error *error)
{
    while (*list != '\0') {
        list += strspn(list, ", ");
        size_t length = strcspn(list, ",");
        size_t end = length;
        while (end > 0 && list[end - 1] == ' ')
            end--;
        if (end > 0 && add(input, list, end, error) < 0)
            return -1;
        list += length;
    }
    return input->count > 0 ? 0 : ff_fail(error, FF_INPUT_MISSING, "the input names no file");
}

struct ff_input *ff_input_create(const char *text, struct ff_error *error)
{
    struct ff_input *input = calloc(1, sizeof *input);
    if (input == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the names of the input");
        return NULL;
    }
    /* A file of that very name comes first, whatever its name holds. */
    int result = access(text, F_OK) == 0        ? add(input, text, strlen(text), error)
                 : strpbrk(text, "*?[") != NULL ? add_pattern(input, text, error)
                 : strchr(text, ',') != NULL    ? add_list(input, text, error)
                                                : add(input, text, strlen(text), error);
    if (result == 0)
        return input;
    ff_input_destroy(input);
    return NULL;
}

void ff_input_destroy(struct ff_input *input)
{
    if (input == NULL)
        return;
    ff_hdf5_close(input->first);
    ff_hdf5_close(input->other);
    for (size_t i = 0; i < input->count; i++)
        free(input->paths[i]);
    free(input->paths);
    free(input);
}

size_t ff_input_count(const struct ff_input *input)
{
    return input->count;
}

const char *ff_input_path(const struct ff_input *input, size_t index)
{
    return input->paths[index];
}

struct ff_hdf5_file *ff_input_file(struct ff_input *input, size_t index, struct ff_error *error)
{
    struct ff_hdf5_file **place = index == 0 ? &input->first : &input->other;
    if (*place != NULL && (index == 0 || input->other_index == index))
        return *place;
    ff_hdf5_close(*place);
    *place = ff_store_open(input->paths[index], error);
    if (index > 0)
        input->other_index = index;
    return *place;
}

int ff_input_digest(const char *text, struct ff_digest *digest, struct ff_error *error)
{
    struct ff_input *input = ff_input_create(text, error);
    if (input == NULL)
        return -1;
    struct ff_digest *each = calloc(input->count + 1, sizeof *each); /* one more than nothing */
    int result = each != NULL ? 0 : ff_fail(error, FF_NO_MEMORY, "no memory for the digests");
    for (size_t i = 0; result == 0 && i < input->count; i++)
        result = ff_linked_digest(input->paths[i], &each[i], error);
    if (result == 0 && input->count == 1)
        *digest = each[0];
    else if (result == 0)
        result = ff_digest_of((struct ff_span){each, input->count * sizeof *each}, digest, error);
    free(each);
    ff_input_destroy(input);
    return result;
}
