#include "client/command/preview.h"

#include "client/command/output.h"
#include "client/command/parse.h"
#include "client/farfield.h"
#include "protocol/core/bytes.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"

#include <stdlib.h>
#include <string.h>

const struct ff_command_option ff_preview_options[] = {
    {"output", 'o', "FILE", "where to save it (its own name, in this folder)"},
    {NULL, '\0', NULL, NULL},
};

/* The name asked for, or the only one that there is; borrowed from `task` or the command line. */
static const char *choose_name(const json_t *task, const char *asked, struct ff_error *error)
{
    const json_t *names = json_object_get(task, "previews");
    size_t count = json_array_size(names);
    if (count == 0) {
        ff_fail(error, FF_NOT_FOUND, "the task has published no preview");
        ff_hint(error, "a reconstruction does every preview_every epochs, while it runs");
        return NULL;
    }
    struct ff_buffer list;
    ff_buffer_init(&list, FF_ERROR_HINT_SIZE);
    const char *found =
        asked == NULL && count == 1 ? json_string_value(json_array_get(names, 0)) : NULL;
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name == NULL)
            continue;
        ff_buffer_printf(&list, "%s%s", i > 0 ? ", " : "", name);
        if (asked != NULL && strcmp(name, asked) == 0)
            found = name;
    }
    if (found == NULL && asked != NULL)
        ff_fail(error, FF_NOT_FOUND, "the task has no preview '%.64s'", asked);
    else if (found == NULL)
        ff_fail(error, FF_INVALID_ARGUMENT, "the task has several previews; name one");
    if (found == NULL)
        ff_hint(error, "it has: %s", ff_buffer_text(&list));
    ff_buffer_dispose(&list);
    return found;
}

static int save(struct ff_session *session, const struct ff_invocation *invocation,
                const char *name, struct ff_error *error)
{
    const char *output = ff_given_text(invocation, "output");
    const char *path = output != NULL ? output : name;
    char *data = NULL;
    size_t size = 0;
    if (!ff_text_is_name(name))
        return ff_fail(error, FF_PROTOCOL, "the service names a preview '%.64s'", name);
    if (ff_task_preview(session, invocation->operands[0], name, &data, &size, error) < 0)
        return -1;
    int result = ff_file_write(path, (struct ff_span){data, size}, 0644, error);
    free(data);
    if (result < 0)
        return -1;
    if (invocation->json) {
        json_t *line = json_pack("{s:s, s:s, s:I}", "preview", name, "output", path, "bytes",
                                 (json_int_t)size);
        result = ff_output_json(line, error);
        json_decref(line);
        return result;
    }
    char text[32];
    ff_text_bytes(size, text, sizeof text);
    printf("%s (%s)\n", path, text);
    return 0;
}

int ff_preview_save(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *task = NULL;
    int result = ff_task_show(session, invocation->operands[0], 0, &task, error);
    const char *asked = invocation->operand_count > 1 ? invocation->operands[1] : NULL;
    const char *name = result == 0 ? choose_name(task, asked, error) : NULL;
    result = name != NULL ? save(session, invocation, name, error) : -1;
    json_decref(task);
    ff_session_close(session);
    return result;
}
