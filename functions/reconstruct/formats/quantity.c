#include "functions/reconstruct/formats/quantity.h"

#include "functions/reconstruct/constants.h"
#include "protocol/core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ALTERNATIVE_SIZE = 512 };

/* Units that files and people name, with what they are in SI. */
static const struct {
    const char *name;
    double si;
} units[] = {
    {"m", 1},
    {"meter", 1},
    {"metre", 1},
    {"mm", 1e-3},
    {"um", 1e-6},
    {"µm", 1e-6},
    {"micron", 1e-6},
    {"microns", 1e-6},
    {"micrometer", 1e-6},
    {"nm", 1e-9},
    {"pm", 1e-12},
    {"A", 1e-10},
    {"Å", 1e-10},
    {"angstrom", 1e-10},
    {"J", 1},
    {"joule", 1},
    {"eV", FF_ELECTRON_V_J},
    {"keV", 1e3 * FF_ELECTRON_V_J},
    {"MeV", 1e6 * FF_ELECTRON_V_J},
    {"rad", 1},
    {"deg", M_PI / 180},
    {"px", 1},
};

bool ff_unit_of(const char *name, double *si, bool *in_pixels)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(units[i].name, name) != 0)
            continue;
        *si = units[i].si;
        *in_pixels = strcmp(name, "px") == 0;
        return true;
    }
    return false;
}

static int refuse(const char *text, struct ff_error *error)
{
    ff_fail(error, FF_INVALID_SETTING, "'%.128s' is neither a path nor a number with its unit",
            text);
    return ff_hint(error, "write for example /entry/energy keV, /scan@distance mm or 8.8 keV; "
                          "units are m, mm, um, nm, pm, A, J, eV, keV, MeV, rad, deg and px");
}

/* Cuts the last word off when it is a unit. */
static void take_unit(char *text, struct ff_quantity *quantity)
{
    char *blank = strrchr(text, ' ');
    if (blank == NULL || !ff_unit_of(blank + 1, &quantity->unit, &quantity->in_pixels))
        return;
    quantity->has_unit = true;
    while (blank > text && blank[-1] == ' ')
        blank--;
    *blank = '\0';
}

static int take_path(const char *text, struct ff_quantity *quantity, struct ff_error *error)
{
    const char *at = strrchr(text, '@');
    size_t length = at != NULL ? (size_t)(at - text) : strlen(text);
    if (length >= sizeof quantity->path ||
        (at != NULL && (at[1] == '\0' || strlen(at + 1) >= sizeof quantity->attribute)))
        return refuse(text, error);
    snprintf(quantity->path, sizeof quantity->path, "%.*s", (int)length, text);
    snprintf(quantity->attribute, sizeof quantity->attribute, "%s", at != NULL ? at + 1 : "");
    return 0;
}

int ff_quantity_next(const char **text, struct ff_quantity *quantity, struct ff_error *error)
{
    const char *start = *text + strspn(*text, " ");
    size_t length = strcspn(start, "|");
    char alternative[ALTERNATIVE_SIZE];
    if (length >= sizeof alternative)
        return refuse(start, error);
    memcpy(alternative, start, length);
    while (length > 0 && alternative[length - 1] == ' ')
        length--;
    alternative[length] = '\0';
    struct ff_quantity found = {.unit = 1};
    take_unit(alternative, &found);
    int result = alternative[0] == '/' ? take_path(alternative, &found, error)
                 : ff_text_number(alternative, &found.number) < 0 ? refuse(alternative, error)
                                                                  : 0;
    if (result < 0)
        return -1;
    start += strcspn(start, "|");
    *text = start + (*start == '|');
    *quantity = found;
    return 0;
}
