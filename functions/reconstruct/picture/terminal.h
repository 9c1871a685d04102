/*
 * functions/reconstruct/picture/terminal.h: a picture in coloured half blocks: two pixels a
 * character, one above the other, for those who work over ssh.
 */
#ifndef FF_RECONSTRUCT_PICTURE_TERMINAL_H
#define FF_RECONSTRUCT_PICTURE_TERMINAL_H

#include "functions/reconstruct/picture/picture.h"

/* Columns of the terminal, of $COLUMNS where it is none, else 80; 20 … 400. */
size_t ff_terminal_columns(int fd);

/* Whether $COLORTERM promises 24 bit; otherwise 256 colours are safe. */
bool ff_terminal_has_all_colours(void);

void ff_terminal_draw(const struct ff_picture *picture, bool all_colours, struct ff_buffer *text);

#endif
