/*
 * farfield-bench-gpu-registry: what taking and giving back a GPU costs, alone and among many processes, and whether
 * processes that are killed leave anything behind. Works on a registry of its own with pretend devices.
 */
#include "protocol/core/clock.h"
#include "protocol/core/text.h"
#include "worker/gpu/registry.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEVICES = 8, ALONE_PAIRS = 4000, MOST_PROCESSES = 512, SAMPLES = 1 << 18 };

static const char usage[] =
    "usage: farfield bench gpu-registry [--processes N] [--seconds S] [--kills N] [--json]\n"
    "\n"
    "Takes and gives back a pretend GPU alone, then all 8 of a pretend node in each of N "
    "processes\n"
    "(default 64) for S seconds (default 3), so that one can have them at a time. With --kills, "
    "processes are then killed at random while\n"
    "they wait, take and hold, and what they leave is counted.\n"
    "\n"
    "most_waited_ratio is the longest single wait over the mean wait of all.\n"
    "\n"
    "example: farfield bench gpu-registry --json --kills 10000\n";

/* Shared by all processes of a measurement. */
struct shared {
    _Atomic bool stop;
    _Atomic uint32_t pairs;
    _Atomic uint32_t broken;
    float waits_us[SAMPLES];
};

struct bench {
    char path[256];
    unsigned processes;
    double seconds;
    unsigned kills;
    bool json;
    struct shared *shared;
};

static double now_us(void)
{
    return 1e-3 * (double)ff_monotonic_ns();
}

/* One take and give back; the time until it was taken, and of all. */
static int take_and_give(struct ff_gpus *gpus, uint32_t wanted, double *taken_us, double *pair_us)
{
    struct ff_gpu_lease *lease = NULL;
    double start = now_us();
    struct ff_gpu_claim *claim = ff_gpus_claim(gpus, wanted, "bench", NULL);
    int result = claim != NULL ? ff_gpu_claim_wait(claim, -1, &lease, NULL) : -1;
    *taken_us = now_us() - start;
    ff_gpu_claim_destroy(claim);
    ff_gpu_lease_release(lease);
    *pair_us = now_us() - start;
    return result;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static int run_alone(struct bench *bench, double *p50_us, struct ff_error *error)
{
    struct ff_gpus *gpus = ff_gpus_open(bench->path, error);
    if (gpus == NULL)
        return -1;
    float *samples = bench->shared->waits_us;
    for (int i = 0; i < ALONE_PAIRS; i++) {
        double taken_us;
        double pair_us;
        if (take_and_give(gpus, 1, &taken_us, &pair_us) < 0) {
            ff_gpus_close(gpus);
            return ff_fail(error, FF_INTERNAL, "a free device could not be taken");
        }
        samples[i] = (float)pair_us;
    }
    ff_gpus_close(gpus);
    qsort(samples, ALONE_PAIRS, sizeof samples[0], by_value);
    *p50_us = samples[ALONE_PAIRS / 2];
    return 0;
}

/* One contender. `killed` ones also take gangs and hold for a while, so that death meets every state. */
static void contend(const struct bench *bench, bool killed, unsigned seed)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct shared *shared = bench->shared;
    struct ff_gpus *gpus = ff_gpus_open(bench->path, NULL);
    while (gpus != NULL && !shared->stop) {
        double taken_us;
        double pair_us;
        uint32_t wanted = killed ? 1 + (uint32_t)rand_r(&seed) % DEVICES : DEVICES;
        if (take_and_give(gpus, wanted, &taken_us, &pair_us) < 0)
            break;
        uint32_t at = atomic_fetch_add(&shared->pairs, 1);
        if (at < SAMPLES)
            shared->waits_us[at] = (float)taken_us;
    }
    if (gpus == NULL || !shared->stop)
        atomic_fetch_add(&shared->broken, 1);
    _exit(0);
}

static pid_t start_contender(const struct bench *bench, bool killed, unsigned seed)
{
    pid_t pid = fork();
    if (pid == 0)
        contend(bench, killed, seed);
    return pid;
}

static void nap(double seconds)
{
    (void)poll(NULL, 0, (int)(1e3 * seconds));
}

struct contended {
    double pairs_per_second;
    double p50_us;
    double p99_us;
    double most_waited_ratio;
};

static int run_contended(struct bench *bench, struct contended *result, struct ff_error *error)
{
    pid_t pids[MOST_PROCESSES];
    struct shared *shared = bench->shared;
    memset(shared, 0, sizeof *shared);
    for (unsigned i = 0; i < bench->processes; i++)
        pids[i] = start_contender(bench, false, i);
    nap(0.5); /* until all have started */
    uint32_t first = shared->pairs;
    double start = now_us();
    nap(bench->seconds);
    uint32_t last = shared->pairs;
    double length = 1e-6 * (now_us() - start);
    shared->stop = true;
    for (unsigned i = 0; i < bench->processes; i++)
        if (pids[i] > 0)
            waitpid(pids[i], NULL, 0);
    if (shared->broken > 0)
        return ff_fail(error, FF_INTERNAL, "%u of %u processes failed", shared->broken,
                       bench->processes);
    if (last > SAMPLES)
        last = SAMPLES;
    if (last <= first)
        return ff_fail(error, FF_INTERNAL, "no device was taken in %.1f s", length);
    uint32_t count = last - first;
    float *waits = shared->waits_us + first;
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += waits[i];
    qsort(waits, count, sizeof waits[0], by_value);
    result->pairs_per_second = count / length;
    result->p50_us = waits[count / 2];
    result->p99_us = waits[(size_t)(0.99 * count)];
    result->most_waited_ratio = waits[count - 1] / (sum / count);
    return 0;
}

/* Devices that are leased, and claims that stand in the queue, although nobody is left. */
static int count_leaks(const struct bench *bench, struct ff_error *error)
{
    struct ff_gpu_info list[FF_GPU_CAPACITY];
    uint32_t waiting = 0;
    struct ff_gpus *gpus = ff_gpus_open(bench->path, error);
    if (gpus == NULL)
        return -1;
    int leaked = 0;
    int count = ff_gpus_list(gpus, list, &waiting, error);
    for (int i = 0; i < count; i++)
        leaked += list[i].leased;
    leaked += (int)waiting;
    struct ff_gpu_lease *lease = NULL;
    struct ff_gpu_claim *claim = ff_gpus_claim(gpus, DEVICES, "all", error);
    if (claim == NULL || ff_gpu_claim_wait(claim, 1000, &lease, error) < 0)
        leaked++;
    ff_gpu_claim_destroy(claim);
    ff_gpu_lease_release(lease);
    ff_gpus_close(gpus);
    return leaked;
}

/* A fork that failed gave -1, which would mean everybody. */
static void kill_contender(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int run_kills(struct bench *bench, int *leaked, struct ff_error *error)
{
    pid_t pids[MOST_PROCESSES] = {0};
    unsigned seed = 1;
    const unsigned count = bench->processes > 0 ? bench->processes : 1;
    struct shared *shared = bench->shared;
    memset(shared, 0, sizeof *shared);
    for (unsigned i = 0; i < bench->processes; i++)
        pids[i] = start_contender(bench, true, i);
    for (unsigned kills = 0; kills < bench->kills; kills++) {
        unsigned i = (unsigned)rand_r(&seed) % count;
        kill_contender(pids[i]);
        pids[i] = start_contender(bench, true, kills + bench->processes);
    }
    for (unsigned i = 0; i < bench->processes; i++)
        kill_contender(pids[i]);
    if (shared->broken > 0)
        return ff_fail(error, FF_INTERNAL, "%u processes failed", shared->broken);
    *leaked = count_leaks(bench, error);
    return *leaked < 0 ? -1 : 0;
}

static int run(struct bench *bench, struct ff_error *error)
{
    double alone_us = 0;
    struct contended contended = {0};
    int leaked = 0;
    struct ff_gpus *gpus = ff_gpus_open(bench->path, error);
    if (gpus == NULL)
        return -1;
    int result = ff_gpus_pretend(gpus, DEVICES, error);
    ff_gpus_close(gpus);
    if (result < 0 || run_alone(bench, &alone_us, error) < 0 ||
        run_contended(bench, &contended, error) < 0 ||
        (bench->kills > 0 && run_kills(bench, &leaked, error) < 0))
        return -1;
    if (bench->json) {
        printf("{\"processes\":%u,\"pairs_per_second\":%.0f,\"uncontended_p50_us\":%.1f,"
               "\"contended_p50_us\":%.1f,\"contended_p99_us\":%.1f,\"most_waited_ratio\":%.2f",
               bench->processes, contended.pairs_per_second, alone_us, contended.p50_us,
               contended.p99_us, contended.most_waited_ratio);
        if (bench->kills > 0)
            printf(",\"kills\":%u,\"pairs_among_kills\":%u,\"leaked\":%d", bench->kills,
                   bench->shared->pairs, leaked);
        printf("}\n");
    } else {
        printf("alone: take + give back %.1f µs (p50)\n", alone_us);
        printf(
            "%u processes, %d devices: %.0f pairs/s; waits p50 %.0f µs, p99 %.0f µs, the longest "
            "%.1f × the mean\n",
            bench->processes, DEVICES, contended.pairs_per_second, contended.p50_us,
            contended.p99_us, contended.most_waited_ratio);
        if (bench->kills > 0)
            printf("%u processes killed: %d devices or claims leaked\n", bench->kills, leaked);
    }
    return leaked == 0 ? 0
                       : ff_fail(error, FF_INTERNAL, "%d devices or claims were leaked", leaked);
}

static int parse(int argc, char **argv, struct bench *bench)
{
    static const struct option known[] = {
        {"json", no_argument, NULL, 'j'},          {"processes", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 's'}, {"kills", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    int option;
    int64_t number = 0;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        bool fine = true;
        if (option == 'j') {
            bench->json = true;
        } else if (option == 'p') {
            fine = ff_text_integer(optarg, 1, MOST_PROCESSES, &number) == 0;
            bench->processes = (unsigned)number;
        } else if (option == 's') {
            fine = ff_text_number(optarg, &bench->seconds) == 0 && bench->seconds > 0;
        } else if (option == 'k') {
            fine = ff_text_integer(optarg, 0, 100000000, &number) == 0;
            bench->kills = (unsigned)number;
        } else {
            fputs(usage, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 2);
        }
        if (!fine) {
            fprintf(stderr, "farfield bench gpu-registry: %s is out of range\n", optarg);
            return -1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {.processes = 64, .seconds = 3};
    struct ff_error error;
    if (parse(argc, argv, &bench) < 0)
        return 2;
    unsetenv("CUDA_VISIBLE_DEVICES"); /* its devices are pretended, so no job's mask is for them */
    unsetenv("SLURM_STEP_GPUS");
    unsetenv("SLURM_JOB_GPUS");
    snprintf(bench.path, sizeof bench.path, "/dev/shm/farfield-bench-gpus-%d", (int)getpid());
    bench.shared =
        mmap(NULL, sizeof *bench.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bench.shared == MAP_FAILED) {
        fprintf(stderr, "farfield bench gpu-registry: no memory\n");
        return 1;
    }
    int result = run(&bench, &error);
    unlink(bench.path);
    if (result == 0)
        return 0;
    fprintf(stderr, "farfield bench gpu-registry: %s\n", error.message);
    return ff_error_exit_status(error.code);
}
