/*
 * functions/simulate/simulation.h: a scan whose truth is known, pattern by pattern.
 *
 * The model is that of problem.h: the mean of pattern n is
 *
 *     a_n Σ_k Σ_m |F(pad(S_nk P_nm))|² + background
 *
 * with P_n0 = P_0 + Σ_c w_nc E_c and P_nm = P_m for m > 0, F the orthonormal transform, or in the
 * near field IFFT(H FFT(·)) with H = exp(-iπ λ z f²).
 */
#ifndef FF_SIMULATE_SIMULATION_H
#define FF_SIMULATE_SIMULATION_H

#include "functions/simulate/settings.h"

#include "functions/reconstruct/arrays.h"

/* Pixels of the object around the scan. */
enum { FF_SIMULATION_MARGIN = 8 };

struct ff_transform;
struct ff_simulation_worker;

struct ff_simulation {
    struct ff_simulate_settings settings; /* complete; its texts are borrowed */
    size_t size, patterns, modes, fly;
    size_t probe_size;    /* of the probe's window: at most size */
    size_t rows, columns; /* of the object */
    double wavelength_m, object_pixel_m;

    /* The truth. */
    ff_complex *object;
    ff_complex *probe;       /* (modes, probe_size, probe_size) */
    double *places;          /* (N, fly, 2): row and column of the minimum corner of each patch */
    double *positions;       /* (N, 2): the middle of the places of a pattern */
    size_t eigenprobe_count; /* C */
    ff_complex *eigenprobes; /* (C, probe_size, probe_size), or NULL */
    double *weights;         /* (N, C), or NULL */
    double *intensities;     /* (N): a_n */
    uint8_t *pixels;         /* (size, size) of enum ff_simulate_pixel */
    uint8_t *faults;         /* (N) of enum ff_simulate_fault */

    /* What a file says. */
    double *stated;    /* as `places`, in pixels about any origin */
    ff_complex *guess; /* the probe to begin with: as `probe`, or NULL */
    size_t frame_count;
    size_t *frames; /* (frame_count): the patterns that were not dropped, ascending */

    size_t saturated; /* good pixels so far that counted more than they can */
    struct ff_transform *transform;
    struct ff_transform *probe_transform; /* for subpixel = fourier, or NULL */
    ff_complex *transfer;                 /* H, DC at the corner; NULL in the far field */
    struct ff_simulation_worker *worker;  /* of ff_simulation_pattern */
};

/* FF_INVALID_SETTING when settings contradict each other. The texts of `settings` outlive it. */
struct ff_simulation *ff_simulation_create(const struct ff_simulate_settings *settings,
                                           struct ff_error *error) FF_MUST_USE;
void ff_simulation_destroy(struct ff_simulation *simulation);

/* Room for one thread to make patterns in; the simulation outlives it. */
struct ff_simulation_worker *ff_simulation_worker_create(const struct ff_simulation *simulation,
                                                         struct ff_error *error) FF_MUST_USE;
void ff_simulation_worker_destroy(struct ff_simulation_worker *worker);

/* The mean of pattern `index` without background, noise and detector, into (size, size), laid out
 * as on the detector (far field: DC in the middle). */
void ff_simulation_intensity(struct ff_simulation_worker *worker, size_t index, double *intensity);

/* What the detector counts of it; NaN in gaps. Each pattern draws its own noise from seed and index,
 * whatever the order. Returns how many good pixels saturated. */
size_t ff_simulation_frame(struct ff_simulation_worker *worker, size_t index, double *counts);

/* The same as 16 bit, by one thread; adds to `saturated`. */
void ff_simulation_pattern(struct ff_simulation *simulation, size_t index, uint16_t *counts);

#endif
