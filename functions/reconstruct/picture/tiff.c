#include "functions/reconstruct/picture/tiff.h"

#include "protocol/core/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

enum {
    SIDE_MAX = 1 << 20,
    ROWS_A_STRIP = 64,
    CLASSIC_SAMPLES_MAX = 1000000000, /* of four bytes, with room for all else below 4 GiB */
};

static const size_t file_bytes_max = (size_t)4 << 30;

/* A file in memory: for writing `buffer`, for reading `span`. */
struct stream {
    struct ff_buffer *buffer;
    struct ff_span span;
    size_t begin; /* of the file in the buffer, which may hold other things before it */
    size_t at;
};

static size_t size_of(const struct stream *stream)
{
    return stream->buffer != NULL ? stream->buffer->size - stream->begin : stream->span.size;
}

static tmsize_t read_some(thandle_t handle, void *data, tmsize_t size)
{
    struct stream *stream = handle;
    size_t all = size_of(stream);
    size_t left = stream->at < all ? all - stream->at : 0;
    size_t taken = (size_t)size < left ? (size_t)size : left;
    const uint8_t *from =
        stream->buffer != NULL ? stream->buffer->data + stream->begin : stream->span.data;
    if (taken > 0)
        memcpy(data, from + stream->at, taken);
    stream->at += taken;
    return (tmsize_t)taken;
}

/* libtiff goes back to write what it knows only later: where the directory is. */
static tmsize_t write_some(thandle_t handle, void *data, tmsize_t size)
{
    struct stream *stream = handle;
    static const uint8_t gap[4096] = {0};
    size_t all = size_of(stream);
    if (stream->buffer->failed || stream->at > all + sizeof gap)
        return -1;
    if (stream->at > all) { /* what a directory points to is written before it */
        ff_buffer_append(stream->buffer, gap, stream->at - all);
        all = stream->at;
    }
    size_t over = all - stream->at < (size_t)size ? all - stream->at : (size_t)size;
    if (over > 0 && !stream->buffer->failed)
        memcpy(stream->buffer->data + stream->begin + stream->at, data, over);
    ff_buffer_append(stream->buffer, (const uint8_t *)data + over, (size_t)size - over);
    if (stream->buffer->failed)
        return -1;
    stream->at += (size_t)size;
    return size;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence)
{
    struct stream *stream = handle;
    size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? stream->at : size_of(stream);
    stream->at = base + (size_t)offset;
    return stream->at;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t tell_size(thandle_t handle)
{
    return size_of(handle);
}

/* Without a mapping libtiff reads strip by strip, within the bounds above. */
static TIFF *open_stream(struct stream *stream, const char *mode)
{
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    return TIFFClientOpen("image", mode, stream, read_some, write_some, seek, close_nothing,
                          tell_size, NULL, NULL);
}

/* --- writing --- */

static void set_tags(TIFF *tiff, const struct ff_tiff *image, const char *description)
{
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, (uint32_t)image->columns);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, (uint32_t)image->rows);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 32);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, ROWS_A_STRIP);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, description);
    if (image->pixel_m[0] > 0 && image->pixel_m[1] > 0) {
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 0.01 / image->pixel_m[1]);
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 0.01 / image->pixel_m[0]);
    }
}

int ff_tiff_encode(const struct ff_tiff *image, const char *description, struct ff_buffer *bytes,
                   struct ff_error *error)
{
    struct stream stream = {.buffer = bytes, .begin = bytes->size};
    size_t pages = image->pages > 0 ? image->pages : 1;
    if (ff_array_elements(pages, image->rows, image->columns) > CLASSIC_SAMPLES_MAX)
        return ff_fail(error, FF_TOO_LARGE, "an image of %zu × %zu pixels is too large for TIFF",
                       image->rows, image->columns);
    TIFF *tiff = open_stream(&stream, "w");
    bool written = tiff != NULL;
    for (size_t page = 0; written && page < pages; page++) {
        float *values = image->values + page * image->rows * image->columns;
        set_tags(tiff, image, description);
        for (size_t r = 0; written && r < image->rows; r++)
            written = TIFFWriteScanline(tiff, values + r * image->columns, (uint32_t)r, 0) == 1;
        written = written && TIFFWriteDirectory(tiff) == 1;
    }
    if (tiff != NULL)
        TIFFClose(tiff);
    if (ff_buffer_check(bytes, "a TIFF", error) < 0)
        return -1;
    if (!written)
        return ff_fail(error, FF_INTERNAL, "libtiff cannot encode an image of %zu × %zu",
                       image->rows, image->columns);
    return 0;
}

/* --- reading --- */

struct sample_kind {
    uint16_t bits, format;
};

static float sample_of(const void *row, size_t index, struct sample_kind kind)
{
    if (kind.format == SAMPLEFORMAT_IEEEFP)
        return kind.bits == 32 ? ((const float *)row)[index] : (float)((const double *)row)[index];
    if (kind.bits == 8)
        return ((const uint8_t *)row)[index];
    return kind.bits == 16 ? (float)((const uint16_t *)row)[index]
                           : (float)((const uint32_t *)row)[index];
}

static bool is_readable(struct sample_kind kind, uint16_t samples)
{
    if (samples != 1)
        return false;
    if (kind.format == SAMPLEFORMAT_IEEEFP)
        return kind.bits == 32 || kind.bits == 64;
    return kind.format == SAMPLEFORMAT_UINT &&
           (kind.bits == 8 || kind.bits == 16 || kind.bits == 32);
}

static int read_rows(TIFF *tiff, const char *path, struct sample_kind kind, struct ff_tiff *image,
                     struct ff_error *error)
{
    size_t bytes = image->columns * kind.bits / 8;
    if (TIFFIsTiled(tiff) || (size_t)TIFFScanlineSize(tiff) != bytes)
        return ff_fail(error, FF_INPUT_INVALID, "%s: an image in tiles or planes is not read",
                       path);
    void *row = ff_array_create(bytes, 1, "a row of pixels", error);
    if (row == NULL)
        return -1;
    image->values = ff_array_create(ff_array_elements(image->rows, image->columns, 1),
                                    sizeof(float), "the image", error);
    int result = image->values != NULL ? 0 : -1;
    for (size_t r = 0; result == 0 && r < image->rows; r++) {
        if (TIFFReadScanline(tiff, row, (uint32_t)r, 0) != 1)
            result = ff_fail(error, FF_INPUT_INVALID,
                             "%s: row %zu cannot be read; the file is damaged", path, r);
        for (size_t c = 0; result == 0 && c < image->columns; c++)
            image->values[r * image->columns + c] = sample_of(row, c, kind);
    }
    free(row);
    return result;
}

static double pixel_of(TIFF *tiff, uint32_t tag)
{
    float resolution = 0;
    uint16_t unit = 0;
    if (TIFFGetField(tiff, tag, &resolution) != 1 || !(resolution > 0) ||
        TIFFGetField(tiff, TIFFTAG_RESOLUTIONUNIT, &unit) != 1 || unit != RESUNIT_CENTIMETER)
        return NAN;
    return 0.01 / (double)resolution;
}

static int read_image(TIFF *tiff, const char *path, size_t file_bytes, struct ff_tiff *image,
                      struct ff_error *error)
{
    uint32_t rows = 0;
    uint32_t columns = 0;
    uint16_t samples = 0;
    struct sample_kind kind = {0, 0};
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &rows);
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &columns);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &kind.bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &kind.format);
    if (rows == 0 || columns == 0 || rows > SIDE_MAX || columns > SIDE_MAX)
        return ff_fail(error, FF_INPUT_INVALID, "%s: an image of %u × %u pixels", path, rows,
                       columns);
    if (!is_readable(kind, samples))
        return ff_fail(error, FF_INPUT_INVALID,
                       "%s: %u samples of %u bits a pixel; one of 32-bit float is wanted", path,
                       samples, kind.bits);
    /* No compression that libtiff knows packs a thousand to one. */
    if ((double)rows * columns * kind.bits / 8 > 1024.0 * (double)file_bytes)
        return ff_fail(error, FF_INPUT_INVALID, "%s: claims %u × %u pixels in %zu bytes", path,
                       rows, columns, file_bytes);
    *image = (struct ff_tiff){
        .rows = rows,
        .columns = columns,
        .pixel_m = {pixel_of(tiff, TIFFTAG_YRESOLUTION), pixel_of(tiff, TIFFTAG_XRESOLUTION)},
    };
    return read_rows(tiff, path, kind, image, error);
}

int ff_tiff_read(const char *path, struct ff_tiff *image, struct ff_error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    if (ff_file_read(path, file_bytes_max, &bytes, &size, error) < 0)
        return -1;
    struct stream stream = {.span = {bytes, size}};
    TIFF *tiff = open_stream(&stream, "rm");
    *image = (struct ff_tiff){0};
    int result = tiff != NULL ? read_image(tiff, path, size, image, error)
                              : ff_fail(error, FF_INPUT_INVALID, "%s: this is no TIFF file", path);
    if (tiff != NULL)
        TIFFClose(tiff);
    free(bytes);
    if (result < 0) {
        free(image->values);
        image->values = NULL;
    }
    return result;
}
