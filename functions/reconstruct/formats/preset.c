#include "functions/reconstruct/formats/preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETECTOR "/entry_1/instrument_1/detector_1/"
#define SOURCE   "/entry_1/instrument_1/source_1/"
#define EIGER    "/entry/instrument/detector/"

/* The application of CXI to ptychography (CXIDB, NXcxi_ptycho): SI units, energy in joules. */
static const char *const cxi[] = {
    "needs=/entry_1",
    "frames=/entry_1/data_1/data | " DETECTOR "data",
    "energy=" SOURCE "energy J",
    "wavelength=" SOURCE "wavelength m",
    "distance=" DETECTOR "distance m",
    "pixel_rows=" DETECTOR "y_pixel_size m",
    "pixel_columns=" DETECTOR "x_pixel_size m",
    "positions=/entry_1/data_1/translation m | /entry_1/sample_1/geometry_1/translation m"
    " | " DETECTOR "translation m",
    "moves=sample",
    "basis_vectors=" DETECTOR "basis_vectors",
    "mask=" DETECTOR "mask",
    "mask_means=cxi",
    "probe=" SOURCE "illumination | " SOURCE "probe | " SOURCE "data_illumination",
    NULL,
};

/* What the published flow hands over; its script holds the size of an object pixel itself. */
static const char *const flow[] = {
    "needs=/data /positions_0",
    "frames=/data",
    "frame_axes=frame column row",
    "positions=/positions_0 m",
    "position_columns=y x",
    "object_pixel=2.93523109e-8 m",
    "probe=/recprobe",
    NULL,
};

/* ptychodus and fold_slice: frames in one file, positions in it or in another. */
static const char *const ptychodus[] = {
    "needs=/dp", "frames=/dp", "positions_y=/ppY m", "positions_x=/ppX m", NULL,
};

/* A product of ptychodus, and a result of Farfield: all but the frames. */
static const char *const product[] = {
    "needs=/probe_position_x_m /probe_position_y_m",
    "positions_y=/probe_position_y_m m",
    "positions_x=/probe_position_x_m m",
    "position_ids=/probe_position_indexes",
    "energy=/@probe_energy_eV eV | /probe_energy_eV eV",
    "distance=/@detector_object_distance_m m | /detector_object_distance_m m",
    "object_pixel=/probe@pixel_height_m m | /probe_pixel_height_m m",
    "probe=/probe",
    NULL,
};

static const char *const ptychodus_npz[] = {
    "needs=/patterns",
    "frames=/patterns",
    "frame_ids=/indexes",
    "mask=/bad_pixels",
    "positions_y=/probe_position_y_m m",
    "positions_x=/probe_position_x_m m",
    "position_ids=/probe_position_indexes",
    "energy=/probe_energy_eV eV",
    "distance=/detector_object_distance_m m",
    "object_pixel=/probe_pixel_height_m m",
    "probe=/probe",
    NULL,
};

/* The columns of a table of positions count from 1. */
static const char *const velociprobe[] = {
    "needs=/entry/data " EIGER "detectorSpecific/photon_energy " EIGER "beam_center_x",
    "frames=/entry/data/data_*",
    "beam_row=" EIGER "beam_center_y px",
    "beam_column=" EIGER "beam_center_x px",
    "energy=" EIGER "detectorSpecific/photon_energy eV",
    "distance=" EIGER "detector_distance m",
    "pixel_rows=" EIGER "y_pixel_size m",
    "pixel_columns=" EIGER "x_pixel_size m",
    "mask=" EIGER "detectorSpecific/pixel_mask",
    "positions_y=/6 nm",
    "positions_x=/2 nm",
    "flip_positions=rows",
    "position_ids=/8",
    "repeated_ids=ends",
    "stage_angle=/entry/sample/goniometer/chi deg",
    NULL,
};

static const char *const aps_9id[] = {
    "needs=/exchange/data",
    "frames=/exchange/data",
    "positions_y=/y m | /2 m",
    "positions_x=/x m | /1 m",
    NULL,
};

static const char *const lynx[] = {
    "needs=/entry/data/eiger_4",
    "frames=/entry/data/eiger_4",
    "beam_row=/entry/data/eiger_4@Center_y_pixel px",
    "beam_column=/entry/data/eiger_4@Center_x_pixel px",
    "energy=/entry/data/eiger_4@Photon_energy_kev keV",
    "distance=/entry/data/eiger_4@Detector_distance_m m",
    "pixel_rows=/entry/data/eiger_4@Pixel_size m",
    "pixel_columns=/entry/data/eiger_4@Pixel_size m",
    "positions_y=/7 um",
    "positions_x=/4 um",
    "flip_positions=both",
    NULL,
};

static const char *const csaxs[] = {
    "needs=/entry/data/data /entry/instrument/monochromator/energy",
    "frames=/entry/data/data",
    "energy=/entry/instrument/monochromator/energy keV",
    "distance=/entry/instrument/monochromator/distance mm",
    "pixel_rows=/entry/instrument/eiger_4/y_pixel_size um",
    "pixel_columns=/entry/instrument/eiger_4/x_pixel_size um",
    "positions_y=/7 um",
    "positions_x=/4 um",
    "flip_positions=both",
    NULL,
};

static const char *const nanomax[] = {
    "needs=/entry/measurement/eiger1m/frames",
    "frames=/entry/measurement/eiger1m/frames",
    "positions_y=/entry/measurement/pseudo/y um",
    "positions_x=/entry/measurement/pseudo/x um",
    NULL,
};

static const char *const nsls2[] = {
    "needs=/diffamp",
    "frames=/diffamp",
    "values=amplitude",
    "positions=/points um",
    "position_columns=x y",
    "wavelength=/lambda_nm nm",
    "distance=/z_m m",
    "pixel_rows=/ccd_pixel_um um",
    "pixel_columns=/ccd_pixel_um um",
    NULL,
};

/* The slow axis comes first in its points. */
static const char *const holoptycho[] = {
    "needs=/dp /points",
    "frames=/dp",
    "positions=/points um",
    "position_columns=y x",
    "wavelength=/lambda_nm nm",
    "distance=/z_m m",
    "pixel_rows=/ccd_pixel_um um",
    "pixel_columns=/ccd_pixel_um um",
    NULL,
};

static const char *const slac[] = {
    "needs=/xcoords_start /ycoords_start",
    "frames=/diffraction | /diff3d",
    "frame_axes=any",
    "positions_y=/ycoords_start px",
    "positions_x=/xcoords_start px",
    "probe=/probeGuess",
    NULL,
};

static const char *const tike[] = {
    "needs=/data /scan",    "frames=/data", "beam=corner", "positions=/scan px",
    "position_columns=y x", "probe=/probe", NULL,
};

static const char *const ptyd[] = {
    "needs=/chunks /meta",
    "frames=/chunks/*/data",
    "positions=/chunks/*/positions m",
    "position_columns=y x",
    "mask=/meta/weight2d | /common/weight2d",
    "mask_means=good",
    "energy=/meta/energy keV",
    "distance=/meta/distance m",
    "pixel_rows=/meta/psize m",
    "pixel_columns=/meta/psize m",
    NULL,
};

static const char *const ptyr[] = {
    "needs=/content/probe",
    "positions=/content/positions/* m",
    "position_columns=y x",
    "energy=/content/probe/*/_energy keV",
    "object_pixel=/content/probe/*/_psize m",
    "probe=/content/probe/*/data",
    NULL,
};

/* As MATLAB writes it: the axes reversed, the beam at element 0. */
static const char *const ptychoshelves[] = {
    "needs=/measurement/n0/data",
    "frames=/measurement/n0/data",
    "frame_axes=frame column row",
    "beam=corner",
    "positions=/measurement/n0/positions px",
    "position_columns=y x",
    "energy=/reconstruction/p/energy keV | /measurement/n0@energy keV",
    "wavelength=/reconstruction/p/lambda m | /measurement/n0@lambda m",
    "object_pixel=/reconstruction/p/dx_spec m",
    "distance=/measurement/n0@z m | /detector/n0@distance m",
    "pixel_rows=/detector/n0@pixel_size m",
    "pixel_columns=/detector/n0@pixel_size m",
    "probe=/reconstruction/p/probes",
    "probe_axes=column row",
    NULL,
};

static const char *const aps_2idd[] = {
    "needs=/entry/data/data",
    "frames=/entry/data/data",
    "positions_y=/y m | /2 m",
    "positions_x=/x m | /1 m",
    NULL,
};

const struct ff_preset ff_presets[] = {
    {"cxi", "CXI with ptychography (CXIDB)", cxi},
    {"flow", "extracted scans of the published flow", flow},
    {"holoptycho", "dumps of holoptycho (NSLS-II)", holoptycho},
    {"ptychodus", "frames of ptychodus and fold_slice", ptychodus},
    {"ptychodus-npz", "frames of ptychodus as NPZ", ptychodus_npz},
    {"velociprobe", "master file of the Velociprobe (APS 33-ID)", velociprobe},
    {"aps-9id", "APS 9-ID", aps_9id},
    {"lynx", "LYNX (APS 31-ID)", lynx},
    {"csaxs", "cSAXS (SLS)", csaxs},
    {"nanomax", "NanoMAX (MAX IV)", nanomax},
    {"nsls2", "HXN (NSLS-II)", nsls2},
    {"slac", "NPZ of SLAC and PtychoPINN", slac},
    {"tike", "NPZ of tike", tike},
    {"ptyd", "prepared data of ptypy", ptyd},
    {"ptychoshelves", "prepared data of PtychoShelves (format 2)", ptychoshelves},
    {"aps-2idd", "series of 2-ID-D and 26-ID (APS)", aps_2idd},
    {"product", "product of ptychodus, result of Farfield", product},
    {"ptyr", "result of ptypy", ptyr},
    {NULL, NULL, NULL},
};

const struct ff_preset *ff_preset_find(const char *name)
{
    for (const struct ff_preset *preset = ff_presets; preset->name != NULL; preset++)
        if (strcmp(preset->name, name) == 0)
            return preset;
    return NULL;
}

int ff_preset_describe(const struct ff_preset *preset, struct ff_description *description,
                       struct ff_error *error)
{
    for (size_t i = 0; preset->assignments[i] != NULL; i++)
        if (ff_options_assign(&ff_description_table, description, preset->assignments[i], error) <
            0)
            return -1;
    return 0;
}

static const char *value_of(const struct ff_preset *preset, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; preset->assignments[i] != NULL; i++)
        if (strncmp(preset->assignments[i], key, length) == 0 &&
            preset->assignments[i][length] == '=')
            return preset->assignments[i] + length + 1;
    return "";
}

static struct ff_candidate weigh(const struct ff_hdf5_file *file, const struct ff_preset *preset)
{
    struct ff_candidate candidate = {.preset = preset};
    candidate.has_frames = value_of(preset, "frames")[0] != '\0';
    size_t length;
    for (const char *at = value_of(preset, "needs"); *at != '\0'; at += length) {
        char path[FF_HDF5_PATH_SIZE];
        at += strspn(at, " ");
        length = strcspn(at, " ");
        snprintf(path, sizeof path, "%.*s", (int)length, at);
        bool there = ff_hdf5_exists(file, path);
        candidate.needed++;
        candidate.found += there;
        if (!there && candidate.missing[0] == '\0')
            snprintf(candidate.missing, sizeof candidate.missing, "%s", path);
    }
    return candidate;
}

static bool is_better(const struct ff_candidate *a, const struct ff_candidate *b)
{
    unsigned a_lacks = a->needed - a->found;
    unsigned b_lacks = b->needed - b->found;
    return a_lacks < b_lacks;
}

size_t ff_preset_candidates(const struct ff_hdf5_file *file,
                            struct ff_candidate candidates[FF_CANDIDATES_MAX])
{
    size_t count = 0;
    for (const struct ff_preset *preset = ff_presets; preset->name != NULL; preset++) {
        struct ff_candidate candidate = weigh(file, preset);
        if (candidate.found == 0 || count == FF_CANDIDATES_MAX)
            continue;
        /* Insertion behind its equals keeps the order of the table. */
        size_t at = count++;
        for (; at > 0 && is_better(&candidate, &candidates[at - 1]); at--)
            candidates[at] = candidates[at - 1];
        candidates[at] = candidate;
    }
    return count;
}
