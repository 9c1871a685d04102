/* echo: gives back its arguments. What dispatch is measured with. */
#include "functions/function.h"

static int invoke(struct ff_call *call)
{
    size_t size;
    const char *arguments = ff_call_arguments(call, &size);
    return ff_call_succeed(call, arguments, size);
}

FF_FUNCTION_EXPORT const struct ff_function farfield_function = {
    .abi = FF_FUNCTION_ABI,
    .size = sizeof(struct ff_function),
    .name = "echo",
    .version = FF_VERSION,
    .summary = "gives back its arguments",
    .invoke = invoke,
};
