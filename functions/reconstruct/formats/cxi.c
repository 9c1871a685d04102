#include "functions/reconstruct/formats/cxi.h"

#define DETECTOR "/entry_1/instrument_1/detector_1/"
#define SOURCE   "/entry_1/instrument_1/source_1/"

static const char *const data[] = {"/entry_1/data_1/data", DETECTOR "data", NULL};
static const char *const energy[] = {SOURCE "energy", NULL};
static const char *const wavelength[] = {SOURCE "wavelength", NULL};
static const char *const distance[] = {DETECTOR "distance", NULL};
static const char *const pixel_rows[] = {DETECTOR "y_pixel_size", NULL};
static const char *const pixel_columns[] = {DETECTOR "x_pixel_size", NULL};
static const char *const positions[] = {"/entry_1/data_1/translation",
                                        "/entry_1/sample_1/geometry_1/translation",
                                        DETECTOR "translation", NULL};
static const char *const basis_vectors[] = {DETECTOR "basis_vectors", NULL};
static const char *const mask[] = {DETECTOR "mask", NULL};
static const char *const probe[] = {SOURCE "illumination", SOURCE "probe", NULL};

/* CXI 1.6, section on pixel masks: 0 is a good pixel; the bit 0x1000 only says that there is signal
 * above the background. */
static bool may_use(double value)
{
    return value == 0 || value == 0x1000;
}

const struct ff_layout ff_cxi_layout = {
    .data = data,
    .energy = {energy, 1},
    .wavelength = {wavelength, 1},
    .distance = {distance, 1},
    .pixel_rows = {pixel_rows, 1},
    .pixel_columns = {pixel_columns, 1},
    .positions = {positions, 1},
    .direction = -1,
    .basis_vectors = basis_vectors,
    .mask = mask,
    .may_use = may_use,
    .probe = probe,
};

bool ff_cxi_matches(const struct ff_hdf5_file *file)
{
    return ff_hdf5_exists(file, "/entry_1");
}
