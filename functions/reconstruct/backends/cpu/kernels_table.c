/* The table of one instruction set. */
#include "functions/reconstruct/backends/cpu/vector.h"

const struct ff_kernels FF_KERNEL(ff_kernels) = {
    .name = FF_KERNEL_NAME,
    .wave = &FF_KERNEL(ff_wave_kernels),
    .modulus = &FF_KERNEL(ff_modulus_kernels),
    .term = &FF_KERNEL(ff_term_kernels),
    .line = &FF_KERNEL(ff_line_kernels),
    .field = &FF_KERNEL(ff_field_kernels),
};
