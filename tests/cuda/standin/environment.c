/* The machine that the environment describes (control.h), for programs that know nothing of the stand-in. */
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long long number_of(const char *name, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        standin_fault("%s=%s: not a number", name, text);
    return value;
}

static enum standin_order order_of(const char *text, uint64_t *seed)
{
    if (strcmp(text, "lazy") == 0)
        return STANDIN_LAZY;
    if (strcmp(text, "mirror") == 0)
        return STANDIN_MIRROR;
    if (strcmp(text, "eager") == 0)
        return STANDIN_EAGER;
    if (strncmp(text, "seeded:", 7) != 0)
        standin_fault("FF_STANDIN_ORDER=%s: lazy, mirror, eager or seeded:NUMBER", text);
    *seed = number_of("FF_STANDIN_ORDER", text + 7);
    return STANDIN_SEEDED;
}

/* "CALL:N" or "CALL:N=ERROR". */
static void take_fail(const char *text)
{
    char call[48];
    unsigned n = 0;
    int error = cudaErrorUnknown;
    char more;
    int fields = sscanf(text, "%47[^:]:%u=%d%c", call, &n, &error, &more);
    if (fields < 2 || fields > 3 || (fields == 2 && strchr(text, '=') != NULL))
        standin_fault("FF_STANDIN_FAIL=%s: CALL:NUMBER or CALL:NUMBER=ERROR", text);
    standin_set_fail_call(call, n, (cudaError_t)error);
}

/* "DEVICE:OPERATIONS" */
static void take_loss(const char *text)
{
    unsigned device, operations;
    char more;
    if (sscanf(text, "%u:%u%c", &device, &operations, &more) != 2)
        standin_fault("FF_STANDIN_LOSE=%s: DEVICE:OPERATIONS", text);
    for (unsigned i = 0; i < standin_machine.devices; i++)
        if (standin_machine.device[i].identity == device)
            standin_fail_device(i, operations, cudaErrorECCUncorrectable);
}

/* "7.5,8.0": of as many devices as there are numbers. */
static void take_capabilities(const char *text)
{
    const char *at = text;
    for (unsigned i = 0; i < standin_machine.devices && *at != '\0'; i++) {
        int length = 0;
        struct device *device = &standin_machine.device[i];
        if (sscanf(at, "%d.%d%n", &device->major, &device->minor, &length) != 2)
            standin_fault("FF_STANDIN_CAPABILITY=%s: MAJOR.MINOR,…", text);
        at += length + (at[length] == ',');
    }
}

static bool is_device(const char *word, unsigned identity)
{
    char number[16], uuid[64];
    snprintf(number, sizeof number, "%u", identity);
    snprintf(uuid, sizeof uuid, "GPU-" STANDIN_UUID, identity);
    return strcmp(word, number) == 0 || strcmp(word, uuid) == 0;
}

/* Devices by number or UUID, comma between, up to the first that is none. */
static void hide(const char *mask)
{
    struct machine *machine = &standin_machine;
    unsigned visible = 0, all = machine->devices;
    while (*mask != '\0' && visible < all) {
        char word[64];
        size_t length = strcspn(mask, ",");
        unsigned at = visible;
        snprintf(word, sizeof word, "%.*s", (int)length, mask);
        while (at < all && !is_device(word, machine->device[at].identity))
            at++;
        if (at == all)
            break;
        /* The memory stays with the place, and what the device is goes with it. */
        struct device *to = &machine->device[visible], *from = &machine->device[at];
        const struct device kept = *to;
        to->identity = from->identity, to->major = from->major, to->minor = from->minor;
        from->identity = kept.identity, from->major = kept.major, from->minor = kept.minor;
        visible++;
        mask += length + (mask[length] == ',');
    }
    machine->none_visible = visible == 0;
    machine->devices = visible > 0 ? visible : 1;
}

void standin_set_up_from_environment(void)
{
    const char *devices = getenv("FF_STANDIN_DEVICES"), *order = getenv("FF_STANDIN_ORDER");
    const char *memory = getenv("FF_STANDIN_MEMORY"), *driver = getenv("FF_STANDIN_DRIVER");
    const char *fail = getenv("FF_STANDIN_FAIL"), *loss = getenv("FF_STANDIN_LOSE");
    const char *capability = getenv("FF_STANDIN_CAPABILITY"), *cache = getenv("FF_STANDIN_CACHE");
    const char *mask = getenv("CUDA_VISIBLE_DEVICES");
    uint64_t seed = 0;
    enum standin_order chosen = order != NULL ? order_of(order, &seed) : STANDIN_LAZY;
    unsigned count = devices != NULL ? (unsigned)number_of("FF_STANDIN_DEVICES", devices) : 1;
    standin_set_up(count, chosen, seed);
    if (driver != NULL)
        standin_machine.driver = (int)number_of("FF_STANDIN_DRIVER", driver);
    if (memory != NULL)
        for (unsigned i = 0; i < count; i++)
            standin_machine.device[i].memory = number_of("FF_STANDIN_MEMORY", memory);
    if (cache != NULL)
        for (unsigned i = 0; i < count; i++)
            standin_machine.device[i].cache = number_of("FF_STANDIN_CACHE", cache);
    if (capability != NULL)
        take_capabilities(capability);
    if (mask != NULL)
        hide(mask);
    if (fail != NULL)
        take_fail(fail);
    if (loss != NULL)
        take_loss(loss);
}
