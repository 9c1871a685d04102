/*
 * tests/cuda/standin/ff_cuda_on_cpu.h: the built-ins of CUDA device code for a C++ compiler of the host. launch.cuh of
 * the backend includes it where nvcc is not the compiler. The headers of the toolkit have been seen before; they give the vector
 * types and let __global__ and __device__ vanish.
 *
 * Limits: __constant__ and __managed__ variables, textures, and grid-wide synchronisation are not offered.
 */
#ifndef FF_CUDA_ON_CPU_H
#define FF_CUDA_ON_CPU_H

#include "work.h"

#include <cmath>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include <cuda_runtime.h>

/* One host thread runs all blocks, one after the other. By their sections the variables are found, and emptied for each
 * block; GCC forgets the section of those in templates, where the next block finds what the last has left. */
#undef __shared__
#define FF_STANDIN_TEXT(number)    #number
#define FF_STANDIN_SECTION(number) STANDIN_SHARED FF_STANDIN_TEXT(number)
#define __shared__                 static __attribute__((section(FF_STANDIN_SECTION(__COUNTER__))))
#undef __constant__
#define __constant__ static_assert(false, "the stand-in has no __constant__ memory");

#ifndef __launch_bounds__
#define __launch_bounds__(...)
#endif

#define FF_DYNAMIC_SHARED(T, name) T *const name = static_cast<T *>(standin_dynamic_shared())

/* Variables, not macros, for cudaLaunchConfig_t has a member gridDim. */
extern "C" {
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
}
enum { warpSize = 32 };

/* --- starting a kernel --- */

template <typename... Parameters> struct ff_standin_call : standin_work {
    void (*function)(Parameters...);
    std::tuple<std::decay_t<Parameters>...> arguments;

    template <typename... Arguments>
    ff_standin_call(const char *called, void (*start)(Parameters...), Arguments &&...given)
        : standin_work{run_one, destroy_this, called, reinterpret_cast<const void *>(start)},
          function(start), arguments(std::forward<Arguments>(given)...)
    {
    }

    static void run_one(const standin_work *work)
    {
        const auto *call = static_cast<const ff_standin_call *>(work);
        std::apply(call->function, call->arguments);
    }

    static void destroy_this(standin_work *work)
    {
        delete static_cast<ff_standin_call *>(work);
    }
};

template <typename... Parameters, typename... Arguments>
cudaError_t ff_cuda_start(cudaStream_t stream, dim3 grid, dim3 block, size_t shared_bytes,
                          const char *name, void (*kernel)(Parameters...), Arguments &&...arguments)
{
    static_assert(sizeof...(Parameters) == sizeof...(Arguments), "arguments of the kernel");
    return standin_launch(
        stream, grid, block, shared_bytes,
        new ff_standin_call<Parameters...>(name, kernel, std::forward<Arguments>(arguments)...));
}

/* --- waiting for each other --- */

/* The line of the caller, for messages. */
#define FF_STANDIN_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(FF_STANDIN_HERE)
{
    standin_block_barrier(file, line);
}

inline void __syncwarp(unsigned mask = 0xffffffffU, FF_STANDIN_HERE)
{
    unsigned given;
    standin_warp_exchange(mask, 0, 0, &given, nullptr, file, line);
}

/* The thread sanitizer has no fences: it is told that each comes after all before it. */
inline void ff_standin_fence()
{
#ifdef __SANITIZE_THREAD__
    static int passed;
    __atomic_fetch_add(&passed, 1, __ATOMIC_ACQ_REL);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

inline void __threadfence()
{
    ff_standin_fence();
}

inline void __threadfence_block()
{
    ff_standin_fence();
}

inline void __threadfence_system()
{
    ff_standin_fence();
}

/* --- between the lanes of a warp --- */

template <typename T>
inline T ff_standin_shuffle(unsigned mask, T value, unsigned lane, const char *file, int line)
{
    static_assert(std::is_arithmetic<T>::value && sizeof(T) <= 8, "a number of up to 64 bit");
    uint64_t bits = 0;
    unsigned given;
    std::memcpy(&bits, &value, sizeof value);
    bits = standin_warp_exchange(mask, bits, lane, &given, nullptr, file, line);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

template <typename T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32, FF_STANDIN_HERE)
{
    unsigned segment = standin_lane() & ~static_cast<unsigned>(width - 1);
    unsigned lane = segment | (static_cast<unsigned>(source) & static_cast<unsigned>(width - 1));
    return ff_standin_shuffle(mask, value, lane, file, line);
}

template <typename T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, FF_STANDIN_HERE)
{
    unsigned self = standin_lane(), inside = self & static_cast<unsigned>(width - 1);
    return ff_standin_shuffle(mask, value, delta > inside ? self : self - delta, file, line);
}

template <typename T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, FF_STANDIN_HERE)
{
    unsigned self = standin_lane(), inside = self & static_cast<unsigned>(width - 1);
    bool out = inside + delta >= static_cast<unsigned>(width);
    return ff_standin_shuffle(mask, value, out ? self : self + delta, file, line);
}

template <typename T>
inline T __shfl_xor_sync(unsigned mask, T value, int flip, int width = 32, FF_STANDIN_HERE)
{
    unsigned self = standin_lane(), lane = self ^ static_cast<unsigned>(flip);
    bool out = lane > (self | static_cast<unsigned>(width - 1));
    return ff_standin_shuffle(mask, value, out ? self : lane, file, line);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, FF_STANDIN_HERE)
{
    uint64_t values[32];
    unsigned given, vote = 0;
    standin_warp_exchange(mask, predicate != 0, 0, &given, values, file, line);
    for (unsigned lane = 0; lane < 32; lane++)
        if ((given >> lane & 1) != 0 && values[lane] != 0)
            vote |= 1U << lane;
    return vote;
}

inline int __any_sync(unsigned mask, int predicate, FF_STANDIN_HERE)
{
    return __ballot_sync(mask, predicate, file, line) != 0;
}

inline int __all_sync(unsigned mask, int predicate, FF_STANDIN_HERE)
{
    return __ballot_sync(mask, predicate == 0, file, line) == 0;
}

/* --- across the block: barriers that count --- */

/* Kept in one place for the block: all have read it before it is cleared, and cleared it before it counts again. */
inline int __syncthreads_count(int predicate, FF_STANDIN_HERE)
{
    static int count;
    if (predicate != 0)
        __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    standin_block_barrier(file, line);
    int found = __atomic_load_n(&count, __ATOMIC_RELAXED);
    standin_block_barrier(file, line);
    __atomic_store_n(&count, 0, __ATOMIC_RELAXED);
    standin_block_barrier(file, line);
    return found;
}

inline int __syncthreads_or(int predicate, FF_STANDIN_HERE)
{
    return __syncthreads_count(predicate, file, line) != 0;
}

inline int __syncthreads_and(int predicate, FF_STANDIN_HERE)
{
    return __syncthreads_count(predicate == 0, file, line) == 0;
}

/* --- atomics: relaxed, as those of the device --- */

/* Replaces *at by change(*at), as one; returns what was there. Numbers that have no atomic instruction go by their bits. */
template <typename T, typename Change> inline T ff_standin_atomic(T *at, Change change)
{
    using bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
    static_assert(sizeof(T) == sizeof(bits), "32 or 64 bit");
    bits *place = reinterpret_cast<bits *>(at);
    bits old = __atomic_load_n(place, __ATOMIC_RELAXED);
    for (;;) {
        T was;
        bits next;
        std::memcpy(&was, &old, sizeof was);
        T now = change(was);
        std::memcpy(&next, &now, sizeof next);
        if (__atomic_compare_exchange_n(place, &old, next, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return was;
    }
}

template <typename T> struct ff_standin_same {
    using type = T;
};
template <typename T> using ff_standin_like = typename ff_standin_same<T>::type;

template <typename T> inline T atomicAdd(T *at, ff_standin_like<T> value)
{
    return ff_standin_atomic(at, [=](T old) { return static_cast<T>(old + value); });
}

template <typename T> inline T atomicSub(T *at, ff_standin_like<T> value)
{
    return ff_standin_atomic(at, [=](T old) { return static_cast<T>(old - value); });
}

template <typename T> inline T atomicMax(T *at, ff_standin_like<T> value)
{
    static_assert(std::is_integral<T>::value, "the device has it for integers");
    return ff_standin_atomic(at, [=](T old) { return old > value ? old : value; });
}

template <typename T> inline T atomicMin(T *at, ff_standin_like<T> value)
{
    static_assert(std::is_integral<T>::value, "the device has it for integers");
    return ff_standin_atomic(at, [=](T old) { return old < value ? old : value; });
}

template <typename T> inline T atomicExch(T *at, ff_standin_like<T> value)
{
    return ff_standin_atomic(at, [=](T) { return value; });
}

template <typename T>
inline T atomicCAS(T *at, ff_standin_like<T> expected, ff_standin_like<T> value)
{
    static_assert(std::is_integral<T>::value, "the device has it for integers");
    return ff_standin_atomic(at, [=](T old) { return old == expected ? value : old; });
}

template <typename T> inline T atomicOr(T *at, ff_standin_like<T> value)
{
    return ff_standin_atomic(at, [=](T old) { return static_cast<T>(old | value); });
}

template <typename T> inline T atomicAnd(T *at, ff_standin_like<T> value)
{
    return ff_standin_atomic(at, [=](T old) { return static_cast<T>(old & value); });
}

/* Counts up to `limit`, then begins again at 0: the counter of a last block. */
inline unsigned atomicInc(unsigned *at, unsigned limit)
{
    return ff_standin_atomic(at, [=](unsigned old) { return old >= limit ? 0U : old + 1; });
}

/* --- loads, bits and mathematics that only the device has --- */

template <typename T> inline T __ldg(const T *at)
{
    return *at;
}

template <typename T> inline T __ldcs(const T *at)
{
    return *at;
}

template <typename T> inline T __ldcg(const T *at)
{
    return *at;
}

template <typename T> inline void __stcs(T *at, T value)
{
    *at = value;
}

template <typename T> inline void __stcg(T *at, T value)
{
    *at = value;
}

inline int __float_as_int(float value)
{
    int bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline unsigned __float_as_uint(float value)
{
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline float __int_as_float(int bits)
{
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline float __uint_as_float(unsigned bits)
{
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline long long __double_as_longlong(double value)
{
    long long bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline double __longlong_as_double(long long bits)
{
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline int __popc(unsigned bits)
{
    return __builtin_popcount(bits);
}

inline int __ffs(int bits)
{
    return __builtin_ffs(bits);
}

inline int __clz(int bits)
{
    return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits));
}

inline float __fmul_rn(float a, float b)
{
    return a * b;
}

inline float __fadd_rn(float a, float b)
{
    return a + b;
}

inline float __fsub_rn(float a, float b)
{
    return a - b;
}

inline float __fmaf_rn(float a, float b, float c)
{
    return std::fma(a, b, c);
}

inline float __fdividef(float a, float b)
{
    return a / b;
}

inline float __fsqrt_rn(float a)
{
    return std::sqrt(a);
}

inline float __saturatef(float a)
{
    return a > 1 ? 1.0F : a > 0 ? a : 0.0F;
}

inline float rsqrtf(float a)
{
    return 1 / std::sqrt(a);
}

inline double rsqrt(double a)
{
    return 1 / std::sqrt(a);
}

inline void __sincosf(float a, float *sine, float *cosine)
{
    *sine = std::sin(a);
    *cosine = std::cos(a);
}

/* Exact where the angle is a multiple of a quarter turn, as on the device. */
inline void sincospi(double a, double *sine, double *cosine)
{
    double turn = std::remainder(a, 2.0);
    double quarters = std::nearbyint(2 * turn);
    double rest = M_PI * (turn - quarters / 2);
    double s = std::sin(rest), c = std::cos(rest);
    switch (static_cast<int>(quarters) & 3) {
    case 0:
        *sine = s, *cosine = c;
        break;
    case 1:
        *sine = c, *cosine = -s;
        break;
    case 2:
        *sine = -s, *cosine = -c;
        break;
    default:
        *sine = -c, *cosine = s;
        break;
    }
}

inline void sincospif(float a, float *sine, float *cosine)
{
    double s, c;
    sincospi(a, &s, &c);
    *sine = static_cast<float>(s);
    *cosine = static_cast<float>(c);
}

#endif
