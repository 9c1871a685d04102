#include "worker/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, STOP_BITS = 8, STOP = 1 };

struct ff_turn {
    _Atomic uint64_t turn;    /* last serial taken << 32 | last serial recalled */
    _Atomic uint64_t request; /* serial << STOP_BITS | enum ff_stop */
};

static struct ff_turn *map(int fd, struct ff_error *error)
{
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        return page;
    ff_fail_errno(error, FF_NO_MEMORY, errno, "cannot map the page shared with a runner");
    return NULL;
}

struct ff_turn *ff_turn_create(int *fd, struct ff_error *error)
{
    int made = memfd_create("farfield-turn", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    /* Sealed against shrinking, so that no function can make the manager's loads fault. */
    if (made < 0 || ftruncate(made, PAGE) < 0 ||
        fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        ff_fail_errno(error, FF_IO, errno, "cannot make the page shared with a runner");
        if (made >= 0)
            close(made);
        return NULL;
    }
    struct ff_turn *turn = map(made, error);
    if (turn == NULL)
        close(made);
    else
        *fd = made;
    return turn;
}

struct ff_turn *ff_turn_open(int fd, struct ff_error *error)
{
    return map(fd, error);
}

void ff_turn_close(struct ff_turn *turn)
{
    if (turn != NULL)
        munmap(turn, PAGE);
}

bool ff_turn_take(struct ff_turn *turn, uint32_t serial)
{
    uint64_t now = atomic_load(&turn->turn);
    do {
        if (serial <= (uint32_t)now)
            return false;
    } while (
        !atomic_compare_exchange_weak(&turn->turn, &now, (uint64_t)serial << 32 | (uint32_t)now));
    return true;
}

uint32_t ff_turn_recall(struct ff_turn *turn, uint32_t sent)
{
    uint64_t now = atomic_load(&turn->turn);
    while (!atomic_compare_exchange_weak(&turn->turn, &now, (now >> 32 << 32) | sent))
        continue;
    return (uint32_t)(now >> 32);
}

uint32_t ff_turn_taken(const struct ff_turn *turn)
{
    return (uint32_t)(atomic_load(&turn->turn) >> 32);
}

void ff_turn_ask(struct ff_turn *turn, uint32_t serial, int stop)
{
    uint64_t now = atomic_load(&turn->request);
    if (now == ((uint64_t)serial << STOP_BITS | STOP))
        return;
    atomic_store(&turn->request, (uint64_t)serial << STOP_BITS | (unsigned)stop);
}

int ff_turn_asked(const struct ff_turn *turn, uint32_t serial)
{
    uint64_t now = atomic_load_explicit(&turn->request, memory_order_relaxed);
    return now >> STOP_BITS == serial ? (int)(now & ((1u << STOP_BITS) - 1)) : 0;
}
