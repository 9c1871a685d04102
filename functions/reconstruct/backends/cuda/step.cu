/* Steps of object and probe, and the numbers that their lengths are found from. */
#include "functions/reconstruct/backends/cuda/complex.cuh"
#include "functions/reconstruct/backends/cuda/lifted.cuh"
#include "functions/reconstruct/backends/cuda/reduce.cuh"
#include "functions/reconstruct/backends/cuda/step.h"

namespace
{

constexpr uint32_t THREADS = 256;
constexpr float TINY = 1e-30F;

/* α max X. */
__device__ inline float floor_of(const struct ff_cuda_divisor &divisor)
{
    return divisor.alpha * __uint_as_float(*divisor.greatest);
}

__device__ inline float divisor_at(const struct ff_cuda_divisor &divisor, float weight)
{
    if (divisor.greatest == nullptr)
        return 1;
    return lifted(divisor.share, weight, floor_of(divisor));
}

/* z = this × gradient. */
__device__ inline float preconditioner(const struct ff_cuda_part &part, float weight)
{
    float floor = floor_of(part.divisor);
    return part.gain * rsqrtf(fmaxf(weight * weight + floor * floor, TINY));
}

__device__ inline size_t plane_size(const struct ff_cuda_part &part)
{
    return part.rows * part.columns;
}

__host__ __device__ inline uint32_t blocks_of(const struct ff_cuda_part &part)
{
    return static_cast<uint32_t>((part.planes * part.rows * part.columns + THREADS - 1) / THREADS);
}

/* What a thread has of all parts: a value of one of them, or nothing. */
struct own_value {
    const struct ff_cuda_part *part;
    size_t at;    /* in the part's values */
    float weight; /* there */
};

/* Blocks are dealt to the parts in order. */
__device__ inline struct own_value find_value(const struct ff_cuda_parts &parts)
{
    uint32_t block = blockIdx.x;
    uint32_t i = 0;
    while (i + 1 < parts.count && block >= blocks_of(parts.part[i]))
        block -= blocks_of(parts.part[i++]);
    const struct ff_cuda_part &part = parts.part[i];
    size_t at = static_cast<size_t>(block) * THREADS + threadIdx.x;
    if (at >= part.planes * plane_size(part))
        return {nullptr, 0, 0};
    return {&part, at, part.weight[at % plane_size(part)]};
}

__global__ void __launch_bounds__(THREADS) step(struct ff_cuda_parts parts)
{
    const struct own_value own = find_value(parts);
    if (own.part == nullptr)
        return;
    const struct ff_cuda_part &part = *own.part;
    float factor = part.length / divisor_at(part.divisor, own.weight);
    part.value[own.at] = plus(part.value[own.at], scaled(factor, part.gradient[own.at]));
}

__global__ void __launch_bounds__(THREADS) accelerate(struct ff_cuda_parts parts, float momentum)
{
    const struct own_value own = find_value(parts);
    if (own.part == nullptr)
        return;
    const struct ff_cuda_part &part = *own.part;
    float factor = part.length / divisor_at(part.divisor, own.weight);
    float2 moved =
        plus(scaled(momentum, part.velocity[own.at]), scaled(factor, part.gradient[own.at]));
    part.velocity[own.at] = moved;
    part.value[own.at] = plus(part.value[own.at], moved);
}

__global__ void __launch_bounds__(THREADS) normalise(struct ff_cuda_parts parts)
{
    const struct own_value own = find_value(parts);
    if (own.part == nullptr)
        return;
    float2 *gradient = own.part->gradient + own.at;
    *gradient = scaled(1 / divisor_at(own.part->divisor, own.weight), *gradient);
}

__global__ void __launch_bounds__(THREADS) turn(struct ff_cuda_parts parts, float beta)
{
    const struct own_value own = find_value(parts);
    if (own.part == nullptr)
        return;
    const struct ff_cuda_part &part = *own.part;
    float2 now = part.gradient[own.at];
    float z = preconditioner(part, own.weight);
    part.direction[own.at] = plus(scaled(z, now), scaled(beta, part.direction[own.at]));
    part.last[own.at] = now;
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

/* The part of a block, which has one of its pieces. */
__device__ inline const struct ff_cuda_part &part_of_piece(const struct ff_cuda_parts &parts)
{
    return parts.part[blockIdx.x / FF_CUDA_ANSWER_PIECES];
}

/* Values of a part that the threads of a piece take, one so far behind the other. */
constexpr size_t PIECE_STRIDE = static_cast<size_t>(FF_CUDA_ANSWER_PIECES) * THREADS;

__device__ inline size_t first_of_piece()
{
    return static_cast<size_t>(blockIdx.x % FF_CUDA_ANSWER_PIECES) * THREADS + threadIdx.x;
}

/* Whether a block has values: small parts have fewer than pieces. */
__device__ inline bool has_values(const struct ff_cuda_part &part)
{
    return first_of_piece() - threadIdx.x < part.planes * plane_size(part);
}

__global__ void __launch_bounds__(THREADS) length_pieces(struct ff_cuda_parts parts, double *pieces)
{
    __shared__ double room[FF_CUDA_ANSWER_NUMBERS][THREADS / 32];
    double sums[FF_CUDA_ANSWER_NUMBERS] = {0, 0, 0, 0};
    const struct ff_cuda_part &part = part_of_piece(parts);
    size_t size = plane_size(part);
    if (!has_values(part)) {
        leave_zeros<FF_CUDA_ANSWER_NUMBERS>(pieces);
        return;
    }
    for (size_t i = first_of_piece(); i < part.planes * size; i += PIECE_STRIDE) {
        if (!counts(part, i % size))
            continue;
        float weight = part.weight[i % size];
        float inverse = 1 / divisor_at(part.divisor, weight);
        float slope = square_of(part.gradient[i]) * inverse;
        sums[0] += static_cast<double>(slope);
        sums[1] += static_cast<double>(slope * weight * inverse);
    }
    leave_piece<THREADS>(sums, room, pieces);
}

__global__ void __launch_bounds__(THREADS) turn_pieces(struct ff_cuda_parts parts, double *pieces)
{
    __shared__ double room[FF_CUDA_ANSWER_NUMBERS][THREADS / 32];
    double sums[FF_CUDA_ANSWER_NUMBERS] = {0, 0, 0, 0};
    const struct ff_cuda_part &part = part_of_piece(parts);
    size_t size = plane_size(part);
    if (!has_values(part)) {
        leave_zeros<FF_CUDA_ANSWER_NUMBERS>(pieces);
        return;
    }
    for (size_t i = first_of_piece(); i < part.planes * size; i += PIECE_STRIDE) {
        if (!counts(part, i % size))
            continue;
        float2 now = part.gradient[i];
        float z = preconditioner(part, part.weight[i % size]);
        sums[0] += static_cast<double>(z * square_of(now));
        sums[1] += static_cast<double>(z * real_product(now, part.last[i]));
        sums[2] += static_cast<double>(real_product(part.direction[i], now));
    }
    leave_piece<THREADS>(sums, room, pieces);
}

/* A block a part, a thread a piece. */
__global__ void __launch_bounds__(THREADS) add_pieces(const double *pieces, double *answer)
{
    __shared__ double room[FF_CUDA_ANSWER_NUMBERS][THREADS / 32];
    static_assert(FF_CUDA_ANSWER_PIECES == THREADS, "a thread a piece");
    double sums[FF_CUDA_ANSWER_NUMBERS];
    size_t piece = static_cast<size_t>(blockIdx.x) * FF_CUDA_ANSWER_PIECES + threadIdx.x;
    for (uint32_t k = 0; k < FF_CUDA_ANSWER_NUMBERS; k++)
        sums[k] = pieces[piece * FF_CUDA_ANSWER_NUMBERS + k];
    leave_piece<THREADS>(sums, room, answer);
}

/* Starts a kernel over all values of the parts. */
template <typename... Parameters, typename... Arguments>
bool over_values(struct ff_cuda_calls *calls, cudaStream_t stream,
                 const struct ff_cuda_parts *parts,
                 void (*kernel)(struct ff_cuda_parts, Parameters...), const char *name,
                 Arguments... arguments)
{
    uint32_t blocks = 0;
    for (uint32_t i = 0; i < parts->count; i++)
        blocks += blocks_of(parts->part[i]);
    return blocks == 0 || ff_cuda_launch(calls, stream, dim3(blocks), dim3(THREADS), 0, kernel,
                                         name, *parts, arguments...);
}

/* Starts a kernel over the pieces of the parts, and adds what they leave. */
bool over_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                 const struct ff_cuda_parts *parts, void (*kernel)(struct ff_cuda_parts, double *),
                 const char *name, double *pieces, double *answer)
{
    return parts->count == 0 ||
           (ff_cuda_launch(calls, stream, dim3(parts->count * FF_CUDA_ANSWER_PIECES), dim3(THREADS),
                           0, kernel, name, *parts, pieces) &&
            ff_cuda_add_pieces(calls, stream, parts->count, pieces, answer));
}

} // namespace

bool ff_cuda_step_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_parts *parts)
{
    return over_values(calls, stream, parts, step, "step");
}

bool ff_cuda_accelerate_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                              const struct ff_cuda_parts *parts, float momentum)
{
    return over_values(calls, stream, parts, accelerate, "accelerate", momentum);
}

bool ff_cuda_normalise_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                             const struct ff_cuda_parts *parts)
{
    return over_values(calls, stream, parts, normalise, "normalise");
}

bool ff_cuda_turn_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_parts *parts, float beta)
{
    return over_values(calls, stream, parts, turn, "turn", beta);
}

bool ff_cuda_add_pieces(struct ff_cuda_calls *calls, cudaStream_t stream, uint32_t count,
                        const double *pieces, double *answer)
{
    return ff_cuda_launch(calls, stream, dim3(count), dim3(THREADS), 0, add_pieces, "add_pieces",
                          pieces, answer);
}

bool ff_cuda_lengths_of_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                              const struct ff_cuda_parts *parts, double *pieces, double *answer)
{
    return over_pieces(calls, stream, parts, length_pieces, "length_pieces", pieces, answer);
}

bool ff_cuda_turn_terms_of_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                                 const struct ff_cuda_parts *parts, double *pieces, double *answer)
{
    return over_pieces(calls, stream, parts, turn_pieces, "turn_pieces", pieces, answer);
}
