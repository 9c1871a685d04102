/*
 * functions/reconstruct/backends/cpu/real.h: the precision that the sources of backends/cpu are compiled for.
 *
 * The same files are built twice: in float, which is the CPU backend, and with FF_REAL_DOUBLE in double, which tests
 * of adjoints and gradients use. Both can stand in one program, so what is external gets another name in double.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_REAL_H
#define FF_RECONSTRUCT_BACKENDS_CPU_REAL_H

#ifdef FF_REAL_DOUBLE

typedef double ff_real;
#define FF_FFTW(name)  fftw_##name
#define FF_FFTW_FILE   "fftw-double"
#define FF_BACKEND_CPU ff_backend_cpu_double

#define ff_plan_create            ff_double_plan_create
#define ff_plan_text              ff_double_plan_text
#define ff_plan_text_is_vector    ff_double_plan_text_is_vector
#define ff_plan_forward           ff_double_plan_forward
#define ff_plan_inverse           ff_double_plan_inverse
#define ff_plan_destroy           ff_double_plan_destroy
#define ff_kernels_choose         ff_double_kernels_choose
#define ff_kernels_at             ff_double_kernels_at
#define ff_kernels_vector         ff_double_kernels_vector
#define ff_kernels_x86_64         ff_kernels_double_x86_64
#define ff_cpu_allocate           ff_double_cpu_allocate
#define ff_cpu_release            ff_double_cpu_release
#define ff_cpu_block              ff_double_cpu_block
#define ff_cpu_own                ff_double_cpu_own
#define ff_cpu_put                ff_double_cpu_put
#define ff_cpu_get                ff_double_cpu_get
#define ff_cpu_put_rows           ff_double_cpu_put_rows
#define ff_cpu_get_rows           ff_double_cpu_get_rows
#define ff_cpu_get_terms          ff_double_cpu_get_terms
#define ff_cpu_terms_of           ff_double_cpu_terms_of
#define ff_cpu_kept_wave          ff_double_cpu_kept_wave
#define ff_cpu_run                ff_double_cpu_run
#define ff_cpu_sum                ff_double_cpu_sum
#define ff_cpu_propagation_create ff_double_cpu_propagation_create
#define ff_cpu_forward            ff_double_cpu_forward
#define ff_cpu_back               ff_double_cpu_back
#define ff_cpu_shift              ff_double_cpu_shift
#define ff_cpu_make_slopes        ff_double_cpu_make_slopes
#define ff_cpu_find_spectra       ff_double_cpu_find_spectra
#define ff_cpu_shift_probe        ff_double_cpu_shift_probe
#define ff_cpu_derive_probe       ff_double_cpu_derive_probe
#define ff_cpu_shift_back         ff_double_cpu_shift_back
#define ff_cpu_leave_spectra      ff_double_cpu_leave_spectra
#define ff_cpu_place              ff_double_cpu_place
#define ff_cpu_planes_at          ff_double_cpu_planes_at
#define ff_cpu_frame              ff_double_cpu_frame
#define ff_cpu_light              ff_double_cpu_light
#define ff_cpu_probes             ff_double_cpu_probes
#define ff_cpu_expose             ff_double_cpu_expose
#define ff_cpu_vary               ff_double_cpu_vary
#define ff_cpu_waves              ff_double_cpu_waves
#define ff_cpu_modulus            ff_double_cpu_modulus
#define ff_cpu_gradients          ff_double_cpu_gradients
#define ff_cpu_overlap            ff_double_cpu_overlap
#define ff_cpu_cost               ff_double_cpu_cost
#define ff_cpu_begin_merge        ff_double_cpu_begin_merge
#define ff_cpu_merge              ff_double_cpu_merge
#define ff_cpu_end_merge          ff_double_cpu_end_merge
#define ff_cpu_sum_row            ff_double_cpu_sum_row
#define ff_cpu_claim_row          ff_double_cpu_claim_row
#define ff_cpu_settle             ff_double_cpu_settle
#define ff_cpu_spread             ff_double_cpu_spread
#define ff_cpu_exchange_create    ff_double_cpu_exchange_create
#define ff_cpu_exchange_destroy   ff_double_cpu_exchange_destroy
#define ff_cpu_rows_of            ff_double_cpu_rows_of
#define ff_cpu_update             ff_double_cpu_update
#define ff_cpu_lengths            ff_double_cpu_lengths
#define ff_cpu_normalise          ff_double_cpu_normalise
#define ff_cpu_sample             ff_double_cpu_sample
#define ff_cpu_place_exits        ff_double_cpu_place_exits
#define ff_cpu_exit_of            ff_double_cpu_exit_of
#define ff_cpu_fit                ff_double_cpu_fit
#define ff_cpu_turn_terms         ff_double_cpu_turn_terms
#define ff_cpu_turn               ff_double_cpu_turn
#define ff_cpu_line               ff_double_cpu_line
#define ff_cpu_line_terms         ff_double_cpu_line_terms
#define ff_cpu_advance            ff_double_cpu_advance
#define ff_cpu_start_waves        ff_double_cpu_start_waves
#define ff_cpu_project            ff_double_cpu_project

#else

typedef float ff_real;
#define FF_FFTW(name)  fftwf_##name
#define FF_FFTW_FILE   "fftw"
#define FF_BACKEND_CPU ff_backend_cpu

#endif

#endif
