/*
 * tests/numeric/apart.h: how far the answers of several devices are from that of one.
 */
#ifndef FF_TESTS_NUMERIC_APART_H
#define FF_TESTS_NUMERIC_APART_H

#include "functions/reconstruct/arrays.h"

/* |a - b| / |b| over `count` values. */
double apart_real(const double *a, const double *b, size_t count);
double apart_complex(const ff_complex *a, const ff_complex *b, size_t count);

/* Fails the test, by the name of what was compared and the number of devices, where `value` is above
 * `limit` or no number. */
void apart_check(double value, double limit, const char *what, unsigned devices);

#endif
