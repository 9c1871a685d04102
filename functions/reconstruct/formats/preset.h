/*
 * functions/reconstruct/formats/preset.h: the formats that are known by name, each a description
 * (description.h), and recognising them.
 */
#ifndef FF_RECONSTRUCT_FORMATS_PRESET_H
#define FF_RECONSTRUCT_FORMATS_PRESET_H

#include "functions/reconstruct/formats/description.h"
#include "functions/reconstruct/formats/hdf5.h"

struct ff_preset {
    const char *name;               /* what the setting `format` takes */
    const char *title;              /* for people */
    const char *const *assignments; /* KEY=VALUE of a description, ended by NULL */
};

/* In the order in which `auto` asks, ended by an entry without a name. One without the key `frames`
 * describes what goes with frames: positions and a probe. */
extern const struct ff_preset ff_presets[];

const struct ff_preset *ff_preset_find(const char *name);

/* Into a description that was initialised. */
int ff_preset_describe(const struct ff_preset *preset, struct ff_description *description,
                       struct ff_error *error) FF_MUST_USE;

/* Which presets a file could be, the best first: those that have all they need, then those that
 * lack least. */
struct ff_candidate {
    const struct ff_preset *preset;
    unsigned needed, found;          /* of the paths in `needs` */
    bool has_frames;                 /* the preset describes frames */
    char missing[FF_HDF5_PATH_SIZE]; /* the first path that is not there; "": it fits */
};

enum { FF_CANDIDATES_MAX = 32 };

/* Fills at most FF_CANDIDATES_MAX entries with those that found anything; their number. */
size_t ff_preset_candidates(const struct ff_hdf5_file *file,
                            struct ff_candidate candidates[FF_CANDIDATES_MAX]);

#endif
