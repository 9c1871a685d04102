/*
 * protocol/core/loop.h: the event loop of a process: descriptors, timers, signals, and work before sleeping.
 *
 * One loop belongs to one thread; only ff_loop_wake and ff_loop_stop may be called from others. Callbacks must not
 * block. A callback may create and destroy watches and timers, its own included. Nothing wakes the loop but what was
 * asked for: with no timer due it sleeps for ever (epoll).
 */
#ifndef FF_PROTOCOL_CORE_LOOP_H
#define FF_PROTOCOL_CORE_LOOP_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stdint.h>

struct ff_loop;
struct ff_watch;
struct ff_timer;
struct ff_prepare;

struct ff_loop *ff_loop_create(struct ff_error *error) FF_MUST_USE;

/* Also destroys what is left on the loop. NULL is fine. */
void ff_loop_destroy(struct ff_loop *loop);

/* Runs until ff_loop_stop (one that came before counts). May be run again. */
int ff_loop_run(struct ff_loop *loop, struct ff_error *error) FF_MUST_USE;
void ff_loop_stop(struct ff_loop *loop);

/* Ends the present or next sleep; then the prepares run. From any thread, and from signal handlers. */
void ff_loop_wake(struct ff_loop *loop);

/* Calls `ready` while `fd` has one of `events` (EPOLLIN, EPOLLOUT; level-triggered). The loop does not own the
 * descriptor: destroy the watch before closing it. */
typedef void ff_watch_ready(void *user, uint32_t events);
struct ff_watch *ff_watch_create(struct ff_loop *loop, int fd, uint32_t events,
                                 ff_watch_ready *ready, void *user,
                                 struct ff_error *error) FF_MUST_USE;
void ff_watch_set(struct ff_watch *watch, uint32_t events);
void ff_watch_destroy(struct ff_watch *watch);

/* Calls `due` once when the monotonic clock has reached the time set. A new timer is off. */
typedef void ff_timer_due(void *user);
enum { FF_TIMER_OFF = 0 };
struct ff_timer *ff_timer_create(struct ff_loop *loop, ff_timer_due *due, void *user,
                                 struct ff_error *error) FF_MUST_USE;
void ff_timer_set(struct ff_timer *timer, int64_t at_monotonic_ns);
void ff_timer_set_after(struct ff_timer *timer, int64_t after_ms);
void ff_timer_destroy(struct ff_timer *timer);

/* Calls `prepare` before every sleep, until all of them return false in a row: true means that it did something, and
 * that others may have work now. This is where sockets are drained (ZeroMQ descriptors are edge-triggered) and where
 * gathered messages are sent. */
typedef bool ff_prepare_run(void *user);
struct ff_prepare *ff_prepare_create(struct ff_loop *loop, ff_prepare_run *run, void *user,
                                     struct ff_error *error) FF_MUST_USE;
void ff_prepare_destroy(struct ff_prepare *prepare);

/* Blocks the signals of the zero-ended list in this thread (call before others start) and hands each to `caught`
 * inside the loop. */
typedef void ff_signal_caught(void *user, int signal_number);
int ff_loop_signals(struct ff_loop *loop, const int *signals, ff_signal_caught *caught, void *user,
                    struct ff_error *error) FF_MUST_USE;

#endif
