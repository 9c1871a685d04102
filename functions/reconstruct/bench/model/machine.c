#include "functions/reconstruct/bench/model/machine.h"

const char *const ff_model_machine_names[] = {"a100-40", "a100-80", "h100", NULL};

/* SXM modules: NVIDIA's data sheets of A100 (2020, 2021) and H100 (2022); NVLink at half of what it does in both directions. */
static const struct {
    double bandwidth, link, host_link;
    size_t cache;
} figures[] = {
    {1555e9, 300e9, 25e9, 40 << 20},
    {2039e9, 300e9, 25e9, 40 << 20},
    {3350e9, 450e9, 50e9, 50 << 20},
};

struct ff_model_machine ff_model_machine_of(int index)
{
    return (struct ff_model_machine){
        .bandwidth = figures[index].bandwidth,
        .reached = 0.85,
        .cache = figures[index].cache,
        .links = FF_LINKS_NVSWITCH,
        .link = figures[index].link,
        .host_link = figures[index].host_link,
        .latency_s = 1e-6,
        .launch_s = 3e-6,
        .wait_s = 10e-6,
    };
}

bool ff_model_reads(const struct ff_model_machine *machine, unsigned reader, unsigned source)
{
    switch (machine->links) {
    case FF_LINKS_PAIRS:
        return reader / 2 == source / 2;
    case FF_LINKS_PCIE:
        return reader == source;
    default:
        return true;
    }
}
