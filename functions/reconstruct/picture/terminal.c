#include "functions/reconstruct/picture/terminal.h"

#include "protocol/core/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { COLUMNS_MIN = 20, COLUMNS_MAX = 400, COLUMNS_USUAL = 80 };

size_t ff_terminal_columns(int fd)
{
    struct winsize size;
    const char *told = getenv("COLUMNS");
    int64_t columns = COLUMNS_USUAL;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
    else if (told == NULL || ff_text_integer(told, COLUMNS_MIN, COLUMNS_MAX, &columns) < 0)
        columns = COLUMNS_USUAL;
    return (size_t)(columns < COLUMNS_MIN   ? COLUMNS_MIN
                    : columns > COLUMNS_MAX ? COLUMNS_MAX
                                            : columns);
}

bool ff_terminal_has_all_colours(void)
{
    const char *promise = getenv("COLORTERM");
    return promise != NULL && (strcmp(promise, "truecolor") == 0 || strcmp(promise, "24bit") == 0);
}

/* The nearest of the 6 × 6 × 6 colours that every terminal of 256 has at 16. */
static unsigned cube_index(struct ff_colour colour)
{
    unsigned red = (colour.red * 5u + 127) / 255;
    unsigned green = (colour.green * 5u + 127) / 255;
    unsigned blue = (colour.blue * 5u + 127) / 255;
    return 16 + 36 * red + 6 * green + blue;
}

/* `layer` is 38 for the ink and 48 for the paper. */
static void set_colour(struct ff_buffer *text, unsigned layer, struct ff_colour colour, bool all)
{
    if (all)
        ff_buffer_printf(text, "\033[%u;2;%u;%u;%um", layer, colour.red, colour.green, colour.blue);
    else
        ff_buffer_printf(text, "\033[%u;5;%um", layer, cube_index(colour));
}

void ff_terminal_draw(const struct ff_picture *picture, bool all_colours, struct ff_buffer *text)
{
    for (size_t y = 0; y < picture->height; y += 2) {
        const struct ff_colour *upper = picture->pixels + y * picture->width;
        bool pair = y + 1 < picture->height;
        for (size_t x = 0; x < picture->width; x++) {
            set_colour(text, 38, upper[x], all_colours);
            if (pair)
                set_colour(text, 48, upper[picture->width + x], all_colours);
            ff_buffer_append_text(text, "▀");
        }
        ff_buffer_append_text(text, "\033[0m\n");
    }
}
