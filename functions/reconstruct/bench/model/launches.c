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
static double list_bytes(size_t patterns)
{
    return (double)patterns * (PLACE + NUMBER);
}

static double wave_bytes(const struct ff_model_shape *shape, const struct ff_model_chunk *chunk)
{
    return (double)(chunk->patterns * shape->modes * shape->pixels) * COMPLEX;
}

double ff_model_probe_bytes(const struct ff_model_shape *shape)
{
    return (double)(shape->modes * shape->pixels) * COMPLEX;
}

double ff_model_power_bytes(const struct ff_model_shape *shape)
{
    return (double)shape->pixels * REAL;
}

struct ff_model_launch ff_model_weigh(const struct ff_model_shape *shape, size_t patterns)
{
    return (struct ff_model_launch){
        .name = "weigh",
        .bytes = ff_model_probe_bytes(shape) + list_bytes(patterns) + (double)shape->tile * REAL,
    };
}

struct ff_model_launch ff_model_form_waves(const struct ff_model_shape *shape,
                                           const struct ff_model_chunk *chunk, bool is_first)
{
    return (struct ff_model_launch){
        .name = "form_waves",
        .bytes = (double)chunk->object_bytes + ff_model_probe_bytes(shape) +
                 list_bytes(chunk->patterns) + wave_bytes(shape, chunk) +
                 (is_first ? 1 : 2) * ff_model_power_bytes(shape),
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
    double probe = ff_model_probe_bytes(shape); /* N_P */
    double object = (double)(chunk->set_bytes + chunk->again_bytes);
    return (struct ff_model_launch){
        .name = "sum_exit_waves",
        .bytes = wave_bytes(shape, chunk) + (double)chunk->object_bytes +
                 ff_model_probe_bytes(shape) + list_bytes(chunk->patterns) + object +
                 (is_first ? 1 : 2) * probe,
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

/* Read are O, N_O and W, and O is written. */
double ff_model_step_bytes(size_t pixels)
{
    return (double)pixels * (3 * COMPLEX + REAL);
}

struct ff_model_launch ff_model_step(const struct ff_model_shape *shape)
{
    double probe = 3 * ff_model_probe_bytes(shape) + ff_model_power_bytes(shape);
    return (struct ff_model_launch){
        .name = "step",
        .bytes = ff_model_step_bytes(shape->tile) + probe,
    };
}

struct ff_model_launch ff_model_length_pieces(const struct ff_model_shape *shape, size_t owned)
{
    double object = (double)owned * (COMPLEX + REAL);
    double probe = ff_model_probe_bytes(shape) + ff_model_power_bytes(shape);
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
