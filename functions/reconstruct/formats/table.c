#include "functions/reconstruct/formats/table.h"

#include "functions/reconstruct/formats/memory_file.h"
#include "protocol/core/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 256 << 20, COLUMNS_MAX = 256, HEADING_SIZE = 64 };

static const char separators[] = ",; \t\r";

struct table {
    const char *path;
    size_t columns, rows;
    double *values; /* (rows, columns); room for `room` rows */
    size_t room;
    char headings[COLUMNS_MAX][HEADING_SIZE];
    size_t heading_count;
};

/* The numbers of a line, at most COLUMNS_MAX; 0 when one of its words is none. */
static size_t parse_line(const char *line, double values[COLUMNS_MAX])
{
    size_t count = 0;
    for (const char *at = line + strspn(line, separators); *at != '\0';
         at += strspn(at, separators)) {
        char *end;
        if (count == COLUMNS_MAX)
            return 0;
        values[count++] = strtod(at, &end);
        if (end == at || (*end != '\0' && strchr(separators, *end) == NULL))
            return 0;
        at = end;
    }
    return count;
}

/* The last line above the numbers, with or without its #. */
static void take_headings(struct table *table, const char *line)
{
    line += strspn(line, "# \t");
    table->heading_count = 0;
    for (const char *at = line + strspn(line, separators);
         *at != '\0' && table->heading_count < COLUMNS_MAX; at += strspn(at, separators)) {
        size_t length = strcspn(at, separators);
        snprintf(table->headings[table->heading_count++], HEADING_SIZE, "%.*s", (int)length, at);
        at += length;
    }
}

static int take_row(struct table *table, const double *values, size_t count, size_t line,
                    struct ff_error *error)
{
    if (table->rows == 0)
        table->columns = count;
    if (count != table->columns) {
        ff_fail(error, FF_INPUT_INVALID, "%s, line %zu: %zu numbers where the rows before have %zu",
                table->path, line, count, table->columns);
        return ff_hint(error, "a table has as many numbers in every line; was it cut off?");
    }
    if (table->rows == table->room) {
        size_t room = table->room > 0 ? 2 * table->room : 1024;
        double *more = realloc(table->values, room * count * sizeof *more);
        if (more == NULL)
            return ff_fail(error, FF_NO_MEMORY, "no memory for the table %s", table->path);
        table->values = more;
        table->room = room;
    }
    memcpy(table->values + table->rows++ * count, values, count * sizeof *values);
    return 0;
}

static int take_line(struct table *table, char *line, size_t number, struct ff_error *error)
{
    double values[COLUMNS_MAX];
    size_t blank = strspn(line, separators);
    if (line[blank] == '\0')
        return 0;
    if (line[blank] == '#') {
        if (table->rows == 0)
            take_headings(table, line);
        return 0;
    }
    size_t count = parse_line(line, values);
    if (count > 0)
        return take_row(table, values, count, number, error);
    if (table->rows == 0) {
        take_headings(table, line);
        return 0;
    }
    ff_fail(error, FF_INPUT_INVALID, "%s, line %zu is no row of numbers: \"%.40s\"", table->path,
            number, line);
    return ff_hint(error, "begin remarks with #");
}

static int parse(struct table *table, char *text, size_t size, struct ff_error *error)
{
    size_t number = 0;
    if (memchr(text, '\0', size) != NULL) {
        ff_fail(error, FF_INPUT_INVALID, "%s is no text, HDF5, NPZ or NPY file", table->path);
        return ff_hint(error, "give a table of numbers, for example CSV");
    }
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (take_line(table, line, ++number, error) < 0)
            return -1;
    }
    if (table->rows > 0)
        return 0;
    ff_fail(error, FF_INPUT_INVALID, "%s holds no row of numbers", table->path);
    return ff_hint(error, "give a table of numbers with commas, semicolons or blanks between them");
}

static int add_column(struct ff_hdf5_file *file, const struct table *table, size_t column,
                      struct ff_error *error)
{
    char name[32];
    double *room = ff_memory_file_room(file, table->rows * sizeof *room, error);
    if (room == NULL)
        return -1;
    for (size_t n = 0; n < table->rows; n++)
        room[n] = table->values[n * table->columns + column];
    ff_memory_file_done(room, table->rows * sizeof *room);
    snprintf(name, sizeof name, "%zu", column + 1);
    if (ff_memory_file_add(file, name, H5T_NATIVE_DOUBLE, 1, &table->rows, error) < 0)
        return -1;
    const char *heading = table->headings[column];
    if (table->heading_count == table->columns && heading[0] != '\0' &&
        strchr(heading, '/') == NULL && strcmp(heading, ".") != 0)
        ff_memory_file_alias(file, name, heading);
    return 0;
}

static int add_all(struct ff_hdf5_file *file, const struct table *table, struct ff_error *error)
{
    const size_t shape[] = {table->rows, table->columns};
    size_t bytes = table->rows * table->columns * sizeof(double);
    void *room = ff_memory_file_room(file, bytes, error);
    if (room == NULL)
        return -1;
    memcpy(room, table->values, bytes);
    ff_memory_file_done(room, bytes);
    if (ff_memory_file_add(file, "table", H5T_NATIVE_DOUBLE, 2, shape, error) < 0)
        return -1;
    for (size_t column = 0; column < table->columns; column++)
        if (add_column(file, table, column, error) < 0)
            return -1;
    return 0;
}

struct ff_hdf5_file *ff_table_open(const char *path, struct ff_error *error)
{
    char *text = NULL;
    size_t size = 0;
    struct ff_hdf5_file *file = NULL;
    if (ff_file_read(path, FILE_LIMIT, &text, &size, error) < 0)
        return NULL;
    struct table *table = calloc(1, sizeof *table);
    if (table == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for the table %s", path);
    else
        table->path = path;
    if (table != NULL && parse(table, text, size, error) == 0 &&
        (file = ff_memory_file_create(path, error)) != NULL && add_all(file, table, error) < 0) {
        ff_hdf5_close(file);
        file = NULL;
    }
    if (table != NULL)
        free(table->values);
    free(table);
    free(text);
    return file;
}
