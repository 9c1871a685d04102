#include "functions/simulate/format.h"

#include <stdio.h>
#include <string.h>

#define DETECTOR "/entry_1/instrument_1/detector_1/"
#define SOURCE   "/entry_1/instrument_1/source_1/"
#define EIGER    "/entry/instrument/detector/"
#define END                                                                                        \
    {                                                                                              \
        NULL, FF_SAY_NOTHING, 0                                                                    \
    }

static const struct ff_simulate_entry cxi[] = {
    {"/cxi_version", FF_SAY_NUMBER, 160},
    {DETECTOR "distance", FF_SAY_DISTANCE_M, 1},
    {DETECTOR "x_pixel_size", FF_SAY_PIXEL_M, 1},
    {DETECTOR "y_pixel_size", FF_SAY_PIXEL_M, 1},
    {DETECTOR "basis_vectors", FF_SAY_BASIS, 1},
    {DETECTOR "mask", FF_SAY_BAD, 1},
    {SOURCE "energy", FF_SAY_ENERGY_J, 1},
    {SOURCE "wavelength", FF_SAY_WAVELENGTH_M, 1},
    {SOURCE "illumination", FF_SAY_GUESS, 1},
    /* The sample moves against the probe. */
    {"/entry_1/sample_1/geometry_1/translation", FF_SAY_XYZ_M, -1},
    END,
};

static const char *const cxi_links[] = {
    DETECTOR "data",
    "/entry_1/data_1/data",
    "/entry_1/sample_1/geometry_1/translation",
    "/entry_1/data_1/translation",
    NULL,
};

static const struct ff_simulate_entry flow[] = {
    {"/positions_0", FF_SAY_YX_M, 1},
    {"/recprobe", FF_SAY_GUESS, 1},
    END,
};

static const struct ff_simulate_entry ptychodus[] = {
    {"/ppX", FF_SAY_X_M, 1},
    {"/ppY", FF_SAY_Y_M, 1},
    END,
};

static const struct ff_simulate_entry ptychodus_npz[] = {
    {"indexes", FF_SAY_FRAMES, 1},
    {"bad_pixels", FF_SAY_BAD, 1},
    {"probe_position_indexes", FF_SAY_PLACES, 1},
    {"probe_position_x_m", FF_SAY_X_M, 1},
    {"probe_position_y_m", FF_SAY_Y_M, 1},
    {"probe_energy_eV", FF_SAY_ENERGY_EV, 1},
    {"detector_object_distance_m", FF_SAY_DISTANCE_M, 1},
    {"probe", FF_SAY_GUESS_4, 1},
    {"probe_pixel_height_m", FF_SAY_OBJECT_PIXEL_M, 1},
    {"probe_pixel_width_m", FF_SAY_OBJECT_PIXEL_M, 1},
    END,
};

static const struct ff_simulate_entry velociprobe[] = {
    {EIGER "beam_center_x", FF_SAY_BEAM_PX, 1},
    {EIGER "beam_center_y", FF_SAY_BEAM_PX, 1},
    {EIGER "detector_distance", FF_SAY_DISTANCE_M, 1},
    {EIGER "x_pixel_size", FF_SAY_PIXEL_M, 1},
    {EIGER "y_pixel_size", FF_SAY_PIXEL_M, 1},
    {EIGER "detectorSpecific/photon_energy", FF_SAY_ENERGY_EV, 1},
    {EIGER "detectorSpecific/x_pixels_in_detector", FF_SAY_SIZE, 1},
    {EIGER "detectorSpecific/y_pixels_in_detector", FF_SAY_SIZE, 1},
    {EIGER "detectorSpecific/nimages", FF_SAY_NUMBER, 1},
    {EIGER "detectorSpecific/ntrigger", FF_SAY_FRAME_COUNT, 1},
    {EIGER "detectorSpecific/pixel_mask", FF_SAY_BAD, 1},
    {"/entry/sample/goniometer/chi", FF_SAY_NUMBER, 0},
    END,
};

static const struct ff_simulate_entry lynx[] = {
    {"/entry/data/eiger_4@Center_x_pixel", FF_SAY_BEAM_PX, 1},
    {"/entry/data/eiger_4@Center_y_pixel", FF_SAY_BEAM_PX, 1},
    {"/entry/data/eiger_4@Photon_energy_kev", FF_SAY_ENERGY_EV, 1e3},
    {"/entry/data/eiger_4@Detector_distance_m", FF_SAY_DISTANCE_M, 1},
    {"/entry/data/eiger_4@Pixel_size", FF_SAY_PIXEL_M, 1},
    END,
};

static const struct ff_simulate_entry csaxs[] = {
    {"/entry/instrument/monochromator/energy", FF_SAY_ENERGY_EV, 1e3},
    {"/entry/instrument/monochromator/distance", FF_SAY_DISTANCE_M, 1e-3},
    {"/entry/instrument/eiger_4/x_pixel_size", FF_SAY_PIXEL_M, 1e-6},
    {"/entry/instrument/eiger_4/y_pixel_size", FF_SAY_PIXEL_M, 1e-6},
    END,
};

static const struct ff_simulate_entry nanomax[] = {
    {"/entry/measurement/pseudo/x", FF_SAY_X_M, 1e-6},
    {"/entry/measurement/pseudo/y", FF_SAY_Y_M, 1e-6},
    END,
};

static const struct ff_simulate_entry nsls2[] = {
    {"/points", FF_SAY_X_Y_M, 1e-6}, {"/lambda_nm", FF_SAY_WAVELENGTH_M, 1e-9},
    {"/z_m", FF_SAY_DISTANCE_M, 1},  {"/ccd_pixel_um", FF_SAY_PIXEL_M, 1e-6},
    {"/angle", FF_SAY_NUMBER, 0},    END,
};

static const struct ff_simulate_entry holoptycho[] = {
    {"/points", FF_SAY_Y_X_M, 1e-6}, {"/lambda_nm", FF_SAY_WAVELENGTH_M, 1e-9},
    {"/z_m", FF_SAY_DISTANCE_M, 1},  {"/ccd_pixel_um", FF_SAY_PIXEL_M, 1e-6},
    {"/angle", FF_SAY_NUMBER, 0},    END,
};

static const struct ff_simulate_entry slac[] = {
    {"xcoords_start", FF_SAY_X_PX, 1},
    {"ycoords_start", FF_SAY_Y_PX, 1},
    {"probeGuess", FF_SAY_GUESS_1, 1},
    {"objectGuess", FF_SAY_EMPTY_OBJECT, 1},
    END,
};

static const struct ff_simulate_entry tike[] = {
    {"scan", FF_SAY_SCAN_PX, 1},
    {"probe", FF_SAY_GUESS_4, 1},
    END,
};

static const struct ff_simulate_entry ptyd[] = {
    {"/meta/num_frames", FF_SAY_FRAME_COUNT, 1}, {"/meta/shape", FF_SAY_SIZE, 1},
    {"/meta/energy", FF_SAY_ENERGY_EV, 1e3},     {"/meta/distance", FF_SAY_DISTANCE_M, 1},
    {"/meta/center", FF_SAY_BEAM_PX, 1},         {"/meta/psize", FF_SAY_PIXEL_M, 1},
    {"/meta/weight2d", FF_SAY_GOOD, 1},          END,
};

static const struct ff_simulate_entry ptyd_block[] = {
    {"/chunks/%zu/indices", FF_SAY_FRAMES, 1},
    {"/chunks/%zu/positions", FF_SAY_YX_M, 1},
    END,
};

static const struct ff_simulate_entry ptychoshelves[] = {
    {"/measurement/n0/positions", FF_SAY_GRID_PX, 1},
    {"/measurement/n0@energy", FF_SAY_ENERGY_EV, 1e3},
    {"/measurement/n0@lambda", FF_SAY_WAVELENGTH_M, 1},
    {"/measurement/n0@z", FF_SAY_DISTANCE_M, 1},
    {"/detector/n0@distance", FF_SAY_DISTANCE_M, 1},
    {"/detector/n0@pixel_size", FF_SAY_PIXEL_M, 1},
    END,
};

const struct ff_simulate_entry ff_simulate_truth[] = {
    {"/simulation/object", FF_SAY_OBJECT, 1},
    {"/simulation/probe", FF_SAY_PROBE, 1},
    {"/simulation/positions_px", FF_SAY_POSITIONS, 1},
    {"/simulation/places_px", FF_SAY_ALL_PLACES, 1},
    {"/simulation/stated_px", FF_SAY_STATED, 1},
    {"/simulation/object_pixel_m", FF_SAY_OBJECT_PIXEL_M, 1},
    {"/simulation/eigenprobes", FF_SAY_EIGENPROBES, 1},
    {"/simulation/weights", FF_SAY_WEIGHTS, 1},
    {"/simulation/intensities", FF_SAY_INTENSITIES, 1},
    {"/simulation/measured", FF_SAY_MEASURED, 1},
    {"/simulation/faults", FF_SAY_FAULTS, 1},
    {"/simulation/frames", FF_SAY_FRAMES, 1},
    END,
};

static const struct ff_simulate_format formats[FF_SIMULATE_FORMAT_COUNT] = {
    [FF_SIMULATE_CXI] = {.ending = ".cxi",
                         .frames = DETECTOR "data",
                         .fields = cxi,
                         .links = cxi_links},
    [FF_SIMULATE_FLOW] = {.ending = ".h5",
                          .frames = "/data",
                          .transposed = true,
                          .fields = flow,
                          .lacks_geometry = true},
    [FF_SIMULATE_PTYCHODUS] = {.ending = ".h5",
                               .frames = "/dp",
                               .fields = ptychodus,
                               .lacks_geometry = true},
    [FF_SIMULATE_PTYCHODUS_NPZ] = {.container = FF_SIMULATE_NPZ,
                                   .ending = ".npz",
                                   .frames = "patterns",
                                   .fields = ptychodus_npz},
    [FF_SIMULATE_VELOCIPROBE] = {.ending = ".h5",
                                 .place = FF_SIMULATE_LINKED_FILES,
                                 .frames = "/entry/data/data_%06zu",
                                 .linked = "/entry/data/data",
                                 .fields = velociprobe,
                                 .table = FF_SIMULATE_VELOCIPROBE_TABLE},
    [FF_SIMULATE_APS_2IDD] = {.ending = ".h5",
                              .place = FF_SIMULATE_SERIES_OF_FILES,
                              .linked = "/entry/data/data",
                              .table = FF_SIMULATE_XY_TABLE,
                              .lacks_geometry = true},
    [FF_SIMULATE_APS_9ID] = {.ending = ".h5",
                             .frames = "/exchange/data",
                             .table = FF_SIMULATE_XY_TABLE,
                             .lacks_geometry = true},
    [FF_SIMULATE_LYNX] = {.ending = ".h5",
                          .frames = "/entry/data/eiger_4",
                          .fields = lynx,
                          .table = FF_SIMULATE_ORCHESTRA_TABLE},
    [FF_SIMULATE_CSAXS] = {.ending = ".h5",
                           .frames = "/entry/data/data",
                           .fields = csaxs,
                           .table = FF_SIMULATE_ORCHESTRA_TABLE},
    [FF_SIMULATE_NANOMAX] = {.ending = ".h5",
                             .frames = "/entry/measurement/eiger1m/frames",
                             .fields = nanomax,
                             .lacks_geometry = true},
    [FF_SIMULATE_NSLS2] = {.ending = ".h5",
                           .frames = "/diffamp",
                           .amplitudes = true,
                           .floats = true,
                           .fields = nsls2},
    [FF_SIMULATE_HOLOPTYCHO] = {.ending = ".h5", .frames = "/dp", .fields = holoptycho},
    [FF_SIMULATE_SLAC] = {.container = FF_SIMULATE_NPZ,
                          .ending = ".npz",
                          .frames = "diffraction",
                          .floats = true,
                          .fields = slac,
                          .lacks_geometry = true},
    [FF_SIMULATE_TIKE] = {.container = FF_SIMULATE_NPZ,
                          .ending = ".npz",
                          .frames = "data",
                          .leading = 1,
                          .corner = true,
                          .floats = true,
                          .fields = tike,
                          .lacks_geometry = true},
    [FF_SIMULATE_PTYD] = {.ending = ".ptyd",
                          .place = FF_SIMULATE_BLOCKS,
                          .frames = "/chunks/%zu/data",
                          .fields = ptyd,
                          .block_fields = ptyd_block},
    [FF_SIMULATE_PTYCHOSHELVES] = {.ending = ".h5",
                                   .frames = "/measurement/n0/data",
                                   .transposed = true,
                                   .corner = true,
                                   .fields = ptychoshelves},
};

const struct ff_simulate_format *ff_simulate_format(int number)
{
    return &formats[number];
}

void ff_simulate_numbered(const char *path, size_t number, char *text, size_t size)
{
    static const char *const places[] = {"%zu", "%06zu"};
    static const int widths[] = {1, 6};
    for (size_t i = 0; i < 2; i++) {
        const char *at = strstr(path, places[i]);
        if (at == NULL)
            continue;
        snprintf(text, size, "%.*s%0*zu%s", (int)(at - path), path, widths[i], number,
                 at + strlen(places[i]));
        return;
    }
    snprintf(text, size, "%s", path);
}
