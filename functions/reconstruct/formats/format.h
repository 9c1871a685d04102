/*
 * functions/reconstruct/formats/format.h: a scan, read by the format that the settings name or that
 * its files show.
 */
#ifndef FF_RECONSTRUCT_FORMATS_FORMAT_H
#define FF_RECONSTRUCT_FORMATS_FORMAT_H

#include "functions/reconstruct/formats/measurement.h"
#include "functions/reconstruct/settings.h"
#include "protocol/core/digest.h"

/* Big enough for the name of a preset, or of a description's file. */
enum { FF_FORMAT_NAME_SIZE = 256 };

/*
 * Reads settings->input and what else the settings name (format, positions_file, mask, …). `format`
 * gets the name of the preset that was used, or of the description's file. `notes` collects remarks
 * for the user, a line each. On failure `measurement` is empty.
 */
int ff_format_read(const struct ff_settings *settings, char format[FF_FORMAT_NAME_SIZE],
                   struct ff_measurement *measurement, struct ff_buffer *notes,
                   struct ff_error *error) FF_MUST_USE;

/* Replaces the measurement's probe by that of another file, of any format that has one. */
int ff_format_read_probe(const char *path, struct ff_measurement *measurement,
                         struct ff_error *error) FF_MUST_USE;

/* Of all files that the settings name for measured values, input and positions_file, and of those
 * that these link to. */
int ff_format_digest(const struct ff_settings *settings, struct ff_digest *digest,
                     struct ff_error *error) FF_MUST_USE;

#endif
