#include "functions/reconstruct/bench/model/launches.h"

#include "functions/reconstruct/backends/cuda/chunks.h"

enum {
    COMPLEX = 2 * sizeof(float),
    REAL = sizeof(float),
    COUNT = 2,
    PLACE = 28, /* struct ff_cuda_place */
    NUMBER = 4, /* of a pattern in a list */
    SECTOR = 32,
    NUMBERS = 32, /* of a piece of a pattern: four in double precision */
    PIECE = 1024, /* pixels of it */
    ANSWER_PIECES = 256,
    PARTS = 2, /* with weights of their own: object and probe */
};

/* What every kernel over a chunk reads of its patterns. */
static double list_bytes(const struct ff_model_chunk *chunk)
{
    return (double)chunk->patterns * (PLACE + NUMBER);
}

static double wave_bytes(const struct ff_model_shape *shape, const struct ff_model_chunk *chunk)
{
    return (double)(chunk->patterns * shape->modes * shape->pixels) * COMPLEX;
}

static double probe_values(const struct ff_model_shape *shape)
{
    return (double)(shape->modes * shape->pixels) * COMPLEX;
}

struct ff_model_launch ff_model_form_waves(const struct ff_model_shape *shape,
                                           const struct ff_model_chunk *chunk)
{
    return (struct ff_model_launch){
        .name = "form_waves",
        .bytes = (double)chunk->object_bytes + probe_values(shape) + list_bytes(chunk) +
                 wave_bytes(shape, chunk),
    };
}

struct ff_model_launch ff_model_transform_pass(const struct ff_model_shape *shape,
                                               const struct ff_model_chunk *chunk)
{
    return (struct ff_model_launch){.name = "transforms", .bytes = 2 * wave_bytes(shape, chunk)};
}

static double pieces_of(const struct ff_model_shape *shape)
{
    return (double)((shape->pixels + PIECE - 1) / PIECE);
}

struct ff_model_launch ff_model_modulus(const struct ff_model_shape *shape,
                                        const struct ff_model_chunk *chunk)
{
    double patterns = (double)chunk->patterns;
    return (struct ff_model_launch){
        .name = "modulus",
        .bytes = 2 * wave_bytes(shape, chunk) + patterns * (double)shape->pixels * COUNT +
                 patterns * NUMBER + patterns * pieces_of(shape) * NUMBERS,
    };
}

struct ff_model_launch ff_model_sum_exit_waves(const struct ff_model_shape *shape,
                                               const struct ff_model_chunk *chunk, bool is_first)
{
    double probe = probe_values(shape) + (double)shape->pixels * REAL; /* N_P and V */
    double object = (double)(chunk->set_bytes + chunk->again_bytes);
    return (struct ff_model_launch){
        .name = "sum_exit_waves",
        .bytes = wave_bytes(shape, chunk) + (double)chunk->object_bytes + probe_values(shape) +
                 list_bytes(chunk) + object + (is_first ? 1 : 2) * probe,
    };
}

/* Costs lie by number of the pattern: each is a sector of its own, set, and read and written. */
struct ff_model_launch ff_model_gather_numbers(const struct ff_model_shape *shape, size_t patterns)
{
    return (struct ff_model_launch){
        .name = "gather_numbers",
        .bytes = (double)patterns * (pieces_of(shape) * NUMBERS + NUMBER + 3 * SECTOR),
    };
}

struct ff_model_launch ff_model_take_costs(size_t patterns)
{
    return (struct ff_model_launch){
        .name = "take_costs",
        .bytes = (double)patterns * 4 * sizeof(double),
    };
}

struct ff_model_launch ff_model_step(const struct ff_model_shape *shape)
{
    double object = (double)shape->tile * (3 * COMPLEX + REAL);
    double probe = 3 * probe_values(shape) + (double)shape->pixels * REAL;
    return (struct ff_model_launch){.name = "step", .bytes = object + probe};
}

struct ff_model_launch ff_model_step_settled(const struct ff_model_shape *shape)
{
    struct ff_model_launch launch = ff_model_step(shape);
    launch.name = "step_settled";
    launch.bytes -= ff_model_probe_bytes(shape);
    return launch;
}

struct ff_model_launch ff_model_length_pieces(const struct ff_model_shape *shape, size_t owned)
{
    double object = (double)owned * (COMPLEX + REAL);
    double probe = probe_values(shape) + (double)shape->pixels * REAL;
    return (struct ff_model_launch){
        .name = "length_pieces",
        .bytes = object + probe + PARTS * ANSWER_PIECES * NUMBERS,
    };
}

struct ff_model_launch ff_model_add_pieces(void)
{
    return (struct ff_model_launch){
        .name = "add_pieces",
        .bytes = PARTS * ANSWER_PIECES * NUMBERS + PARTS * NUMBERS,
    };
}

double ff_model_probe_bytes(const struct ff_model_shape *shape)
{
    return probe_values(shape) + (double)shape->pixels * REAL;
}
