/*
 * functions/reconstruct/bench/model/settings.h: what `farfield bench reconstruct --model NAME` takes.
 */
#ifndef FF_RECONSTRUCT_BENCH_MODEL_SETTINGS_H
#define FF_RECONSTRUCT_BENCH_MODEL_SETTINGS_H

#include "functions/option_table.h"
#include "functions/reconstruct/bench/model/model.h"

struct ff_model_settings {
    int model; /* of ff_model_machine_names */
    int scan;  /* of the choices; what is set beside it wins */
    int algorithm;
    int64_t patterns, size, modes, batches; /* 0: those of the scan */
    double overlap;
    char *devices;                                                    /* "1,2,4,8" */
    int links;                                                        /* of enum ff_model_links */
    double bandwidth_GBs, reached, cache_MB, link_GBs, host_link_GBs; /* NaN: those of the model */
    double launch_us, latency_us, wait_us;
};

extern const struct ff_option_table ff_model_table;

/* The name of the scan that the numbers are of, or "a scan of one's own". */
const char *ff_model_scan_name(const struct ff_model_settings *settings);
const char *ff_model_algorithm_name(const struct ff_model_settings *settings);
const char *ff_model_links_name(const struct ff_model_settings *settings);

struct ff_model_case ff_model_case_of(const struct ff_model_settings *settings);

/* Numbers of devices, in the order they are given, at most `room`; returns how many, or -1. */
int ff_model_devices_of(const struct ff_model_settings *settings, unsigned *devices, size_t room,
                        struct ff_error *error) FF_MUST_USE;

#endif
