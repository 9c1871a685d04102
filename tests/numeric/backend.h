/*
 * tests/numeric/backend.h: the backend under test. Tests of what every backend must do name none: which one it is is
 * decided where a test is linked, by backend_cpu.c, backend_cpu_double.c, or that of tests/cuda.
 */
#ifndef FF_TESTS_NUMERIC_BACKEND_H
#define FF_TESTS_NUMERIC_BACKEND_H

#include "functions/reconstruct/backends/backend.h"

/* Most devices that a test has of it at once. */
enum { NUMERIC_DEVICES = 8 };

const struct ff_backend_operations *numeric_backend(void);

/* Pretend devices take a hundred times as long: tests of many runs have smaller problems for them. */
bool numeric_is_slow(void);

/* What its devices need around the tests of a program: the setup and teardown of a group of cmocka. */
int numeric_begin(void **state);
int numeric_end(void **state);

#endif
