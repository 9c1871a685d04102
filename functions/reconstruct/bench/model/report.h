/*
 * functions/reconstruct/bench/model/report.h: `farfield bench reconstruct --model NAME`.
 */
#ifndef FF_RECONSTRUCT_BENCH_MODEL_REPORT_H
#define FF_RECONSTRUCT_BENCH_MODEL_REPORT_H

/* Whether the command line asks for a model. */
int ff_model_is_asked(int argc, char **argv);
/* Reads it, and prints what was modelled; returns the exit status. */
int ff_model_program(int argc, char **argv);

#endif
