/* Following a task: its events by long poll, through a restart of the service. */
#include "client/session.h"

#include "protocol/core/clock.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 2000 };

int ff_task_events(struct ff_session *session, const char *task, struct ff_event_cursor *cursor,
                   int wait_ms, json_t **events, struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    char query[128];
    if (cursor->begun)
        snprintf(query, sizeof query, "/events?after=%lld&epoch=%lld&wait_ms=%d",
                 (long long)cursor->after, (long long)cursor->epoch, wait_ms);
    else
        snprintf(query, sizeof query, "/events?after=0&wait_ms=%d", wait_ms);
    if (ff_session_path(path, "/v3/tasks/", "task", task, query, error) < 0)
        return -1;
    json_t *reply = NULL;
    if (ff_session_request(session, "GET", path, NULL, wait_ms, &reply, error) < 0)
        return -1;
    json_t *list = json_object_get(reply, "events");
    const json_t *next = json_object_get(reply, "next");
    if (!json_is_array(list) || !json_is_integer(next)) {
        json_decref(reply);
        return ff_fail(error, FF_PROTOCOL, "the service answered without events");
    }
    cursor->after = json_integer_value(next);
    cursor->epoch = json_integer_value(json_object_get(reply, "epoch"));
    cursor->begun = true;
    *events = json_incref(list);
    json_decref(reply);
    return 0;
}

/* Hands over; 0 go on, 1 ended by the follower, 2 the result was among them. */
static int hand_over(const struct ff_follower *follower, const json_t *events)
{
    size_t index;
    json_t *event;
    json_array_foreach(events, index, event)
    {
        if (follower->event(follower->user, event) != 0)
            return 1;
        const char *type = json_string_value(json_object_get(event, "type"));
        if (type != NULL && strcmp(type, "result") == 0)
            return 2;
    }
    return 0;
}

static void pause_ms(int milliseconds)
{
    const struct timespec length = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    nanosleep(&length, NULL); /* a signal ends it early, which is wanted */
}

static bool may_pass(const struct ff_error *error)
{
    return error->code == FF_UNREACHABLE ||
           (error->code == FF_TIMED_OUT && strcmp(error->message, "interrupted") != 0);
}

int ff_task_follow(struct ff_session *session, const char *task, const struct ff_follower *follower,
                   struct ff_error *error)
{
    struct ff_event_cursor cursor = follower->start;
    int64_t lost_since_ns = 0;
    int pause = FIRST_PAUSE_MS;
    for (;;) {
        json_t *events = NULL;
        struct ff_error why;
        if (ff_task_events(session, task, &cursor, FF_LONG_POLL_MS, &events, &why) < 0) {
            int64_t now_ns = ff_monotonic_ns();
            if (lost_since_ns == 0)
                lost_since_ns = now_ns;
            if (!may_pass(&why) ||
                now_ns - lost_since_ns > (int64_t)follower->patience_ms * 1000000) {
                if (error != NULL)
                    *error = why;
                return -1;
            }
            if (follower->trouble != NULL)
                follower->trouble(follower->user, &why);
            pause_ms(pause);
            pause = 2 * pause < LONGEST_PAUSE_MS ? 2 * pause : LONGEST_PAUSE_MS;
            continue;
        }
        if (lost_since_ns != 0 && follower->trouble != NULL)
            follower->trouble(follower->user, NULL);
        lost_since_ns = 0;
        pause = FIRST_PAUSE_MS;
        int outcome = hand_over(follower, events);
        json_decref(events);
        if (outcome != 0)
            return outcome == 2 ? 0 : 1;
    }
}
