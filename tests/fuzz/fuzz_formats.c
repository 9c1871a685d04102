/* What else the reader of scans takes: NPZ and NPY as input, tables of positions, descriptions of formats, ranges of
 * masks. The first byte of a seed says which it is. */
#include "tests/fuzz/scans.h"

#include "functions/reconstruct/formats/mask.h"
#include "functions/simulate/settings.h"
#include "protocol/core/file.h"

#include <stdlib.h>
#include <string.h>

enum { KIND_ARRAYS = 'a', KIND_TABLE = 't', KIND_DESCRIPTION = 'd', KIND_RANGES = 'r' };

/* A sound scan for the tables and descriptions to go with; made once. */
static const char *scan(void)
{
    static bool made;
    if (!made) {
        struct ff_buffer bytes;
        ff_buffer_init(&bytes, 1 << 22);
        scans_append_simulated("nanomax", FF_SIMULATE_CONTIGUOUS, &bytes);
        made = scans_write("sound.h5", bytes.data, bytes.size);
        ff_buffer_dispose(&bytes);
    }
    return scans_path("sound.h5");
}

static void read_ranges(const uint8_t *data, size_t size)
{
    uint8_t mask[16 * 16];
    char *text = strndup((const char *)data, size);
    memset(mask, 1, sizeof mask);
    if (text != NULL && ff_mask_ranges(text, 16, 16, mask, NULL) < 0)
        mask[0] = 0; /* refusing is as good as reading */
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t *body = data + 1;
    size_t length = size - 1;
    switch (data[0]) {
    case KIND_ARRAYS:
        if (scans_write("scan.npz", body, length))
            scans_read(scans_path("scan.npz"), NULL, NULL);
        break;
    case KIND_TABLE:
        if (scans_write("table.csv", body, length))
            scans_read(scan(), "positions_file", scans_path("table.csv"));
        break;
    case KIND_DESCRIPTION:
        if (scans_write("format.yaml", body, length))
            scans_read(scan(), "format", scans_path("format.yaml"));
        break;
    case KIND_RANGES:
        read_ranges(body, length);
        break;
    default:
        break;
    }
    return 0;
}

static void append_arrays(const char *format, struct ff_buffer *buffer)
{
    ff_buffer_append_text(buffer, "a");
    scans_append_simulated(format, FF_SIMULATE_CONTIGUOUS, buffer);
}

bool fuzz_seed(unsigned index, struct ff_buffer *buffer)
{
    switch (index) {
    case 0:
        append_arrays("tike", buffer);
        return true;
    case 1:
        append_arrays("ptychodus-npz", buffer);
        return true;
    case 2:
        append_arrays("slac", buffer);
        return true;
    case 3:
        ff_buffer_append_text(buffer,
                              "t# a title\nx,y\n1e-6,2e-6\n2e-6;2e-6\n1e-6 3e-6\n2e-6\t3e-6\n");
        return true;
    case 4:
        ff_buffer_append_text(
            buffer, "dframes: /entry/measurement/eiger1m/frames | /entry/*/*/frames\n"
                    "frame_axes: frame column row\nflip_frames: both\nbeam_row: 7 px\n"
                    "beam_column: 8\nbad_pixels: rows 1:3; columns 2,4\n"
                    "positions_y: /entry/measurement/pseudo/y um\n"
                    "positions_x: [/entry/measurement/x, /entry/measurement/pseudo/x um]\n"
                    "energy: /entry@energy keV | 8.8 keV\n");
        return true;
    case 5:
        ff_buffer_append_text(buffer, "rrows 1:3,7; columns 2,4; rows 5: columns :3");
        return true;
    default:
        return false;
    }
}
