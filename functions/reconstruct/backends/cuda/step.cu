/* Steps of one part, and the numbers that their lengths are found from. */
#include "functions/reconstruct/backends/cuda/complex.cuh"
#include "functions/reconstruct/backends/cuda/reduce.cuh"
#include "functions/reconstruct/backends/cuda/step.h"

#include <algorithm>

namespace
{

constexpr uint32_t THREADS = 256;
constexpr size_t BLOCKS_MOST = 1U << 20;
constexpr float TINY = 1e-30F;

/* α max X. */
__device__ inline float floor_of(const struct ff_cuda_divisor &divisor)
{
    return divisor.alpha * __uint_as_float(*divisor.greatest);
}

/* The floor is above zero, so that what no pattern reached is divided by something. */
__device__ inline float divisor_at(const struct ff_cuda_divisor &divisor, float weight)
{
    if (divisor.greatest == nullptr)
        return 1;
    return divisor.share * weight + fmaxf(floor_of(divisor), TINY);
}

/* z = this × gradient. */
__device__ inline float preconditioner(const struct ff_cuda_part &part,
                                       const struct ff_cuda_divisor &divisor, float weight)
{
    float floor = floor_of(divisor);
    return part.gain * rsqrtf(fmaxf(weight * weight + floor * floor, TINY));
}

__device__ inline size_t plane_size(const struct ff_cuda_part &part)
{
    return part.rows * part.columns;
}

__device__ inline size_t first_value()
{
    return static_cast<size_t>(blockIdx.x) * THREADS + threadIdx.x;
}

__device__ inline size_t stride_of_values()
{
    return static_cast<size_t>(gridDim.x) * THREADS;
}

__global__ void __launch_bounds__(THREADS)
    step(struct ff_cuda_part part, struct ff_cuda_divisor divisor, float length)
{
    size_t size = plane_size(part);
    for (size_t i = first_value(); i < part.planes * size; i += stride_of_values()) {
        float factor = length / divisor_at(divisor, part.weight[i % size]);
        part.value[i] = plus(part.value[i], scaled(factor, part.gradient[i]));
    }
}

__global__ void __launch_bounds__(THREADS)
    accelerate(struct ff_cuda_part part, struct ff_cuda_divisor divisor, float length,
               float momentum)
{
    size_t size = plane_size(part);
    for (size_t i = first_value(); i < part.planes * size; i += stride_of_values()) {
        float factor = length / divisor_at(divisor, part.weight[i % size]);
        float2 moved = plus(scaled(momentum, part.velocity[i]), scaled(factor, part.gradient[i]));
        part.velocity[i] = moved;
        part.value[i] = plus(part.value[i], moved);
    }
}

__global__ void __launch_bounds__(THREADS)
    normalise(struct ff_cuda_part part, struct ff_cuda_divisor divisor)
{
    size_t size = plane_size(part);
    for (size_t i = first_value(); i < part.planes * size; i += stride_of_values())
        part.gradient[i] = scaled(1 / divisor_at(divisor, part.weight[i % size]), part.gradient[i]);
}

__global__ void __launch_bounds__(THREADS)
    turn(struct ff_cuda_part part, struct ff_cuda_divisor divisor, float beta)
{
    size_t size = plane_size(part);
    for (size_t i = first_value(); i < part.planes * size; i += stride_of_values()) {
        float2 now = part.gradient[i];
        float z = preconditioner(part, divisor, part.weight[i % size]);
        part.direction[i] = plus(scaled(z, now), scaled(beta, part.direction[i]));
        part.last[i] = now;
    }
}

/* Whether a pixel of a plane counts. */
__device__ inline bool counts(const struct ff_cuda_part &part, size_t pixel)
{
    size_t row = pixel / part.columns, column = pixel % part.columns;
    for (size_t i = 0; i < part.area_count; i++) {
        const struct ff_area &area = part.areas[i];
        if (row >= area.row && row < area.row + area.rows && column >= area.column &&
            column < area.column + area.columns)
            return true;
    }
    return part.areas == nullptr;
}

/* Block b of the grid leaves its sums in piece b. */
__device__ inline void leave_piece(const double (&sums)[FF_CUDA_ANSWER_NUMBERS],
                                   double (&room)[FF_CUDA_ANSWER_NUMBERS][THREADS / 32],
                                   double *pieces)
{
    double all[FF_CUDA_ANSWER_NUMBERS];
    block_sums<THREADS>(sums, room, threadIdx.x, all);
    for (uint32_t k = 0; threadIdx.x == 0 && k < FF_CUDA_ANSWER_NUMBERS; k++)
        pieces[blockIdx.x * FF_CUDA_ANSWER_NUMBERS + k] = all[k];
}

__global__ void __launch_bounds__(THREADS)
    length_pieces(struct ff_cuda_part part, struct ff_cuda_divisor divisor, double *pieces)
{
    __shared__ double room[FF_CUDA_ANSWER_NUMBERS][THREADS / 32];
    double sums[FF_CUDA_ANSWER_NUMBERS] = {0, 0, 0, 0};
    size_t size = plane_size(part);
    for (size_t i = first_value(); i < part.planes * size; i += stride_of_values()) {
        if (!counts(part, i % size))
            continue;
        float weight = part.weight[i % size];
        float inverse = 1 / divisor_at(divisor, weight);
        float slope = square_of(part.gradient[i]) * inverse;
        sums[0] += static_cast<double>(slope);
        sums[1] += static_cast<double>(slope * weight * inverse);
    }
    leave_piece(sums, room, pieces);
}

__global__ void __launch_bounds__(THREADS)
    turn_pieces(struct ff_cuda_part part, struct ff_cuda_divisor divisor, double *pieces)
{
    __shared__ double room[FF_CUDA_ANSWER_NUMBERS][THREADS / 32];
    double sums[FF_CUDA_ANSWER_NUMBERS] = {0, 0, 0, 0};
    size_t size = plane_size(part);
    for (size_t i = first_value(); i < part.planes * size; i += stride_of_values()) {
        if (!counts(part, i % size))
            continue;
        float2 now = part.gradient[i];
        float z = preconditioner(part, divisor, part.weight[i % size]);
        sums[0] += static_cast<double>(z * square_of(now));
        sums[1] += static_cast<double>(z * real_product(now, part.last[i]));
        sums[2] += static_cast<double>(real_product(part.direction[i], now));
    }
    leave_piece(sums, room, pieces);
}

__global__ void __launch_bounds__(THREADS) add_pieces(const double *pieces, double *answer)
{
    __shared__ double room[FF_CUDA_ANSWER_NUMBERS][THREADS / 32];
    static_assert(FF_CUDA_ANSWER_PIECES == THREADS, "a thread a piece");
    double sums[FF_CUDA_ANSWER_NUMBERS], all[FF_CUDA_ANSWER_NUMBERS];
    for (uint32_t k = 0; k < FF_CUDA_ANSWER_NUMBERS; k++)
        sums[k] = pieces[threadIdx.x * FF_CUDA_ANSWER_NUMBERS + k];
    block_sums<THREADS>(sums, room, threadIdx.x, all);
    for (uint32_t k = 0; threadIdx.x == 0 && k < FF_CUDA_ANSWER_NUMBERS; k++)
        answer[k] = all[k];
}

dim3 grid_of(const struct ff_cuda_part *part)
{
    size_t values = part->planes * part->rows * part->columns;
    return dim3(static_cast<uint32_t>(std::min((values + THREADS - 1) / THREADS, BLOCKS_MOST)));
}

} // namespace

bool ff_cuda_step_part(struct ff_cuda_calls *calls, cudaStream_t stream,
                       const struct ff_cuda_part *part, struct ff_cuda_divisor divisor,
                       float length)
{
    return ff_cuda_launch(calls, stream, grid_of(part), dim3(THREADS), 0, step, "step", *part,
                          divisor, length);
}

bool ff_cuda_accelerate_part(struct ff_cuda_calls *calls, cudaStream_t stream,
                             const struct ff_cuda_part *part, struct ff_cuda_divisor divisor,
                             float length, float momentum)
{
    return ff_cuda_launch(calls, stream, grid_of(part), dim3(THREADS), 0, accelerate, "accelerate",
                          *part, divisor, length, momentum);
}

bool ff_cuda_normalise_part(struct ff_cuda_calls *calls, cudaStream_t stream,
                            const struct ff_cuda_part *part, struct ff_cuda_divisor divisor)
{
    return ff_cuda_launch(calls, stream, grid_of(part), dim3(THREADS), 0, normalise, "normalise",
                          *part, divisor);
}

bool ff_cuda_turn_part(struct ff_cuda_calls *calls, cudaStream_t stream,
                       const struct ff_cuda_part *part, struct ff_cuda_divisor divisor, float beta)
{
    return ff_cuda_launch(calls, stream, grid_of(part), dim3(THREADS), 0, turn, "turn", *part,
                          divisor, beta);
}

bool ff_cuda_length_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_part *part, struct ff_cuda_divisor divisor,
                           double *pieces)
{
    return ff_cuda_launch(calls, stream, dim3(FF_CUDA_ANSWER_PIECES), dim3(THREADS), 0,
                          length_pieces, "length_pieces", *part, divisor, pieces);
}

bool ff_cuda_turn_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_part *part, struct ff_cuda_divisor divisor,
                         double *pieces)
{
    return ff_cuda_launch(calls, stream, dim3(FF_CUDA_ANSWER_PIECES), dim3(THREADS), 0, turn_pieces,
                          "turn_pieces", *part, divisor, pieces);
}

bool ff_cuda_add_pieces(struct ff_cuda_calls *calls, cudaStream_t stream, const double *pieces,
                        double *answer)
{
    return ff_cuda_launch(calls, stream, dim3(1), dim3(THREADS), 0, add_pieces, "add_pieces",
                          pieces, answer);
}
