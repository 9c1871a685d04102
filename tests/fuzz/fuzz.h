/*
 * tests/fuzz/fuzz.h: what a fuzz target has: libFuzzer's entry point, and seeds for the driver.
 */
#ifndef FF_TESTS_FUZZ_H
#define FF_TESTS_FUZZ_H

#include "protocol/core/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Appends a valid input of number `index` to `buffer`; false when there is none of this number. */
bool fuzz_seed(unsigned index, struct ff_buffer *buffer);

#endif
