/*
 * tests/unit/check.h: cmocka with the headers that it needs first, and temporary folders.
 */
#ifndef FF_TESTS_UNIT_CHECK_H
#define FF_TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Fails the test with the text of the error when a call that must succeed did not. */
#define assert_ok(call, error)                                                                     \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            fail_msg("%s: %s", #call, (error).message);                                            \
    } while (0)

/* A new folder under $TMPDIR or /tmp; the test removes it. */
static inline char *make_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = malloc(4096);
    assert_non_null(path);
    snprintf(path, 4096, "%s/farfield-test-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

#endif
