#include "protocol/core/text.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NEAREST_MAX = 64 };

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* The restricted Damerau-Levenshtein distance, whatever the case. */
static unsigned edit_distance(const char *a, const char *b)
{
    size_t rows = strlen(a);
    size_t columns = strlen(b);
    if (rows > NEAREST_MAX || columns > NEAREST_MAX)
        return UINT_MAX; /* too long to be meant */
    unsigned table[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= columns; j++)
        table[0][j] = (unsigned)j;
    for (size_t i = 1; i <= rows; i++) {
        unsigned *now = table[i % 3];
        const unsigned *last = table[(i - 1) % 3];
        const unsigned *before = table[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= columns; j++) {
            unsigned best = smaller(last[j], now[j - 1]) + 1;
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            best = smaller(best, last[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = smaller(best, before[j - 2] + 1);
            now[j] = best;
        }
    }
    return table[rows % 3][columns];
}

const char *ff_text_nearest(const char *wanted, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    unsigned least = 0;
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL)
            continue;
        unsigned distance = edit_distance(wanted, names[i]);
        if (nearest == NULL || distance < least) {
            nearest = names[i];
            least = distance;
        }
    }
    /* Worth offering: at most one change in three letters, and one change always. */
    size_t length = strlen(wanted);
    unsigned allowed = (unsigned)(length / 3 > 1 ? length / 3 : 1);
    return nearest != NULL && least <= allowed ? nearest : NULL;
}

void ff_text_bytes(uint64_t bytes, char *text, size_t size)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(text, size, "%u bytes", (unsigned)bytes);
        return;
    }
    double value = (double)bytes / 1000;
    size_t unit = 0;
    while (value >= 999.95 && unit < 5) {
        value /= 1000;
        unit++;
    }
    snprintf(text, size, value < 9.995 ? "%.2f %s" : "%.1f %s", value, units[unit]);
}

void ff_text_duration(double seconds, char *text, size_t size)
{
    if (seconds < 0.9995e-3)
        snprintf(text, size, "%.0f µs", seconds * 1e6);
    else if (seconds < 0.9995)
        snprintf(text, size, "%.3g ms", seconds * 1e3);
    else if (seconds < 60)
        snprintf(text, size, "%.3g s", seconds);
    else if (seconds < 3600)
        snprintf(text, size, "%.0f min %.0f s", floor(seconds / 60), floor(fmod(seconds, 60)));
    else
        snprintf(text, size, "%.0f h %.0f min", floor(seconds / 3600),
                 floor(fmod(seconds, 3600) / 60));
}

int ff_text_integer(const char *text, int64_t low, int64_t high, int64_t *value)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < low || number > high)
        return -1;
    *value = number;
    return 0;
}

int ff_text_number(const char *text, double *value)
{
    char *end = NULL;
    errno = 0;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(number))
        return -1;
    *value = number;
    return 0;
}

void ff_text_hex(const void *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[from[i] >> 4];
        text[2 * i + 1] = digits[from[i] & 15];
    }
    text[2 * size] = '\0';
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

int ff_text_unhex(const char *text, size_t text_size, void *bytes, size_t size)
{
    if (text_size != 2 * size)
        return -1;
    for (size_t i = 0; i < text_size; i++)
        if (hex_value(text[i]) < 0)
            return -1;
    uint8_t *to = bytes;
    for (size_t i = 0; i < size; i++)
        to[i] =
            (uint8_t)((unsigned)hex_value(text[2 * i]) << 4 | (unsigned)hex_value(text[2 * i + 1]));
    return 0;
}

bool ff_text_is_name(const char *text)
{
    size_t length = strlen(text);
    if (length < 1 || length > 64 || text[0] == '.' || text[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL)
            return false;
    return true;
}

size_t ff_text_sequence(const void *bytes, size_t size)
{
    const uint8_t *text = bytes;
    uint8_t first = text[0];
    if (first < 0x80)
        return first != 0 ? 1 : 0;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
        (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

void ff_text_print(FILE *stream, const char *text, size_t size)
{
    if (!isatty(fileno(stream))) {
        fwrite(text, 1, size, stream);
        return;
    }
    for (size_t at = 0; at < size;) {
        size_t length = ff_text_sequence(text + at, size - at);
        unsigned char first = (unsigned char)text[at];
        /* U+0080…U+009F are control characters, too, written 0xC2 0x80…0x9F. */
        bool control = first == 0x7f || (first < 0x20 && first != '\n' && first != '\t') ||
                       (length == 2 && first == 0xc2 && (unsigned char)text[at + 1] < 0xa0);
        if (length == 0 || control) {
            fputc('?', stream);
            length = length > 0 ? length : 1;
        } else {
            fwrite(text + at, 1, length, stream);
        }
        at += length;
    }
}

void ff_text_printf(FILE *stream, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    ff_text_print(stream, text, (size_t)length);
    free(text);
}
