#include "endpoint/walltime.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 9 };

/* The number at *text, which moves behind it; -1 when there is none, or one of too many digits. */
static int64_t take_number(const char **text)
{
    int64_t number = 0;
    int digits = 0;
    for (; isdigit((unsigned char)**text) && digits <= DIGITS_MAX; digits++)
        number = 10 * number + *(*text)++ - '0';
    return digits > 0 && digits <= DIGITS_MAX ? number : -1;
}

/* [D-]H:MM:SS */
static int read_clock(const char *text, int64_t *seconds)
{
    int64_t days = 0;
    int64_t part[3];
    if (strchr(text, '-') != NULL) {
        days = take_number(&text);
        if (days < 0 || *text++ != '-')
            return -1;
    }
    for (int i = 0; i < 3; i++) {
        part[i] = take_number(&text);
        if (part[i] < 0 || (i > 0 && part[i] > 59) || *text++ != (i < 2 ? ':' : '\0'))
            return -1;
    }
    *seconds = ((days * 24 + part[0]) * 60 + part[1]) * 60 + part[2];
    return 0;
}

/* 1d12h30m15s, any of them, the larger first. */
static int read_units(const char *text, int64_t *seconds)
{
    static const char units[] = "dhms";
    static const int64_t worth[] = {86400, 3600, 60, 1};
    int64_t sum = 0;
    const char *from = units;
    while (*text != '\0') {
        int64_t number = take_number(&text);
        const char *unit = *text != '\0' ? strchr(from, *text) : NULL;
        if (number < 0 || unit == NULL)
            return -1;
        sum += number * worth[unit - units];
        from = unit + 1;
        text++;
    }
    *seconds = sum;
    return 0;
}

int ff_walltime_read(const char *text, int64_t *seconds)
{
    if (strcmp(text, "0") == 0) {
        *seconds = 0;
        return 0;
    }
    if (text[0] == '\0')
        return -1;
    return strchr(text, ':') != NULL ? read_clock(text, seconds) : read_units(text, seconds);
}

void ff_walltime_text(int64_t seconds, char text[FF_WALLTIME_SIZE])
{
    if (seconds <= 0)
        snprintf(text, FF_WALLTIME_SIZE, "0");
    else
        snprintf(text, FF_WALLTIME_SIZE, "%lld:%02d:%02d", (long long)(seconds / 3600),
                 (int)(seconds / 60 % 60), (int)(seconds % 60));
}
