/*
 * protocol/core/error_codes.h: every error of Farfield, once.
 *
 * Columns: C name, name on the wire and in JSON, HTTP status, exit status of the command, text used where nobody
 * wrote a better one. The order is free; the wire carries the name, so codes can be added at any time. A peer that
 * does not know a name treats it as INTERNAL and shows the text that came with it.
 *
 * Exit statuses: 0 done, 1 the task failed, 2 wrong use, 3 service unreachable, 4 cancelled, 5 refused.
 */
#ifndef FF_PROTOCOL_CORE_ERROR_CODES_H
#define FF_PROTOCOL_CORE_ERROR_CODES_H

/* A line a row, however long. */
/* clang-format off */
#define FF_ERROR_CODES(X)                                                                          \
    X(FF_OK, "OK", 200, 0, "done")                                                                 \
    X(FF_INTERNAL, "INTERNAL", 500, 1, "internal error")                                           \
    X(FF_NO_MEMORY, "NO_MEMORY", 503, 1, "out of memory")                                          \
    X(FF_IO, "IO", 500, 1, "input or output failed")                                               \
    X(FF_DISK_FULL, "DISK_FULL", 507, 1, "no space left on the device")                            \
    X(FF_UNSUPPORTED, "UNSUPPORTED", 501, 2, "not supported here")                                 \
    X(FF_BUSY, "BUSY", 409, 1, "in use by another process")                                        \
    X(FF_INVALID_ARGUMENT, "INVALID_ARGUMENT", 400, 2, "an argument is not valid")                 \
    X(FF_INVALID_JSON, "INVALID_JSON", 400, 2, "not valid JSON")                                   \
    X(FF_UNKNOWN_SETTING, "UNKNOWN_SETTING", 400, 2, "no such setting")                            \
    X(FF_INVALID_SETTING, "INVALID_SETTING", 400, 2, "a setting has a value it cannot have")       \
    X(FF_INPUT_MISSING, "INPUT_MISSING", 400, 1, "the input cannot be found or opened")            \
    X(FF_INPUT_INVALID, "INPUT_INVALID", 400, 1, "the input cannot be used")                       \
    X(FF_OUTPUT_FAILED, "OUTPUT_FAILED", 500, 1, "the output cannot be written")                   \
    X(FF_FUNCTION_NOT_FOUND, "FUNCTION_NOT_FOUND", 404, 2, "no such function")                     \
    X(FF_FUNCTION_INVALID, "FUNCTION_INVALID", 400, 1, "the function cannot be loaded")            \
    X(FF_ENDPOINT_NOT_FOUND, "ENDPOINT_NOT_FOUND", 404, 2, "no such endpoint")                     \
    X(FF_ENDPOINT_IN_USE, "ENDPOINT_IN_USE", 409, 1, "another agent runs this endpoint")           \
    X(FF_TASK_NOT_FOUND, "TASK_NOT_FOUND", 404, 2, "no such task")                                 \
    X(FF_OBJECT_NOT_FOUND, "OBJECT_NOT_FOUND", 404, 1, "no such object")                           \
    X(FF_NOT_FOUND, "NOT_FOUND", 404, 2, "no such resource")                                       \
    X(FF_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", 405, 2, "this resource does not take that method") \
    X(FF_CONFLICT, "CONFLICT", 409, 2, "the request contradicts an earlier one")                   \
    X(FF_TOO_LARGE, "TOO_LARGE", 413, 2, "larger than the limit")                                  \
    X(FF_RATE_LIMITED, "RATE_LIMITED", 429, 5, "too many requests")                                \
    X(FF_UNREACHABLE, "UNREACHABLE", 503, 3, "the service cannot be reached")                      \
    X(FF_TIMED_OUT, "TIMED_OUT", 504, 3, "no answer in time")                                      \
    X(FF_UNAUTHENTICATED, "UNAUTHENTICATED", 401, 5, "no valid token was given")                   \
    X(FF_FORBIDDEN, "FORBIDDEN", 403, 5, "not permitted")                                          \
    X(FF_PROTOCOL, "PROTOCOL", 400, 1, "the peer sent something that is not the protocol")         \
    X(FF_VERSION_MISMATCH, "VERSION_MISMATCH", 400, 1, "the two programs are too far apart in version") \
    X(FF_TASK_FAILED, "TASK_FAILED", 500, 1, "the function reported an error")                     \
    X(FF_TASK_CANCELLED, "TASK_CANCELLED", 409, 4, "the task was cancelled")                       \
    X(FF_TIME_LIMIT, "TIME_LIMIT", 500, 1, "the task reached its time limit")                      \
    X(FF_RESULT_TOO_LARGE, "RESULT_TOO_LARGE", 500, 1, "the result is larger than the limit")      \
    X(FF_RUNNER_LOST, "RUNNER_LOST", 500, 1, "the process that ran the function died")             \
    X(FF_MANAGER_LOST, "MANAGER_LOST", 500, 1, "the node that ran the function was lost")          \
    X(FF_ENDPOINT_LOST, "ENDPOINT_LOST", 500, 1, "the endpoint that ran the function was lost")    \
    X(FF_NO_DEVICE, "NO_DEVICE", 500, 1, "the devices that the task asks for are not there")
/* clang-format on */

#endif
