/*
 * functions/reconstruct/backends/cuda/shift.h: probes shifted by a part of a pixel, by the phases of their frequencies, on one device.
 *
 * The transforms between these are cuFFT's, unnormalised. What turns a spectrum, ramps (count, fly, rows + columns) of
 * exp(-2πi f d / n) by row and by column, therefore has 1 / pixels in its rows.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_SHIFT_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_SHIFT_H

#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/exposure.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FF_CUDA_SHIFT_NUMBERS = 2 }; /* of an exposure: b_y b_x */

bool ff_cuda_make_ramps(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, float2 *ramps);

/* shifted (count, fly, probes, rows, columns) = the spectra of what each exposure sees: the first `probes` of `spectra` (modes +
 * eigenprobes, rows, columns), in the first of them P_0 + Σ_c w_nc E_c. */
bool ff_cuda_turn_spectra(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_chunk *chunk, const float2 *spectra,
                          const float2 *ramps, uint32_t probes, float2 *shifted);

/* products (count, fly, modes, rows, columns) = S* χ of `waves`. */
bool ff_cuda_form_products(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_chunk *chunk, const float2 *object,
                           const float2 *waves, float2 *products);

/* spectra (modes + eigenprobes, rows, columns) = those of N_P and N_E from those of the products, turned back; added to unless the
 * chunk is the first of its batch. */
bool ff_cuda_sum_spectra(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_chunk *chunk, const float2 *products,
                         const float2 *ramps, bool first, float2 *spectra);

/* What moves of the shifted probes do: FF_CUDA_SHIFT_NUMBERS of each piece (terms.h) of the spectra, for numbers (count, fly, pieces,
 * FF_CUDA_SHIFT_NUMBERS). `spectra` are those of the probes, `products` those of the products. */
bool ff_cuda_shift_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_chunk *chunk, const float2 *spectra,
                          const float2 *products, const float2 *ramps, double *numbers);

#ifdef __cplusplus
}
#endif

#endif
