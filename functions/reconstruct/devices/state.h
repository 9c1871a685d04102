/*
 * functions/reconstruct/devices/state.h: what joins the devices. Private to devices/.
 */
#ifndef FF_RECONSTRUCT_DEVICES_STATE_H
#define FF_RECONSTRUCT_DEVICES_STATE_H

#include "functions/reconstruct/devices/devices.h"
#include "functions/reconstruct/devices/placement.h"
#include "functions/reconstruct/devices/tiles.h"
#include "functions/reconstruct/pool.h"

/* One device, and what the stage at work leaves there for the thread that asked. */
struct device {
    struct ff_backend *backend;
    const struct ff_tile *tile;
    struct ff_batch batch; /* its part of the batch at work, in its own numbers */
    uint32_t *
        batch_room; /* where that is made; NULL for a single device, whose numbers are those of the problem */
    struct ff_length_terms lengths;
    struct ff_turn_terms turn;
    struct ff_line_terms line;
    struct ff_cost cost;
    double seconds;
    int result;
    struct ff_error error;
};

/* What a stage does on one device; what it needs beside lies in devices->call. */
typedef void device_stage(const struct ff_devices *devices, struct device *device);

struct call {
    unsigned want;
    unsigned parts; /* of enum ff_part */
    double alpha, beta, gamma;
    const struct ff_update *update;
    const struct ff_projection *projection;
    size_t transforms;
};

struct ff_devices {
    const struct ff_problem *problem;
    const struct ff_backend_operations *operations;
    size_t modes, eigenprobes;
    unsigned threads; /* of all devices together */
    char description[192];

    unsigned count;
    unsigned present;             /* physical devices to choose from, at least `count` */
    struct device *device;        /* (count) */
    struct ff_backend **backends; /* (count): the peers of settle() */
    struct ff_tiles *tiles;
    struct ff_placement *placement; /* NULL for a single device */

    uint32_t *device_of; /* (patterns); NULL for a single device */
    uint32_t *number_of; /* (patterns): of a pattern on its device; likewise */

    struct ff_pool *team; /* NULL for a single device: the caller does its work */
    device_stage *stage;  /* at work */
    struct call call;

    void *room; /* for a field or the terms of one device, while it goes to or from the whole */
    size_t bytes;
};

/* Runs a stage on all devices, and returns when all have done it. */
void ff_devices_run(struct ff_devices *devices, device_stage *stage);

/* Gives every device its part of a batch, in the order of the batch. */
void ff_devices_deal(struct ff_devices *devices, struct ff_batch batch);

/* fields.c: bytes of the largest thing of one device that passes through `room`. */
size_t ff_devices_room(const struct ff_devices *devices);

#endif
