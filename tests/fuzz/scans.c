#include "tests/fuzz/scans.h"

#include "functions/reconstruct/formats/format.h"
#include "functions/simulate/write.h"
#include "protocol/core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the library does wrong on its own with a damaged file: it asks for absurd sizes, which fail,
 * and drops memory on its way out of an error. Read by the address sanitizer. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static char folder[] = "/tmp/farfield-fuzz-XXXXXX";

static void remove_folder(void)
{
    struct ff_error error;
    if (ff_folder_remove(folder, &error) < 0)
        fprintf(stderr, "%s\n", error.message);
}

const char *scans_path(const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    static bool made;
    if (!made) {
        if (mkdtemp(folder) == NULL)
            abort();
        atexit(remove_folder);
        made = true;
    }
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

bool scans_write(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(scans_path(name), "we");
    if (file == NULL)
        return false;
    bool written = fwrite(data, 1, size, file) == size;
    return fclose(file) == 0 && written;
}

static bool step(void *user, size_t done)
{
    (void)user;
    (void)done;
    return true;
}

void scans_append_simulated(const char *format, int compression, struct ff_buffer *buffer)
{
    struct ff_simulate_settings settings = {0};
    const char *path = scans_path("seed");
    char *bytes = NULL;
    size_t size = 0;
    if (ff_options_init(&ff_simulate_table, &settings, NULL) == 0 &&
        ff_options_set(&ff_simulate_table, &settings, "format", format, NULL) == 0) {
        settings.size = 16;
        settings.patterns = 4;
        settings.compression = compression;
        struct ff_simulation *simulation = ff_simulation_create(&settings, NULL);
        if (simulation != NULL && ff_simulation_write(simulation, path, step, NULL, NULL) == 0 &&
            ff_file_read(path, 1 << 22, &bytes, &size, NULL) == 0)
            ff_buffer_append(buffer, bytes, size);
        ff_simulation_destroy(simulation);
    }
    ff_options_dispose(&ff_simulate_table, &settings);
    free(bytes);
}

bool scans_read(const char *path, const char *key, const char *value)
{
    static const char *const geometry[][2] = {{"energy_eV", "8800"},
                                              {"distance_m", "1.92"},
                                              {"detector_pixel_um", "75"},
                                              {"threads", "2"}};
    struct ff_measurement measurement;
    char format[FF_FORMAT_NAME_SIZE];
    struct ff_buffer notes;
    struct ff_settings *settings = ff_settings_create(NULL);
    if (settings == NULL)
        return false;
    bool well = ff_options_set(&ff_settings_table, settings, "input", path, NULL) == 0;
    for (size_t i = 0; i < sizeof geometry / sizeof geometry[0]; i++)
        well = well && ff_options_set(&ff_settings_table, settings, geometry[i][0], geometry[i][1],
                                      NULL) == 0;
    if (key != NULL)
        well = well && ff_options_set(&ff_settings_table, settings, key, value, NULL) == 0;
    ff_buffer_init(&notes, FF_NOTES_BYTES_MAX);
    well = well && ff_format_read(settings, format, &measurement, &notes, NULL) == 0;
    if (well)
        ff_measurement_dispose(&measurement);
    ff_buffer_dispose(&notes);
    ff_settings_destroy(settings);
    return well;
}
