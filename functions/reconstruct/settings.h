/*
 * functions/reconstruct/settings.h: the settings of `reconstruct`, under one name everywhere:
 * `--set KEY=VALUE`, a YAML file (`--config`) and the JSON arguments of a task. settings.c holds
 * the table with key, type, unit, default, range and help.
 */
#ifndef FF_RECONSTRUCT_SETTINGS_H
#define FF_RECONSTRUCT_SETTINGS_H

#include "functions/option_table.h"
#include "functions/reconstruct/algorithms.h"

/* In the order of the choices in settings.c. */

struct ff_settings {
    char *input;   /* required */
    char *output;  /* "": beside nothing else, INPUT's name + "-recon.h5" in the current folder */
    char *format;  /* "auto", the name of a preset (formats/preset.h), or a description's file */
    int algorithm; /* of enum ff_algorithm */
    int64_t epochs;
    int64_t batches; /* 0: what the algorithm does by itself; see ff_settings_batches */
    double alpha;    /* NaN: by the algorithm; likewise the steps */
    int step;        /* of enum ff_step */
    double step_object;
    double step_probe;
    double momentum;
    int64_t probe_start; /* 0: by the algorithm */
    int64_t modes;
    int noise;
    int orientation; /* 0: auto, else 1 + the number in ff_orientations */
    int subpixel;
    int transform;
    int positions; /* 0 off, 1 on, as all choices of off and on */
    int affine;
    int64_t positions_start;
    double positions_search;
    double step_positions;
    int intensities;
    int64_t opr_modes;
    int object_constraint;
    int probe_constraint;
    int power_balance;
    double stop_when;
    int64_t stop_window;
    int64_t seed;
    char *devices;   /* "auto", "cpu", "cpu:N", "cuda", "cuda:N"; see ff_settings_devices */
    int64_t threads; /* 0: one for each core of the slot */
    int64_t preview_every;
    int64_t checkpoint_every;
    char *resume;        /* "auto", "never", or a checkpoint file */
    double time_limit_s; /* 0: none */
    int tiff;            /* 1: images of numbers beside the pictures */
    int64_t crop;        /* 0: the whole frame */
    char *initial_probe; /* "": the one of the input, else an estimate */

    /* What the input does not say; 0 and "": it does. */
    double energy_eV;
    double distance_m;
    double detector_pixel_um;
    double object_pixel_nm;
    char *positions_file;
    char *positions_columns; /* "Y,X" */
    char *positions_unit;
    char *mask; /* a file, or ranges of pixels: formats/mask.h */
    int mask_means;
    int keep_frames; /* 0: good ones, 1: all */

    /* How the scan was made. */
    int64_t fly; /* positions within an exposure */
    int near_field;
    int64_t pad; /* by how much the probe's window is smaller than a frame */

    /* What to begin with. */
    char *initial_object;
    double zone_plate_um; /* diameter; 0: no probe from optics */
    double outer_zone_nm;
    double central_stop_um;
    double defocus_um;
};

extern const struct ff_option_table ff_settings_table;

/* With every default set; NULL when memory is out. */
struct ff_settings *ff_settings_create(struct ff_error *error) FF_MUST_USE;
void ff_settings_destroy(struct ff_settings *settings);

/* What one key alone cannot tell: that there is an input, that what was set has an effect beside the
 * rest (idle.h), and a name for the output (set when it is ""). */
int ff_settings_complete(struct ff_settings *settings, struct ff_error *error) FF_MUST_USE;

const char *ff_settings_algorithm_name(const struct ff_settings *settings);

/* Which devices, as `devices` says it; device_choice.h finds out what there is. */
enum ff_device_kind { FF_DEVICES_AUTO, FF_DEVICES_CPU, FF_DEVICES_CUDA };
struct ff_device_wish {
    enum ff_device_kind kind;
    unsigned count; /* 0: all that there are */
};

/* FF_INVALID_SETTING where the text names none. */
int ff_settings_devices(const struct ff_settings *settings, struct ff_device_wish *wish,
                        struct ff_error *error) FF_MUST_USE;

/* How many batches an epoch of so many patterns has: the setting, or its default made a number. */
struct ff_batch_counts ff_settings_batches(const struct ff_settings *settings, size_t patterns);

#endif
