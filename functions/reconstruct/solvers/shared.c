#include "functions/reconstruct/solvers/shared.h"

#include <string.h>

bool ff_object_moves(const struct ff_solver_settings *settings)
{
    return settings->step_object > 0;
}

bool ff_probe_moves(const struct ff_solver_settings *settings, size_t epoch)
{
    return settings->step_probe > 0 && epoch >= settings->probe_start;
}

void ff_solver_save(struct ff_buffer *state, const char *name, const void *numbers, size_t size)
{
    ff_buffer_append(state, name, strlen(name) + 1);
    ff_buffer_append(state, numbers, size);
}

int ff_solver_restore(struct ff_span state, const char *name, void *numbers, size_t size,
                      struct ff_error *error)
{
    size_t head = strlen(name) + 1;
    const char *bytes = state.data;
    if (state.size != head + size || memcmp(bytes, name, head) != 0)
        return ff_fail(error, FF_INPUT_INVALID,
                       "the checkpoint's state of the solver is not that of %s", name);
    if (size > 0)
        memcpy(numbers, bytes + head, size);
    return 0;
}
