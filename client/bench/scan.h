/*
 * client/bench/scan.h: reads a page of results without building a tree of its values, which would cost the bench more
 * than all that it measures.
 */
#ifndef FF_CLIENT_BENCH_SCAN_H
#define FF_CLIENT_BENCH_SCAN_H

#include "protocol/core/error.h"

#include <stddef.h>
#include <stdint.h>

/* What a page of `results` told: tasks that ended, the last one's place in the order, and the sum of their values. */
struct ff_scan_page {
    int64_t count;
    int64_t after;
    int64_t sum;
};

/* Reads {"results":[{"seq": n, "state": "success", "result": n, …},…], …} of terminated text. FF_TASK_FAILED where a
 * task has another state; FF_PROTOCOL where the text is something else. */
int ff_scan_results(const char *text, size_t size, struct ff_scan_page *page,
                    struct ff_error *error) FF_MUST_USE;

#endif
