/*
 * functions/reconstruct/compare/report.h: a comparison for a person, and as JSON.
 */
#ifndef FF_RECONSTRUCT_COMPARE_REPORT_H
#define FF_RECONSTRUCT_COMPARE_REPORT_H

#include "functions/reconstruct/metrics/comparison.h"

#include <jansson.h>

struct ff_report {
    const char *estimate, *reference; /* as the user named them */
    const struct ff_comparison *comparison;
    const char *picture; /* NULL: none was written */
};

void ff_report_print(const struct ff_report *report);

/* What is not known is null. A new reference, or NULL when memory is out. */
json_t *ff_report_json(const struct ff_report *report) FF_MUST_USE;

#endif
