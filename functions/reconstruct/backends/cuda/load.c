#include "functions/reconstruct/backends/cuda/load.h"

#include "protocol/core/file.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Functions run in a runner one at a time, but whoever calls from several threads gets one object, too. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct ff_cuda_object *loaded;

/* It stays loaded: the backend needs it, and a driver is not made to be unloaded. */
bool ff_cuda_has_driver(void)
{
    return dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != NULL;
}

/* "libcufft.so.12: cannot open shared object file: No such file or directory", and other troubles of the linker. */
static int fail_open(const char *path, const char *why, struct ff_error *error)
{
    if (strstr(why, "libcufft") != NULL) {
        ff_fail(error, FF_NO_DEVICE, "the CUDA backend needs cuFFT: %.400s", why);
        return ff_hint(error, "load the CUDA module of this machine, or install the CUDA toolkit; "
                              "LD_LIBRARY_PATH can name its folder");
    }
    ff_fail(error, FF_NO_DEVICE, "the CUDA backend cannot be loaded: %.400s", why);
    return ff_hint(error, "ldd %.300s shows what is missing", path);
}

static int check(const struct ff_cuda_object *object, const char *path, struct ff_error *error)
{
    if (object != NULL && object->size >= sizeof *object && strcmp(object->abi, FF_CUDA_ABI) == 0)
        return 0;
    ff_fail(error, FF_NO_DEVICE, "%.400s is of another build of Farfield", path);
    return ff_hint(error, "install all of Farfield again, and register the function reconstruct "
                          "from there again");
}

static const struct ff_cuda_object *open_object(const char *path, struct ff_error *error)
{
    if (access(path, F_OK) < 0) {
        ff_fail(error, FF_NO_DEVICE,
                "this installation has no CUDA backend: there is no file %.400s", path);
        ff_hint(error, "build Farfield where the CUDA toolkit (nvcc) is found");
        return NULL;
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fail_open(path, dlerror(), error);
        return NULL;
    }
    const struct ff_cuda_object *object = dlsym(library, "farfield_cuda");
    if (check(object, path, error) == 0)
        return object;
    dlclose(library);
    return NULL;
}

static const struct ff_cuda_object *load(struct ff_error *error)
{
    if (!ff_cuda_has_driver()) {
        ff_fail(error, FF_NO_DEVICE, "there is no NVIDIA driver on this machine");
        ff_hint(error, "a machine with an NVIDIA GPU needs NVIDIA's driver (libcuda.so.1)");
        return NULL;
    }
    char *folder = ff_backend_folder(error);
    char *path = folder != NULL ? ff_path_join(folder, "cuda.so") : NULL;
    free(folder);
    const struct ff_cuda_object *object = path != NULL ? open_object(path, error) : NULL;
    free(path);
    return object;
}

int ff_cuda_load(const struct ff_backend_operations **operations, struct ff_cuda_found *found,
                 struct ff_error *error)
{
    pthread_mutex_lock(&lock);
    if (loaded == NULL)
        loaded = load(error);
    const struct ff_cuda_object *object = loaded;
    pthread_mutex_unlock(&lock);
    if (object == NULL || object->find(found, error) < 0)
        return -1;
    *operations = object->operations;
    return 0;
}

int ff_cuda_fail_unusable(const struct ff_cuda_found *found, struct ff_error *error)
{
    const struct ff_cuda_device *first = &found->devices[0];
    if (found->count == 1)
        return ff_fail(error, FF_NO_DEVICE, "the GPU here, %s, cannot be used: %s", first->name,
                       first->why);
    return ff_fail(error, FF_NO_DEVICE, "none of the %u GPUs here can be used; the first, %s: %s",
                   found->count, first->name, first->why);
}
