/*
 * functions/reconstruct/result.h: the result file: the product layout of ptychodus, with what
 * Farfield adds as attributes of the root (`farfield_…`). Written whole or not at all; read back
 * for `farfield show`.
 */
#ifndef FF_RECONSTRUCT_RESULT_H
#define FF_RECONSTRUCT_RESULT_H

#include "functions/reconstruct/problem.h"
#include "protocol/core/bytes.h"

/* What a reconstruction has to tell beside the problem. Everything is borrowed. */
struct ff_result_content {
    const struct ff_problem *problem;
    const ff_complex *object; /* of the problem's shape */
    const ff_complex *probe;  /* (modes, rows, columns) of the problem's shape */
    size_t modes;
    const double *costs; /* one an epoch */
    size_t epochs, resumed_at;
    double cost, r;
    const char *stopped;  /* "done", "asked", "time" */
    const char *settings; /* JSON */
    const char *device;
    double read_seconds, plan_seconds, iterate_seconds;
};

/* Writes the file beside `path` and renames it into place: FF_DISK_FULL or FF_OUTPUT_FAILED with
 * the remedy, and then nothing is left behind. */
int ff_result_write(const char *path, const struct ff_result_content *content,
                    struct ff_error *error) FF_MUST_USE;

/* Writes any file that belongs to a result in the same way. */
int ff_result_write_file(const char *path, struct ff_span bytes,
                         struct ff_error *error) FF_MUST_USE;

/* A result as read from a file. What the file does not say is NaN, 0 or NULL. */
struct ff_product {
    size_t rows, columns; /* of the object; its first layer */
    ff_complex *object;
    size_t modes, probe_rows, probe_columns;
    ff_complex *probe;
    size_t patterns;
    double *positions; /* (N, 2): row and column of the minimum corner of each patch, in pixels */
    size_t epochs;
    double *costs;
    double pixel_m[2]; /* rows, columns */
    double energy_eV, distance_m;
    double cost, r, seconds;
    char *input, *input_sha256, *settings, *device, *version, *stopped;
};

/* Refuses what is no product, with the dataset that is missing or odd. */
struct ff_product *ff_product_read(const char *path, struct ff_error *error) FF_MUST_USE;
void ff_product_destroy(struct ff_product *product);

#endif
