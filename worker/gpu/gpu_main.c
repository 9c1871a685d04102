/* farfield-gpu: what the GPU registry of this node holds; and pretend devices for tests. */
#include "protocol/core/bytes.h"
#include "protocol/core/clock.h"
#include "protocol/core/text.h"
#include "worker/gpu/registry.h"
#include "worker/gpu/use.h"

#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: farfield gpu list [--json] [--registry FILE]\n"
    "       farfield gpu pretend N [--registry FILE]\n"
    "\n"
    "list     the GPUs of this node, who holds them, and whether reconstructions can use them\n"
    "pretend  enters N devices that are not there into the registry (0 removes them), for tests:\n"
    "         they are leased like real ones; (0,1), (2,3), … are linked as by NVLink\n"
    "\n"
    "The registry is $FARFIELD_GPU_REGISTRY, or " FF_GPU_DEFAULT_PATH
    "; %n in it is the node's name.\n"
    "\n"
    "examples: farfield gpu list --json\n"
    "          farfield gpu pretend 4 --registry /dev/shm/mytest\n";

struct options {
    bool json;
    const char *registry;
};

static void user_name(uint32_t uid, char *text, size_t size)
{
    const struct passwd *entry = getpwuid(uid);
    if (entry != NULL)
        snprintf(text, size, "%s", entry->pw_name);
    else
        snprintf(text, size, "%u", uid);
}

/* Names come from the driver, tasks from other users: what is not plain text is shown as a question mark. */
static const char *plain(const char *from, char text[FF_GPU_TEXT])
{
    size_t used = 0;
    for (; *from != '\0' && used < FF_GPU_TEXT - 1; from++)
        text[used++] = *from >= ' ' && *from < 127 && *from != '"' && *from != '\\' ? *from : '?';
    text[used] = '\0';
    return text;
}

static void print_json(const struct ff_gpu_info *list, int count, uint32_t waiting,
                       const char *path)
{
    char text[3][FF_GPU_TEXT];
    printf("{\"registry\":\"%s\",\"waiting\":%u,\"devices\":[", path, waiting);
    for (int i = 0; i < count; i++) {
        const struct ff_gpu_entry *entry = &list[i].entry;
        printf("%s{\"uuid\":\"%s\",\"name\":\"%s\",\"minor\":%u,\"pretend\":%s,\"allowed\":%s,"
               "\"free\":%s,\"holder\":",
               i > 0 ? "," : "", plain(entry->uuid, text[0]), plain(entry->name, text[1]),
               entry->minor, (entry->flags & FF_GPU_PRETEND) != 0 ? "true" : "false",
               list[i].allowed ? "true" : "false", list[i].leased ? "false" : "true");
        if (list[i].leased) {
            char user[FF_GPU_TEXT];
            char since[FF_TIME_TEXT_SIZE];
            user_name(entry->holder.uid, user, sizeof user);
            ff_time_text(entry->holder.since_ns, since);
            printf("{\"pid\":%d,\"alive\":%s,\"user\":\"%s\",\"task\":\"%s\",\"since\":\"%s\"}}",
                   entry->holder.pid, list[i].holder_alive ? "true" : "false", plain(user, text[0]),
                   plain(entry->holder.task, text[2]), since);
        } else {
            printf("null}");
        }
    }
    printf("]");
}

static void print_table(const struct ff_gpu_info *list, int count, uint32_t waiting)
{
    char text[2][FF_GPU_TEXT];
    if (count == 0) {
        printf("no GPUs on this node\n");
        return;
    }
    printf("%-42s %-24s %s\n", "UUID", "NAME", "HELD BY");
    for (int i = 0; i < count; i++) {
        const struct ff_gpu_entry *entry = &list[i].entry;
        char held[256] = "free";
        if (list[i].leased) {
            char user[FF_GPU_TEXT];
            char age[64];
            user_name(entry->holder.uid, user, sizeof user);
            ff_text_duration(1e-9 * (double)(ff_wall_ns() - entry->holder.since_ns), age,
                             sizeof age);
            snprintf(held, sizeof held, "%s, process %d%s, for %s, task %s", user,
                     entry->holder.pid, list[i].holder_alive ? "" : " (gone; its runner goes on)",
                     age, plain(entry->holder.task, text[0]));
        } else if (!list[i].allowed) {
            snprintf(held, sizeof held, "free, but not this job's");
        }
        printf("%-42s %-24s %s\n", entry->uuid, plain(entry->name, text[1]), held);
    }
    if (waiting > 0)
        printf("%u claim%s wait%s\n", waiting, waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
}

static int list_devices(struct ff_gpus *gpus, const struct options *options, struct ff_error *error)
{
    struct ff_gpu_info list[FF_GPU_CAPACITY];
    uint32_t waiting;
    int count = ff_gpus_list(gpus, list, &waiting, error);
    if (count < 0)
        return -1;
    if (options->json) {
        print_json(list, count, waiting, ff_gpus_path(gpus));
        printf(",\"cuda\":");
    } else {
        print_table(list, count, waiting);
        printf("for reconstructions:\n");
    }
    if (ff_gpu_use_print(options->json, error) < 0)
        return -1;
    if (options->json)
        printf("}\n");
    return 0;
}

static bool is_known(const char *verb)
{
    return strcmp(verb, "list") == 0 || strcmp(verb, "pretend") == 0;
}

static int act(int argc, char **argv, const struct options *options, struct ff_error *error)
{
    int64_t count = 0;
    bool is_list = argc == 1 && strcmp(argv[0], "list") == 0;
    bool is_pretend = argc == 2 && strcmp(argv[0], "pretend") == 0;
    if (!is_list && !is_pretend) {
        if (argc == 0)
            ff_fail(error, FF_INVALID_ARGUMENT, "`farfield gpu` needs a verb");
        else
            ff_fail(error, FF_INVALID_ARGUMENT, "`farfield gpu` cannot make sense of '%s'",
                    is_known(argv[0]) && argc > 1 ? argv[argc - 1] : argv[0]);
        return ff_hint(error, "farfield gpu list, or farfield gpu --help");
    }
    if (is_pretend && ff_text_integer(argv[1], 0, FF_GPU_CAPACITY, &count) < 0)
        return ff_fail(error, FF_INVALID_ARGUMENT, "pretend takes a number of 0…%d, not %s",
                       FF_GPU_CAPACITY, argv[1]);
    struct ff_gpus *gpus = ff_gpus_open(options->registry, error);
    if (gpus == NULL)
        return -1;
    int result = is_list ? list_devices(gpus, options, error)
                         : ff_gpus_pretend(gpus, (uint32_t)count, error);
    ff_gpus_close(gpus);
    return result;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"registry", required_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    const char *registry = getenv("FARFIELD_GPU_REGISTRY");
    struct options options = {false, registry != NULL ? registry : FF_GPU_DEFAULT_PATH};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'j') {
            options.json = true;
        } else if (option == 'r') {
            options.registry = optarg;
        } else {
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    struct ff_error error;
    if (act(argc - optind, argv + optind, &options, &error) == 0)
        return 0;
    fprintf(stderr, "farfield gpu: %s\n", error.message);
    if (error.hint[0] != '\0')
        fprintf(stderr, "  %s\n", error.hint);
    return ff_error_exit_status(error.code);
}
