/*
 * functions/reconstruct/devices/devices.h: the devices of a run as one. Solvers are written over
 * this; they never learn how many there are.
 *
 * The patterns are cut into tiles of equal counts (tiles.h), each device owns one with the part of
 * the object that its patterns can reach. Every stage of backends/backend.h runs on all devices at
 * once, one host thread each; sums over patterns are made whole by the exchange there, in a fixed
 * order, and sums over pixels and patterns are added by number of the device. So N devices give the
 * answer of one up to rounding, and the same bits each time for the same N.
 *
 * Batches, fields and terms are in terms of the whole problem here: patterns by index into the
 * problem, object fields in its shape, rows of patterns in its order. Fields of the object's and the
 * probe's shape are in the precision of the backend.
 */
#ifndef FF_RECONSTRUCT_DEVICES_DEVICES_H
#define FF_RECONSTRUCT_DEVICES_DEVICES_H

#include "functions/reconstruct/backends/backend.h"

struct ff_devices_plan {
    const struct ff_problem *problem; /* must outlive the devices */
    const struct ff_backend_operations *operations;
    unsigned count; /* of devices, at least 1; more than patterns are as many as patterns */
    /* How far positions may move from where the problem has them, in pixels: tiles are made that
     * much larger, and ff_devices_put of FF_POSITIONS must keep to it. 0: they stay. */
    double travel_px;
    size_t modes, eigenprobes;
    size_t batch_limit; /* most patterns in one batch, over all devices */
    size_t exit_limit;  /* most that χ_0 is kept of, likewise; 0: a whole batch */
    unsigned needs;     /* set of enum ff_need */
    enum ff_noise noise;
    enum ff_subpixel subpixel;
    enum ff_engine engine;
    unsigned threads; /* of all devices together; 0: one a core */
    const int *cores;
    unsigned core_count;
    const char *cache_folder;
    struct ff_span transforms;
};

struct ff_devices;

/* Positions are those of the problem, scales 1, weights 0; object, probe and the rest are zero until
 * they are put. */
struct ff_devices *ff_devices_create(const struct ff_devices_plan *plan,
                                     struct ff_error *error) FF_MUST_USE;
void ff_devices_destroy(struct ff_devices *devices);

unsigned ff_devices_count(const struct ff_devices *devices);
const char *ff_devices_describe(const struct ff_devices *devices);

/* Whole fields: of the object's shape (object_rows, object_columns), of the probe's shape, or a row
 * for each pattern of the problem. Where several devices leave a part of the object to no tile, get
 * leaves the object there as it is, and directions, gradients and velocities zero. FF_WAVES go by
 * ff_devices_put_waves. */
void ff_devices_put(struct ff_devices *devices, enum ff_field field, const void *values);
void ff_devices_get(struct ff_devices *devices, enum ff_field field, void *values);
/* The waves of one pattern. */
void ff_devices_put_waves(struct ff_devices *devices, uint32_t pattern, const void *values);
void ff_devices_get_waves(struct ff_devices *devices, uint32_t pattern, void *values);

/* The stages, as in backend.h. gradients and overlap include the exchange. */
void ff_devices_gradients(struct ff_devices *devices, struct ff_batch batch, unsigned want);
void ff_devices_overlap(struct ff_devices *devices, struct ff_batch batch, unsigned want);
void ff_devices_update(struct ff_devices *devices, const struct ff_update *update);
struct ff_length_terms ff_devices_lengths(struct ff_devices *devices,
                                          const struct ff_update *update);
void ff_devices_normalise(struct ff_devices *devices, const struct ff_update *update);
void ff_devices_sample(struct ff_devices *devices, struct ff_batch patterns);
void ff_devices_fit(struct ff_devices *devices, struct ff_batch batch);
struct ff_turn_terms ff_devices_turn_terms(struct ff_devices *devices, enum ff_part part,
                                           double alpha);
void ff_devices_turn(struct ff_devices *devices, enum ff_part part, double alpha, double beta);
void ff_devices_line(struct ff_devices *devices, struct ff_batch batch, unsigned parts);
struct ff_line_terms ff_devices_line_terms(struct ff_devices *devices, double gamma);
void ff_devices_advance(struct ff_devices *devices, unsigned parts, double gamma);
void ff_devices_start_waves(struct ff_devices *devices, struct ff_batch batch);
void ff_devices_project(struct ff_devices *devices, struct ff_batch batch,
                        const struct ff_projection *projection);
void ff_devices_cost(struct ff_devices *devices, struct ff_batch batch);

/* The cost of all devices since the last call; fails, naming the device, when one has failed. */
int ff_devices_take_cost(struct ff_devices *devices, struct ff_cost *cost,
                         struct ff_error *error) FF_MUST_USE;

/* (patterns of the problem, width of the kind). */
void ff_devices_get_terms(struct ff_devices *devices, enum ff_terms terms, double *values);

uint64_t ff_devices_transforms_done(const struct ff_devices *devices);
uint64_t ff_devices_bytes_exchanged(const struct ff_devices *devices);
double ff_devices_time_transforms(struct ff_devices *devices, size_t count);
struct ff_span ff_devices_transforms(const struct ff_devices *devices);
/* Bytes held beside the problem: of the host, and of all devices together that have memory of their own. */
size_t ff_devices_bytes(const struct ff_devices *devices);
size_t ff_devices_bytes_apart(const struct ff_devices *devices);

#endif
