#include "functions/simulate/settings.h"

static const char *const noises[] = {"poisson", "none", NULL};
static const char *const guesses[] = {"near", "exact", "none", NULL};

#define AT(field) offsetof(struct ff_simulate_settings, field)

static const struct ff_option options[] = {
    {"object", FF_OPTION_TEXT, AT(object), NULL, "siemens", 0, 0, NULL,
     "What is scanned: siemens (a star), coins, or the name of a PNG file (grey is phase and "
     "absorption)"},
    {"output", FF_OPTION_PATH, AT(output), NULL, "simulated.cxi", 0, 0, NULL,
     "Where the scan goes (CXI, with the truth beside it under /simulation)"},
    {"size", FF_OPTION_INTEGER, AT(size), "px", "128", 16, 4096, NULL, "Side of a frame"},
    {"patterns", FF_OPTION_INTEGER, AT(patterns), NULL, "400", 4, 1000000, NULL,
     "How many patterns; they lie in rows of about the square root of it"},
    {"overlap", FF_OPTION_NUMBER, AT(overlap), NULL, "0.7", 0, 0.95, NULL,
     "What neighbours share of the width within which half of the light falls"},
    {"jitter", FF_OPTION_NUMBER, AT(jitter), "steps", "0.2", 0, 1, NULL,
     "How far positions stray from the grid; a perfect grid leaves its own image in the result"},
    {"counts", FF_OPTION_NUMBER, AT(counts), NULL, "1e6", 1, 1e12, NULL,
     "Photons in a pattern of an empty object"},
    {"modes", FF_OPTION_INTEGER, AT(modes), NULL, "1", 1, 64, NULL,
     "Mutually incoherent modes of the probe, each with a third of the power of the one before"},
    {"defocus_um", FF_OPTION_NUMBER, AT(defocus_um), "um", "500", -1e6, 1e6, NULL,
     "Distance from the focus to the sample"},
    {"energy_eV", FF_OPTION_NUMBER, AT(energy_eV), "eV", "8800", 1, 1e6, NULL, "Photon energy"},
    {"distance_m", FF_OPTION_NUMBER, AT(distance_m), "m", "1.92", 1e-4, 1e3, NULL,
     "Distance from sample to detector"},
    {"pixel_um", FF_OPTION_NUMBER, AT(pixel_um), "um", "75", 0.1, 1e4, NULL,
     "Side of a detector pixel"},
    {"noise", FF_OPTION_CHOICE, AT(noise), NULL, "poisson", 0, 0, noises,
     "Whether photons are counted or the intensity is rounded"},
    {"guess", FF_OPTION_CHOICE, AT(guess), NULL, "near", 0, 0, guesses,
     "The probe that the file offers to begin with: near is a tenth out of focus"},
    {"seed", FF_OPTION_INTEGER, AT(seed), NULL, "0", 0, 9007199254740992.0, NULL,
     "Of noise, jitter and coins; the same seed gives the same file"},
};

const struct ff_option_table ff_simulate_table = {
    .owner = "simulate",
    .options = options,
    .count = sizeof options / sizeof options[0],
    .reserved = NULL,
};
