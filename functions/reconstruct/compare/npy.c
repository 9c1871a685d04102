#include "functions/reconstruct/compare/npy.h"

#include "protocol/core/file.h"

#include <complex.h>
#include <stdlib.h>
#include <string.h>

enum { PREAMBLE_BYTES = 8, HEADER_MAX = 1 << 16, AXES_MAX = 8, SIDE_MAX = 1 << 20 };

static const size_t file_bytes_max = (size_t)8 << 30;

struct header {
    char *text;   /* the dictionary. Owned */
    size_t begin; /* of the data */
    size_t axes;
    size_t shape[AXES_MAX];
    size_t element_bytes;
    bool is_complex, is_double;
};

/* The length of the dictionary is two bytes in format 1 and four from 2 on. */
static int find_header(const uint8_t *bytes, size_t size, struct header *header)
{
    if (size < PREAMBLE_BYTES + 4 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 ||
        bytes[6] > 3)
        return -1;
    size_t length = bytes[8] | (size_t)bytes[9] << 8;
    size_t begin = PREAMBLE_BYTES + 2;
    if (bytes[6] > 1) {
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
        begin += 2;
    }
    if (length > HEADER_MAX || begin + length > size)
        return -1;
    header->text = ff_span_copy((struct ff_span){bytes + begin, length});
    header->begin = begin + length;
    return header->text != NULL ? 0 : -1;
}

/* What follows 'KEY': in the dictionary. */
static const char *value_of(const struct header *header, const char *key)
{
    const char *at = strstr(header->text, key);
    if (at == NULL)
        return NULL;
    at += strlen(key);
    return at + strspn(at, " :");
}

static int read_shape(struct header *header)
{
    const char *at = value_of(header, "'shape'");
    if (at == NULL || *at != '(')
        return -1;
    for (at++; *at != ')';) {
        char *end;
        unsigned long extent = strtoul(at, &end, 10);
        if (end == at || extent == 0 || extent > SIZE_MAX / 2 || header->axes == AXES_MAX)
            return -1;
        header->shape[header->axes++] = extent;
        at = end + strspn(end, ", ");
    }
    return header->axes >= 2 ? 0 : -1;
}

static int read_kind(struct header *header)
{
    static const struct {
        const char *name;
        size_t bytes;
        bool is_complex, is_double;
    } kinds[] = {
        {"'<c8'", 8, true, false},
        {"'<c16'", 16, true, true},
        {"'<f4'", 4, false, false},
        {"'<f8'", 8, false, true},
    };
    const char *order = value_of(header, "'fortran_order'");
    const char *kind = value_of(header, "'descr'");
    if (order == NULL || strncmp(order, "False", 5) != 0 || kind == NULL)
        return -1;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(kind, kinds[i].name, strlen(kinds[i].name)) == 0) {
            header->element_bytes = kinds[i].bytes;
            header->is_complex = kinds[i].is_complex;
            header->is_double = kinds[i].is_double;
            return 0;
        }
    return -1;
}

static double part_at(const uint8_t *at, bool is_double)
{
    double whole;
    float half;
    if (is_double) {
        memcpy(&whole, at, sizeof whole);
        return whole;
    }
    memcpy(&half, at, sizeof half);
    return (double)half;
}

static ff_complex value_at(const uint8_t *at, const struct header *header)
{
    size_t part = header->is_double ? sizeof(double) : sizeof(float);
    double re = part_at(at, header->is_double);
    double im = header->is_complex ? part_at(at + part, header->is_double) : 0;
    return (float)re + (float)im * (ff_complex)I;
}

static int read_plane(const uint8_t *bytes, size_t size, const struct header *header, size_t *rows,
                      size_t *columns, ff_complex **values, struct ff_error *error)
{
    *rows = header->shape[header->axes - 2];
    *columns = header->shape[header->axes - 1];
    size_t elements = ff_array_elements(*rows, *columns, 1);
    if (*rows > SIDE_MAX || *columns > SIDE_MAX ||
        elements > (size - header->begin) / header->element_bytes)
        return ff_fail(error, FF_INPUT_INVALID, "claims %zu × %zu values in %zu bytes", *rows,
                       *columns, size);
    *values = ff_array_create(elements, sizeof **values, "the array", error);
    if (*values == NULL)
        return -1;
    for (size_t i = 0; i < elements; i++)
        (*values)[i] = value_at(bytes + header->begin + i * header->element_bytes, header);
    return 0;
}

int ff_npy_read(const char *path, size_t *rows, size_t *columns, ff_complex **values,
                struct ff_error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    struct header header = {0};
    if (ff_file_read(path, file_bytes_max, &bytes, &size, error) < 0)
        return -1;
    int result = 0;
    if (find_header((const uint8_t *)bytes, size, &header) < 0)
        result = ff_fail(error, FF_INPUT_INVALID, "%s: this is no array of numpy", path);
    else if (read_shape(&header) < 0 || read_kind(&header) < 0)
        result = ff_fail(
            error, FF_INPUT_INVALID,
            "%s: wanted are rows × columns of '<c8', '<c16', '<f4' or '<f8' in C order", path);
    else if (read_plane((const uint8_t *)bytes, size, &header, rows, columns, values, error) < 0)
        result = ff_fail_prefix(error, "%s: ", path);
    free(header.text);
    free(bytes);
    return result;
}
