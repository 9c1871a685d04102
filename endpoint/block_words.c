#include "endpoint/block_words.h"

#include "protocol/core/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool ff_block_is_up(const struct ff_block *block)
{
    return block->state != FF_BLOCK_ENDED &&
           (block->managers > 0 || (block->state == FF_BLOCK_RUNNING && block->had_manager));
}

const char *ff_block_word(const struct ff_block *block)
{
    if (block->stopping || block->draining || block->state == FF_BLOCK_ENDED)
        return "leaving";
    if (ff_block_is_up(block))
        return "up";
    if (block->state == FF_BLOCK_SUBMITTING)
        return "submitting";
    if (block->state == FF_BLOCK_PENDING)
        return "pending";
    return "starting";
}

FF_PRINTF(3, 4) static void add(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* "2026-11-25 18:05Z". */
static void add_time(char *text, size_t size, const char *what, int64_t wall_ns)
{
    char time[FF_TIME_TEXT_SIZE];
    ff_time_text(wall_ns, time);
    add(text, size, "; %s %.10s %.5sZ", what, time, time + 11);
}

void ff_block_say(const struct ff_block *block, char *text, size_t size)
{
    snprintf(text, size, "block %s", block->id);
    /* One word is a scheduler's id; several begin with a process. */
    size_t word = strcspn(block->handle, " ");
    if (word > 0)
        add(text, size, " (%s %.*s)", block->handle[word] == '\0' ? "job" : "process", (int)word,
            block->handle);
    if (ff_block_is_up(block))
        add(text, size, " is up");
    else if (block->state == FF_BLOCK_SUBMITTING)
        add(text, size, " is being submitted");
    else if (block->state == FF_BLOCK_PENDING)
        add(text, size, " waits in the queue%s%s", block->why[0] != '\0' ? ": " : "", block->why);
    else if (block->state == FF_BLOCK_RUNNING)
        add(text, size, " has started; its workers have not called back yet");
    else
        add(text, size, " has ended: %s", block->why);
    if (block->expected_ns > 0 && !ff_block_is_up(block))
        add_time(text, size, "expected to start", block->expected_ns);
    if (block->unknown_since_ns > 0)
        add_time(text, size, "the scheduler has not told since",
                 ff_wall_ns() - (ff_monotonic_ns() - block->unknown_since_ns));
}
