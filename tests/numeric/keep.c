#include "tests/numeric/keep.h"

#include "tests/unit/check.h"

static void count_epoch(void *user, const struct ff_run_epoch *epoch)
{
    ((struct keeper *)user)->epochs = epoch->epoch;
}

static enum ff_run_order yield_then(void *user)
{
    const struct keeper *keeper = user;
    return keeper->epochs == keeper->yield_after ? FF_RUN_CHECKPOINT : FF_RUN_ON;
}

static int keep_begin(void *user, struct ff_error *error)
{
    (void)error;
    ff_buffer_clear(&((struct keeper *)user)->kept);
    return 0;
}

static int keep_piece(void *user, struct ff_span piece, struct ff_error *error)
{
    struct keeper *keeper = user;
    ff_buffer_append(&keeper->kept, piece.data, piece.size);
    return ff_buffer_check(&keeper->kept, "the kept checkpoint", error);
}

static int keep_end(void *user, bool whole, struct ff_error *error)
{
    (void)user;
    (void)error;
    assert_true(whole);
    return 0;
}

struct ff_run_watch keeper_begin(struct keeper *keeper, size_t yield_after)
{
    *keeper = (struct keeper){
        .yield_after = yield_after,
        .sink = {keeper, keep_begin, keep_piece, keep_end},
    };
    ff_buffer_init(&keeper->kept, 1 << 26);
    return (struct ff_run_watch){
        .user = keeper, .epoch = count_epoch, .asked = yield_then, .checkpoint = &keeper->sink};
}

struct ff_span keeper_span(const struct keeper *keeper)
{
    return ff_buffer_span(&keeper->kept);
}

void keeper_dispose(struct keeper *keeper)
{
    ff_buffer_dispose(&keeper->kept);
}
