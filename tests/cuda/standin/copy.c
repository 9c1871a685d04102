/* Copies and fills. Rows of `width` bytes, `height` of them, each side with its own pitch; what is flat is one row. */
#include "machine.h"
#include "sanitizer.h"

#include <stdlib.h>

struct side {
    uint8_t *data;
    size_t pitch;
};

struct copy {
    struct operation operation; /* first */
    struct side to, from;
    size_t width, height;
    int value;     /* of a fill: from.data is NULL */
    uint8_t *kept; /* what pageable memory held at the call */
    enum standin_copy kind;
    int to_device, from_device;
};

/* By hand: what an interceptor of memcpy sees would be taken for an access of the stand-in's thread. */
#define BY_HAND __attribute__((optimize("no-tree-loop-distribute-patterns")))

BY_HAND static void copy_by_hand(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[i];
}

/* Also over what lies between variables of static shared memory. */
BY_HAND __attribute__((no_sanitize_address)) static void fill_by_hand(uint8_t *to, int value,
                                                                      size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)value;
}

void standin_copy_bytes(void *to, const void *from, size_t size)
{
    if (size == 0)
        return;
    THREAD_READS(from, size);
    THREAD_WRITES(to, size);
    copy_by_hand(to, from, size);
}

void standin_fill_bytes(void *to, int value, size_t size)
{
    if (size > 0)
        fill_by_hand(to, value, size);
}

static size_t extent(size_t pitch, size_t width, size_t height)
{
    return height == 0 ? 0 : pitch * (height - 1) + width;
}

/* A fault unless memory of a device that is allocated holds all of it. */
static void check_side(const char *call, struct side side, size_t width, size_t height)
{
    int device = standin_device_of(side.data);
    if (device >= 0 && width > 0 && height > 0 &&
        standin_allocation_of(side.data, extent(side.pitch, width, height)) == NULL)
        standin_fault("%s: %zu bytes from %p are not all within one allocation of device %d", call,
                      extent(side.pitch, width, height), (void *)side.data, device);
}

static unsigned bit_of(int device)
{
    return device < 0 ? 0 : 1U << device;
}

static void run_copy(struct operation *operation)
{
    struct copy *copy = (struct copy *)operation;
    check_side(operation->name, copy->to, copy->width, copy->height);
    check_side(operation->name, copy->from, copy->width, copy->height);
    standin_gate_set(bit_of(copy->to_device) | bit_of(copy->from_device));
    for (size_t row = 0; row < copy->height; row++) {
        uint8_t *to = copy->to.data + row * copy->to.pitch;
        if (copy->from.data != NULL) {
            standin_copy_bytes(to, copy->from.data + row * copy->from.pitch, copy->width);
        } else {
            THREAD_WRITES(to, copy->width);
            standin_fill_bytes(to, copy->value, copy->width);
        }
    }
    standin_count_copy(copy->kind, copy->from_device, copy->to_device, copy->width * copy->height);
}

static void end_copy(struct operation *operation)
{
    struct copy *copy = (struct copy *)operation;
    if (UNDER_THREAD_SANITIZER)
        return;
    free(copy->kept);
    free(copy);
}

/* What the direction said must be what the pointers say. */
static bool is_of(enum cudaMemcpyKind direction, int to, int from)
{
    switch (direction) {
    case cudaMemcpyHostToHost:
        return to < 0 && from < 0;
    case cudaMemcpyHostToDevice:
        return to >= 0 && from < 0;
    case cudaMemcpyDeviceToHost:
        return to < 0 && from >= 0;
    case cudaMemcpyDeviceToDevice:
        return to >= 0 && from >= 0;
    default:
        return true;
    }
}

static bool host_is_pinned(const struct copy *copy)
{
    struct side host = copy->to_device < 0 ? copy->to : copy->from;
    return standin_is_pinned(host.data, extent(host.pitch, copy->width, copy->height));
}

static enum standin_copy kind_of(const struct copy *copy)
{
    if (copy->from.data == NULL)
        return STANDIN_COPY_SET;
    if (copy->from_device < 0)
        return host_is_pinned(copy) ? STANDIN_COPY_TO_DEVICE : STANDIN_COPY_TO_DEVICE_PAGEABLE;
    if (copy->to_device < 0)
        return host_is_pinned(copy) ? STANDIN_COPY_FROM_DEVICE : STANDIN_COPY_FROM_DEVICE_PAGEABLE;
    if (copy->from_device == copy->to_device)
        return STANDIN_COPY_WITHIN;
    unsigned given = standin_machine.device[copy->from_device].access >> copy->to_device |
                     standin_machine.device[copy->to_device].access >> copy->from_device;
    return (given & 1) != 0 ? STANDIN_COPY_PEER : STANDIN_COPY_PEER_STAGED;
}

/* Pageable memory may change once the call has returned: what it holds now is what is copied. */
static void keep_source(struct copy *copy)
{
    copy->kept = standin_allocate(copy->height, copy->width);
    for (size_t row = 0; row < copy->height; row++)
        standin_copy_bytes(copy->kept + row * copy->width, copy->from.data + row * copy->from.pitch,
                           copy->width);
    copy->from = (struct side){copy->kept, copy->width};
}

/* Queues the copy; NULL for the stream: runs it now, without regard to any stream. */
static cudaError_t queue_copy(const char *call, struct stream *stream, const struct copy *wanted,
                              enum cudaMemcpyKind direction)
{
    bool fills = wanted->from.data == NULL;
    int to = standin_device_of(wanted->to.data);
    int from = fills ? -1 : standin_device_of(wanted->from.data);
    if (wanted->width == 0 || wanted->height == 0)
        return cudaSuccess;
    if (wanted->to.data == NULL || wanted->to.pitch < wanted->width ||
        (!fills && wanted->from.pitch < wanted->width) || (fills && to < 0))
        return cudaErrorInvalidValue;
    if (!fills && !is_of(direction, to, from))
        return cudaErrorInvalidMemcpyDirection;
    if (to < 0 && from < 0)
        standin_fault("%s from host to host: use memcpy", call);
    check_side(call, wanted->to, wanted->width, wanted->height);
    check_side(call, wanted->from, wanted->width, wanted->height);

    struct copy *copy = standin_allocate(1, sizeof *copy);
    *copy = *wanted;
    copy->operation = (struct operation){.name = call, .run = run_copy, .destroy = end_copy};
    copy->to_device = to;
    copy->from_device = from;
    copy->kind = kind_of(copy);
    bool waits = copy->kind == STANDIN_COPY_FROM_DEVICE_PAGEABLE;
    if (copy->kind == STANDIN_COPY_TO_DEVICE_PAGEABLE)
        keep_source(copy);
    struct stream *apart = NULL;
    if (stream == NULL)
        stream = apart = standin_stream_create(standin_current()->number);
    standin_queue(stream, &copy->operation);
    if (waits || apart != NULL) {
        standin_count_wait();
        standin_finish(stream);
        THREAD_ACQUIRE(&stream->sync);
    }
    if (apart != NULL)
        standin_stream_destroy(apart);
    return waits ? standin_current()->lost : cudaSuccess;
}

/* A call for a stream, from its beginning to its end. */
static cudaError_t in_stream(const char *call, cudaStream_t handle, struct copy copy,
                             enum cudaMemcpyKind direction)
{
    cudaError_t status = standin_enter(call);
    if (status == cudaSuccess) {
        struct stream *stream = standin_stream(handle);
        status = stream == NULL ? cudaErrorInvalidResourceHandle
                                : queue_copy(call, stream, &copy, direction);
    }
    return standin_leave(call, status);
}

/* Likewise for one that waits: it runs before what any stream still has to do. */
static cudaError_t at_once(const char *call, struct copy copy, enum cudaMemcpyKind direction)
{
    cudaError_t status = standin_enter(call);
    if (status == cudaSuccess) {
        standin_check_looked_at();
        status = queue_copy(call, NULL, &copy, direction);
    }
    return standin_leave(call, status);
}

/* `from` is read only, but one struct serves both sides. */
static struct copy rectangle(void *to, size_t to_pitch, const void *from, size_t from_pitch,
                             size_t width, size_t height)
{
    return (struct copy){.to = {to, to_pitch},
                         .from = {(uint8_t *)(uintptr_t)from, from_pitch},
                         .width = width,
                         .height = height};
}

static struct copy flat(void *to, const void *from, size_t size)
{
    return rectangle(to, size, from, size, size, 1);
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t size, enum cudaMemcpyKind direction,
                            cudaStream_t stream)
{
    if (from == NULL && size > 0)
        return cudaErrorInvalidValue;
    return in_stream("cudaMemcpyAsync", stream, flat(to, from, size), direction);
}

cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch,
                              size_t width, size_t height, enum cudaMemcpyKind direction,
                              cudaStream_t stream)
{
    if (from == NULL && width > 0 && height > 0)
        return cudaErrorInvalidValue;
    return in_stream("cudaMemcpy2DAsync", stream,
                     rectangle(to, to_pitch, from, from_pitch, width, height), direction);
}

static bool are_on(const void *to, int to_device, const void *from, int from_device)
{
    return standin_device_of(to) == to_device && standin_device_of(from) == from_device;
}

cudaError_t cudaMemcpyPeerAsync(void *to, int to_device, const void *from, int from_device,
                                size_t size, cudaStream_t stream)
{
    if (size > 0 && (from == NULL || !are_on(to, to_device, from, from_device)))
        return cudaErrorInvalidValue;
    return in_stream("cudaMemcpyPeerAsync", stream, flat(to, from, size), cudaMemcpyDeviceToDevice);
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t size, enum cudaMemcpyKind direction)
{
    if (from == NULL && size > 0)
        return cudaErrorInvalidValue;
    return at_once("cudaMemcpy", flat(to, from, size), direction);
}

cudaError_t cudaMemcpy2D(void *to, size_t to_pitch, const void *from, size_t from_pitch,
                         size_t width, size_t height, enum cudaMemcpyKind direction)
{
    if (from == NULL && width > 0 && height > 0)
        return cudaErrorInvalidValue;
    return at_once("cudaMemcpy2D", rectangle(to, to_pitch, from, from_pitch, width, height),
                   direction);
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t size, cudaStream_t stream)
{
    struct copy copy = flat(to, NULL, size);
    copy.value = value;
    return in_stream("cudaMemsetAsync", stream, copy, cudaMemcpyDefault);
}

cudaError_t cudaMemset2DAsync(void *to, size_t pitch, int value, size_t width, size_t height,
                              cudaStream_t stream)
{
    struct copy copy = rectangle(to, pitch, NULL, 0, width, height);
    copy.value = value;
    return in_stream("cudaMemset2DAsync", stream, copy, cudaMemcpyDefault);
}

cudaError_t cudaMemset(void *to, int value, size_t size)
{
    struct copy copy = flat(to, NULL, size);
    copy.value = value;
    return at_once("cudaMemset", copy, cudaMemcpyDefault);
}
