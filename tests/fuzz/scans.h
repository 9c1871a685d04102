/*
 * tests/fuzz/scans.h: what the targets that read scans share: files that are written anew each
 * time, small simulated scans as seeds, and reading.
 */
#ifndef FF_TESTS_FUZZ_SCANS_H
#define FF_TESTS_FUZZ_SCANS_H

#include "tests/fuzz/fuzz.h"

#include "functions/reconstruct/settings.h"

/* The path of a file in a folder of this process, which goes when it ends. */
const char *scans_path(const char *name);

/* Writes a file there; false when it cannot be. */
bool scans_write(const char *name, const void *data, size_t size);

/* A scan of a few small frames in a format, its main file. */
void scans_append_simulated(const char *format, int compression, struct ff_buffer *buffer);

/* Reads the file as input, with a setting more (NULL: none) and a geometry; whether that went well.
 */
bool scans_read(const char *path, const char *key, const char *value);

#endif
