#include "worker/gpu/devices.h"

#include "protocol/core/text.h"
#include "worker/gpu/links.h"
#include "worker/gpu/nvml.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- without NVML: /proc/driver/nvidia/gpus/BUS/information ---- */

static void read_information(const char *bus, struct ff_gpu_entry *entry)
{
    char path[384];
    snprintf(path, sizeof path, "/proc/driver/nvidia/gpus/%s/information", bus);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    char line[256];
    while (fgets(line, sizeof line, file) != NULL) {
        char *value = strchr(line, ':');
        if (value == NULL)
            continue;
        *value++ = '\0';
        value += strspn(value, " \t");
        value[strcspn(value, "\n")] = '\0';
        int64_t minor;
        if (strcmp(line, "Model") == 0)
            snprintf(entry->name, sizeof entry->name, "%.63s", value);
        else if (strcmp(line, "GPU UUID") == 0)
            snprintf(entry->uuid, sizeof entry->uuid, "%.63s", value);
        else if (strcmp(line, "Device Minor") == 0 &&
                 ff_text_integer(value, 0, 1 << 16, &minor) == 0)
            entry->minor = (uint32_t)minor;
    }
    fclose(file);
}

static void find_in_proc(struct ff_gpu_devices *devices)
{
    struct dirent **names = NULL;
    int count = scandir("/proc/driver/nvidia/gpus", &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.' && devices->count < FF_GPU_CAPACITY) {
            struct ff_gpu_entry *entry = &devices->entries[devices->count];
            read_information(names[i]->d_name, entry);
            /* Until the driver has touched a device its UUID reads as question marks. */
            if (entry->uuid[0] != '\0' && strchr(entry->uuid, '?') == NULL)
                devices->count++;
            else
                memset(entry, 0, sizeof *entry);
        }
        free(names[i]);
    }
    free(names);
}

void ff_gpu_devices_find(struct ff_gpu_devices *devices)
{
    memset(devices, 0, sizeof *devices);
    if (ff_nvml_find(devices) < 0)
        find_in_proc(devices);
}

void ff_gpu_devices_pretend(uint32_t count, struct ff_gpu_devices *devices)
{
    memset(devices, 0, sizeof *devices);
    devices->count = count < FF_GPU_CAPACITY ? count : FF_GPU_CAPACITY;
    for (uint32_t i = 0; i < devices->count; i++) {
        struct ff_gpu_entry *entry = &devices->entries[i];
        snprintf(entry->uuid, sizeof entry->uuid, "GPU-00000000-0000-4000-8000-%012x", i);
        snprintf(entry->name, sizeof entry->name, "pretend %u", i);
        entry->flags = FF_GPU_PRETEND;
        entry->minor = i;
        for (uint32_t j = 0; j < devices->count; j++)
            devices->links[i][j] = i / 2 == j / 2 ? FF_GPU_LINK_NVLINK : FF_GPU_LINK_HOST;
    }
}

/* ---- the job's mask ---- */

const char *ff_gpu_mask_of_job(void)
{
    static const char *const names[] = {"CUDA_VISIBLE_DEVICES", "SLURM_STEP_GPUS",
                                        "SLURM_JOB_GPUS"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL)
            return value;
    }
    return NULL;
}

static int device_of(const char *text, const struct ff_gpu_table *table, const uint32_t *visible,
                     uint32_t visible_count)
{
    int64_t number;
    if (ff_text_integer(text, 0, FF_GPU_CAPACITY - 1, &number) == 0)
        return number < visible_count ? (int)visible[number] : -1;
    if (strncasecmp(text, "GPU-", 4) != 0 && strncasecmp(text, "MIG-", 4) != 0)
        return -1;
    int found = -1;
    for (uint32_t i = 0; i < visible_count; i++) {
        if (strncasecmp(text, table->devices[visible[i]].uuid, strlen(text)) != 0)
            continue;
        if (found >= 0)
            return -1; /* a beginning that two devices share names none */
        found = (int)visible[i];
    }
    return found;
}

uint32_t ff_gpu_mask_parse(const char *mask, const struct ff_gpu_table *table,
                           const uint32_t *visible, uint32_t visible_count)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; mask == NULL && i < visible_count; i++)
        bits |= 1u << visible[i];
    if (mask == NULL)
        return bits;
    for (const char *from = mask; *from != '\0';) {
        char text[FF_GPU_TEXT];
        size_t length = strcspn(from, ",");
        while (length > 0 && isspace((unsigned char)*from))
            from++, length--;
        if (length == 0 || length >= sizeof text)
            break;
        memcpy(text, from, length);
        text[length] = '\0';
        int device = device_of(text, table, visible, visible_count);
        if (device < 0)
            break;
        bits |= 1u << device;
        from += length;
        from += *from == ',';
    }
    return bits;
}
