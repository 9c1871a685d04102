#include "functions/reconstruct/device_choice.h"

#include "functions/reconstruct/backends/cuda/load.h"

#include <stdio.h>
#include <stdlib.h>

/* --- the CPU --- */

static void take_cpu(struct ff_device_choice *choice, unsigned count)
{
    *choice = (struct ff_device_choice){.operations = &ff_backend_cpu, .count = count};
}

/* Why not a GPU, though nobody has said that it should be the CPU. */
static void take_cpu_because(struct ff_device_choice *choice, bool is_trouble,
                             const struct ff_error *why)
{
    take_cpu(choice, 1);
    choice->is_trouble = is_trouble;
    snprintf(choice->note, sizeof choice->note, "computes on the CPU: %.320s%s%.160s", why->message,
             is_trouble && why->hint[0] != '\0' ? "; " : "", is_trouble ? why->hint : "");
}

/* --- GPUs --- */

/* "2 GPUs here: NVIDIA A100 (GPU-…), NVIDIA A100 (GPU-…)" */
static void name_devices(const struct ff_cuda_found *found, char *text, size_t size)
{
    int used = snprintf(text, size, "%u GPU%s here", found->usable, found->usable == 1 ? "" : "s");
    unsigned named = 0;
    for (unsigned i = 0; i < found->count && used > 0 && (size_t)used < size; i++) {
        const struct ff_cuda_device *device = &found->devices[i];
        if (device->why[0] == '\0')
            used += snprintf(text + used, size - (size_t)used, "%s%s (%s)",
                             named++ == 0 ? ": " : ", ", device->name, device->uuid);
    }
}

static int fail_count(const struct ff_cuda_found *found, unsigned wanted, unsigned leased,
                      struct ff_error *error)
{
    char there[512];
    name_devices(found, there, sizeof there);
    if (leased > 0 && wanted > leased) {
        ff_fail(error, FF_INVALID_SETTING,
                "the setting 'devices' asks for %u GPUs; the task has %u", wanted, leased);
        return ff_hint(error, "farfield run --gpus %u gives it as many", wanted);
    }
    ff_fail(error, FF_NO_DEVICE, "%u GPU%s wanted; there %s %s", wanted,
            wanted == 1 ? " is" : "s are", found->usable == 1 ? "is" : "are", there);
    return ff_hint(error, "farfield doctor tells what was found; devices=cuda takes all");
}

/* The first that is there and cannot be used. */
static void note_unusable(const struct ff_cuda_found *found, struct ff_device_choice *choice)
{
    for (unsigned i = 0; i < found->count; i++) {
        const struct ff_cuda_device *device = &found->devices[i];
        if (device->why[0] == '\0')
            continue;
        choice->is_trouble = true;
        snprintf(choice->note, sizeof choice->note, "computes on %u of %u GPUs: %s: %s",
                 found->usable, found->count, device->name, device->why);
        return;
    }
}

/* All GPUs that can be used: FF_NO_DEVICE where there is none. A lease whose device has gone is a failure of the node. */
static int find_all(unsigned leased, struct ff_device_choice *choice, struct ff_cuda_found *found,
                    struct ff_error *error)
{
    *choice = (struct ff_device_choice){0};
    if (ff_cuda_load(&choice->operations, found, error) < 0)
        return -1;
    if (found->usable == 0)
        return ff_cuda_fail_unusable(found, error);
    if (found->count < leased)
        return ff_fail(error, FF_NO_DEVICE, "the task has %u GPUs, and CUDA finds %u of them",
                       leased, found->count);
    choice->count = found->usable;
    return 0;
}

static int take_cuda(unsigned wanted, unsigned leased, struct ff_device_choice *choice,
                     struct ff_error *error)
{
    struct ff_cuda_found found = {0};
    if (find_all(leased, choice, &found, error) < 0)
        return ff_fail_prefix(error, "no GPU can be used: ");
    if (wanted > found.usable)
        return fail_count(&found, wanted, leased, error);
    if (wanted > 0)
        choice->count = wanted;
    else
        note_unusable(&found, choice);
    return 0;
}

static int take_any(unsigned leased, struct ff_device_choice *choice, struct ff_error *error)
{
    struct ff_cuda_found found = {0};
    struct ff_error why = {0};
    const char *mask = getenv("CUDA_VISIBLE_DEVICES");
    bool masked = mask != NULL && mask[0] == '\0';
    if (masked) { /* a task without a lease: nothing need be loaded to know */
        ff_fail(&why, FF_NO_DEVICE, "no GPU is visible here (CUDA_VISIBLE_DEVICES is empty)");
        take_cpu_because(choice, false, &why);
    } else if (!ff_cuda_has_driver()) {
        ff_fail(&why, FF_NO_DEVICE, "there is no NVIDIA driver on this machine");
        take_cpu_because(choice, false, &why);
    } else if (find_all(leased, choice, &found, &why) == 0) {
        note_unusable(&found, choice);
    } else if (found.count > 0 && found.count < leased) {
        if (error != NULL)
            *error = why;
        return -1;
    } else {
        take_cpu_because(choice, true, &why);
    }
    return 0;
}

int ff_device_choice_make(const struct ff_settings *settings, unsigned leased,
                          struct ff_device_choice *choice, struct ff_error *error)
{
    struct ff_device_wish wish;
    if (ff_settings_devices(settings, &wish, error) < 0)
        return -1;
    switch (wish.kind) {
    case FF_DEVICES_CPU:
        take_cpu(choice, wish.count);
        return 0;
    case FF_DEVICES_CUDA:
        return take_cuda(wish.count, leased, choice, error);
    case FF_DEVICES_AUTO:
        break;
    }
    return take_any(leased, choice, error);
}

void ff_device_choice_apply(const struct ff_device_choice *choice, struct ff_run_settings *run)
{
    run->operations = choice->operations;
    run->devices = choice->count;
}
