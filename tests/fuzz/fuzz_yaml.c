/* The reader of configuration files. */
#include "tests/fuzz/fuzz.h"

#include "protocol/core/file.h"
#include "protocol/core/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int count_pair(void *user, const char *key, const char *value, int line,
                      struct ff_error *error)
{
    (void)key;
    (void)value;
    (void)line;
    (void)error;
    ++*(unsigned *)user;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[] = "/tmp/farfield-fuzz-XXXXXX";
    static int fd = -1;
    if (fd < 0) {
        fd = mkstemp(path);
        if (fd < 0)
            return 0;
    }
    unsigned pairs = 0;
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        return 0;
    char opened[64];
    snprintf(opened, sizeof opened, "/proc/self/fd/%d", fd);
    unlink(path);
    int result = ff_yaml_read(opened, count_pair, &pairs, NULL);
    (void)result; /* refusing is as good as reading */
    return 0;
}

bool fuzz_seed(unsigned index, struct ff_buffer *buffer)
{
    if (index > 0)
        return false;
    ff_buffer_append_text(buffer, "# note\nservice:\n  url: https://127.0.0.1:8443\n"
                                  "  ports: [1, 2]\nretries: 2\nquoted: \"a: \\\"b\"\nempty:\n");
    return true;
}
