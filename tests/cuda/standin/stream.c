/* Streams, events and host functions, as CUDA offers them. */
#include "machine.h"
#include "sanitizer.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct CUevent_st {
    unsigned device;
    bool timed;
    struct mark *mark; /* the last recording; NULL: none yet */
};

/* A handle is the address of the stream; the toolkit's own struct behind it has no definition. */
static cudaStream_t handle_of(struct stream *stream)
{
    return (cudaStream_t)stream;
}

struct stream *standin_stream(cudaStream_t handle)
{
    if (handle == NULL || handle == cudaStreamLegacy || handle == cudaStreamPerThread)
        standin_fault("the default stream was used: it waits for every other, so give a stream");
    for (struct stream *stream = standin_machine.streams; stream != NULL; stream = stream->next)
        if (handle_of(stream) == handle)
            return stream;
    return NULL;
}

static cudaError_t make_stream(const char *call, cudaStream_t *handle, unsigned flags)
{
    cudaError_t status = standin_enter(call);
    if (status == cudaSuccess) {
        if (flags != cudaStreamNonBlocking)
            standin_fault("%s without cudaStreamNonBlocking: such a stream waits for the default "
                          "one",
                          call);
        *handle = handle_of(standin_stream_create(standin_current()->number));
    }
    return standin_leave(call, status);
}

cudaError_t cudaStreamCreate(cudaStream_t *handle)
{
    return make_stream("cudaStreamCreate", handle, cudaStreamDefault);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *handle, unsigned flags)
{
    return make_stream("cudaStreamCreateWithFlags", handle, flags);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *handle, unsigned flags, int priority)
{
    (void)priority;
    return make_stream("cudaStreamCreateWithPriority", handle, flags);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
    *least = 0;
    *greatest = -5;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t handle)
{
    cudaError_t status = standin_enter("cudaStreamDestroy");
    if (status == cudaSuccess || status == standin_current()->lost) {
        struct stream *stream = standin_stream(handle);
        if (stream == NULL)
            status = cudaErrorInvalidResourceHandle;
        else
            standin_stream_destroy(stream);
    }
    return standin_leave("cudaStreamDestroy", status);
}

/* What the host learns after it has waited for a device. */
static cudaError_t outcome(unsigned device)
{
    return standin_machine.device[device].lost;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle)
{
    cudaError_t status = standin_enter("cudaStreamSynchronize");
    if (status == cudaSuccess) {
        standin_check_looked_at();
        struct stream *stream = standin_stream(handle);
        if (stream == NULL) {
            status = cudaErrorInvalidResourceHandle;
        } else {
            standin_count_wait();
            standin_finish(stream);
            THREAD_ACQUIRE(&stream->sync);
            status = outcome(stream->device);
        }
    }
    return standin_leave("cudaStreamSynchronize", status);
}

cudaError_t cudaStreamQuery(cudaStream_t handle)
{
    cudaError_t status = standin_enter("cudaStreamQuery");
    if (status == cudaSuccess) {
        struct stream *stream = standin_stream(handle);
        if (stream == NULL) {
            status = cudaErrorInvalidResourceHandle;
        } else if (stream->first != NULL) {
            standin_run_a_little(stream);
            status = cudaErrorNotReady;
        } else {
            THREAD_ACQUIRE(&stream->sync);
            status = outcome(stream->device);
        }
    }
    return standin_leave("cudaStreamQuery", status);
}

cudaError_t cudaDeviceSynchronize(void)
{
    cudaError_t status = standin_enter("cudaDeviceSynchronize");
    if (status == cudaSuccess) {
        standin_check_looked_at();
        standin_count_wait();
        standin_finish_device(standin_current()->number);
        status = standin_current()->lost;
    }
    return standin_leave("cudaDeviceSynchronize", status);
}

/* --- events --- */

static cudaError_t make_event(const char *call, cudaEvent_t *event, unsigned flags)
{
    cudaError_t status = standin_enter(call);
    if (status == cudaSuccess) {
        struct CUevent_st *made = standin_allocate(1, sizeof *made);
        made->device = standin_current()->number;
        made->timed = (flags & cudaEventDisableTiming) == 0;
        standin_machine.events++;
        *event = made;
    }
    return standin_leave(call, status);
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    return make_event("cudaEventCreate", event, cudaEventDefault);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    return make_event("cudaEventCreateWithFlags", event, flags);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    cudaError_t status = standin_enter("cudaEventDestroy");
    if (status == cudaSuccess || status == standin_current()->lost) {
        if (event == NULL) {
            status = cudaErrorInvalidResourceHandle;
        } else {
            standin_mark_drop(event->mark);
            free(event);
            standin_machine.events--;
        }
    }
    return standin_leave("cudaEventDestroy", status);
}

struct record {
    struct operation operation; /* first */
    struct mark *mark;
};

static void run_record(struct operation *operation)
{
    struct mark *mark = ((struct record *)operation)->mark;
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now); /* which no interceptor sees */
    mark->when_ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
    THREAD_RELEASE(&mark->sync);
}

/* Done even on a lost device: whoever waits for it must go on, and learn of the loss. */
static void end_record(struct operation *operation)
{
    struct mark *mark = ((struct record *)operation)->mark;
    mark->done = true;
    standin_mark_drop(mark);
    if (!UNDER_THREAD_SANITIZER)
        free(operation);
}

static cudaError_t record(cudaEvent_t event, struct stream *stream)
{
    if (event == NULL || stream == NULL || event->device != stream->device)
        return cudaErrorInvalidResourceHandle;
    struct mark *mark = standin_allocate(1, sizeof *mark);
    mark->holders = 2; /* the event, and the operation */
    mark->stream = stream;
    standin_mark_drop(event->mark);
    event->mark = mark;
    struct record *made = standin_allocate(1, sizeof *made);
    made->operation =
        (struct operation){.name = "cudaEventRecord", .run = run_record, .destroy = end_record};
    made->mark = mark;
    standin_queue(stream, &made->operation);
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle)
{
    cudaError_t status = standin_enter("cudaEventRecord");
    if (status == cudaSuccess && !standin_forgets("cudaEventRecord"))
        status = record(event, standin_stream(handle));
    return standin_leave("cudaEventRecord", status);
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    cudaError_t status = standin_enter("cudaEventQuery");
    if (status == cudaSuccess) {
        if (event == NULL) {
            status = cudaErrorInvalidResourceHandle;
        } else if (event->mark != NULL && !event->mark->done) {
            standin_run_a_little(event->mark->stream);
            status = cudaErrorNotReady;
        } else {
            if (event->mark != NULL)
                THREAD_ACQUIRE(&event->mark->sync);
            status = outcome(event->device);
        }
    }
    return standin_leave("cudaEventQuery", status);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    cudaError_t status = standin_enter("cudaEventSynchronize");
    if (status == cudaSuccess) {
        standin_check_looked_at();
        standin_count_wait();
        if (event == NULL) {
            status = cudaErrorInvalidResourceHandle;
        } else {
            if (event->mark != NULL) {
                struct mark *mark = standin_mark_hold(event->mark);
                standin_finish_mark(mark);
                THREAD_ACQUIRE(&mark->sync);
                standin_mark_drop(mark);
            }
            status = outcome(event->device);
        }
    }
    return standin_leave("cudaEventSynchronize", status);
}

static cudaError_t elapsed(float *ms, cudaEvent_t begin, cudaEvent_t end)
{
    if (begin == NULL || end == NULL || !begin->timed || !end->timed || begin->mark == NULL ||
        end->mark == NULL)
        return cudaErrorInvalidResourceHandle;
    if (!begin->mark->done || !end->mark->done)
        return cudaErrorNotReady;
    *ms = (float)((double)(int64_t)(end->mark->when_ns - begin->mark->when_ns) * 1e-6);
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t begin, cudaEvent_t end)
{
    cudaError_t status = standin_enter("cudaEventElapsedTime");
    if (status == cudaSuccess)
        status = elapsed(ms, begin, end);
    return standin_leave("cudaEventElapsedTime", status);
}

static cudaError_t wait_for(struct stream *stream, cudaEvent_t event)
{
    if (event == NULL || stream == NULL)
        return cudaErrorInvalidResourceHandle;
    if (event->mark == NULL || standin_forgets("cudaStreamWaitEvent"))
        return cudaSuccess; /* nothing was recorded: nothing to wait for */
    struct operation *operation = standin_allocate(1, sizeof *operation);
    *operation = (struct operation){.name = "cudaStreamWaitEvent",
                                    .waits_for = standin_mark_hold(event->mark)};
    standin_queue(stream, operation);
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned flags)
{
    (void)flags;
    cudaError_t status = standin_enter("cudaStreamWaitEvent");
    if (status == cudaSuccess)
        status = wait_for(standin_stream(handle), event);
    return standin_leave("cudaStreamWaitEvent", status);
}

/* --- host functions --- */

struct host_call {
    struct operation operation; /* first */
    cudaHostFn_t function;
    void *data;
};

static void run_host(struct operation *operation)
{
    struct host_call *call = (struct host_call *)operation;
    standin_host_function_begin();
    call->function(call->data);
    standin_host_function_end();
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void *data)
{
    cudaError_t status = standin_enter("cudaLaunchHostFunc");
    if (status == cudaSuccess) {
        struct stream *stream = standin_stream(handle);
        if (stream == NULL || function == NULL) {
            status = cudaErrorInvalidResourceHandle;
        } else {
            struct host_call *call = standin_allocate(1, sizeof *call);
            call->operation =
                (struct operation){.name = "cudaLaunchHostFunc", .run = run_host, .of_host = true};
            call->function = function;
            call->data = data;
            standin_queue(stream, &call->operation);
        }
    }
    return standin_leave("cudaLaunchHostFunc", status);
}
