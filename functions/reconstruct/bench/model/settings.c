#include "functions/reconstruct/bench/model/settings.h"

#include "protocol/core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const scans[] = {"coin", "catalyst", NULL};
static const char *const algorithms[] = {"rpie", "lstsq", NULL};
static const char *const links[] = {"nvswitch", "pairs", "pcie", NULL};

/* What the scans of Bicer et al. 2021 are known to be: their numbers of patterns and sizes. */
static const struct {
    size_t patterns, size;
} of_scans[] = {{8000, 256}, {1800, 128}};

#define AT(field) offsetof(struct ff_model_settings, field)

static const struct ff_option options[] = {
    {"model", FF_OPTION_CHOICE, AT(model), NULL, "a100-40", 0, 0, ff_model_machine_names,
     "The devices, by the figures of their maker"},
    {"scan", FF_OPTION_CHOICE, AT(scan), NULL, "coin", 0, 0, scans,
     "What is reconstructed: coin, 8,000 patterns of 256², or catalyst, 1,800 of 128²"},
    {"algorithm", FF_OPTION_CHOICE, AT(algorithm), NULL, "rpie", 0, 0, algorithms,
     "The solver, with the settings that it begins with"},
    {"patterns", FF_OPTION_INTEGER, AT(patterns), NULL, "0", 0, 1000000, NULL,
     "How many patterns, in rows of about the square root of it; 0 is those of the scan"},
    {"size", FF_OPTION_INTEGER, AT(size), "px", "0", 0, 4096, NULL,
     "Side of a pattern; 0 is that of the scan"},
    {"modes", FF_OPTION_INTEGER, AT(modes), NULL, "1", 1, 64, NULL, "Modes of the probe"},
    {"batches", FF_OPTION_INTEGER, AT(batches), NULL, "10", 1, 1000000, NULL,
     "Parts that an epoch is cut into, with a step after each"},
    {"overlap", FF_OPTION_NUMBER, AT(overlap), NULL, "0.875", 0, 0.99, NULL,
     "What neighbours share of the width of a pattern; says how large the object is"},
    {"devices", FF_OPTION_TEXT, AT(devices), NULL, "1,2,4,8", 0, 0, NULL,
     "Numbers of devices, at most 16 each"},
    {"links", FF_OPTION_CHOICE, AT(links), NULL, "nvswitch", 0, 0, links,
     "What joins devices: all of them, pairs (others go through the host), or the host alone"},
    {"bandwidth_GBs", FF_OPTION_NUMBER, AT(bandwidth_GBs), "GB/s", "auto", 1, 1e5, NULL,
     "Of the memory of a device; auto is that of the model, as those below"},
    {"reached", FF_OPTION_NUMBER, AT(reached), NULL, "0.85", 0.01, 1, NULL,
     "The part of it that kernels reach"},
    {"cache_MB", FF_OPTION_NUMBER, AT(cache_MB), "MB", "auto", 1, 1e4, NULL,
     "The second cache of a device, which says how many patterns are at work at once"},
    {"link_GBs", FF_OPTION_NUMBER, AT(link_GBs), "GB/s", "auto", 0.1, 1e5, NULL,
     "In one direction: of a link, and of all that a device reads over links"},
    {"host_link_GBs", FF_OPTION_NUMBER, AT(host_link_GBs), "GB/s", "auto", 0.1, 1e5, NULL,
     "The same between a device and the host"},
    {"launch_us", FF_OPTION_NUMBER, AT(launch_us), "us", "3", 0, 1e4, NULL,
     "What a launch takes at least"},
    {"latency_us", FF_OPTION_NUMBER, AT(latency_us), "us", "1", 0, 1e4, NULL,
     "Until a device knows what another has done"},
    {"wait_us", FF_OPTION_NUMBER, AT(wait_us), "us", "10", 0, 1e6, NULL,
     "From the end of what the host waits for to the first launch after it"},
};

const struct ff_option_table ff_model_table = {"bench reconstruct --model", options,
                                               sizeof options / sizeof options[0]};

const char *ff_model_scan_name(const struct ff_model_settings *settings)
{
    bool is_own = settings->patterns > 0 || settings->size > 0;
    return is_own ? "a scan of one's own" : scans[settings->scan];
}

const char *ff_model_algorithm_name(const struct ff_model_settings *settings)
{
    return algorithms[settings->algorithm];
}

const char *ff_model_links_name(const struct ff_model_settings *settings)
{
    return links[settings->links];
}

static double or_else(double wanted, double otherwise)
{
    return isnan(wanted) ? otherwise : wanted;
}

static struct ff_model_machine machine_of(const struct ff_model_settings *settings)
{
    struct ff_model_machine machine = ff_model_machine_of(settings->model);
    machine.bandwidth = 1e9 * or_else(settings->bandwidth_GBs, machine.bandwidth / 1e9);
    machine.reached = settings->reached;
    machine.cache = (size_t)(0x1p20 * or_else(settings->cache_MB, (double)machine.cache / 0x1p20));
    machine.links = (enum ff_model_links)settings->links;
    machine.link = 1e9 * or_else(settings->link_GBs, machine.link / 1e9);
    machine.host_link = 1e9 * or_else(settings->host_link_GBs, machine.host_link / 1e9);
    machine.launch_s = settings->launch_us / 1e6;
    machine.latency_s = settings->latency_us / 1e6;
    machine.wait_s = settings->wait_us / 1e6;
    return machine;
}

struct ff_model_case ff_model_case_of(const struct ff_model_settings *settings)
{
    size_t patterns = (size_t)settings->patterns;
    size_t size = (size_t)settings->size;
    size = size > 0 ? size : of_scans[settings->scan].size;
    return (struct ff_model_case){
        .machine = machine_of(settings),
        .algorithm = (enum ff_model_algorithm)settings->algorithm,
        .patterns = patterns > 0 ? patterns : of_scans[settings->scan].patterns,
        .size = size,
        .modes = (size_t)settings->modes,
        .batches = (size_t)settings->batches,
        .step = (1 - settings->overlap) * (double)size,
    };
}

int ff_model_devices_of(const struct ff_model_settings *settings, unsigned *devices, size_t room,
                        struct ff_error *error)
{
    size_t count = 0;
    for (const char *at = settings->devices; *at != '\0';) {
        char number[16];
        int64_t value;
        size_t length = strcspn(at, ",");
        snprintf(number, sizeof number, "%.*s", (int)(length < 15 ? length : 15), at);
        if (count == room || ff_text_integer(number, 1, FF_MODEL_DEVICES, &value) < 0)
            return ff_fail(error, FF_INVALID_SETTING,
                           "devices takes up to %zu numbers of 1 … %d, as in 1,4", room,
                           FF_MODEL_DEVICES);
        devices[count++] = (unsigned)value;
        at += length + (at[length] == ',');
    }
    return count > 0 ? (int)count
                     : ff_fail(error, FF_INVALID_SETTING, "how many devices? As in devices=1,4");
}
