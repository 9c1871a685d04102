#include "functions/reconstruct/settings.h"

#include "functions/reconstruct/formats/quantity.h"
#include "functions/reconstruct/idle.h"
#include "functions/reconstruct/refine/eigenprobes.h"
#include "protocol/core/text.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES_MAX = 64 };

static const char *const mask_meanings[] = {"bad", "good", NULL};
static const char *const kept_frames[] = {"good", "all", NULL};
static const char *const noises[] = {"gaussian", "poisson", NULL};
/* auto, then those of ff_orientations in their order. */
static const char *const orientations[] = {"auto",
                                           "as-is",
                                           "rows-reversed",
                                           "columns-reversed",
                                           "both-reversed",
                                           "transposed",
                                           "transposed-rows-reversed",
                                           "transposed-columns-reversed",
                                           "transposed-both-reversed",
                                           NULL};
static const char *const subpixels[] = {"bilinear", "fourier", NULL};
static const char *const transforms[] = {"auto", "fftw", "vector", NULL};
static const char *const steps[] = {"batch", "position", NULL};
static const char *const switches[] = {"off", "on", NULL};
static const char *const object_constraints[] = {"none", "unit", "phase", "smooth", NULL};
static const char *const probe_constraints[] = {"none", "centred", "support", NULL};

#define AT(field) offsetof(struct ff_settings, field)

static const struct ff_option options[] = {
    {"input", FF_OPTION_PATH, AT(input), NULL, "", 0, 0, NULL,
     "The measured scan: a file, several with commas between them, or a pattern such as "
     "'scan_*.h5' that all files of a series fit"},
    {"output", FF_OPTION_PATH, AT(output), NULL, "", 0, 0, NULL,
     "Where the result goes (product HDF5; pictures lie beside it); "
     "unset: the input's name with -recon.h5, in the current folder"},
    {"format", FF_OPTION_TEXT, AT(format), NULL, "auto", 0, 0, NULL,
     "What kind of file the input is: auto looks into it; cxi, flow, ptychodus, ptychodus-npz, "
     "velociprobe, aps-2idd, aps-9id, lynx, csaxs, nanomax, nsls2, holoptycho, slac, tike, ptyd, "
     "ptychoshelves; or the name of a YAML file that describes it"},
    {"algorithm", FF_OPTION_CHOICE, AT(algorithm), NULL, "lstsq", 0, 0, ff_algorithm_names,
     "The solver. With a step after each batch of patterns: lstsq is least-squares maximum "
     "likelihood "
     "(Odstrcil et al. 2018), rpie regularised PIE (Maiden et al. 2017), epie PIE (Maiden and "
     "Rodenburg 2009). With all patterns at once: cgrad is conjugate gradients of object and probe "
     "by turns, ml of both together (Thibault and Guizar-Sicairos 2012), dm the difference map "
     "(Thibault et al. 2009), raar relaxed averaged reflections (Luke 2005)"},
    {"epochs", FF_OPTION_INTEGER, AT(epochs), NULL, "100", 1, 1000000, NULL,
     "Passes over all patterns"},
    {"batches", FF_OPTION_INTEGER, AT(batches), NULL, "0", 0, 1000000, NULL,
     "Parts that an epoch of lstsq, rpie or epie is cut into, with a step after each; 0 is 40 in "
     "the "
     "first 16 epochs (four fifths of them where there are fewer) and then 5, for epie 20"},
    {"alpha", FF_OPTION_NUMBER, AT(alpha), NULL, "auto", 0.0001, 1, NULL,
     "Regularisation where light is weak: near 0 steps there are as long as elsewhere, 1 makes "
     "them "
     "as short as there is light; auto is 0.1 for lstsq and rpie, and 0.2 in their first epochs of "
     "many batches, 0.05 for cgrad and ml. For dm and raar the relaxation; auto is 0.6 and 0.7"},
    {"step", FF_OPTION_CHOICE, AT(step), NULL, "batch", 0, 0, steps,
     "Whether lstsq finds the length of its steps for each batch, or for each position to take the "
     "mean, which costs a third more time"},
    {"step_object", FF_OPTION_NUMBER, AT(step_object), NULL, "auto", 0, 2, NULL,
     "Length of the object's steps against the algorithm's own; 0 keeps the object; auto is 1, for "
     "lstsq 0.8"},
    {"step_probe", FF_OPTION_NUMBER, AT(step_probe), NULL, "auto", 0, 2, NULL,
     "Length of the probe's steps, likewise; auto is 1, for lstsq 0.9"},
    {"momentum", FF_OPTION_NUMBER, AT(momentum), NULL, "0", 0, 0.99, NULL,
     "Share of the last step of lstsq, rpie or epie that goes into the next; steps should be "
     "shorter "
     "by as much"},
    {"probe_start", FF_OPTION_INTEGER, AT(probe_start), NULL, "0", 0, 1000000, NULL,
     "The first epoch that updates the probe; 0 is 1 for lstsq, rpie and ml, 2 for the others"},
    {"modes", FF_OPTION_INTEGER, AT(modes), NULL, "1", 1, 64, NULL,
     "Mutually incoherent probe modes"},
    {"noise", FF_OPTION_CHOICE, AT(noise), NULL, "gaussian", 0, 0, noises,
     "Noise model; gaussian compares amplitudes, poisson counts"},
    {"orientation", FF_OPTION_CHOICE, AT(orientation), NULL, "auto", 0, 0, orientations,
     "How rows and columns of the positions lie against those of the frames; auto takes them as "
     "they "
     "are unless a few patterns fit another way clearly better"},
    {"subpixel", FF_OPTION_CHOICE, AT(subpixel), NULL, "bilinear", 0, 0, subpixels,
     "How a patch is taken at a position between pixels: bilinear interpolation of the object, or "
     "a "
     "Fourier shift of the probe, which is exact and costs two more transforms"},
    {"positions", FF_OPTION_CHOICE, AT(positions), NULL, "off", 0, 0, switches,
     "Whether the positions of the scan are corrected on the way"},
    {"affine", FF_OPTION_CHOICE, AT(affine), NULL, "off", 0, 0, switches,
     "Whether the error that positions share is found, too: scale, rotation and shear of the scan, "
     "as a "
     "wrong energy or distance makes them, and slow drift"},
    {"positions_search", FF_OPTION_NUMBER, AT(positions_search), "px", "0", 0, 8, NULL,
     "How far positions may be off, where that is more than the object's detail is wide: they are "
     "also "
     "tried out within this radius, in up to four stages of 40 epochs after which the object "
     "begins anew. Ask for "
     "200 epochs, batches=40 and affine=on; 0 leaves it"},
    {"positions_start", FF_OPTION_INTEGER, AT(positions_start), NULL, "5", 1, 1000000, NULL,
     "The first epoch that corrects positions"},
    {"step_positions", FF_OPTION_NUMBER, AT(step_positions), NULL, "0.5", 0, 2, NULL,
     "Length of the steps of positions"},
    {"intensities", FF_OPTION_CHOICE, AT(intensities), NULL, "off", 0, 0, switches,
     "Whether the brightness of each exposure is fitted"},
    {"opr_modes", FF_OPTION_INTEGER, AT(opr_modes), NULL, "0", 0, FF_EIGENPROBES_MAX, NULL,
     "Eigenprobes by which the first probe mode varies over the scan (orthogonal probe "
     "relaxation); they join in one after the other, one an epoch, of cgrad and ml one every 4"},
    {"object_constraint", FF_OPTION_CHOICE, AT(object_constraint), NULL, "none", 0, 0,
     object_constraints,
     "What the object is held to after each epoch: unit no more than all light passes, phase "
     "all light passes, smooth a little of the mean of the neighbours"},
    {"probe_constraint", FF_OPTION_CHOICE, AT(probe_constraint), NULL, "none", 0, 0,
     probe_constraints,
     "What the probe is held to after each epoch: centred in its window, or within a circle of "
     "nine "
     "tenths of it"},
    {"power_balance", FF_OPTION_CHOICE, AT(power_balance), NULL, "on", 0, 0, switches,
     "Whether the power that probe and object can exchange is given back to the probe every ten "
     "epochs, so that the object's mean amplitude is one"},
    {"seed", FF_OPTION_INTEGER, AT(seed), NULL, "0", 0, 9007199254740992.0, NULL,
     "Of the random order of patterns and of added modes; the same seed gives the same result"},
    {"devices", FF_OPTION_TEXT, AT(devices), NULL, "auto", 0, 0, NULL,
     "What computes: auto takes all GPUs that are visible (those of the task's lease), else the "
     "CPU; "
     "cuda takes them or fails, cuda:N takes N of them; cpu is one device on the CPU, cpu:N cuts "
     "the scan over N of them, which share its threads"},
    {"threads", FF_OPTION_INTEGER, AT(threads), NULL, "0", 0, 1024, NULL,
     "Threads of the CPU; 0 takes one for each core of the slot"},
    {"transform", FF_OPTION_CHOICE, AT(transform), NULL, "auto", 0, 0, transforms,
     "What makes the Fourier transforms on the CPU: FFTW, or for powers of two the vector "
     "transform; "
     "auto takes the faster one, and after a checkpoint the one that it was made with; on GPUs it "
     "is "
     "cuFFT"},
    {"preview_every", FF_OPTION_INTEGER, AT(preview_every), "epochs", "10", 0, 1000000, NULL,
     "How often a picture of the phase is published, within a fiftieth of the time; 0 never"},
    {"checkpoint_every", FF_OPTION_INTEGER, AT(checkpoint_every), "epochs", "10", 0, 1000000, NULL,
     "How often the state is saved, so that a later attempt goes on from it, and at least once a "
     "minute; 0 never"},
    {"resume", FF_OPTION_TEXT, AT(resume), NULL, "auto", 0, 0, NULL,
     "auto goes on from the checkpoint of an earlier attempt, never starts afresh, "
     "and the name of a checkpoint file goes on from that"},
    {"time_limit_s", FF_OPTION_NUMBER, AT(time_limit_s), "s", "0", 0, 31536000, NULL,
     "Time for all of it, from reading to the last figures; the reconstruction ends before the "
     "epoch "
     "that would pass it, and keeps its result; 0 for no limit"},
    {"stop_when", FF_OPTION_NUMBER, AT(stop_when), NULL, "0", 0, 1, NULL,
     "Ends the reconstruction when the cost has fallen by less than this fraction over stop_window "
     "epochs; 0 never"},
    {"stop_window", FF_OPTION_INTEGER, AT(stop_window), "epochs", "10", 1, 1000000, NULL,
     "The epochs over which stop_when looks at the cost"},
    {"tiff", FF_OPTION_CHOICE, AT(tiff), NULL, "off", 0, 0, switches,
     "Writes phase, unwrapped phase, amplitude and the probe's modes as 32-bit float TIFF as well"},
    {"crop", FF_OPTION_INTEGER, AT(crop), "px", "0", 0, 16384, NULL,
     "Use only the middle of each frame, so many rows and columns; 0 the whole frame"},
    {"initial_probe", FF_OPTION_PATH, AT(initial_probe), NULL, "", 0, 0, NULL,
     "A file whose probe to begin with (a result, or any format that has one); unset: the input's "
     "own, else an estimate"},
    {"initial_object", FF_OPTION_PATH, AT(initial_object), NULL, "", 0, 0, NULL,
     "A result whose object to begin with; unset: an object that changes nothing"},
    {"zone_plate_um", FF_OPTION_NUMBER, AT(zone_plate_um), "um", "0", 0, 10000, NULL,
     "Diameter of the zone plate, for a first probe from the optics; 0 no such probe"},
    {"outer_zone_nm", FF_OPTION_NUMBER, AT(outer_zone_nm), "nm", "50", 1, 10000, NULL,
     "Width of its outermost zone"},
    {"central_stop_um", FF_OPTION_NUMBER, AT(central_stop_um), "um", "0", 0, 10000, NULL,
     "Diameter of the stop in front of it"},
    {"defocus_um", FF_OPTION_NUMBER, AT(defocus_um), "um", "0", -1000000, 1000000, NULL,
     "How far behind the focus the sample stands; negative in front of it"},
    {"energy_eV", FF_OPTION_NUMBER, AT(energy_eV), "eV", "0", 0, 1000000, NULL,
     "Photon energy, where the input does not tell it; 0 takes the input's"},
    {"distance_m", FF_OPTION_NUMBER, AT(distance_m), "m", "0", 0, 10000, NULL,
     "Distance from sample to detector, likewise"},
    {"detector_pixel_um", FF_OPTION_NUMBER, AT(detector_pixel_um), "um", "0", 0, 100000, NULL,
     "Side of a detector pixel, likewise"},
    {"object_pixel_nm", FF_OPTION_NUMBER, AT(object_pixel_nm), "nm", "0", 0, 1000000, NULL,
     "Side of an object pixel with whole frames, instead of energy, distance and detector pixel"},
    {"positions_file", FF_OPTION_PATH, AT(positions_file), NULL, "", 0, 0, NULL,
     "The file with the positions, where the input has none: a table (CSV, text), HDF5, NPY or "
     "NPZ; a product gives geometry and probe as well"},
    {"positions_columns", FF_OPTION_TEXT, AT(positions_columns), NULL, "", 0, 0, NULL,
     "Where in that file they are, as Y,X: numbers of columns from 1, their headings, or datasets; "
     "unset: as the format has them, else columns x and y, else X in 1 and Y in 2"},
    {"positions_unit", FF_OPTION_TEXT, AT(positions_unit), NULL, "", 0, 0, NULL,
     "Unit of the positions, whatever a file says: m, mm, um, nm, pm, A, or px of the object"},
    {"mask", FF_OPTION_TEXT, AT(mask), NULL, "", 0, 0, NULL,
     "Pixels that are not used, beside those the input names: a file, FILE:/DATASET, or ranges "
     "from 0 without their end, such as 'rows 10:20; columns 255,256; rows 100: columns 30:32'; "
     "none also keeps the dead and stuck pixels that are found by themselves"},
    {"mask_means", FF_OPTION_CHOICE, AT(mask_means), NULL, "bad", 0, 0, mask_meanings,
     "What a value other than 0 in the mask's file says of a pixel"},
    {"keep_frames", FF_OPTION_CHOICE, AT(keep_frames), NULL, "good", 0, 0, kept_frames,
     "good leaves out frames without light and far too bright ones, all keeps them"},
    {"fly", FF_OPTION_INTEGER, AT(fly), NULL, "1", 1, 1024, NULL,
     "Positions within each exposure of a scan that moves meanwhile; taken from the path between "
     "frames where the input has one for each"},
    {"near_field", FF_OPTION_CHOICE, AT(near_field), NULL, "off", 0, 0, switches,
     "on: frames are images a short distance behind the sample, and an object pixel is one of the "
     "detector"},
    {"pad", FF_OPTION_INTEGER, AT(pad), "px", "0", 0, 16384, NULL,
     "By how many rows and columns the probe's window is smaller than a frame"},
};

const struct ff_option_table ff_settings_table = {
    .owner = "reconstruct",
    .options = options,
    .count = sizeof options / sizeof options[0],
};

struct ff_settings *ff_settings_create(struct ff_error *error)
{
    struct ff_settings *settings = calloc(1, sizeof *settings);
    if (settings == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the settings");
        return NULL;
    }
    if (ff_options_init(&ff_settings_table, settings, error) < 0) {
        ff_settings_destroy(settings);
        return NULL;
    }
    return settings;
}

void ff_settings_destroy(struct ff_settings *settings)
{
    if (settings == NULL)
        return;
    ff_options_dispose(&ff_settings_table, settings);
    free(settings);
}

/* "scans/fly012.cxi" → "fly012-recon.h5", and "scans/fly*.h5" → "fly-recon.h5". */
static char *output_of(const char *input)
{
    const char *slash = strrchr(input, '/');
    const char *name = slash != NULL ? slash + 1 : input;
    const char *dot = strrchr(name, '.');
    int length = dot != NULL && dot != name ? (int)(dot - name) : (int)strlen(name);
    char *output = NULL;
    if (asprintf(&output, "%.*s-recon.h5", length, name) < 0)
        return NULL;
    char *to = output;
    for (const char *from = output; *from != '\0'; from++)
        if (strchr("*?[]", *from) == NULL)
            *to++ = *from;
    *to = '\0';
    return output;
}

int ff_settings_complete(struct ff_settings *settings, struct ff_error *error)
{
    if (settings->input[0] == '\0') {
        ff_fail(error, FF_INVALID_SETTING, "reconstruct needs the setting 'input'");
        return ff_hint(error, "name the file of the measured scan");
    }
    if (settings->crop != 0 && settings->crop < 8)
        return ff_fail(error, FF_INVALID_SETTING,
                       "the setting 'crop' cannot be %lld; it takes 0 or 8 … 16384 px",
                       (long long)settings->crop);
    struct ff_device_wish wish;
    if (ff_settings_devices(settings, &wish, error) < 0)
        return -1;
    if (ff_settings_check_idle(settings, error) < 0)
        return -1;
    bool in_pixels;
    double unit;
    if (settings->positions_unit[0] != '\0' &&
        !ff_unit_of(settings->positions_unit, &unit, &in_pixels))
        return ff_fail(error, FF_INVALID_SETTING,
                       "the setting 'positions_unit' cannot be '%.32s'; it takes m, mm, um, nm, "
                       "pm, A or px",
                       settings->positions_unit);
    if (settings->output[0] != '\0')
        return 0;
    char *output = output_of(settings->input);
    if (output == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the output's name");
    free(settings->output);
    settings->output = output;
    return 0;
}

int ff_settings_devices(const struct ff_settings *settings, struct ff_device_wish *wish,
                        struct ff_error *error)
{
    static const struct {
        const char *name;
        struct ff_device_wish wish;
        bool counts; /* ":N" may follow */
    } known[] = {{"auto", {FF_DEVICES_AUTO, 0}, false},
                 {"cpu", {FF_DEVICES_CPU, 1}, true},
                 {"cuda", {FF_DEVICES_CUDA, 0}, true}};
    const char *text = settings->devices;
    size_t length = strcspn(text, ":");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t number = known[i].wish.count;
        if (strlen(known[i].name) != length || strncmp(text, known[i].name, length) != 0)
            continue;
        if (text[length] == ':' &&
            (!known[i].counts || ff_text_integer(text + length + 1, 1, DEVICES_MAX, &number) < 0))
            break;
        *wish = (struct ff_device_wish){known[i].wish.kind, (unsigned)number};
        return 0;
    }
    return ff_fail(error, FF_INVALID_SETTING,
                   "the setting 'devices' cannot be '%s'; it takes auto, cpu, cuda, or cpu:N and "
                   "cuda:N with N of 1 … %d",
                   text, DEVICES_MAX);
}

const char *ff_settings_algorithm_name(const struct ff_settings *settings)
{
    return ff_algorithm_names[settings->algorithm];
}

struct ff_batch_counts ff_settings_batches(const struct ff_settings *settings, size_t patterns)
{
    return ff_algorithm_batches((enum ff_algorithm)settings->algorithm, (size_t)settings->batches,
                                patterns, (size_t)settings->epochs);
}
