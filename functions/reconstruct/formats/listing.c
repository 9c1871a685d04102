#include "functions/reconstruct/formats/listing.h"

#include "functions/reconstruct/formats/hdf5_internal.h"
#include "protocol/core/json_text.h"

#include <stdio.h>

static const char *kind_name(hid_t type)
{
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        return "integer";
    case H5T_FLOAT:
        return "float";
    case H5T_STRING:
        return "text";
    case H5T_COMPOUND:
        return ff_hdf5_kind_of(type) == FF_HDF5_COMPLEX ? "complex" : "compound";
    case H5T_ENUM:
        return "enumeration";
    default:
        return "other";
    }
}

static void describe(hid_t dataset, json_t *entry)
{
    hid_t space = H5Dget_space(dataset);
    hid_t type = H5Dget_type(dataset);
    hsize_t extent[H5S_MAX_RANK];
    char text[64];
    json_t *shape = json_array();
    int rank = H5Sget_simple_extent_dims(space, extent, NULL);
    for (int i = 0; i < rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)extent[i]));
    snprintf(text, sizeof text, "%s, %zu bytes", kind_name(type), H5Tget_size(type));
    json_object_set_new(entry, "shape", shape);
    json_object_set_new(entry, "type", json_string(text));
    H5Tclose(type);
    H5Sclose(space);
}

/* A positive answer ends the walk. */
static herr_t visit(hid_t root, const char *name, const H5O_info_t *info, void *user)
{
    json_t *list = user;
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    if (json_array_size(list) >= FF_LISTING_MAX)
        return 1;
    hid_t dataset = H5Dopen2(root, name, H5P_DEFAULT);
    if (dataset < 0)
        return 0;
    char path[FF_HDF5_PATH_SIZE];
    snprintf(path, sizeof path, "/%s", name);
    json_t *entry = json_object();
    json_object_set_new(entry, "path", ff_json_text(path));
    describe(dataset, entry);
    json_array_append_new(list, entry);
    H5Dclose(dataset);
    return 0;
}

json_t *ff_hdf5_listing(const struct ff_hdf5_file *file, struct ff_error *error)
{
    json_t *list = json_array();
    if (list == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the contents of %s", file->path);
        return NULL;
    }
    if (H5Ovisit2(file->id, H5_INDEX_NAME, H5_ITER_INC, visit, list, H5O_INFO_BASIC) >= 0)
        return list;
    json_decref(list);
    ff_fail(error, FF_INPUT_INVALID, "%s: the contents cannot be walked; the file is damaged",
            file->path);
    return NULL;
}
