#include "client/command/output.h"

#include "protocol/core/clock.h"
#include "protocol/core/json_text.h"
#include "protocol/core/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FIELD_WIDTH = 12, REDRAW_NS = 50000000 };

const char *ff_output_text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void put(FILE *stream, const char *text)
{
    ff_text_print(stream, text, strlen(text));
}

void ff_output_error(const struct ff_error *error)
{
    ff_progress_clear();
    fputs("farfield: ", stderr);
    put(stderr, error->message[0] != '\0' ? error->message : ff_error_text(error->code));
    fputc('\n', stderr);
    if (error->hint[0] == '\0')
        return;
    fputs("  ", stderr);
    put(stderr, error->hint);
    fputc('\n', stderr);
}

void ff_output_json_error(const struct ff_error *error, bool line)
{
    json_t *inner = json_pack("{s:s, s:s, s:s}", "code", ff_error_name(error->code), "message",
                              error->message, "hint", error->hint);
    json_t *document = json_pack("{s:o}", "error", inner);
    if (line)
        json_object_set_new(document, "type", json_string("error"));
    struct ff_error ignored; /* standard output is gone: the error stands on standard error */
    if (document != NULL && ff_output_json_line(document, &ignored) < 0)
        clearerr(stdout);
    json_decref(document);
}

int ff_output_flush(struct ff_error *error)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    clearerr(stdout);
    if (errno == EPIPE)
        return ff_fail(error, FF_OUTPUT_FAILED, "nobody reads standard output any more");
    return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write to standard output");
}

static int print_json(const json_t *value, bool indented, struct ff_error *error)
{
    if (value == NULL || ff_json_print(value, indented, stdout) < 0)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the output");
    fputc('\n', stdout);
    return ff_output_flush(error);
}

int ff_output_json(const json_t *value, struct ff_error *error)
{
    return print_json(value, isatty(STDOUT_FILENO), error);
}

int ff_output_json_line(const json_t *value, struct ff_error *error)
{
    return print_json(value, false, error);
}

struct ff_table {
    size_t columns;
    size_t rows; /* the header is the first */
    size_t room;
    char **cells;
};

size_t ff_output_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xc0) != 0x80)
            width++;
    return width;
}

int ff_table_add(struct ff_table *table, const char *const *cells, struct ff_error *error)
{
    if (table->rows == table->room) {
        size_t room = table->room > 0 ? 2 * table->room : 16;
        char **grown = reallocarray(table->cells, room * table->columns, sizeof *grown);
        if (grown == NULL)
            return ff_fail(error, FF_NO_MEMORY, "no memory for the table");
        table->cells = grown;
        table->room = room;
    }
    char **row = table->cells + table->rows * table->columns;
    for (size_t i = 0; i < table->columns; i++) {
        row[i] = strdup(cells[i] != NULL && cells[i][0] != '\0' ? cells[i] : "-");
        if (row[i] == NULL) {
            while (i > 0)
                free(row[--i]);
            return ff_fail(error, FF_NO_MEMORY, "no memory for the table");
        }
    }
    table->rows++;
    return 0;
}

struct ff_table *ff_table_create(const char *const *titles, size_t columns, struct ff_error *error)
{
    struct ff_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the table");
        return NULL;
    }
    table->columns = columns;
    if (ff_table_add(table, titles, error) == 0)
        return table;
    ff_table_destroy(table);
    return NULL;
}

void ff_table_destroy(struct ff_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

void ff_table_print(const struct ff_table *table, FILE *stream)
{
    for (size_t row = 0; row < table->rows; row++) {
        for (size_t column = 0; column < table->columns; column++) {
            const char *cell = table->cells[row * table->columns + column];
            put(stream, cell);
            if (column + 1 == table->columns)
                break;
            size_t widest = 0;
            for (size_t i = 0; i < table->rows; i++) {
                size_t width = ff_output_width(table->cells[i * table->columns + column]);
                widest = width > widest ? width : widest;
            }
            for (size_t pad = ff_output_width(cell); pad < widest + 2; pad++)
                fputc(' ', stream);
        }
        fputc('\n', stream);
    }
}

void ff_output_field(FILE *stream, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    fprintf(stream, "%-*s  ", FIELD_WIDTH, name);
    put(stream, value);
    fputc('\n', stream);
}

void ff_output_time(const char *time, char text[FF_SHORT_TIME_SIZE])
{
    if (time == NULL || strlen(time) < 19) {
        snprintf(text, FF_SHORT_TIME_SIZE, "-");
        return;
    }
    snprintf(text, FF_SHORT_TIME_SIZE, "%.10s %.8sZ", time, time + 11);
}

static bool progress_drawn;
static int64_t progress_drawn_ns;

bool ff_progress_shown(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && (term == NULL || strcmp(term, "dumb") != 0);
}

int ff_output_columns(int file)
{
    struct winsize window;
    return ioctl(file, TIOCGWINSZ, &window) == 0 && window.ws_col > 10 ? window.ws_col : 80;
}

/* Cut to the width of the terminal, so that it stays one line. */
static size_t fitting(const char *text)
{
    size_t columns = (size_t)ff_output_columns(STDERR_FILENO);
    size_t at = 0;
    for (size_t width = 0; text[at] != '\0'; at++)
        if (((unsigned char)text[at] & 0xc0) != 0x80 && ++width >= columns)
            break;
    return at;
}

void ff_progress_show(const char *text)
{
    int64_t now_ns = ff_monotonic_ns();
    if (!ff_progress_shown() || (progress_drawn && now_ns - progress_drawn_ns < REDRAW_NS))
        return;
    fputs("\r\033[K", stderr);
    ff_text_print(stderr, text, fitting(text));
    fflush(stderr);
    progress_drawn = true;
    progress_drawn_ns = now_ns;
}

void ff_progress_clear(void)
{
    if (!progress_drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress_drawn = false;
}

void ff_progress_bar(double fraction, int width, char *text, size_t size)
{
    double bounded = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
    int filled = (int)(bounded * width + 0.5);
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < width && used + 4 < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s", i < filled ? "━" : "─");
}
