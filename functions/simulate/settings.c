#include "functions/simulate/settings.h"

static const char *const noises[] = {"poisson", "none", NULL};
static const char *const guesses[] = {"near", "exact", "none", NULL};
static const char *const fields[] = {"far", "near", NULL};
static const char *const probes[] = {"usual", "zone-plate", "gaussian", "diffuser", NULL};
static const char *const paths[] = {"raster", "spiral", NULL};
static const char *const subpixels[] = {"bilinear", "fourier", NULL};
static const char *const masks[] = {"file", "none", NULL};
static const char *const types[] = {"u16", "u32", "float", NULL};
static const char *const compressions[] = {"none", "chunks", "gzip", "bitshuffle", NULL};
/* In the order of the bits of enum ff_simulate_orientation. */
static const char *const orientations[] = {"as-is",
                                           "rows-reversed",
                                           "columns-reversed",
                                           "both-reversed",
                                           "transposed",
                                           "transposed-rows-reversed",
                                           "transposed-columns-reversed",
                                           "transposed-both-reversed",
                                           NULL};

const char *const ff_simulate_format_names[] = {
    "cxi",     "flow", "ptychodus", "ptychodus-npz", "velociprobe", "aps-2idd",
    "aps-9id", "lynx", "csaxs",     "nanomax",       "nsls2",       "holoptycho",
    "slac",    "tike", "ptyd",      "ptychoshelves", NULL};

#define AT(field) offsetof(struct ff_simulate_settings, field)

static const struct ff_option options[] = {
    {"object", FF_OPTION_TEXT, AT(object), NULL, "siemens", 0, 0, NULL,
     "What is scanned: siemens (a star), coins, smooth (slow waves), or the name of a PNG file "
     "(grey is phase and absorption)"},
    {"output", FF_OPTION_PATH, AT(output), NULL, "", 0, 0, NULL,
     "Where the scan goes, with the truth beside it; without it simulated, with the ending that "
     "the format has"},
    {"format", FF_OPTION_CHOICE, AT(format), NULL, "cxi", 0, 0, ff_simulate_format_names,
     "How it is laid out; some need several files, which are named after the output"},
    {"size", FF_OPTION_INTEGER, AT(size), "px", "128", 16, 4096, NULL, "Side of a frame"},
    {"patterns", FF_OPTION_INTEGER, AT(patterns), NULL, "400", 4, 1000000, NULL,
     "How many patterns; they lie in rows of about the square root of it"},
    {"path", FF_OPTION_CHOICE, AT(path), NULL, "raster", 0, 0, paths,
     "The way over the sample: rows, or a Fermat spiral"},
    {"overlap", FF_OPTION_NUMBER, AT(overlap), NULL, "0.7", 0, 0.95, NULL,
     "What neighbours share of the width within which half of the light falls"},
    {"jitter", FF_OPTION_NUMBER, AT(jitter), "steps", "0.2", 0, 1, NULL,
     "How far positions stray from a raster; a perfect grid leaves its own image in the result"},
    {"fly", FF_OPTION_INTEGER, AT(fly), NULL, "1", 1, 64, NULL,
     "Positions that one exposure adds up as the stage moves on; 1 is a stage that stands still"},
    {"fly_steps", FF_OPTION_NUMBER, AT(fly_steps), "steps", "0.5", 0, 4, NULL,
     "How far the stage moves during one exposure of a fly scan"},
    {"counts", FF_OPTION_NUMBER, AT(counts), NULL, "1e6", 1, 1e12, NULL,
     "Photons in a pattern of an empty object"},
    {"probe", FF_OPTION_CHOICE, AT(probe), NULL, "usual", 0, 0, probes,
     "What shapes the light; usual is a zone plate in the far field and a diffuser in the near "
     "one"},
    {"probe_px", FF_OPTION_NUMBER, AT(probe_px), "px", "0", 0, 4096, NULL,
     "Width of a gaussian probe, or finest detail of a diffuser; 0 chooses by the window"},
    {"modes", FF_OPTION_INTEGER, AT(modes), NULL, "1", 1, 64, NULL,
     "Mutually incoherent modes of the probe, each with a third of the power of the one before"},
    {"eigenprobes", FF_OPTION_INTEGER, AT(eigenprobes), NULL, "0", 0, 16, NULL,
     "Ways in which the first mode varies from pattern to pattern"},
    {"variation_percent", FF_OPTION_NUMBER, AT(variation_percent), "%", "10", 0, 100, NULL,
     "How strong each eigenprobe is in the mean, by the amplitude of the first mode"},
    {"fluctuation_percent", FF_OPTION_NUMBER, AT(fluctuation_percent), "%", "0", 0, 50, NULL,
     "How much the brightness changes from pattern to pattern"},
    {"defocus_um", FF_OPTION_NUMBER, AT(defocus_um), "um", "500", -1e6, 1e6, NULL,
     "Distance from the focus of the zone plate to the sample"},
    {"energy_eV", FF_OPTION_NUMBER, AT(energy_eV), "eV", "8800", 1, 1e6, NULL, "Photon energy"},
    {"field", FF_OPTION_CHOICE, AT(field), NULL, "far", 0, 0, fields,
     "Whether a frame is a diffraction pattern or an image at a short distance (Fresnel)"},
    {"distance_m", FF_OPTION_NUMBER, AT(distance_m), "m", "0", 0, 1e3, NULL,
     "Distance from sample to detector; 0 is 1.92 in the far field and 0.05 in the near one"},
    {"pixel_um", FF_OPTION_NUMBER, AT(pixel_um), "um", "0", 0, 1e4, NULL,
     "Side of a detector pixel; 0 is 75 in the far field and 1 in the near one"},
    {"pad", FF_OPTION_INTEGER, AT(pad), "px", "0", 0, 4000, NULL,
     "By how many rows and columns the window of the probe is smaller than a frame"},
    {"subpixel", FF_OPTION_CHOICE, AT(subpixel), NULL, "bilinear", 0, 0, subpixels,
     "How the object is looked up between its pixels: by four of them, or by moving the probe"},
    {"noise", FF_OPTION_CHOICE, AT(noise), NULL, "poisson", 0, 0, noises,
     "Whether photons are counted, or the intensity is rounded (and kept as it is in float)"},
    {"background", FF_OPTION_NUMBER, AT(background), NULL, "0", 0, 1e6, NULL,
     "Counts that every pixel has without light"},
    {"full_well", FF_OPTION_NUMBER, AT(full_well), NULL, "0", 0, 1e12, NULL,
     "Counts at which a pixel saturates; 0 is where the type of the numbers ends"},
    {"gaps", FF_OPTION_INTEGER, AT(gaps), NULL, "0", 0, 16, NULL,
     "Gaps of the detector in each direction; their pixels hold the largest number there is, or "
     "NaN"},
    {"gap_px", FF_OPTION_INTEGER, AT(gap_px), "px", "3", 1, 64, NULL, "Width of a gap"},
    {"dead_percent", FF_OPTION_NUMBER, AT(dead_percent), "%", "0", 0, 50, NULL,
     "Pixels that count nothing"},
    {"hot_percent", FF_OPTION_NUMBER, AT(hot_percent), "%", "0", 0, 50, NULL,
     "Pixels that count much, whatever the light"},
    {"stop_px", FF_OPTION_NUMBER, AT(stop_px), "px", "0", 0, 2000, NULL,
     "Radius of a beam stop in the middle"},
    {"mask", FF_OPTION_CHOICE, AT(mask), NULL, "file", 0, 0, masks,
     "Whether the file says which pixels are bad, where its format can"},
    {"dropped", FF_OPTION_INTEGER, AT(dropped), NULL, "0", 0, 1000000, NULL,
     "Frames that were lost, whose positions were not"},
    {"empty", FF_OPTION_INTEGER, AT(empty), NULL, "0", 0, 1000000, NULL, "Frames without light"},
    {"bright", FF_OPTION_INTEGER, AT(bright), NULL, "0", 0, 1000000, NULL,
     "Frames that are ten times as bright"},
    {"position_error_px", FF_OPTION_NUMBER, AT(position_error_px), "px", "0", 0, 100, NULL,
     "By how much the file errs about each coordinate (standard deviation)"},
    {"scale_error_percent", FF_OPTION_NUMBER, AT(scale_error_percent), "%", "0", -50, 50, NULL,
     "By how much the scan of the file is too large, as a wrong energy or distance makes it"},
    {"rotation_error_deg", FF_OPTION_NUMBER, AT(rotation_error_deg), "deg", "0", -180, 180, NULL,
     "By how much the scan of the file is turned"},
    {"shear_error_percent", FF_OPTION_NUMBER, AT(shear_error_percent), "%", "0", -50, 50, NULL,
     "By how much the columns of the file grow along the rows"},
    {"orientation", FF_OPTION_CHOICE, AT(orientation), NULL, "as-is", 0, 0, orientations,
     "How the file's positions lie against its frames: the name of what a reader has to do to "
     "them"},
    {"type", FF_OPTION_CHOICE, AT(type), NULL, "u16", 0, 0, types,
     "Numbers of the frames, where the format leaves a choice"},
    {"compression", FF_OPTION_CHOICE, AT(compression), NULL, "none", 0, 0, compressions,
     "Of HDF5: none, a chunk for each frame, shuffle and gzip, or bitshuffle and LZ4"},
    {"frames_per_file", FF_OPTION_INTEGER, AT(frames_per_file), NULL, "1000", 1, 1000000, NULL,
     "Frames in one file of a series, or in one block of a format that has blocks"},
    {"guess", FF_OPTION_CHOICE, AT(guess), NULL, "near", 0, 0, guesses,
     "The probe that the file offers to begin with: near is a tenth out of focus"},
    {"seed", FF_OPTION_INTEGER, AT(seed), NULL, "0", 0, 9007199254740992.0, NULL,
     "Of all that is drawn; the same seed gives the same file"},
    {"threads", FF_OPTION_INTEGER, AT(threads), NULL, "0", 0, 1024, NULL,
     "Threads that make patterns; 0 takes a thread for each processor that may be used"},
};

const struct ff_option_table ff_simulate_table = {
    .owner = "simulate",
    .options = options,
    .count = sizeof options / sizeof options[0],
};
