/* Runs a fuzz target without libFuzzer: its seeds, then damaged copies of them, or the files that
 * are named. */
#include "tests/fuzz/fuzz.h"

#include "protocol/core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FF_FUZZ_ROUNDS
#define FF_FUZZ_ROUNDS 20000
#endif

/* Large seeds get fewer copies: so many bytes of each together. */
enum { BYTES_OF_COPIES = 1 << 29, SEED_LIMIT = 1 << 23, FILE_LIMIT = 1 << 26 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* An exact copy on the heap, so that a sanitizer sees every step beyond the end. */
static void run_copy(const uint8_t *data, size_t size, unsigned changes, uint64_t *state)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        exit(1);
    memcpy(copy, data, size);
    for (unsigned i = 0; i < changes && size > 0; i++) {
        uint64_t random = next_random(state);
        copy[(random >> 16) % size] = (uint8_t)random;
    }
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static unsigned run_seed(struct ff_span seed)
{
    uint64_t state = 88172645463325252u;
    unsigned rounds = FF_FUZZ_ROUNDS;
    if (seed.size > BYTES_OF_COPIES / FF_FUZZ_ROUNDS)
        rounds = (unsigned)(BYTES_OF_COPIES / seed.size);
    run_copy(seed.data, seed.size, 0, &state);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t random = next_random(&state);
        size_t size = random % 4 == 0 ? (random >> 8) % (seed.size + 1) : seed.size;
        run_copy(seed.data, size, 1 + (unsigned)(random >> 61), &state);
    }
    return rounds;
}

static int run_file(const char *path)
{
    struct ff_error error;
    char *data = NULL;
    size_t size = 0;
    if (ff_file_read(path, FILE_LIMIT, &data, &size, &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    uint64_t state = 1;
    run_copy((const uint8_t *)data, size, 0, &state);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        int failed = 0;
        for (int i = 1; i < argc; i++)
            failed |= run_file(argv[i]);
        return failed;
    }
    struct ff_buffer seed;
    ff_buffer_init(&seed, SEED_LIMIT);
    unsigned count = 0;
    unsigned copies = 0;
    for (; fuzz_seed(count, &seed); count++) {
        copies += run_seed(ff_buffer_span(&seed));
        ff_buffer_clear(&seed);
    }
    ff_buffer_dispose(&seed);
    printf("%u seeds, %u damaged copies\n", count, copies);
    return count == 0;
}
