/*
 * functions/reconstruct/formats/frames.h: the frames of a scan, wherever they lie: in one dataset,
 * in several of one file, in a series of files, frame first or last, turned or mirrored.
 *
 * They are handed over in tiles, pieces of some rows and columns of some frames, in no certain
 * order and by several threads: reading is one thread at a time, as the HDF5 library wants it, and
 * unpacking and whatever the receiver does run beside it.
 */
#ifndef FF_RECONSTRUCT_FORMATS_FRAMES_H
#define FF_RECONSTRUCT_FORMATS_FRAMES_H

#include "functions/reconstruct/formats/reading.h"

/* What a value is as it lies in memory. */
enum ff_sample {
    FF_SAMPLE_U8,
    FF_SAMPLE_I8,
    FF_SAMPLE_U16,
    FF_SAMPLE_I16,
    FF_SAMPLE_U32,
    FF_SAMPLE_I32,
    FF_SAMPLE_U64,
    FF_SAMPLE_I64,
    FF_SAMPLE_F32,
    FF_SAMPLE_F64,
};

struct ff_frames;

/* Looks at every dataset that the description names; nothing is read. `positions` helps to tell the
 * axis of frames where frame_axes is "any". */
struct ff_frames *ff_frames_create(const struct ff_reading *reading, size_t positions,
                                   struct ff_error *error) FF_MUST_USE;
void ff_frames_destroy(struct ff_frames *frames);

size_t ff_frames_count(const struct ff_frames *frames);
/* Rows and columns of a frame as it is used: after frame_axes and flip_frames. */
void ff_frames_extent(const struct ff_frames *frames, size_t extent[2]);
enum ff_sample ff_frames_sample(const struct ff_frames *frames);
const char *ff_frames_name(const struct ff_frames *frames);

/* An image of the frames' shape as it is stored (a mask), turned and mirrored as they are. */
void ff_frames_turn(const struct ff_frames *frames, const uint8_t *stored, uint8_t *turned);
/* The shape of such an image as it is stored. */
void ff_frames_stored(const struct ff_frames *frames, size_t extent[2]);

struct ff_tile {
    const void *values; /* the element of the first frame, row and column */
    ptrdiff_t frame_step, row_step, column_step; /* in elements */
    size_t first_frame, frames;
    size_t first_row, rows;
    size_t first_column, columns;
};

/* False ends the reading; the tile then counts as not taken. */
typedef bool ff_frames_take(void *user, size_t worker, const struct ff_tile *tile);

/* Hands over every tile that was not yet taken; `wanted(user, frame)` false for all frames of a tile
 * saves reading it. Workers have the numbers 0 … workers-1. */
int ff_frames_read(struct ff_frames *frames, size_t workers, ff_frames_take *take,
                   bool (*wanted)(void *user, size_t frame), void *user,
                   struct ff_error *error) FF_MUST_USE;
/* How many of the `asked` workers the frames keep busy. */
size_t ff_frames_workers(const struct ff_frames *frames, size_t asked);

#endif
