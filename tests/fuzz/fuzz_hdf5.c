/* The reader of scans: an HDF5 file is a program in disguise, and a scan comes from anywhere. Damaged
 * copies of a small scan, and of the measured one. */
#include "tests/fuzz/fuzz.h"

#include "functions/reconstruct/formats/format.h"
#include "functions/reconstruct/result.h"
#include "functions/simulate/write.h"
#include "protocol/core/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static void remove_scratch_file(void);

/* One file, written anew each time; HDF5 wants a name that leads to it. */
static const char *scratch_file(void)
{
    static char path[] = "/tmp/farfield-fuzz-XXXXXX";
    static bool made;
    if (!made) {
        int fd = mkstemp(path);
        if (fd < 0)
            abort();
        close(fd);
        atexit(remove_scratch_file);
        made = true;
    }
    return path;
}

static void remove_scratch_file(void)
{
    unlink(scratch_file());
}

static void read_both_ways(const char *path)
{
    struct ff_measurement measurement;
    char format[FF_FORMAT_NAME_SIZE];
    struct ff_settings *settings = ff_settings_create(NULL);
    struct ff_buffer notes;
    ff_buffer_init(&notes, FF_NOTES_BYTES_MAX);
    if (settings != NULL &&
        ff_options_set(&ff_settings_table, settings, "input", path, NULL) == 0 &&
        ff_format_read(settings, format, &measurement, &notes, NULL) == 0)
        ff_measurement_dispose(&measurement);
    ff_settings_destroy(settings);
    ff_buffer_dispose(&notes);
    ff_product_destroy(ff_product_read(path, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = scratch_file();
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, data, size) == (ssize_t)size;
    if (fd >= 0)
        close(fd);
    if (written)
        read_both_ways(path);
    return 0;
}

static bool step(void *user, size_t done)
{
    (void)user;
    (void)done;
    return true;
}

/* A scan of a few small frames, so that most damage hits what HDF5 itself must understand. */
static void append_small_scan(struct ff_buffer *buffer)
{
    char path[] = "/tmp/farfield-fuzz-XXXXXX";
    int fd = mkstemp(path);
    struct ff_simulate_settings settings = {0};
    char *bytes = NULL;
    size_t size = 0;
    if (fd >= 0 && ff_options_init(&ff_simulate_table, &settings, NULL) == 0) {
        settings.size = 16;
        settings.patterns = 4;
        struct ff_simulation *simulation = ff_simulation_create(&settings, NULL);
        if (simulation != NULL && ff_simulation_write(simulation, path, step, NULL, NULL) == 0 &&
            ff_file_read(path, 1 << 22, &bytes, &size, NULL) == 0)
            ff_buffer_append(buffer, bytes, size);
        ff_simulation_destroy(simulation);
    }
    ff_options_dispose(&ff_simulate_table, &settings);
    unlink(path);
    if (fd >= 0)
        close(fd);
    free(bytes);
}

static void append_measured_scan(struct ff_buffer *buffer)
{
    char path[4096];
    char *bytes = NULL;
    size_t size = 0;
    const char *source = getenv("FF_SOURCE");
    snprintf(path, sizeof path, "%s/tests/data/siemens-star.cxi", source != NULL ? source : ".");
    if (ff_file_read(path, 1 << 23, &bytes, &size, NULL) == 0)
        ff_buffer_append(buffer, bytes, size);
    free(bytes);
}

bool fuzz_seed(unsigned index, struct ff_buffer *buffer)
{
    if (index == 0)
        append_small_scan(buffer);
    else if (index == 1)
        append_measured_scan(buffer);
    return index < 2 && buffer->size > 0;
}
