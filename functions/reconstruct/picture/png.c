/*
 * Pictures as PNG. One of at most 256 colours, which those of phase and amplitude are, is written with a palette and a
 * byte a pixel: a third of the size.
 */
#include "functions/reconstruct/picture/picture.h"

#include <png.h>
#include <stdlib.h>

enum {
    COMPRESSION = 1, /* of zlib: most of the gain for a fraction of the time */
    PALETTE_MAX = 256,
    SLOTS =
        1024, /* of the table in which colours are found again: a power of 2, well above PALETTE_MAX */
    FREE = PALETTE_MAX,
};

struct palette {
    png_color colours[PALETTE_MAX];
    int count;
    uint16_t slots[SLOTS]; /* index of the colour there, or FREE */
};

/* The index of a colour, which is added when it is new; -1 when there are too many. */
static int palette_find(struct palette *palette, struct ff_colour colour)
{
    uint32_t key = (uint32_t)colour.red << 16 | (uint32_t)colour.green << 8 | colour.blue;
    for (uint32_t slot = key * 2654435761u >> 22;; slot = (slot + 1) % SLOTS) {
        int index = palette->slots[slot];
        if (index == FREE) {
            if (palette->count == PALETTE_MAX)
                return -1;
            palette->colours[palette->count] = (png_color){colour.red, colour.green, colour.blue};
            palette->slots[slot] = (uint16_t)palette->count;
            return palette->count++;
        }
        const png_color known = palette->colours[index];
        if (known.red == colour.red && known.green == colour.green && known.blue == colour.blue)
            return index;
    }
}

/* The index of each pixel's colour, which the caller frees; NULL when a palette does not do. */
static uint8_t *palette_of(const struct ff_picture *picture, struct palette *palette)
{
    size_t pixels = picture->width * picture->height;
    uint8_t *indices = malloc(pixels);
    palette->count = 0;
    for (size_t i = 0; i < SLOTS; i++)
        palette->slots[i] = FREE;
    for (size_t i = 0; indices != NULL && i < pixels; i++) {
        int index = palette_find(palette, picture->pixels[i]);
        if (index < 0) {
            free(indices);
            return NULL;
        }
        indices[i] = (uint8_t)index;
    }
    return indices;
}

static void append_png(png_structp writer, png_bytep data, png_size_t size)
{
    ff_buffer_append(png_get_io_ptr(writer), data, size);
}

static void flush_nothing(png_structp writer)
{
    (void)writer;
}

static void keep_quiet(png_structp writer, png_const_charp text)
{
    (void)writer;
    (void)text;
}

/* libpng reports errors by a long jump to here, so nothing that changes after setjmp is read. */
static int write_png(png_structp writer, png_infop info, const struct ff_picture *picture,
                     const struct palette *palette, const uint8_t *indices, struct ff_buffer *png)
{
    const uint8_t *rows = indices != NULL ? indices : (const uint8_t *)picture->pixels;
    size_t row = picture->width * (indices != NULL ? 1 : sizeof *picture->pixels);
    if (setjmp(png_jmpbuf(writer)))
        return -1;
    png_set_write_fn(writer, png, append_png, flush_nothing);
    png_set_compression_level(writer, COMPRESSION);
    png_set_filter(writer, PNG_FILTER_TYPE_BASE,
                   indices != NULL ? PNG_FILTER_NONE : PNG_FILTER_SUB);
    png_set_IHDR(writer, info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8,
                 indices != NULL ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (indices != NULL)
        png_set_PLTE(writer, info, palette->colours, palette->count);
    png_write_info(writer, info);
    for (size_t y = 0; y < picture->height; y++)
        png_write_row(writer, rows + y * row);
    png_write_end(writer, info);
    return 0;
}

int ff_picture_encode(const struct ff_picture *picture, struct ff_buffer *png,
                      struct ff_error *error)
{
    _Static_assert(sizeof(struct ff_colour) == 3, "a row of colours is a row of a PNG");
    png_structp writer =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, keep_quiet, keep_quiet);
    png_infop info = writer != NULL ? png_create_info_struct(writer) : NULL;
    struct palette palette;
    uint8_t *indices = palette_of(picture, &palette);
    int result = info != NULL ? write_png(writer, info, picture, &palette, indices, png) : -1;
    free(indices);
    if (writer != NULL)
        png_destroy_write_struct(&writer, &info);
    if (result < 0)
        return ff_fail(error, FF_INTERNAL, "libpng cannot encode a picture of %zu × %zu",
                       picture->width, picture->height);
    return ff_buffer_check(png, "a picture", error);
}
