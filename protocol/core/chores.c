#include "protocol/core/chores.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct line {
    struct ff_chore *first;
    struct ff_chore *last;
};

struct ff_chores {
    int fd; /* an eventfd: some have been done */
    struct ff_watch *watch;
    bool has_thread;
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t given;
    struct line waiting;
    struct line done;
    bool ends;
};

static void put(struct line *line, struct ff_chore *chore)
{
    chore->next = NULL;
    *(line->last != NULL ? &line->last->next : &line->first) = chore;
    line->last = chore;
}

static struct ff_chore *take(struct line *line)
{
    struct ff_chore *chore = line->first;
    if (chore == NULL)
        return NULL;
    line->first = chore->next;
    if (line->first == NULL)
        line->last = NULL;
    return chore;
}

/* Called with the mutex held. */
static void put_done(struct ff_chores *chores, struct ff_chore *chore)
{
    const uint64_t one = 1;
    put(&chores->done, chore);
    while (write(chores->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static void *work(void *user)
{
    struct ff_chores *chores = user;
    pthread_mutex_lock(&chores->mutex);
    while (!chores->ends) {
        struct ff_chore *chore = take(&chores->waiting);
        if (chore == NULL) {
            pthread_cond_wait(&chores->given, &chores->mutex);
            continue;
        }
        pthread_mutex_unlock(&chores->mutex);
        chore->run(chore);
        pthread_mutex_lock(&chores->mutex);
        put_done(chores, chore);
    }
    pthread_mutex_unlock(&chores->mutex);
    return NULL;
}

static struct ff_chore *take_done(struct ff_chores *chores)
{
    pthread_mutex_lock(&chores->mutex);
    struct ff_chore *chore = take(&chores->done);
    pthread_mutex_unlock(&chores->mutex);
    return chore;
}

/* What was done before this began; a chore may give the next one. */
static void tell_done(void *user, uint32_t events)
{
    struct ff_chores *chores = user;
    struct ff_chore *chore;
    uint64_t count;
    (void)events;
    while (read(chores->fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    while ((chore = take_done(chores)) != NULL)
        chore->done(chore, false);
}

void ff_chores_give(struct ff_chores *chores, struct ff_chore *chore)
{
    if (!chores->has_thread)
        chores->has_thread = pthread_create(&chores->thread, NULL, work, chores) == 0;
    if (!chores->has_thread)
        chore->run(chore);
    pthread_mutex_lock(&chores->mutex);
    if (chores->has_thread)
        put(&chores->waiting, chore);
    else
        put_done(chores, chore);
    pthread_cond_signal(&chores->given);
    pthread_mutex_unlock(&chores->mutex);
}

struct ff_chores *ff_chores_create(struct ff_loop *loop, struct ff_error *error)
{
    struct ff_chores *chores = calloc(1, sizeof *chores);
    if (chores == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for chores");
        return NULL;
    }
    pthread_mutex_init(&chores->mutex, NULL);
    pthread_cond_init(&chores->given, NULL);
    chores->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (chores->fd < 0)
        ff_fail_errno(error, FF_IO, errno, "cannot make an eventfd");
    else
        chores->watch = ff_watch_create(loop, chores->fd, EPOLLIN, tell_done, chores, error);
    if (chores->watch != NULL)
        return chores;
    ff_chores_destroy(chores);
    return NULL;
}

void ff_chores_destroy(struct ff_chores *chores)
{
    struct ff_chore *chore;
    if (chores == NULL)
        return;
    pthread_mutex_lock(&chores->mutex);
    chores->ends = true;
    pthread_cond_signal(&chores->given);
    pthread_mutex_unlock(&chores->mutex);
    if (chores->has_thread)
        pthread_join(chores->thread, NULL);
    while ((chore = take(&chores->done)) != NULL || (chore = take(&chores->waiting)) != NULL)
        chore->done(chore, true);
    ff_watch_destroy(chores->watch);
    if (chores->fd >= 0)
        close(chores->fd);
    pthread_cond_destroy(&chores->given);
    pthread_mutex_destroy(&chores->mutex);
    free(chores);
}
