#include "functions/reconstruct/formats/format.h"

#include "functions/reconstruct/formats/cxi.h"

#include <string.h>

const struct ff_format ff_formats[] = {
    {"cxi", "CXI with ptychography (CXIDB)", ff_cxi_matches, &ff_cxi_layout},
    {NULL, NULL, NULL, NULL},
};

static const struct ff_format *format_of(const struct ff_hdf5_file *file, const char *name)
{
    bool look = strcmp(name, "auto") == 0;
    for (const struct ff_format *format = ff_formats; format->name != NULL; format++)
        if (look ? format->matches(file) : strcmp(format->name, name) == 0)
            return format;
    return NULL;
}

int ff_format_read(const char *path, const char *name, size_t crop, const struct ff_format **format,
                   struct ff_measurement *measurement, struct ff_buffer *notes,
                   struct ff_error *error)
{
    struct ff_hdf5_file *file = ff_hdf5_open(path, error);
    if (file == NULL)
        return -1;
    memset(measurement, 0, sizeof *measurement);
    const struct ff_format *found = format_of(file, name);
    int result = -1;
    if (found == NULL) {
        ff_fail(error, FF_INPUT_INVALID, "%s is HDF5 in none of the layouts that are known here",
                path);
        if (ff_hdf5_exists(file, "/object") && ff_hdf5_exists(file, "/probe"))
            ff_hint(error, "it looks like a result, not like a scan: farfield show %s", path);
        else
            ff_hint(error, "CXI has the group /entry_1 with instrument_1 and sample_1 in it");
    } else {
        result = ff_layout_read(file, found->layout, crop, measurement, notes, error);
    }
    ff_hdf5_close(file);
    if (result < 0)
        ff_measurement_dispose(measurement);
    else
        *format = found;
    return result;
}

int ff_format_read_probe(const char *path, struct ff_measurement *measurement,
                         struct ff_error *error)
{
    static const char *const paths[] = {"/probe", "/entry_1/instrument_1/source_1/illumination",
                                        "/entry_1/instrument_1/source_1/probe", NULL};
    struct ff_hdf5_file *file = ff_hdf5_open(path, error);
    if (file == NULL)
        return -1;
    int result = ff_layout_read_probe(file, paths, measurement, error);
    ff_hdf5_close(file);
    return result;
}
