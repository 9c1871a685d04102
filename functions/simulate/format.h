/*
 * functions/simulate/format.h: the formats that a simulation can be written in. Each is the layout
 * that the preset of its name reads (functions/reconstruct/formats/preset.h).
 */
#ifndef FF_SIMULATE_FORMAT_H
#define FF_SIMULATE_FORMAT_H

#include "functions/simulate/quantity.h"

/* In the order of ff_simulate_format_names. */
enum ff_simulate_format_number {
    FF_SIMULATE_CXI,
    FF_SIMULATE_FLOW,
    FF_SIMULATE_PTYCHODUS,
    FF_SIMULATE_PTYCHODUS_NPZ,
    FF_SIMULATE_VELOCIPROBE,
    FF_SIMULATE_APS_2IDD,
    FF_SIMULATE_APS_9ID,
    FF_SIMULATE_LYNX,
    FF_SIMULATE_CSAXS,
    FF_SIMULATE_NANOMAX,
    FF_SIMULATE_NSLS2,
    FF_SIMULATE_HOLOPTYCHO,
    FF_SIMULATE_SLAC,
    FF_SIMULATE_TIKE,
    FF_SIMULATE_PTYD,
    FF_SIMULATE_PTYCHOSHELVES,
    FF_SIMULATE_FORMAT_COUNT
};

enum ff_simulate_container { FF_SIMULATE_HDF5, FF_SIMULATE_NPZ };

/* Where the frames are. */
enum ff_simulate_place {
    FF_SIMULATE_WHOLE_DATASET,
    FF_SIMULATE_BLOCKS,         /* several datasets in one file, numbered from 0 */
    FF_SIMULATE_LINKED_FILES,   /* data files, with links to them in the main file */
    FF_SIMULATE_SERIES_OF_FILES /* the same without a main file */
};

/* A text file with the positions, beside the main file. */
enum ff_simulate_table_kind {
    FF_SIMULATE_NO_TABLE,
    FF_SIMULATE_XY_TABLE,          /* .csv: x, y in m */
    FF_SIMULATE_ORCHESTRA_TABLE,   /* .dat of SPEC's orchestra: µm, both signs turned */
    FF_SIMULATE_VELOCIPROBE_TABLE, /* .csv of eight columns: nm */
};

struct ff_simulate_format {
    enum ff_simulate_container container;
    const char *ending; /* of the main file: ".cxi" */
    enum ff_simulate_place place;
    /* The dataset of frames; of blocks, and of links to files, with %zu for the number, which counts
     * blocks from 0 and files from 1. */
    const char *frames;
    const char *linked; /* in a file of its own: the dataset there */
    size_t leading;     /* axes of extent 1 in front of that of the frames */
    bool transposed;    /* (frame, column, row) */
    bool corner;        /* the beam is at element 0 instead of the middle */
    bool amplitudes;    /* the square roots of the counts */
    bool floats;        /* whatever the setting `type` says */
    const struct ff_simulate_entry *fields;
    const char *const *links; /* target and path of soft links, in pairs; ended by NULL */
    const struct ff_simulate_entry *block_fields; /* in each block; paths with %zu */
    enum ff_simulate_table_kind table;
    bool lacks_geometry; /* a reader must be told energy, distance and pixel */
};

const struct ff_simulate_format *ff_simulate_format(int number);

/* A path with %zu in it, and the number instead. */
void ff_simulate_numbered(const char *path, size_t number, char *text, size_t size);

/* The truth, whatever the format; paths begin with /simulation. */
extern const struct ff_simulate_entry ff_simulate_truth[];

#endif
