/*
 * functions/simulate/settings.h: the settings of `simulate`, under one name everywhere.
 */
#ifndef FF_SIMULATE_SETTINGS_H
#define FF_SIMULATE_SETTINGS_H

#include "functions/option_table.h"

/* In the order of the choices in settings.c. */
enum ff_simulate_noise { FF_SIMULATE_POISSON, FF_SIMULATE_NONE };
enum ff_simulate_guess { FF_SIMULATE_NEAR, FF_SIMULATE_EXACT, FF_SIMULATE_NO_GUESS };
enum ff_simulate_field { FF_SIMULATE_FAR_FIELD, FF_SIMULATE_NEAR_FIELD };
enum ff_simulate_probe {
    FF_SIMULATE_USUAL_PROBE,
    FF_SIMULATE_ZONE_PLATE,
    FF_SIMULATE_GAUSSIAN,
    FF_SIMULATE_DIFFUSER
};
enum ff_simulate_path { FF_SIMULATE_RASTER, FF_SIMULATE_SPIRAL };
enum ff_simulate_subpixel { FF_SIMULATE_BILINEAR, FF_SIMULATE_FOURIER };
enum ff_simulate_mask { FF_SIMULATE_MASK_IN_FILE, FF_SIMULATE_NO_MASK };
enum ff_simulate_type { FF_SIMULATE_U16, FF_SIMULATE_U32, FF_SIMULATE_FLOAT };
enum ff_simulate_compression {
    FF_SIMULATE_CONTIGUOUS,
    FF_SIMULATE_CHUNKS,
    FF_SIMULATE_GZIP,
    FF_SIMULATE_BITSHUFFLE
};

/* What a reader has to do to the file's (y, x): exchange them first, then turn the sign of y, x or
 * both. The same bits and names as the setting `orientation` of reconstruct. */
enum ff_simulate_orientation {
    FF_SIMULATE_ROWS_REVERSED = 1,
    FF_SIMULATE_COLUMNS_REVERSED = 2,
    FF_SIMULATE_TRANSPOSED = 4
};

struct ff_simulate_settings {
    /* the sample and the way over it */
    char *object; /* "siemens", "coins", "smooth", or a PNG file */
    int64_t patterns;
    int path;
    double overlap;
    double jitter; /* of the positions, in steps */
    int64_t fly;
    double fly_steps;

    /* the light */
    int probe;
    int64_t modes;
    double counts; /* in a pattern of an empty object */
    double probe_px;
    double defocus_um;
    int64_t eigenprobes;
    double variation_percent;
    double fluctuation_percent;
    double energy_eV;

    /* the way to the detector */
    int field;
    double distance_m; /* 0: what is usual in the field */
    double pixel_um;   /* likewise */
    int64_t size;      /* pixels of a frame's side */
    int64_t pad;
    int subpixel;

    /* the detector */
    int noise;
    double background;
    double full_well;
    int64_t gaps;
    int64_t gap_px;
    double dead_percent;
    double hot_percent;
    double stop_px;
    int64_t dropped;
    int64_t empty;
    int64_t bright;

    /* what the file says wrongly */
    double position_error_px;
    double scale_error_percent;
    double rotation_error_deg;
    double shear_error_percent;
    int orientation;

    /* the file */
    char *output; /* empty: simulated, with the format's ending */
    int format;
    int type;
    int compression;
    int64_t frames_per_file;
    int mask;
    int guess; /* the probe that the file offers to begin with */
    int64_t seed;
    int64_t threads;
};

extern const struct ff_option_table ff_simulate_table;

/* The names of the formats, in the order of enum ff_simulate_format (formats.h); ended by NULL. */
extern const char *const ff_simulate_format_names[];

#endif
