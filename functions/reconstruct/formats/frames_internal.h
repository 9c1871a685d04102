/* functions/reconstruct/formats/frames_internal.h: shared by frames.c and frames_read.c alone. */
#ifndef FF_RECONSTRUCT_FORMATS_FRAMES_INTERNAL_H
#define FF_RECONSTRUCT_FORMATS_FRAMES_INTERNAL_H

#include "functions/reconstruct/formats/filters.h"
#include "functions/reconstruct/formats/frames.h"

/* Axes of a dataset, without those of extent 1 in front: which one is that of frames, … */
enum { FF_AXIS_FRAME, FF_AXIS_ROW, FF_AXIS_COLUMN };

/* One dataset. */
struct ff_segment {
    size_t file; /* of the input */
    char name[FF_HDF5_PATH_SIZE];
    int leading;     /* axes of extent 1 in front */
    bool single;     /* one frame, without an axis of frames */
    size_t shape[3]; /* as stored */
    size_t first, frames;
    bool direct;     /* its chunks are unpacked here */
    size_t piece[3]; /* what is read at a time: a chunk, or so many entries of the first axis */
    size_t pieces[3];
    size_t first_job;
    struct ff_pipeline pipeline;
};

struct ff_frames {
    struct ff_input *input;
    struct ff_segment *segments;
    size_t segment_count;
    size_t frames;
    size_t axes[3]; /* the axis of the dataset that is that of frames, rows, columns */
    bool flip_rows, flip_columns;
    size_t extent[2];
    enum ff_sample sample;
    size_t sample_bytes;
    size_t jobs;
    uint8_t *done; /* a flag for each job */
};

#endif
