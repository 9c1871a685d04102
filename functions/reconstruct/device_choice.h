/*
 * functions/reconstruct/device_choice.h: the setting `devices` beside what this process can see.
 *
 *   auto     all GPUs that CUDA shows and the backend can use (within a lease: the lease's), else the CPU
 *   cpu:N    N devices on the CPU; nothing of CUDA is looked at
 *   cuda:N   N GPUs, or an error that says why they cannot be had
 */
#ifndef FF_RECONSTRUCT_DEVICE_CHOICE_H
#define FF_RECONSTRUCT_DEVICE_CHOICE_H

#include "functions/reconstruct/run.h"
#include "functions/reconstruct/settings.h"

struct ff_device_choice {
    const struct ff_backend_operations *operations;
    unsigned count;
    char note
        [512]; /* why the CPU, or not all GPUs, where that was not asked for; "" nothing to say */
    bool is_trouble; /* the note is of what somebody could mend */
};

/*
 * `leased` GPUs belong to the call; 0: none, or it is no task. FF_NO_DEVICE where GPUs cannot be had that should be there
 * (another node may have them); FF_INVALID_SETTING where more are wanted than the lease has.
 */
int ff_device_choice_make(const struct ff_settings *settings, unsigned leased,
                          struct ff_device_choice *choice, struct ff_error *error) FF_MUST_USE;

void ff_device_choice_apply(const struct ff_device_choice *choice, struct ff_run_settings *run);

#endif
