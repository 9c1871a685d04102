/* farfield doctor: what of this machine a reconstruction would compute on, and why not on more. */
#include "functions/local/program.h"
#include "functions/reconstruct/backends/cpu/kernels.h"
#include "functions/reconstruct/backends/cuda/load.h"
#include "functions/reconstruct/pool.h"
#include "protocol/core/json_text.h"
#include "protocol/core/text.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: farfield doctor [--gpus] [--json]\n"
    "\n"
    "Tells what reconstructions on this machine can compute on: its processor, and its GPUs or "
    "why\n"
    "they are not used (no driver or one that is too old, no CUDA backend in this installation, "
    "no\n"
    "cuFFT, a GPU that is too old, none that is visible). How an endpoint is tells\n"
    "farfield endpoint doctor NAME; who holds the GPUs of this node, farfield gpu list.\n"
    "\n"
    "  --gpus  the GPUs alone\n"
    "\n"
    "  farfield doctor\n"
    "  farfield doctor --json | jq .cuda.usable\n"
    "\n"
    "Exit status: 0 all that is there can be used, 1 something is to be mended, 2 wrong use.\n";

/* What was found of CUDA. */
struct gpus {
    const struct ff_backend_operations *operations;
    struct ff_cuda_found found;
    struct ff_error why; /* why none is used; code FF_OK where some are */
    bool is_trouble;     /* something that somebody could mend */
};

static void look(struct gpus *gpus)
{
    *gpus = (struct gpus){.why = {.code = FF_OK}};
    int result = ff_cuda_load(&gpus->operations, &gpus->found, &gpus->why);
    if (result == 0 && gpus->found.usable == 0)
        ff_cuda_fail_unusable(&gpus->found, &gpus->why);
    gpus->is_trouble = result < 0 ? ff_cuda_has_driver() : gpus->found.usable < gpus->found.count;
}

/* --- for people --- */

static void say(bool is_trouble, const char *check, const char *text, const char *hint)
{
    ff_text_printf(stdout, "%-8s %-6s %s\n", is_trouble ? "warning" : "ok", check, text);
    if (hint[0] != '\0')
        ff_text_printf(stdout, "%-8s %-6s → %s\n", "", "", hint);
}

static void say_device(const struct ff_cuda_device *device)
{
    char text[512];
    char memory[32];
    ff_text_bytes(device->memory_bytes, memory, sizeof memory);
    bool works = device->why[0] == '\0';
    snprintf(text, sizeof text, "%s, %s, compute capability %d.%d, %s%s%s", device->name, memory,
             device->major, device->minor, device->uuid, works ? "" : "; not used: ", device->why);
    say(!works, "gpu", text, "");
}

static void say_gpus(const struct gpus *gpus)
{
    char text[FF_ERROR_MESSAGE_SIZE + 16];
    for (unsigned i = 0; i < gpus->found.count; i++)
        say_device(&gpus->found.devices[i]);
    if (gpus->found.count > 0)
        return;
    snprintf(text, sizeof text, "none used: %s", gpus->why.message);
    say(gpus->is_trouble, "gpu", text, gpus->is_trouble ? gpus->why.hint : "");
}

static void say_cpu(void)
{
    char text[64];
    unsigned cores = ff_pool_cores();
    snprintf(text, sizeof text, "%u core%s, %s", cores, cores == 1 ? "" : "s",
             ff_kernels_choose()->name);
    say(false, "cpu", text, "");
}

/* --- for programs --- */

static json_t *json_of_version(int version)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d", version / 1000, version % 1000 / 10);
    return version > 0 ? json_string(text) : json_null();
}

static json_t *json_of_device(const struct ff_cuda_device *device)
{
    char capability[32];
    snprintf(capability, sizeof capability, "%d.%d", device->major, device->minor);
    return json_pack("{s:s, s:o, s:I, s:s, s:b, s:s}", "uuid", device->uuid, "name",
                     ff_json_text(device->name), "memory_bytes", (json_int_t)device->memory_bytes,
                     "capability", capability, "usable", device->why[0] == '\0', "why",
                     device->why);
}

static json_t *json_of_gpus(const struct gpus *gpus)
{
    json_t *devices = json_array();
    for (unsigned i = 0; i < gpus->found.count; i++)
        json_array_append_new(devices, json_of_device(&gpus->found.devices[i]));
    bool works = gpus->why.code == FF_OK;
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "usable", (json_int_t)gpus->found.usable,
                     "driver", json_of_version(gpus->found.driver), "runtime",
                     json_of_version(gpus->found.runtime), "devices", devices, "why",
                     works ? json_null() : ff_json_text(gpus->why.message), "hint",
                     works ? json_null() : ff_json_text(gpus->why.hint));
}

static void print_json(const struct gpus *gpus, bool only_gpus)
{
    json_t *cuda = json_of_gpus(gpus);
    json_t *all =
        only_gpus
            ? json_incref(cuda)
            : json_pack("{s:{s:I, s:s}, s:O, s:b}", "cpu", "cores", (json_int_t)ff_pool_cores(),
                        "code", ff_kernels_choose()->name, "cuda", cuda, "ok", !gpus->is_trouble);
    if (ff_json_print(all, false, stdout) == 0)
        putchar('\n');
    json_decref(all);
    json_decref(cuda);
}

static int run(bool only_gpus, bool json)
{
    struct gpus gpus;
    look(&gpus);
    if (json) {
        print_json(&gpus, only_gpus);
    } else {
        if (!only_gpus)
            say_cpu();
        say_gpus(&gpus);
    }
    return gpus.is_trouble ? 1 : 0;
}

int main(int argc, char **argv)
{
    bool only_gpus = false;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        struct ff_error error;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--gpus") == 0) {
            only_gpus = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else {
            ff_fail(&error, FF_INVALID_ARGUMENT, "'%s' means nothing here", argv[i]);
            ff_hint(&error, "farfield doctor --help shows how it is called; an endpoint's is "
                            "farfield endpoint doctor NAME");
            return ff_local_report("doctor", json, &error);
        }
    }
    return run(only_gpus, json);
}
