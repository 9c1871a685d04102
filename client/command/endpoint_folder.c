#include "client/command/endpoint_folder.h"

#include "client/command/exec.h"
#include "protocol/core/bytes.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_LENGTH = 40, STATE_LIMIT = 1 << 20 };

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void ff_endpoint_folder_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

int ff_endpoint_folder_names(char ***names, size_t *count, struct ff_error *error)
{
    char *path = ff_home_path(error, "endpoints");
    if (path == NULL)
        return -1;
    DIR *folder = opendir(path);
    free(path);
    char **found = NULL;
    size_t used = 0;
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (!ff_text_is_name(entry->d_name))
            continue;
        char **grown = reallocarray(found, used + 1, sizeof *grown);
        char *name = strdup(entry->d_name);
        if (grown != NULL)
            found = grown;
        if (grown == NULL || name == NULL) {
            free(name);
            closedir(folder);
            ff_endpoint_folder_names_free(found, used);
            return ff_fail(error, FF_NO_MEMORY, "no memory for the list of endpoints");
        }
        found[used++] = name;
    }
    if (folder != NULL)
        closedir(folder);
    if (used > 0)
        qsort(found, used, sizeof *found, compare_names);
    *names = found;
    *count = used;
    return 0;
}

static int not_configured(const char *name, struct ff_error *error)
{
    ff_fail(error, FF_ENDPOINT_NOT_FOUND, "no endpoint '%s' is configured on this host", name);
    char **names = NULL;
    size_t count = 0;
    if (ff_endpoint_folder_names(&names, &count, NULL) < 0)
        return -1;
    const char *nearest = ff_text_nearest(name, (const char *const *)names, count);
    if (nearest != NULL)
        ff_hint(error, "did you mean %s? A new one: farfield endpoint configure %s", nearest, name);
    else
        ff_hint(error, "farfield endpoint configure %s", name);
    ff_endpoint_folder_names_free(names, count);
    return -1;
}

int ff_endpoint_name_check(const char *name, struct ff_error *error)
{
    if (ff_text_is_name(name))
        return 0;
    ff_fail(error, FF_INVALID_ARGUMENT, "'%s' cannot be the name of an endpoint", name);
    return ff_hint(error, "names have 1…64 of A-Z a-z 0-9 . _ - and do not begin with . or -");
}

int ff_endpoint_folder_open(const char *name, struct ff_endpoint_folder *folder,
                            struct ff_error *error)
{
    memset(folder, 0, sizeof *folder);
    if (ff_endpoint_name_check(name, error) < 0)
        return -1;
    folder->path = ff_home_path(error, "endpoints/%s", name);
    if (folder->path == NULL)
        return -1;
    struct stat info;
    if (stat(folder->path, &info) < 0 || !S_ISDIR(info.st_mode))
        return not_configured(name, error);
    char *process = ff_path_join(folder->path, "run/process");
    if (process == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    int result = ff_running_read(process, &folder->running, error);
    free(process);
    return result;
}

void ff_endpoint_folder_dispose(struct ff_endpoint_folder *folder)
{
    free(folder->path);
    folder->path = NULL;
}

json_t *ff_endpoint_folder_state(const struct ff_endpoint_folder *folder)
{
    char *path = ff_path_join(folder->path, "run/state");
    char *text = NULL;
    size_t size = 0;
    json_t *state = NULL;
    if (path != NULL && ff_file_read(path, STATE_LIMIT, &text, &size, NULL) == 0)
        state = json_loadb(text, size, 0, NULL);
    free(text);
    free(path);
    return state;
}

struct warm {
    int64_t blocks, until_ns;
};

static int take_warm(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct warm *warm = user;
    int64_t number;
    (void)line;
    if (ff_text_integer(value, 0, INT64_MAX, &number) < 0)
        return ff_fail(error, FF_INVALID_SETTING, "%s is no number", key);
    if (strcmp(key, "blocks") == 0)
        warm->blocks = number;
    else if (strcmp(key, "until_ns") == 0)
        warm->until_ns = number;
    return 0;
}

void ff_endpoint_folder_add_warm(const struct ff_endpoint_folder *folder, json_t *document)
{
    struct warm warm = {0};
    struct ff_error error;
    char until[FF_TIME_TEXT_SIZE];
    char *path = ff_path_join(folder->path, "warm");
    bool is_set = path != NULL && access(path, F_OK) == 0 &&
                  ff_yaml_read(path, take_warm, &warm, &error) == 0 && warm.blocks > 0 &&
                  warm.until_ns > ff_wall_ns();
    free(path);
    ff_time_text(warm.until_ns, until);
    json_object_set_new(document, "warm_blocks", json_integer(is_set ? warm.blocks : 0));
    json_object_set_new(document, "warm_until", is_set ? json_string(until) : json_null());
}

/* Where the key pair was removed, a new one is made (by the program that has CURVE); the service learns it with the
 * registration that follows. */
static int ensure_key(const struct ff_endpoint_folder *folder, const char *name,
                      struct ff_error *error)
{
    char *path = ff_path_join(folder->path, "curve");
    if (path == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    bool there = access(path, F_OK) == 0 || errno != ENOENT;
    free(path);
    if (there)
        return 0;
    char *program = ff_program_path("farfield-endpoint", error);
    if (program == NULL)
        return -1;
    const char *const argv[] = {program, "key", name, NULL};
    char *printed = NULL;
    int status = 0;
    int result = ff_capture(argv, &printed, &status, error);
    free(printed);
    free(program);
    if (result == 0 && status != 0)
        result = ff_fail(error, FF_IO, "the endpoint's key pair is missing and cannot be made");
    return result;
}

/* The public half of the file `curve`, "PUBLIC SECRET". */
static int read_public_key(const struct ff_endpoint_folder *folder, char key[KEY_LENGTH + 1],
                           struct ff_error *error)
{
    char *path = ff_path_join(folder->path, "curve");
    char *text = NULL;
    size_t size = 0;
    int result = -1;
    if (path == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    } else if (ff_file_read(path, 256, &text, &size, error) == 0) {
        if (size > KEY_LENGTH && text[KEY_LENGTH] == ' ') {
            memcpy(key, text, KEY_LENGTH);
            key[KEY_LENGTH] = '\0';
            result = 0;
        } else {
            ff_fail(error, FF_INPUT_INVALID, "%s does not hold a key pair", path);
        }
        explicit_bzero(text, size);
    }
    free(text);
    free(path);
    return result;
}

static void add_pair(struct ff_buffer *yaml, const char *key, const char *value)
{
    ff_buffer_printf(yaml, "%s: ", key);
    ff_yaml_quote(yaml, value);
    ff_buffer_append_text(yaml, "\n");
}

static int write_registration(const struct ff_endpoint_folder *folder, const json_t *reply,
                              struct ff_error *error)
{
    static const char *const keys[] = {"endpoint_id", "router", "router_key"};
    struct ff_buffer yaml;
    ff_buffer_init(&yaml, 4096);
    char *path = ff_path_join(folder->path, "registration");
    int result = path != NULL ? 0 : ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    for (size_t i = 0; result == 0 && i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = json_string_value(json_object_get(reply, keys[i]));
        if (value == NULL)
            result = ff_fail(error, FF_PROTOCOL,
                             "the service registered the endpoint and did not "
                             "tell its %s",
                             keys[i]);
        else
            add_pair(&yaml, keys[i], value);
    }
    if (result == 0)
        result = ff_buffer_check(&yaml, "the registration", error);
    if (result == 0)
        result = ff_file_write(path, ff_buffer_span(&yaml), 0600, error);
    ff_buffer_dispose(&yaml);
    free(path);
    return result;
}

int ff_endpoint_folder_register(struct ff_session *session, const char *name,
                                const struct ff_endpoint_folder *folder, json_t **reply,
                                struct ff_error *error)
{
    char key[KEY_LENGTH + 1];
    json_t *answer = NULL;
    if (ensure_key(folder, name, error) < 0 || read_public_key(folder, key, error) < 0 ||
        ff_endpoint_register(session, name, key, &answer, error) < 0)
        return -1;
    if (write_registration(folder, answer, error) < 0) {
        json_decref(answer);
        return -1;
    }
    *reply = answer;
    return 0;
}
