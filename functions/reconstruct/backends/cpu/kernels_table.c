/* The table of one instruction set. */
#include "functions/reconstruct/backends/cpu/vector.h"

#include "functions/reconstruct/backends/cpu/vector_code.h"

const struct ff_kernels FF_KERNEL(ff_kernels) = {
    .name = FF_KERNEL_NAME,
#ifdef FF_KERNEL_BLOCKS
    .block = L,
    .vector = &FF_KERNEL(ff_vector_code),
#else
    .block = 1,
#endif
    .wave = &FF_KERNEL(ff_wave_kernels),
    .modulus = &FF_KERNEL(ff_modulus_kernels),
    .term = &FF_KERNEL(ff_term_kernels),
    .line = &FF_KERNEL(ff_line_kernels),
    .field = &FF_KERNEL(ff_field_kernels),
};
