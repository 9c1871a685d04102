/*
 * worker/loader.h: loading a native function, with every check that can be made before its code runs, and errors in
 * words. Opening a shared object runs its constructors, so this is for runners alone.
 */
#ifndef FF_WORKER_LOADER_H
#define FF_WORKER_LOADER_H

#include "functions/function.h"
#include "protocol/core/error.h"

/* FF_FUNCTION_INVALID, naming `name`: no ELF file, of another machine, no shared object, a library it needs is
 * missing, no `farfield_function`, of another ABI. The function stays loaded until the process ends. */
int ff_function_load(const char *path, const char *name, const struct ff_function **function,
                     struct ff_error *error) FF_MUST_USE;

#endif
