#include "functions/simulate/plan.h"

#include "functions/simulate/detector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DATA_FILES_MAX = 400, SEGMENTS_MAX = 1 << 20 };

/* The output without what its names share: the ending, and "_master". */
static int stem_length(const struct ff_simulate_format *format, const char *output)
{
    static const char master[] = "_master";
    size_t length = strlen(output);
    size_t ending = strlen(format->ending);
    if (length > ending && strcmp(output + length - ending, format->ending) == 0)
        length -= ending;
    size_t tail = sizeof master - 1;
    if (length > tail && memcmp(output + length - tail, master, tail) == 0)
        length -= tail;
    return (int)length;
}

/* The name of a file of a role; number counts data files from 1. NULL when memory is out. */
static char *name_of(const struct ff_simulate_format *format, const char *output,
                     enum ff_simulate_role role, size_t number)
{
    char *name = NULL;
    int length = stem_length(format, output);
    int result = 0;
    if (role == FF_ROLE_MAIN)
        return strdup(output);
    if (role == FF_ROLE_TRUTH)
        result = asprintf(&name, "%.*s.truth.h5", length, output);
    else if (role == FF_ROLE_TABLE)
        result = asprintf(&name, "%.*s%s", length, output,
                          format->table == FF_SIMULATE_ORCHESTRA_TABLE ? ".dat" : ".csv");
    else
        result = asprintf(&name, "%.*s%s_%06zu%s", length, output,
                          format->place == FF_SIMULATE_LINKED_FILES ? "_data" : "", number,
                          format->ending);
    return result < 0 ? NULL : name;
}

char *ff_simulate_main_path(const struct ff_simulate_settings *settings, const char *output)
{
    const struct ff_simulate_format *format = ff_simulate_format(settings->format);
    bool series = format->place == FF_SIMULATE_SERIES_OF_FILES;
    return name_of(format, output, series ? FF_ROLE_DATA : FF_ROLE_MAIN, 1);
}

char *ff_simulate_table_path(const struct ff_simulate_settings *settings, const char *output)
{
    const struct ff_simulate_format *format = ff_simulate_format(settings->format);
    return format->table != FF_SIMULATE_NO_TABLE ? name_of(format, output, FF_ROLE_TABLE, 0) : NULL;
}

const struct ff_simulate_file *ff_simulate_plan_find(const struct ff_simulate_plan *plan,
                                                     enum ff_simulate_role role)
{
    for (size_t i = 0; i < plan->file_count; i++)
        if (plan->files[i].role == role)
            return &plan->files[i];
    return NULL;
}

static int add_file(struct ff_simulate_plan *plan, const char *output, enum ff_simulate_role role,
                    size_t number, struct ff_error *error)
{
    struct ff_simulate_file *file = &plan->files[plan->file_count++];
    *file = (struct ff_simulate_file){
        .role = role, .path = name_of(plan->format, output, role, number), .fd = -1};
    if (file->path == NULL || asprintf(&file->beside, "%s.%d.tmp", file->path, (int)getpid()) < 0) {
        file->beside = NULL;
        return ff_fail(error, FF_NO_MEMORY, "no memory for the names of the files");
    }
    file->fd = open(file->beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file->fd >= 0)
        return 0;
    ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot create %s", file->path);
    free(file->beside);
    file->beside = NULL;
    return ff_hint(error, "name a file in a folder that exists and can be written with output");
}

static int add_files(struct ff_simulate_plan *plan, const char *output, size_t data_files,
                     struct ff_error *error)
{
    const struct ff_simulate_format *format = plan->format;
    bool series = format->place == FF_SIMULATE_SERIES_OF_FILES;
    plan->files = calloc(data_files + 3, sizeof *plan->files);
    if (plan->files == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the names of the files");
    for (size_t i = 0; i < data_files; i++)
        if (add_file(plan, output, FF_ROLE_DATA, i + 1, error) < 0)
            return -1;
    if (format->table != FF_SIMULATE_NO_TABLE &&
        add_file(plan, output, FF_ROLE_TABLE, 0, error) < 0)
        return -1;
    if ((series || format->container != FF_SIMULATE_HDF5) &&
        add_file(plan, output, FF_ROLE_TRUTH, 0, error) < 0)
        return -1;
    return series ? 0 : add_file(plan, output, FF_ROLE_MAIN, 0, error);
}

static int add_segments(struct ff_simulate_plan *plan, size_t per_segment, struct ff_error *error)
{
    const struct ff_simulate_format *format = plan->format;
    bool in_files = format->linked != NULL;
    size_t frames = plan->simulation->frame_count;
    plan->segments = calloc(plan->segment_count, sizeof *plan->segments);
    if (plan->segments == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a plan of the frames");
    for (size_t i = 0; i < plan->segment_count; i++) {
        size_t first = i * per_segment;
        struct ff_simulate_segment *segment = &plan->segments[i];
        *segment = (struct ff_simulate_segment){
            .file = in_files ? i : plan->file_count - 1,
            .part = {first, frames - first < per_segment ? frames - first : per_segment},
            .offset = -1,
        };
        const char *name = in_files ? format->linked : format->frames;
        ff_simulate_numbered(name, i, segment->name, sizeof segment->name);
    }
    return 0;
}

int ff_simulate_plan_create(struct ff_simulate_plan *plan, const struct ff_simulation *simulation,
                            const char *output, struct ff_error *error)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    const struct ff_simulate_format *format = ff_simulate_format(settings->format);
    size_t frames = simulation->frame_count;
    size_t per_segment =
        format->place == FF_SIMULATE_WHOLE_DATASET ? frames : (size_t)settings->frames_per_file;
    *plan = (struct ff_simulate_plan){
        .simulation = simulation,
        .format = format,
        .segment_count = (frames + per_segment - 1) / per_segment,
        .frame_bytes = simulation->size * simulation->size * ff_simulate_type_bytes(settings->type),
    };
    size_t limit = format->linked != NULL ? DATA_FILES_MAX : SEGMENTS_MAX;
    if (plan->segment_count > limit) {
        ff_fail(error, FF_INVALID_SETTING, "the frames would be in %zu parts; at most %zu are made",
                plan->segment_count, limit);
        return ff_hint(error, "raise frames_per_file");
    }
    if (add_files(plan, output, format->linked != NULL ? plan->segment_count : 0, error) == 0 &&
        add_segments(plan, per_segment, error) == 0)
        return 0;
    ff_simulate_plan_destroy(plan);
    return -1;
}

int ff_simulate_plan_commit(struct ff_simulate_plan *plan, struct ff_error *error)
{
    for (size_t i = 0; i < plan->file_count; i++)
        if (fsync(plan->files[i].fd) < 0)
            return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s",
                                 plan->files[i].path);
    for (size_t i = 0; i < plan->file_count; i++) {
        struct ff_simulate_file *file = &plan->files[i];
        if (rename(file->beside, file->path) < 0)
            return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", file->path);
        free(file->beside);
        file->beside = NULL;
    }
    return 0;
}

void ff_simulate_plan_destroy(struct ff_simulate_plan *plan)
{
    for (size_t i = 0; i < plan->file_count; i++) {
        struct ff_simulate_file *file = &plan->files[i];
        if (file->fd >= 0)
            close(file->fd);
        if (file->beside != NULL)
            unlink(file->beside);
        free(file->beside);
        free(file->path);
    }
    free(plan->files);
    free(plan->segments);
    *plan = (struct ff_simulate_plan){.file_count = 0};
}
