/*
 * endpoint/registration.h: endpoints/NAME/registration: what the service said when the endpoint was registered.
 */
#ifndef FF_ENDPOINT_REGISTRATION_H
#define FF_ENDPOINT_REGISTRATION_H

#include "endpoint/folder.h"
#include "protocol/curve.h"
#include "protocol/ids.h"

struct ff_registration {
    struct ff_id endpoint_id;
    char router[256];
    char router_key[FF_CURVE_TEXT_SIZE];
};

int ff_registration_read(const struct ff_folder *folder, struct ff_registration *registration,
                         struct ff_error *error) FF_MUST_USE;

#endif
