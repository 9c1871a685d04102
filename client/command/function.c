/* farfield function register|list|show|delete */
#include "client/command/listing.h"
#include "client/command/output.h"
#include "client/command/parse.h"
#include "client/farfield.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHIPPED_MAX = 64 };

/* Names of the functions in `folder`, without .so; the caller frees each. */
static size_t list_shipped(const char *folder, char *names[SHIPPED_MAX])
{
    DIR *open_folder = opendir(folder);
    size_t count = 0;
    struct dirent *entry;
    while (open_folder != NULL && count < SHIPPED_MAX && (entry = readdir(open_folder)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0 &&
            (names[count] = strndup(entry->d_name, length - 3)) != NULL)
            count++;
    }
    if (open_folder != NULL)
        closedir(open_folder);
    return count;
}

static int no_such_shipped(const char *folder, const char *name, struct ff_error *error)
{
    char *names[SHIPPED_MAX];
    size_t count = list_shipped(folder, names);
    const char *nearest = ff_text_nearest(name, (const char *const *)names, count);
    ff_fail(error, FF_INPUT_MISSING,
            "there is neither a file %s nor a shipped function of that "
            "name",
            name);
    if (nearest != NULL) {
        ff_hint(error, "did you mean --native %s?", nearest);
    } else {
        char all[256] = "";
        size_t used = 0;
        for (size_t i = 0; i < count && used < sizeof all; i++)
            used += (size_t)snprintf(all + used, sizeof all - used, " %s", names[i]);
        ff_hint(error, "name a shared object, or a shipped function:%s", all);
    }
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    return -1;
}

/* The file of --native: a path; or a bare name without a file of that name, which means a shipped function. */
static char *find_native(const char *given, struct ff_error *error)
{
    struct stat info;
    if (strchr(given, '/') != NULL || stat(given, &info) == 0) {
        char *path = strdup(given);
        if (path == NULL)
            ff_fail(error, FF_NO_MEMORY, "no memory for a path");
        return path;
    }
    char *folder = ff_function_folder(error);
    if (folder == NULL)
        return NULL;
    char *path = NULL;
    if (asprintf(&path, "%s/%s.so", folder, given) < 0) {
        path = NULL;
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    } else if (access(path, R_OK) < 0) {
        no_such_shipped(folder, given, error);
        free(path);
        path = NULL;
    }
    free(folder);
    return path;
}

/* A shared object begins with 0x7f "ELF"; anything else would be refused by every node, one after the other. */
static int check_native(const char *path, struct ff_error *error)
{
    struct stat info;
    char start[4] = "";
    FILE *file = NULL;
    int opened = 0;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        opened = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    else if ((file = fopen(path, "rbe")) == NULL)
        opened = errno;
    size_t got = file != NULL ? fread(start, 1, sizeof start, file) : 0;
    if (file != NULL)
        fclose(file);
    if (file == NULL) {
        ff_fail_errno(error, FF_INPUT_MISSING, opened, "cannot open %s as a file", path);
        return ff_hint(error, "name a shared object (FILE.so), or a function that is shipped");
    }
    if (got == sizeof start && memcmp(start, "\177ELF", sizeof start) == 0)
        return 0;
    ff_fail(error, FF_FUNCTION_INVALID, "%s is not a shared object", path);
    return ff_hint(error, "build it with: cc -shared -fPIC -I PREFIX/include/farfield; the header "
                          "function.h there says how");
}

static int check_kind(const struct ff_invocation *invocation, struct ff_error *error)
{
    int kinds = (int)ff_given(invocation, "native") + (int)ff_given(invocation, "shell") +
                (int)ff_given(invocation, "python");
    if (kinds != 1) {
        ff_fail(error, FF_INVALID_ARGUMENT,
                "`farfield function register` needs one of --native FILE.so and --shell CMD");
        return ff_hint(error, "farfield function register --help");
    }
    if (ff_given(invocation, "python")) {
        ff_fail(error, FF_UNSUPPORTED, "Python functions are coming; this version cannot run them");
        return ff_hint(error, "until then: --shell 'python3 /path/of/script.py {argument}'");
    }
    return 0;
}

static int print_registered(const struct ff_invocation *invocation, const json_t *function,
                            struct ff_error *error)
{
    if (invocation->json)
        return ff_output_json(function, error);
    printf("function %s is registered: %s\n", invocation->operands[0],
           ff_output_text_of(function, "function_uuid"));
    return 0;
}

static int register_with(const struct ff_invocation *invocation, const char *native,
                         json_t **function, struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    const char *name = invocation->operands[0];
    const char *description = ff_given_text(invocation, "description");
    int result =
        native != NULL
            ? ff_function_register_native(session, name, native, description, function, error)
            : ff_function_register_shell(session, name, ff_given_text(invocation, "shell"),
                                         description, function, error);
    ff_session_close(session);
    return result;
}

static int run_register(const struct ff_invocation *invocation, struct ff_error *error)
{
    if (check_kind(invocation, error) < 0)
        return -1;
    char *native = NULL;
    const char *given = ff_given_text(invocation, "native");
    if (given != NULL && (native = find_native(given, error)) == NULL)
        return -1;
    json_t *function = NULL;
    int result = native != NULL ? check_native(native, error) : 0;
    if (result == 0)
        result = register_with(invocation, native, &function, error);
    if (result == 0)
        result = print_registered(invocation, function, error);
    json_decref(function);
    free(native);
    return result;
}

static int add_row(struct ff_table *table, const json_t *function, struct ff_error *error)
{
    char size[32] = "";
    char created[FF_SHORT_TIME_SIZE];
    const json_t *bytes = json_object_get(function, "size");
    ff_output_time(ff_output_text_of(function, "created"), created);
    if (json_is_integer(bytes))
        ff_text_bytes((uint64_t)json_integer_value(bytes), size, sizeof size);
    const char *const cells[] = {ff_output_text_of(function, "function_name"),
                                 ff_output_text_of(function, "kind"), size, created,
                                 ff_output_text_of(function, "function_uuid")};
    return ff_table_add(table, cells, error);
}

static int run_list(const struct ff_invocation *invocation, struct ff_error *error)
{
    static const char *const titles[] = {"NAME", "KIND", "SIZE", "CREATED", "ID"};
    static const struct ff_listing listing = {
        .fetch = ff_function_list,
        .entries = "functions",
        .titles = titles,
        .columns = 5,
        .row = add_row,
        .nothing = "no functions are registered; the first: farfield function register echo "
                   "--native echo"};
    return ff_listing_run(&listing, invocation, error);
}

static void print_function(const json_t *function)
{
    char size[32] = "";
    const json_t *bytes = json_object_get(function, "size");
    if (json_is_integer(bytes))
        ff_text_bytes((uint64_t)json_integer_value(bytes), size, sizeof size);
    ff_output_field(stdout, "function", ff_output_text_of(function, "function_name"));
    ff_output_field(stdout, "id", ff_output_text_of(function, "function_uuid"));
    ff_output_field(stdout, "kind", ff_output_text_of(function, "kind"));
    ff_output_field(stdout, "about", ff_output_text_of(function, "description"));
    ff_output_field(stdout, "owner", ff_output_text_of(function, "owner"));
    char created[FF_SHORT_TIME_SIZE];
    ff_output_time(ff_output_text_of(function, "created"), created);
    ff_output_field(stdout, "created", created);
    ff_output_field(stdout, "SHA-256", ff_output_text_of(function, "digest"));
    ff_output_field(stdout, "size", size);
    if (strcmp(ff_output_text_of(function, "kind") != NULL ? ff_output_text_of(function, "kind")
                                                           : "",
               "native") != 0)
        ff_output_field(stdout, "code", ff_output_text_of(function, "function_code"));
}

static int run_show(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *function = NULL;
    int result = ff_function_show(session, invocation->operands[0], &function, error);
    if (result == 0 && invocation->json)
        result = ff_output_json(function, error);
    else if (result == 0)
        print_function(function);
    json_decref(function);
    ff_session_close(session);
    return result;
}

static int run_delete(const struct ff_invocation *invocation, struct ff_error *error)
{
    static const struct ff_removal removal = {ff_function_delete, "function", "function",
                                              "deleted"};
    return ff_removal_run(&removal, invocation, error);
}

static const struct ff_command_option register_options[] = {
    {"native", '\0', "FILE.so", "a shared object, or the bare name of a function that is shipped"},
    {"shell", '\0', "CMD", "a command for /bin/sh, in which {key} stands for an argument"},
    {"python", '\0', "FILE:FUNC", "a Python function (coming)"},
    {"description", '\0', "TEXT", "what it does"},
    {NULL, '\0', NULL, NULL},
};

const struct ff_command ff_function_commands[] = {
    {.group = "function",
     .name = "register",
     .operands = "NAME",
     .least = 1,
     .most = 1,
     .summary = "give a function to the service, so that every endpoint can run it",
     .details =
         "The bytes are kept by their SHA-256. Registering a name again makes a new function;\n"
         "ids of older ones stay valid.",
     .options = register_options,
     .examples = "  farfield function register reconstruct --native reconstruct\n"
                 "  farfield function register mine --native ./mine.so --description 'my fit'\n"
                 "  farfield function register greet --shell 'echo hello {name}'\n",
     .run = run_register},
    {.group = "function",
     .name = "list",
     .operands = "",
     .summary = "list the registered functions",
     .examples = "  farfield function list\n",
     .run = run_list},
    {.group = "function",
     .name = "show",
     .operands = "FUNCTION",
     .least = 1,
     .most = 1,
     .summary = "tell about a function, by name or id",
     .examples = "  farfield function show reconstruct\n",
     .run = run_show},
    {.group = "function",
     .name = "delete",
     .operands = "FUNCTION",
     .least = 1,
     .most = 1,
     .summary = "take a function away from the service",
     .examples = "  farfield function delete greet\n",
     .run = run_delete},
    {.name = NULL},
};
