/*
 * functions/reconstruct/formats/hdf5.h: bounded reading of HDF5.
 *
 * An HDF5 file is hostile until it is read: a few bytes can claim terabytes. So a dataset is first
 * described (existence, kind, shape, what is really stored), and every reader takes the shape that
 * the caller will accept and refuses before it allocates. Messages name file and dataset. The error
 * stack of the HDF5 library is silenced and turned into struct ff_error. Not thread-safe, as the
 * library is not.
 */
#ifndef FF_RECONSTRUCT_FORMATS_HDF5_H
#define FF_RECONSTRUCT_FORMATS_HDF5_H

#include "functions/reconstruct/arrays.h"

#include <hdf5.h>
#include <stdbool.h>

enum { FF_HDF5_RANK_MAX = 6, FF_HDF5_PATH_SIZE = 256 };

struct ff_hdf5_file;

/* Opens for reading: FF_INPUT_MISSING, or FF_INPUT_INVALID that says whether it is a folder, no
 * HDF5 file, or a truncated one. */
struct ff_hdf5_file *ff_hdf5_open(const char *path, struct ff_error *error) FF_MUST_USE;
void ff_hdf5_close(struct ff_hdf5_file *file);
const char *ff_hdf5_path(const struct ff_hdf5_file *file);

enum ff_hdf5_kind { FF_HDF5_INTEGER, FF_HDF5_FLOAT, FF_HDF5_COMPLEX, FF_HDF5_TEXT, FF_HDF5_OTHER };

/* An open dataset, described. */
struct ff_hdf5_dataset {
    const struct ff_hdf5_file *file;
    hid_t id;
    char name[FF_HDF5_PATH_SIZE]; /* the path it was asked for by */
    enum ff_hdf5_kind kind;
    size_t element_size; /* bytes in the file */
    bool is_signed;      /* FF_HDF5_INTEGER */
    int rank;            /* 0: a scalar */
    size_t shape[FF_HDF5_RANK_MAX];
    size_t elements;
};

/* Whether a path leads to an object, dangling links counted as absent. */
bool ff_hdf5_exists(const struct ff_hdf5_file *file, const char *path);

/* An open group, or -1; the caller closes it. */
hid_t ff_hdf5_group(const struct ff_hdf5_file *file, const char *path);

/* A link that leads to nothing. */
struct ff_hdf5_link {
    char target[1100]; /* where it points to, as "FILE:PATH" */
    char file[1024];   /* the other file's path where there is such a file, which then is damaged or
                         lacks the object; else "" */
};

/* Whether a path, or a part of it, is a link that leads to nothing. */
bool ff_hdf5_dangles(const struct ff_hdf5_file *file, const char *path, struct ff_hdf5_link *link);

/* Opens the first of `paths` (ended by NULL) that exists. FF_INPUT_INVALID when none does ("has no
 * dataset A or B"), when it is not a dataset, claims more than is stored, or needs a filter that is
 * not installed. */
int ff_hdf5_find(const struct ff_hdf5_file *file, const char *const *paths,
                 struct ff_hdf5_dataset *dataset, struct ff_error *error) FF_MUST_USE;
void ff_hdf5_dataset_close(struct ff_hdf5_dataset *dataset);

/* The first of `paths` that exists, or NULL. */
const char *ff_hdf5_first(const struct ff_hdf5_file *file, const char *const *paths);

/* "516 × 128 × 128". */
void ff_hdf5_shape_text(const struct ff_hdf5_dataset *dataset, char *text, size_t size);

/* FF_INPUT_INVALID unless the kind is a number and the shape is `rank` of `shape`, where 0 takes
 * any extent ≥ 1. */
int ff_hdf5_expect(const struct ff_hdf5_dataset *dataset, int rank, const size_t *shape,
                   struct ff_error *error) FF_MUST_USE;

/* One number (a scalar, or an array of one element), in SI units if it carries a `units` attribute
 * that is known; `unit` is what it means without one (1 for SI). */
int ff_hdf5_read_number(const struct ff_hdf5_file *file, const char *path, double unit,
                        double *value, struct ff_error *error) FF_MUST_USE;

/* What one unit of the dataset's values is in SI, by its `units` attribute; `otherwise` where that
 * says nothing. */
double ff_hdf5_unit(const struct ff_hdf5_dataset *dataset, double otherwise);

/* All elements as double; at most `limit`. The caller frees. */
int ff_hdf5_read_doubles(const struct ff_hdf5_dataset *dataset, size_t limit, double **values,
                         struct ff_error *error) FF_MUST_USE;

/* All elements as complex float, also from real numbers; at most `limit`. The caller frees. */
int ff_hdf5_read_complex(const struct ff_hdf5_dataset *dataset, size_t limit, ff_complex **values,
                         struct ff_error *error) FF_MUST_USE;

/* `count` slabs of the first axis from `first` on, as `memory_type`, into room that the caller made
 * for them. */
int ff_hdf5_read_slabs(const struct ff_hdf5_dataset *dataset, size_t first, size_t count,
                       hid_t memory_type, void *values, struct ff_error *error) FF_MUST_USE;

/* Attributes of the object at `path` ("/" for the file): -1 without an error text where there is
 * none of that kind. */
int ff_hdf5_attribute_number(const struct ff_hdf5_file *file, const char *path, const char *name,
                             double *value);
/* The caller frees *text; at most 1 MiB. */
int ff_hdf5_attribute_text(const struct ff_hdf5_file *file, const char *path, const char *name,
                           char **text);

/* The compound {float r; float i;} that numpy and h5py use. The caller closes it. */
hid_t ff_hdf5_complex_type(void);

#endif
