/*
 * functions/reconstruct/formats/format.h: the table of formats, and reading a file by it.
 */
#ifndef FF_RECONSTRUCT_FORMATS_FORMAT_H
#define FF_RECONSTRUCT_FORMATS_FORMAT_H

#include "functions/reconstruct/formats/layout.h"

struct ff_format {
    const char *name;  /* what the setting `format` takes */
    const char *title; /* for people */
    bool (*matches)(const struct ff_hdf5_file *file);
    const struct ff_layout *layout;
};

/* Ended by an entry without a name; `auto` takes the first that matches. */
extern const struct ff_format ff_formats[];

/* Reads a scan. `name` is "auto" or one of the table; *format is the one that was used. `notes`
 * collects remarks for the user, a line each. On failure `measurement` is empty. */
int ff_format_read(const char *path, const char *name, size_t crop, const struct ff_format **format,
                   struct ff_measurement *measurement, struct ff_buffer *notes,
                   struct ff_error *error) FF_MUST_USE;

/* Replaces the measurement's probe by that of another file: a result of Farfield or ptychodus, or a
 * CXI file. */
int ff_format_read_probe(const char *path, struct ff_measurement *measurement,
                         struct ff_error *error) FF_MUST_USE;

#endif
