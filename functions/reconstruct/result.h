/*
 * functions/reconstruct/result.h: the result file: the product layout of ptychodus, with what
 * Farfield adds as attributes of the root (`farfield_…`). Written whole or not at all; read back
 * for `farfield show` and `farfield compare`.
 *
 * Positions are those of the middles of the patches, a row of probe_position_{y,x}_m each, with the
 * number of their pattern in probe_position_indexes: a fly scan of K positions a pattern has K rows
 * of one number (attribute farfield_fly). Where they were corrected, input_position_{y,x}_m hold
 * the ones of the input. probe is (1 + C, modes, rows, columns): the probe, then C eigenprobes;
 * opr_weights (N, 1 + C) tell the probe of a pattern.
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

    /* What only some runs have: zero and NULL where a run has it not, and the file is then as it
     * always was. */

    /* (N, K, 2): the corrected positions in pixels, as `positions` of the problem, which are the
     * ones measured. The file holds these as the positions and the others as input_position_*. */
    const double *positions;
    /* A probe of its own for each pattern n, of which the first V modes vary with C eigenprobes:
     *     P_n = scales[n] (probe + Σ_c opr_weights[n][c] eigenprobes[c]);
     * in the file the scale is multiplied into the weights. */
    size_t eigenprobe_count;       /* C */
    size_t varied_modes;           /* V, 1 … modes */
    const ff_complex *eigenprobes; /* (C, V, probe rows, probe columns) */
    const double *opr_weights;     /* (N, C) */
    const double *scales;          /* (N): of the pattern's amplitude, 1 in the quadratic mean */
    const char *orientation;       /* what was done to the positions: "as-is", … */
    const char *loss;              /* what `costs` are values of: "gaussian", "poisson" */
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
    size_t eigenprobes; /* C: how many arrays of modes stand behind the probe itself */
    ff_complex *probe;  /* (1 + C, modes, probe_rows, probe_columns) */
    size_t patterns;    /* N */
    size_t fly;         /* K ≥ 1: positions of a pattern */
    double
        *positions; /* (N, K, 2): row and column of the minimum corner of each patch, in pixels */
    double *input_positions; /* the same before they were corrected; NULL: they were not */
    double
        *opr_weights; /* (N, 1 + C): of the probe (√intensity) and the eigenprobes; NULL: 1 and 0 */
    size_t epochs;
    double *costs;
    double pixel_m[2]; /* rows, columns */
    double energy_eV, distance_m;
    double cost, r, seconds;
    char *input, *input_sha256, *settings, *device, *version, *stopped;
    char *orientation, *loss;
};

/* Refuses what is no product, with the dataset that is missing or odd. */
struct ff_product *ff_product_read(const char *path, struct ff_error *error) FF_MUST_USE;
void ff_product_destroy(struct ff_product *product);

#endif
