/*
 * functions/reconstruct/bench/model/machine.h: the machine that a model is of. Figures of the makers' data sheets.
 */
#ifndef FF_RECONSTRUCT_BENCH_MODEL_MACHINE_H
#define FF_RECONSTRUCT_BENCH_MODEL_MACHINE_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Devices by number, and behind them the host. */
enum { FF_MODEL_DEVICES = 16, FF_MODEL_HOST = FF_MODEL_DEVICES, FF_MODEL_PLACES };

/* What joins devices. */
enum ff_model_links {
    FF_LINKS_NVSWITCH, /* every pair, as fast as the port of each */
    FF_LINKS_PAIRS,    /* devices 0 and 1, 2 and 3, …; others through memory of the host */
    FF_LINKS_PCIE,     /* all through memory of the host */
};

struct ff_model_machine {
    double bandwidth; /* of a device's memory, bytes a second, as its maker says */
    double reached;   /* the part of it that is reached */
    size_t cache;     /* bytes of the second cache */
    enum ff_model_links links;
    double link; /* bytes a second in one direction: of a pair, and of all that a device reads */
    double host_link; /* the same between a device and memory of the host */
    double latency_s; /* until a device sees what another has done */
    double launch_s;  /* that a launch takes at least */
    double wait_s;    /* from what the host waits for to the first launch after it */
};

/* In the order of the names. */
extern const char *const ff_model_machine_names[];
/* Machine `index` of the names. */
struct ff_model_machine ff_model_machine_of(int index);

/* Whether `reader` reads memory of `source` over a link of their own. */
bool ff_model_reads(const struct ff_model_machine *machine, unsigned reader, unsigned source);

#endif
