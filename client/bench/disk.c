/* How long the disk takes to make 4 KB durable: the limit beside which the figure of one call has to be read, because
 * two such waits, of the acceptance and of the result, lie on its way. */
#include "client/bench/bench.h"

#include "protocol/core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64, SYNCS = 400 };

static int open_scratch(char *path, size_t size, struct ff_error *error)
{
    const char *home = getenv("FARFIELD_HOME");
    snprintf(path, size, "%s/sync-XXXXXX", home != NULL ? home : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot make a file beside the ledger");
    unlink(path);
    return fd;
}

/* Overwrites pages that are there, as a ledger whose log has its full length does. */
static int overwrite(int fd, double *us)
{
    static const char page[PAGE] = {1};
    for (int i = 0; i < PAGES; i++)
        if (pwrite(fd, page, PAGE, (off_t)i * PAGE) != PAGE)
            return -1;
    if (fsync(fd) < 0)
        return -1;
    for (int i = 0; i < SYNCS; i++) {
        int64_t start_ns = ff_monotonic_ns();
        if (pwrite(fd, page, PAGE, (off_t)(i % PAGES) * PAGE) != PAGE || fdatasync(fd) < 0)
            return -1;
        us[i] = 1e-3 * (double)(ff_monotonic_ns() - start_ns);
    }
    return 0;
}

int ff_bench_sync_us(double *p50, struct ff_error *error)
{
    char path[4096];
    double us[SYNCS];
    int fd = open_scratch(path, sizeof path, error);
    if (fd < 0)
        return -1;
    int result = overwrite(fd, us);
    int failure = errno;
    close(fd);
    if (result < 0)
        return ff_fail_errno(error, FF_IO, failure, "cannot write and sync %s", path);
    *p50 = ff_bench_quantile(us, SYNCS, 0.5);
    return 0;
}
