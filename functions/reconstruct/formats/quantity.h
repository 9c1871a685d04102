/*
 * functions/reconstruct/formats/quantity.h: "PATH UNIT", "PATH@ATTRIBUTE UNIT" or "NUMBER UNIT",
 * several with " | " between them: how descriptions and settings name what has a unit.
 */
#ifndef FF_RECONSTRUCT_FORMATS_QUANTITY_H
#define FF_RECONSTRUCT_FORMATS_QUANTITY_H

#include "protocol/core/error.h"

#include <stdbool.h>

struct ff_quantity {
    char path[256];     /* "": it is `number` */
    char attribute[64]; /* "": the dataset itself */
    double number;
    double unit;    /* what one is in SI; 1 where none was named */
    bool in_pixels; /* the unit is px */
    bool has_unit;
};

/* Takes the first alternative of *text and moves *text behind it, to the end at last. */
int ff_quantity_next(const char **text, struct ff_quantity *quantity,
                     struct ff_error *error) FF_MUST_USE;

/* What one unit of that name is in SI; false where the name is none. Pixels are 1 with `in_pixels`
 * set. */
bool ff_unit_of(const char *name, double *si, bool *in_pixels);

#endif
