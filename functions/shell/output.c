#include "functions/shell/output.h"

#include "protocol/core/bytes.h"
#include "protocol/core/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    HALF = FF_SHELL_KEPT / 2,
    LINE_SIZE = 2000,
    LAST_SIZE = 200,
    MANY_LINES = 32, /* in one piece: they are logged together */
};

struct ff_shell_output {
    struct ff_call *call;
    enum ff_call_log_level level;
    uint64_t bytes;
    char head[HALF]; /* the first HALF bytes */
    char tail[HALF]; /* a ring of the bytes behind them */
    char line[LINE_SIZE + 1];
    size_t line_used;
    char last[LAST_SIZE + 1];
};

struct ff_shell_output *ff_shell_output_create(struct ff_call *call, enum ff_call_log_level level)
{
    struct ff_shell_output *output = calloc(1, sizeof *output);
    if (output == NULL)
        return NULL;
    output->call = call;
    output->level = level;
    return output;
}

static void end_line(struct ff_shell_output *output)
{
    if (output->line_used > 0 && output->line[output->line_used - 1] == '\n')
        output->line_used--;
    if (output->line_used == 0)
        return;
    output->line[output->line_used] = '\0';
    ff_call_log(output->call, output->level, output->line);
    const char *newline = memrchr(output->line, '\n', output->line_used);
    const char *last = newline != NULL ? newline + 1 : output->line;
    size_t kept = strnlen(last, LAST_SIZE);
    memcpy(output->last, last, kept);
    output->last[kept] = '\0';
    output->line_used = 0;
}

static void keep(struct ff_shell_output *output, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++, output->bytes++) {
        if (output->bytes < HALF)
            output->head[output->bytes] = data[i];
        else
            output->tail[(output->bytes - HALF) % HALF] = data[i];
    }
}

static size_t count_lines(const char *data, size_t size)
{
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

/* Another line follows in this piece, and there is room for it. */
static void join_line(struct ff_shell_output *output)
{
    if (output->line_used > 0 && output->line[output->line_used - 1] != '\n')
        output->line[output->line_used++] = '\n';
}

/* A message a line would hold up a command that says a million short lines. */
void ff_shell_output_add(struct ff_shell_output *output, const char *data, size_t size)
{
    keep(output, data, size);
    size_t lines = count_lines(data, size);
    bool together = lines > MANY_LINES;
    for (size_t i = 0; i < size; i++) {
        bool ends = data[i] == '\n';
        lines -= ends;
        if (ends && together && lines > 0 && output->line_used < LINE_SIZE / 2)
            join_line(output);
        else if (ends || output->line_used == LINE_SIZE)
            end_line(output);
        if (!ends && data[i] != '\0')
            output->line[output->line_used++] = data[i];
    }
}

/* Appends with every byte that is not part of a valid sequence replaced. */
static void append_as_utf8(struct ff_buffer *text, const char *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = ff_text_sequence(data + at, size - at);
        if (length == 0) {
            ff_buffer_append_text(text, "\xef\xbf\xbd");
            at++;
        } else {
            ff_buffer_append(text, data + at, length);
            at += length;
        }
    }
}

json_t *ff_shell_output_json(const struct ff_shell_output *output)
{
    struct ff_buffer text;
    ff_buffer_init(&text, 4 * FF_SHELL_KEPT);
    uint64_t behind = output->bytes > HALF ? output->bytes - HALF : 0;
    append_as_utf8(&text, output->head, (size_t)(output->bytes - behind));
    if (behind > HALF) {
        size_t start = (size_t)(behind % HALF);
        ff_buffer_printf(&text, "\n[… %llu bytes dropped …]\n",
                         (unsigned long long)(behind - HALF));
        append_as_utf8(&text, output->tail + start, HALF - start);
        append_as_utf8(&text, output->tail, start);
    } else {
        append_as_utf8(&text, output->tail, (size_t)behind);
    }
    json_t *json = json_stringn(ff_buffer_text(&text), text.size);
    ff_buffer_dispose(&text);
    return json != NULL ? json : json_null();
}

uint64_t ff_shell_output_bytes(const struct ff_shell_output *output)
{
    return output->bytes;
}

const char *ff_shell_output_last_line(const struct ff_shell_output *output)
{
    return output->last;
}

void ff_shell_output_end(struct ff_shell_output *output)
{
    end_line(output);
}

void ff_shell_output_destroy(struct ff_shell_output *output)
{
    free(output);
}
