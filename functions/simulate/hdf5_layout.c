#include "functions/simulate/hdf5_layout.h"

#include "functions/reconstruct/formats/hdf5.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The filter of the bitshuffle project, registered with The HDF Group. */
enum { BITSHUFFLE_FILTER = 32008, BITSHUFFLE_LZ4 = 2, GZIP_LEVEL = 1 };

static hid_t type_of(enum ff_simulate_element element)
{
    switch (element) {
    case FF_ELEMENT_U8:
        return H5Tcopy(H5T_STD_U8LE);
    case FF_ELEMENT_U32:
        return H5Tcopy(H5T_STD_U32LE);
    case FF_ELEMENT_I64:
        return H5Tcopy(H5T_STD_I64LE);
    case FF_ELEMENT_F32:
        return H5Tcopy(H5T_IEEE_F32LE);
    case FF_ELEMENT_F64:
        return H5Tcopy(H5T_IEEE_F64LE);
    default:
        return ff_hdf5_complex_type();
    }
}

/* Makes the groups on the way. */
static hid_t making_groups(void)
{
    hid_t list = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(list, 1);
    return list;
}

/* An open dataset without values; -1 marks the failure. */
static hid_t make_dataset(struct ff_hdf5_layout *layout, const char *path, hid_t type, int rank,
                          const hsize_t *shape, hid_t create_list)
{
    hid_t links = making_groups();
    hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, shape, NULL);
    H5Pset_obj_track_times(create_list, false); /* equal scans are equal files */
    hid_t dataset = H5Dcreate2(layout->file, path, type, space, links, create_list, H5P_DEFAULT);
    layout->failed = layout->failed || dataset < 0;
    H5Sclose(space);
    H5Pclose(links);
    return dataset;
}

static void put_dataset(struct ff_hdf5_layout *layout, const char *path, hid_t type, int rank,
                        const hsize_t *shape, const void *values)
{
    hid_t create_list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = make_dataset(layout, path, type, rank, shape, create_list);
    if (dataset >= 0) {
        if (H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
            layout->failed = true;
        H5Dclose(dataset);
    }
    H5Pclose(create_list);
}

static hid_t open_or_make(struct ff_hdf5_layout *layout, const char *path)
{
    hid_t object = H5Oopen(layout->file, path, H5P_DEFAULT);
    if (object >= 0)
        return object;
    hid_t links = making_groups();
    object = H5Gcreate2(layout->file, path, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Pclose(links);
    return object;
}

static void put_attribute(struct ff_hdf5_layout *layout, const char *path, const char *name,
                          hid_t type, const void *value)
{
    hid_t object = open_or_make(layout, path);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
        layout->failed = true;
    if (attribute >= 0)
        H5Aclose(attribute);
    H5Sclose(space);
    if (object >= 0)
        H5Oclose(object);
}

static void put_field(struct ff_hdf5_layout *layout, const struct ff_simulation *simulation,
                      const struct ff_simulate_entry *field, const struct ff_simulate_part *part,
                      const char *path)
{
    struct ff_simulate_array array;
    hsize_t shape[FF_QUANTITY_RANK_MAX];
    if (ff_simulate_quantity(simulation, field, part, &array, NULL) < 0) {
        layout->failed = true;
        return;
    }
    if (array.values == NULL)
        return;
    hid_t type = type_of(array.element);
    char *attribute = strchr(path, '@');
    for (int i = 0; i < array.rank; i++)
        shape[i] = array.shape[i];
    if (attribute != NULL) {
        char object[96];
        snprintf(object, sizeof object, "%.*s", (int)(attribute - path), path);
        put_attribute(layout, object, attribute + 1, type, array.values);
    } else {
        put_dataset(layout, path, type, array.rank, shape, array.values);
    }
    H5Tclose(type);
    free(array.owned);
}

static void put_fields(struct ff_hdf5_layout *layout, const struct ff_simulation *simulation,
                       const struct ff_simulate_entry *fields)
{
    for (; fields != NULL && fields->path != NULL; fields++)
        put_field(layout, simulation, fields, NULL, fields->path);
}

/* The settings as they were used, without those that change nothing in the file. */
static void put_settings(struct ff_hdf5_layout *layout, const struct ff_simulation *simulation)
{
    json_t *json = ff_options_to_json(&ff_simulate_table, &simulation->settings);
    if (json != NULL) {
        json_object_del(json, "output");
        json_object_del(json, "threads");
    }
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text == NULL) {
        layout->failed = true;
        return;
    }
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text) + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    put_dataset(layout, "/simulation/settings", type, 0, NULL, text);
    H5Tclose(type);
    free(text);
}

/* Contiguous frames are written past the library, so they get their place now and no values. */
static hid_t frame_list(const struct ff_simulation *simulation)
{
    const hsize_t chunk[] = {1, simulation->size, simulation->size};
    const struct ff_simulate_settings *settings = &simulation->settings;
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    unsigned bytes = settings->type == FF_SIMULATE_U16 ? 2 : 4;
    const unsigned bitshuffle[] = {0, 3, bytes, 0, BITSHUFFLE_LZ4};
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    if (settings->compression == FF_SIMULATE_CONTIGUOUS) {
        H5Pset_layout(list, H5D_CONTIGUOUS);
        H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
        return list;
    }
    H5Pset_chunk(list, 3, chunk);
    if (settings->compression == FF_SIMULATE_GZIP) {
        H5Pset_shuffle(list);
        H5Pset_deflate(list, GZIP_LEVEL);
    } else if (settings->compression == FF_SIMULATE_BITSHUFFLE) {
        /* Optional: the chunks come packed, so the library needs no filter to write them. */
        H5Pset_filter(list, BITSHUFFLE_FILTER, H5Z_FLAG_OPTIONAL, 5, bitshuffle);
    }
    return list;
}

static hid_t put_frames(struct ff_hdf5_layout *layout, const struct ff_simulate_plan *plan,
                        const struct ff_simulate_segment *segment)
{
    const struct ff_simulation *simulation = plan->simulation;
    const hsize_t shape[] = {segment->part.count, simulation->size, simulation->size};
    static const enum ff_simulate_element others[] = {
        [FF_SIMULATE_U32] = FF_ELEMENT_U32, [FF_SIMULATE_FLOAT] = FF_ELEMENT_F32};
    int kind = simulation->settings.type;
    hid_t list = frame_list(simulation);
    hid_t type = kind == FF_SIMULATE_U16 ? H5Tcopy(H5T_STD_U16LE) : type_of(others[kind]);
    hid_t dataset = make_dataset(layout, segment->name, type, 3, shape, list);
    H5Tclose(type);
    H5Pclose(list);
    const struct ff_simulate_entry *field = plan->format->block_fields;
    for (; field != NULL && field->path != NULL; field++) {
        char path[96];
        ff_simulate_numbered(field->path, (size_t)(segment - plan->segments), path, sizeof path);
        put_field(layout, simulation, field, &segment->part, path);
    }
    return dataset;
}

/* From the main file to those with the frames, which lie in the same folder. */
static void put_external_links(struct ff_hdf5_layout *layout, const struct ff_simulate_plan *plan)
{
    hid_t links = making_groups();
    for (size_t i = 0; i < plan->segment_count; i++) {
        char path[96];
        char *file = strdup(plan->files[plan->segments[i].file].path);
        ff_simulate_numbered(plan->format->frames, i + 1, path, sizeof path);
        if (file == NULL || H5Lcreate_external(basename(file), plan->format->linked, layout->file,
                                               path, links, H5P_DEFAULT) < 0)
            layout->failed = true;
        free(file);
    }
    H5Pclose(links);
}

static void put_soft_links(struct ff_hdf5_layout *layout, const char *const *pairs)
{
    hid_t links = making_groups();
    for (; pairs != NULL && pairs[0] != NULL; pairs += 2)
        if (H5Lcreate_soft(pairs[0], layout->file, pairs[1], links, H5P_DEFAULT) < 0)
            layout->failed = true;
    H5Pclose(links);
}

static void put_main(struct ff_hdf5_layout *layout, const struct ff_simulate_plan *plan)
{
    put_fields(layout, plan->simulation, plan->format->fields);
    put_soft_links(layout, plan->format->links);
    if (plan->format->place == FF_SIMULATE_LINKED_FILES)
        put_external_links(layout, plan);
}

void ff_hdf5_layout_make(struct ff_hdf5_layout *layout, const struct ff_simulate_plan *plan,
                         size_t number, hid_t *datasets)
{
    const struct ff_simulate_file *file = &plan->files[number];
    bool has_truth = ff_simulate_plan_find(plan, FF_ROLE_TRUTH) == NULL
                         ? file->role == FF_ROLE_MAIN
                         : file->role == FF_ROLE_TRUTH;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    /* The file is this process's own; many parallel file systems have no locks. */
    H5Pset_file_locking(access, false, true);
    layout->file = H5Fcreate(file->beside, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    layout->failed = layout->file < 0;
    if (layout->failed)
        return;
    for (size_t i = 0; i < plan->segment_count; i++)
        if (plan->segments[i].file == number)
            datasets[i] = put_frames(layout, plan, &plan->segments[i]);
    if (file->role == FF_ROLE_MAIN)
        put_main(layout, plan);
    if (has_truth) {
        put_fields(layout, plan->simulation, ff_simulate_truth);
        put_settings(layout, plan->simulation);
    }
}
