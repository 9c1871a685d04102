/* Who may touch the devices' memory now: the operation that runs, with the memory of its device and of those it was given access to;
 * the host never. Held by protection keys where the processor has them (exact for each host thread, and free of
 * cost), else by mprotect (for the whole process, a call for each run of pages at each change). */
#include "machine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct run {
    uint8_t *data;
    size_t size;
};

struct runs {
    struct run *list;
    size_t count, room;
};

static struct runs runs[STANDIN_DEVICES]; /* pages in use, by address, neighbours joined */
static int keys[STANDIN_DEVICES];         /* -1: none */
static bool use_keys;
static __thread unsigned open_here; /* with keys: of this thread */
static unsigned open_for_all;       /* with mprotect */
static const char *running;
static int running_device;
static struct sigaction previous_segv;

size_t standin_page(void)
{
    static size_t page;
    if (page == 0)
        page = (size_t)sysconf(_SC_PAGESIZE);
    return page;
}

const char *standin_gate(void)
{
    return use_keys ? "keys" : "mprotect";
}

void standin_gate_running(const char *what, int device)
{
    running = what;
    running_device = device;
}

void standin_gate_message(char *text, size_t size, const void *address)
{
    int device = standin_device_of(address);
    char who[96];
    if (running != NULL)
        snprintf(who, sizeof who, "%.60s on device %d", running, running_device);
    else
        snprintf(who, sizeof who, "the host");
    if (device < 0)
        snprintf(text, size, "%s touched %p, where it has nothing", who, address);
    else if (running == NULL)
        snprintf(text, size, "the host touched memory of device %d (%p)", device, address);
    else if (device != running_device &&
             (standin_machine.device[running_device].access >> device & 1) == 0)
        snprintf(text, size, "%s touched memory of device %d (%p) without access to its peer", who,
                 device, address);
    else
        snprintf(text, size, "%s touched memory of device %d (%p) that is not allocated", who,
                 device, address);
}

/* Says who touched what, then does as was done before. */
static void on_segv(int number, siginfo_t *info, void *context)
{
    if (standin_device_of(info->si_addr) >= 0 || running != NULL) {
        char text[256], line[300];
        standin_gate_message(text, sizeof text, info->si_addr);
        int size = snprintf(line, sizeof line, "CUDA stand-in: %s\n", text);
        if (write(STDERR_FILENO, line, (size_t)size) != size)
            abort();
    }
    if ((previous_segv.sa_flags & SA_SIGINFO) != 0 && previous_segv.sa_sigaction != NULL) {
        previous_segv.sa_sigaction(number, info, context);
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
}

void standin_gate_watch(void)
{
    struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sigaction now;
    sigaction(SIGSEGV, NULL, &now);
    if (now.sa_sigaction == on_segv)
        return;
    previous_segv = now;
    sigaction(SIGSEGV, &action, NULL);
}

static bool keys_wanted(void)
{
    const char *wanted = getenv("FF_STANDIN_GATE");
    if (wanted == NULL || strcmp(wanted, "keys") == 0)
        return true;
    if (strcmp(wanted, "mprotect") == 0)
        return false;
    standin_fault("FF_STANDIN_GATE=%s: keys or mprotect", wanted);
}

void standin_gate_create(void)
{
    /* There are fifteen keys at most, or none at all. The devices that get none go by mprotect. */
    for (unsigned i = 0; i < STANDIN_DEVICES; i++)
        keys[i] = keys_wanted() ? pkey_alloc(0, PKEY_DISABLE_ACCESS) : -1;
    use_keys = keys[0] >= 0;
}

static bool has_key(unsigned device)
{
    return keys[device] >= 0;
}

static void protect(uint8_t *data, size_t size, int protection)
{
    if (mprotect(data, size, protection) != 0)
        standin_fault("mprotect of a device's memory failed");
}

static void protect_all(unsigned device, int protection)
{
    for (size_t i = 0; i < runs[device].count; i++)
        protect(runs[device].list[i].data, runs[device].list[i].size, protection);
}

unsigned standin_gate_state(void)
{
    return use_keys ? open_here : open_for_all;
}

void standin_gate_set(unsigned devices)
{
    unsigned *open = use_keys ? &open_here : &open_for_all;
    unsigned changed = *open ^ devices;
    for (unsigned i = 0; changed != 0; i++, changed >>= 1) {
        if ((changed & 1) == 0)
            continue;
        bool opens = (devices >> i & 1) != 0;
        if (has_key(i))
            pkey_set(keys[i], opens ? 0 : PKEY_DISABLE_ACCESS);
        else
            protect_all(i, opens ? PROT_READ | PROT_WRITE : PROT_NONE);
    }
    *open = devices;
}

static void insert_run(struct runs *all, size_t at, struct run run)
{
    if (all->count == all->room) {
        size_t room = all->room == 0 ? 64 : 2 * all->room;
        struct run *list = standin_allocate(room, sizeof *list);
        for (size_t i = 0; i < all->count; i++)
            list[i] = all->list[i];
        free(all->list);
        all->list = list;
        all->room = room;
    }
    for (size_t i = all->count; i > at; i--)
        all->list[i] = all->list[i - 1];
    all->list[at] = run;
    all->count++;
}

static void remove_run(struct runs *all, size_t at)
{
    all->count--;
    for (size_t i = at; i < all->count; i++)
        all->list[i] = all->list[i + 1];
}

void standin_gate_add(unsigned device, uint8_t *data, size_t size)
{
    struct runs *all = &runs[device];
    bool open = (standin_gate_state() >> device & 1) != 0;
    if (has_key(device)) {
        if (pkey_mprotect(data, size, PROT_READ | PROT_WRITE, keys[device]) != 0)
            standin_fault("pkey_mprotect of a device's memory failed");
        return;
    }
    if (open)
        protect(data, size, PROT_READ | PROT_WRITE);
    size_t at = all->count;
    if (at > 0 && all->list[at - 1].data + all->list[at - 1].size == data)
        all->list[at - 1].size += size;
    else
        insert_run(all, at, (struct run){data, size});
}

void standin_gate_remove(unsigned device, uint8_t *data, size_t size)
{
    struct runs *all = &runs[device];
    protect(data, size, PROT_NONE);
    if (has_key(device))
        return;
    size_t at = 0;
    while (data >= all->list[at].data + all->list[at].size)
        at++;
    struct run whole = all->list[at];
    size_t before = (size_t)(data - whole.data), after = whole.size - before - size;
    remove_run(all, at);
    if (after > 0)
        insert_run(all, at, (struct run){data + size, after});
    if (before > 0)
        insert_run(all, at, (struct run){whole.data, before});
}
