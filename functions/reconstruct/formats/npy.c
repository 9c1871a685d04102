#include "functions/reconstruct/formats/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREAMBLE = 8 };

/* What stands behind 'KEY': in the header, which is a Python dictionary in one line. */
static const char *value_of(const char *text, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *at = strstr(text, quoted);
    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " ");
    if (*at != ':')
        return NULL;
    at++;
    return at + strspn(at, " ");
}

static int parse_type(const char *text, struct ff_npy *array)
{
    if (text == NULL || text[0] != '\'' || strchr("<>|=", text[1]) == NULL || text[1] == '\0')
        return -1;
    array->big_endian = text[1] == '>';
    array->kind = text[2];
    char *end;
    long size = strtol(text + 3, &end, 10);
    if (*end != '\'' || end == text + 3)
        return -1;
    array->element_size = (size_t)size;
    switch (array->kind) {
    case 'b':
        return size == 1 ? 0 : -1;
    case 'i':
    case 'u':
        return size == 1 || size == 2 || size == 4 || size == 8 ? 0 : -1;
    case 'f':
        return size == 4 || size == 8 ? 0 : -1;
    case 'c':
        return size == 8 || size == 16 ? 0 : -1;
    default:
        return -1;
    }
}

static int parse_shape(const char *text, struct ff_npy *array)
{
    if (text == NULL || *text++ != '(')
        return -1;
    array->bytes = array->element_size;
    for (;;) {
        text += strspn(text, " ,");
        if (*text == ')')
            return 0;
        char *end;
        if (*text < '0' || *text > '9' || array->rank == FF_HDF5_RANK_MAX)
            return -1;
        unsigned long long extent = strtoull(text, &end, 10);
        array->shape[array->rank++] = (size_t)extent;
        if (extent >= (1ull << 48) ||
            __builtin_mul_overflow(array->bytes, (size_t)extent, &array->bytes))
            return -1;
        text = end;
    }
}

int ff_npy_parse(const void *data, size_t size, struct ff_npy *array)
{
    const uint8_t *bytes = data;
    if (size < PREAMBLE + 4 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return -1;
    size_t at = bytes[6] == 1 ? PREAMBLE + 2 : PREAMBLE + 4;
    size_t length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > FF_NPY_HEADER_MAX || at + length > size)
        return -1;
    char *text = strndup((const char *)bytes + at, length);
    if (text == NULL)
        return -1;
    *array = (struct ff_npy){.header_bytes = at + length};
    const char *order = value_of(text, "fortran_order");
    int result = parse_type(value_of(text, "descr"), array);
    if (result == 0)
        result = parse_shape(value_of(text, "shape"), array);
    if (result == 0 && order == NULL)
        result = -1;
    if (result == 0)
        array->fortran_order = strncmp(order, "True", 4) == 0 && array->rank > 1;
    free(text);
    return result;
}

static hid_t complex_of(hid_t part, size_t size)
{
    hid_t type = H5Tcreate(H5T_COMPOUND, 2 * size);
    H5Tinsert(type, "r", 0, part);
    H5Tinsert(type, "i", size, part);
    return type;
}

hid_t ff_npy_type(const struct ff_npy *array)
{
    hid_t type;
    switch (array->kind) {
    case 'f':
        type = H5Tcopy(array->element_size == 4 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE);
        break;
    case 'c':
        if (array->big_endian)
            return complex_of(array->element_size == 8 ? H5T_IEEE_F32BE : H5T_IEEE_F64BE,
                              array->element_size / 2);
        return complex_of(array->element_size == 8 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE,
                          array->element_size / 2);
    default:
        type = H5Tcopy(array->kind == 'i' ? H5T_STD_I64LE : H5T_STD_U64LE);
        H5Tset_size(type, array->element_size);
        break;
    }
    if (array->big_endian)
        H5Tset_order(type, H5T_ORDER_BE);
    return type;
}

void ff_npy_to_rows(const struct ff_npy *array, const void *from, void *to)
{
    size_t size = array->element_size;
    size_t count = array->bytes / size;
    size_t index[FF_HDF5_RANK_MAX] = {0}; /* of the element in C order */
    for (size_t k = 0; k < count; k++) {
        size_t source = 0;
        for (int axis = array->rank; axis-- > 0;)
            source = source * array->shape[axis] + index[axis];
        memcpy((char *)to + k * size, (const char *)from + source * size, size);
        for (int axis = array->rank; axis-- > 0;) {
            if (++index[axis] < array->shape[axis])
                break;
            index[axis] = 0;
        }
    }
}
