#include "functions/reconstruct/checkpoint.h"

#include "protocol/core/digest.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 5 };

struct head {
    char magic[8]; /* "FFCHECK" */
    uint64_t version, epoch, random;
    char device[160];
    uint64_t identity, transforms, solver, arrays; /* bytes */
};

/* --- the arrays, in their order --- */

struct array {
    void *values;
    size_t bytes;
};

enum { STATE_ARRAYS = 7 };

static void state_arrays(const struct ff_problem *problem, const struct ff_state *state,
                         struct array arrays[STATE_ARRAYS])
{
    size_t places = problem->patterns * problem->fly;
    const struct array all[STATE_ARRAYS] = {
        {state->object, ff_state_object_elements(problem) * sizeof *state->object},
        {state->probe, ff_state_probe_elements(problem, state) * sizeof *state->probe},
        {state->positions, 2 * places * sizeof *state->positions},
        {state->velocities, 2 * places * sizeof *state->velocities},
        {state->drift, FF_DEFORMATION_VALUES * sizeof *state->drift},
        {state->scales, problem->patterns * sizeof *state->scales},
        {state->weights, problem->patterns * state->eigenprobes * sizeof *state->weights},
    };
    memcpy(arrays, all, sizeof all);
}

/* Of the waves of one pattern, or of a whole field. */
static size_t field_bytes(const struct ff_problem *problem, const struct ff_state *state,
                          enum ff_field field)
{
    if (field == FF_WAVES)
        return problem->fly * state->modes * problem->rows * problem->columns * sizeof(ff_complex);
    return sizeof(ff_complex) * (field < FF_PROBE ? ff_state_object_elements(problem)
                                                  : ff_state_probe_elements(problem, state));
}

static size_t field_parts(const struct ff_problem *problem, enum ff_field field)
{
    return field == FF_WAVES ? problem->patterns : 1;
}

static size_t arrays_bytes(const struct ff_problem *problem, const struct ff_state *state,
                           size_t epoch, const enum ff_field *fields)
{
    struct array arrays[STATE_ARRAYS];
    size_t bytes = epoch * sizeof(double);
    state_arrays(problem, state, arrays);
    for (size_t i = 0; i < STATE_ARRAYS; i++)
        bytes += arrays[i].bytes;
    for (; *fields != FF_FIELDS; fields++)
        bytes += field_bytes(problem, state, *fields) * field_parts(problem, *fields);
    return bytes;
}

/* Room for the largest part of any of the fields. */
static void *room_for_fields(const struct ff_problem *problem, const struct ff_state *state,
                             const enum ff_field *fields, struct ff_error *error)
{
    size_t most = 0;
    for (; *fields != FF_FIELDS; fields++) {
        size_t bytes = field_bytes(problem, state, *fields);
        most = bytes > most ? bytes : most;
    }
    return ff_array_create(most, 1, "the checkpoint's fields", error);
}

/* --- writing --- */

struct stream {
    const struct ff_checkpoint_sink *sink;
    struct ff_digester *digester;
    struct ff_error *error;
    bool failed; /* then nothing more is written, and `error` says why */
};

static void put(struct stream *stream, const void *data, size_t size)
{
    struct ff_span bytes = {data, size};
    if (stream->failed || size == 0)
        return;
    ff_digester_update(stream->digester, bytes);
    stream->failed = stream->sink->write(stream->sink->user, bytes, stream->error) < 0;
}

static void put_fields(struct stream *stream, const struct ff_problem *problem,
                       const struct ff_checkpoint *checkpoint, struct ff_devices *devices)
{
    const struct ff_state *state = checkpoint->state;
    void *room = room_for_fields(problem, state, checkpoint->fields, stream->error);
    stream->failed = stream->failed || room == NULL;
    for (const enum ff_field *field = checkpoint->fields; *field != FF_FIELDS; field++) {
        size_t parts = field_parts(problem, *field);
        for (size_t part = 0; !stream->failed && part < parts; part++) {
            if (*field == FF_WAVES)
                ff_devices_get_waves(devices, (uint32_t)part, room);
            else
                ff_devices_get(devices, *field, room);
            put(stream, room, field_bytes(problem, state, *field));
        }
    }
    free(room);
}

static void put_all(struct stream *stream, const struct ff_problem *problem,
                    const struct ff_checkpoint *checkpoint, struct ff_devices *devices)
{
    struct array arrays[STATE_ARRAYS];
    struct head head = {
        .magic = "FFCHECK",
        .version = VERSION,
        .epoch = checkpoint->epoch,
        .random = checkpoint->random.state,
        .identity = checkpoint->identity.size,
        .transforms = checkpoint->transforms.size,
        .solver = checkpoint->solver.size,
        .arrays = arrays_bytes(problem, checkpoint->state, checkpoint->epoch, checkpoint->fields),
    };
    memcpy(head.device, checkpoint->device, sizeof head.device);
    put(stream, &head, sizeof head);
    put(stream, checkpoint->identity.data, checkpoint->identity.size);
    put(stream, checkpoint->transforms.data, checkpoint->transforms.size);
    put(stream, checkpoint->solver.data, checkpoint->solver.size);
    put(stream, checkpoint->costs, checkpoint->epoch * sizeof(double));
    state_arrays(problem, checkpoint->state, arrays);
    for (size_t i = 0; i < STATE_ARRAYS; i++)
        put(stream, arrays[i].values, arrays[i].bytes);
    put_fields(stream, problem, checkpoint, devices);
    struct ff_digest digest;
    if (stream->failed || ff_digester_finish(stream->digester, &digest, stream->error) < 0) {
        stream->failed = true;
        return;
    }
    struct ff_span bytes = {digest.bytes, FF_DIGEST_SIZE};
    stream->failed = stream->sink->write(stream->sink->user, bytes, stream->error) < 0;
}

int ff_checkpoint_write(const struct ff_problem *problem, const struct ff_checkpoint *checkpoint,
                        struct ff_devices *devices, const struct ff_checkpoint_sink *sink,
                        struct ff_error *error)
{
    struct stream stream = {.sink = sink, .error = error};
    stream.digester = ff_digester_create(error);
    if (stream.digester == NULL)
        return -1;
    int result = sink->begin(sink->user, error);
    if (result == 0) {
        put_all(&stream, problem, checkpoint, devices);
        result = stream.failed ? -1 : 0;
        struct ff_error ending;
        if (sink->end(sink->user, result == 0, result == 0 ? error : &ending) < 0)
            result = -1;
    }
    ff_digester_destroy(stream.digester);
    return result;
}

/* --- reading --- */

static int cut_short(struct ff_error *error)
{
    return ff_fail(error, FF_INPUT_INVALID, "the checkpoint is cut short");
}

static int refuse(struct ff_error *error, const char *name, int name_size, const char *there,
                  int there_size, const char *here, int here_size)
{
    ff_fail(error, FF_INPUT_INVALID,
            "the checkpoint is of another run: its %.*s is %.*s, here it is %.*s", name_size, name,
            there_size, there, here_size, here);
    return ff_hint(error, "set resume=never to begin anew, or give the settings it was made with");
}

/* The next line of a text as name and value; false at its end. */
static bool next_line(struct ff_span *text, struct ff_span *name, struct ff_span *value)
{
    const char *at = (const char *)text->data;
    if (text->size == 0)
        return false;
    const char *end = memchr(at, '\n', text->size);
    size_t size = end != NULL ? (size_t)(end - at) : text->size;
    const char *tab = memchr(at, '\t', size);
    size_t name_size = tab != NULL ? (size_t)(tab - at) : size;
    *name = (struct ff_span){text->data, name_size};
    *value = tab != NULL ? (struct ff_span){text->data + name_size + 1, size - name_size - 1}
                         : (struct ff_span){text->data + size, 0};
    size_t used = end != NULL ? size + 1 : size;
    *text = (struct ff_span){text->data + used, text->size - used};
    return true;
}

/* Both are lines of the same names in the same order, unless another version wrote one. */
static int compare(struct ff_span there, struct ff_span here, struct ff_error *error)
{
    struct ff_span name;
    struct ff_span value;
    struct ff_span here_name;
    struct ff_span here_value;
    while (next_line(&here, &here_name, &here_value)) {
        if (!next_line(&there, &name, &value) || !ff_span_equal(name, here_name))
            return refuse(error, (const char *)here_name.data, (int)here_name.size, "not told", 8,
                          (const char *)here_value.data, (int)here_value.size);
        if (!ff_span_equal(value, here_value))
            return refuse(error, (const char *)name.data, (int)name.size, (const char *)value.data,
                          (int)value.size, (const char *)here_value.data, (int)here_value.size);
    }
    return 0;
}

/* The next `size` bytes; false when there are not so many. */
static bool take(struct ff_span *rest, uint64_t size, struct ff_span *part)
{
    if (size > rest->size)
        return false;
    *part = (struct ff_span){rest->data, (size_t)size};
    *rest = (struct ff_span){rest->data + size, rest->size - (size_t)size};
    return true;
}

static int check_digest(struct ff_span bytes, struct ff_error *error)
{
    struct ff_digest digest;
    struct ff_span content = {bytes.data, bytes.size - FF_DIGEST_SIZE};
    if (ff_digest_of(content, &digest, error) < 0)
        return -1;
    if (memcmp(digest.bytes, bytes.data + content.size, FF_DIGEST_SIZE) != 0)
        return ff_fail(error, FF_INPUT_INVALID, "the checkpoint is damaged");
    return 0;
}

int ff_checkpoint_open(struct ff_span bytes, struct ff_span identity, size_t epochs,
                       struct ff_checkpoint_view *view, struct ff_error *error)
{
    struct head head;
    struct ff_span there;
    struct ff_span rest = {bytes.data, bytes.size};
    struct ff_span part;
    if (!take(&rest, sizeof head, &part))
        return cut_short(error);
    memcpy(&head, part.data, sizeof head);
    if (memcmp(head.magic, "FFCHECK", sizeof head.magic) != 0 || head.version != VERSION)
        return ff_fail(error, FF_INPUT_INVALID,
                       "this is no checkpoint, or one of another version of Farfield");
    if (!take(&rest, head.identity, &there))
        return cut_short(error);
    if (compare(there, identity, error) < 0)
        return -1;
    if (!take(&rest, head.transforms, &view->transforms) ||
        !take(&rest, head.solver, &view->solver) || !take(&rest, head.arrays, &view->arrays) ||
        rest.size != FF_DIGEST_SIZE)
        return cut_short(error);
    if (check_digest(bytes, error) < 0)
        return -1;
    if (head.epoch > epochs) {
        ff_fail(error, FF_INPUT_INVALID,
                "the checkpoint is of another run: it has done %llu epochs, here are %zu to do",
                (unsigned long long)head.epoch, epochs);
        return ff_hint(error, "set resume=never to begin anew, or give more epochs");
    }
    view->epoch = (size_t)head.epoch;
    view->random.state = head.random;
    memcpy(view->device, head.device, sizeof view->device);
    view->device[sizeof view->device - 1] = '\0';
    return 0;
}

int ff_checkpoint_take_state(const struct ff_checkpoint_view *view,
                             const struct ff_problem *problem, double *costs,
                             struct ff_state *state, struct ff_error *error)
{
    struct array arrays[STATE_ARRAYS];
    struct ff_span rest = view->arrays;
    struct ff_span part;
    if (!take(&rest, view->epoch * sizeof(double), &part))
        return cut_short(error);
    memcpy(costs, part.data, part.size);
    state_arrays(problem, state, arrays);
    for (size_t i = 0; i < STATE_ARRAYS; i++) {
        if (!take(&rest, arrays[i].bytes, &part))
            return cut_short(error);
        memcpy(arrays[i].values, part.data, part.size);
    }
    return 0;
}

int ff_checkpoint_put_fields(const struct ff_checkpoint_view *view,
                             const struct ff_problem *problem, const struct ff_state *state,
                             const enum ff_field *fields, struct ff_devices *devices,
                             struct ff_error *error)
{
    static const enum ff_field none[] = {FF_FIELDS};
    struct ff_span rest = view->arrays;
    struct ff_span part;
    if (rest.size != arrays_bytes(problem, state, view->epoch, fields) ||
        !take(&rest, arrays_bytes(problem, state, view->epoch, none), &part))
        return cut_short(error);
    void *room = room_for_fields(problem, state, fields, error); /* aligned, as the bytes are not */
    if (room == NULL)
        return -1;
    for (; *fields != FF_FIELDS; fields++) {
        for (size_t i = 0; i < field_parts(problem, *fields); i++) {
            (void)take(&rest, field_bytes(problem, state, *fields), &part);
            memcpy(room, part.data, part.size);
            if (*fields == FF_WAVES)
                ff_devices_put_waves(devices, (uint32_t)i, room);
            else
                ff_devices_put(devices, *fields, room);
        }
    }
    free(room);
    return 0;
}
