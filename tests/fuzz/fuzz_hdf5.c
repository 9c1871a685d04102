/* The reader of scans: an HDF5 file is a program in disguise, and a scan comes from anywhere. Damaged
 * copies of small scans in several formats, packed ones among them, and of the measured one. */
#include "tests/fuzz/scans.h"

#include "functions/reconstruct/result.h"
#include "functions/simulate/settings.h"
#include "protocol/core/file.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!scans_write("scan.h5", data, size))
        return 0;
    const char *path = scans_path("scan.h5");
    scans_read(path, NULL, NULL);
    ff_product_destroy(ff_product_read(path, NULL));
    return 0;
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
    static const struct {
        const char *format;
        int compression;
    } seeds[] = {
        {"cxi", FF_SIMULATE_CONTIGUOUS},        {"ptyd", FF_SIMULATE_CONTIGUOUS},
        {"holoptycho", FF_SIMULATE_BITSHUFFLE}, {"nanomax", FF_SIMULATE_GZIP},
        {"nsls2", FF_SIMULATE_CONTIGUOUS},
    };
    enum { SEEDS = sizeof seeds / sizeof seeds[0] };
    if (index < SEEDS)
        scans_append_simulated(seeds[index].format, seeds[index].compression, buffer);
    else if (index == SEEDS)
        append_measured_scan(buffer);
    return index <= SEEDS && buffer->size > 0;
}
