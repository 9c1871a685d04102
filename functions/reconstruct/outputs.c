#include "functions/reconstruct/outputs.h"

#include "functions/reconstruct/picture/draw.h"
#include "functions/reconstruct/picture/tiff.h"
#include "functions/reconstruct/picture/unwrap.h"

#include <complex.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t tiff_bytes_max = UINT32_MAX; /* what the format can address */

int ff_outputs_check(const char *path, const char *input, struct ff_error *error)
{
    char copy[PATH_MAX];
    struct stat there;
    struct stat given;
    if (strlen(path) + 64 > sizeof copy)
        return ff_fail(error, FF_OUTPUT_FAILED, "the name of the output is too long: %s", path);
    snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(copy);
    if (access(folder, W_OK | X_OK) < 0) {
        ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write into the folder %s", folder);
        return ff_hint(error, "name a file in a folder that exists and can be written with output");
    }
    if (stat(path, &there) < 0)
        return 0;
    if (S_ISDIR(there.st_mode)) {
        ff_fail(error, FF_OUTPUT_FAILED, "the output %s is a folder", path);
        return ff_hint(error, "name a file in it, for example %s/result.h5", path);
    }
    if (stat(input, &given) == 0 && given.st_dev == there.st_dev && given.st_ino == there.st_ino) {
        ff_fail(error, FF_OUTPUT_FAILED, "the output %s is the input itself", path);
        return ff_hint(error, "name another file with output");
    }
    return 0;
}

/* "scans/recon.h5", "phase.png" → "scans/recon-phase.png". */
static char *beside(const char *path, const char *what)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(path, '.');
    bool extended = dot != NULL && (slash == NULL || dot > slash + 1) && dot != path;
    int length = extended ? (int)(dot - path) : (int)strlen(path);
    char *name = NULL;
    return asprintf(&name, "%.*s-%s", length, path, what) < 0 ? NULL : name;
}

/* Takes the picture, which may be NULL (then `error` is filled). */
static int write_picture(const char *name, struct ff_picture *picture, struct ff_error *error)
{
    struct ff_buffer png;
    ff_buffer_init(&png, FF_PICTURE_BYTES_MAX);
    int result = picture != NULL ? ff_picture_encode(picture, &png, error) : -1;
    if (result == 0)
        result = ff_result_write_file(name, ff_buffer_span(&png), error);
    ff_buffer_dispose(&png);
    ff_picture_destroy(picture);
    return result;
}

static void keep_picture(const char *path, const char *what, struct ff_picture *picture,
                         json_t *pictures, struct ff_buffer *notes, struct ff_error *error)
{
    char *name = beside(path, what);
    if (name == NULL)
        ff_picture_destroy(picture);
    else if (write_picture(name, picture, error) < 0)
        ff_buffer_printf(notes, "no picture %s: %s\n", name, error->message);
    else
        json_array_append_new(pictures, json_string_nocheck(name));
    free(name);
}

static struct ff_view_source source_of(const struct ff_problem *problem, const ff_complex *object)
{
    return (struct ff_view_source){
        .object = object,
        .rows = problem->object_rows,
        .columns = problem->object_columns,
        .positions = problem->positions,
        .patterns = problem->patterns * problem->fly,
        .window = {problem->probe_rows, problem->probe_columns},
    };
}

static void write_pictures(const char *path, const struct ff_result_content *content,
                           json_t *pictures, struct ff_buffer *notes)
{
    struct ff_error error = {0};
    const struct ff_problem *problem = content->problem;
    const struct ff_view_source source = source_of(problem, content->object);
    struct ff_view *view = ff_view_create(&source, FF_PICTURE_SIDE_MAX, &error);
    keep_picture(path, "phase.png", view != NULL ? ff_picture_of_phase(view, &error) : NULL,
                 pictures, notes, &error);
    keep_picture(path, "amplitude.png", view != NULL ? ff_picture_of_amplitude(view, &error) : NULL,
                 pictures, notes, &error);
    keep_picture(path, "probe.png",
                 ff_picture_of_probe(content->probe, content->modes, problem->probe_rows,
                                     problem->probe_columns, &error),
                 pictures, notes, &error);
    keep_picture(path, "cost.png", ff_picture_of_costs(content->costs, content->epochs, &error),
                 pictures, notes, &error);
    ff_view_destroy(view);
}

int ff_outputs_write(const char *path, const struct ff_result_content *content, json_t *pictures,
                     struct ff_buffer *notes, struct ff_error *error)
{
    if (ff_result_write(path, content, error) < 0)
        return -1;
    write_pictures(path, content, pictures, notes);
    return 0;
}

/* --- images of numbers --- */

static int write_tiff(const char *name, const struct ff_tiff *image, const char *what,
                      struct ff_error *error)
{
    char description[256];
    struct ff_buffer bytes;
    snprintf(description, sizeof description,
             "%s; pixels of %.6g x %.6g nm (rows, columns); farfield %s", what,
             1e9 * image->pixel_m[0], 1e9 * image->pixel_m[1], FF_VERSION);
    ff_buffer_init(&bytes, tiff_bytes_max);
    int result = ff_tiff_encode(image, description, &bytes, error);
    if (result == 0)
        result = ff_result_write_file(name, ff_buffer_span(&bytes), error);
    ff_buffer_dispose(&bytes);
    return result;
}

/* What a TIFF shows of a complex image. */
struct aspect {
    const char *name; /* of the file */
    const char *what; /* the values are */
    float (*of)(ff_complex value);
    bool unwrapped;
};

static float phase_of(ff_complex value)
{
    return cargf(value);
}

static float amplitude_of(ff_complex value)
{
    return cabsf(value);
}

static void keep_tiff(const char *path, const struct aspect *aspect, const ff_complex *values,
                      struct ff_tiff image, json_t *pictures, struct ff_buffer *notes)
{
    struct ff_error error = {0};
    size_t count = image.pages * image.rows * image.columns;
    char *name = beside(path, aspect->name);
    image.values = ff_array_create(count, sizeof(float), "an image", &error);
    int result = name != NULL && image.values != NULL ? 0 : -1;
    for (size_t i = 0; result == 0 && i < count; i++)
        image.values[i] = aspect->of(values[i]);
    if (result == 0 && aspect->unwrapped)
        result = ff_unwrap(image.values, image.rows, image.columns, &error);
    if (result == 0)
        result = write_tiff(name, &image, aspect->what, &error);
    if (result == 0)
        json_array_append_new(pictures, json_string_nocheck(name));
    else
        ff_buffer_printf(notes, "no image %s: %s\n", name != NULL ? name : aspect->name,
                         error.message);
    free(image.values);
    free(name);
}

void ff_outputs_write_tiffs(const char *path, const struct ff_result_content *content,
                            json_t *pictures, struct ff_buffer *notes)
{
    static const struct aspect of_object[] = {
        {"phase.tif", "phase in radians", phase_of, false},
        {"phase-unwrapped.tif", "unwrapped phase in radians", phase_of, true},
        {"amplitude.tif", "amplitude", amplitude_of, false},
    };
    static const struct aspect of_probe = {
        "probe.tif", "amplitude of the probe, a page for each mode", amplitude_of, false};
    const struct ff_problem *problem = content->problem;
    struct ff_tiff image = {
        .pages = 1, .rows = problem->object_rows, .columns = problem->object_columns};
    memcpy(image.pixel_m, problem->geometry.object_pixel_m, sizeof image.pixel_m);
    for (size_t i = 0; i < sizeof of_object / sizeof of_object[0]; i++)
        keep_tiff(path, &of_object[i], content->object, image, pictures, notes);
    image.pages = content->modes;
    image.rows = problem->probe_rows;
    image.columns = problem->probe_columns;
    keep_tiff(path, &of_probe, content->probe, image, pictures, notes);
}

int ff_outputs_preview(const struct ff_problem *problem, const ff_complex *object,
                       struct ff_buffer *png, struct ff_error *error)
{
    const struct ff_view_source source = source_of(problem, object);
    struct ff_view *view = ff_view_create(&source, FF_PREVIEW_SIDE_MAX, error);
    struct ff_picture *picture = view != NULL ? ff_picture_of_phase(view, error) : NULL;
    int result = picture != NULL ? ff_picture_encode(picture, png, error) : -1;
    ff_picture_destroy(picture);
    ff_view_destroy(view);
    return result;
}
