/* Pictures: what is shown of an object does not depend on the ambiguities, and PNGs hold the pixels. */
#include "tests/unit/check.h"

#include "functions/reconstruct/picture/draw.h"
#include "functions/reconstruct/picture/terminal.h"

#include <complex.h>
#include <math.h>
#include <png.h>

enum { ROWS = 60, COLUMNS = 70, WINDOW = 16 };

static ff_complex object[ROWS * COLUMNS];
static double positions[8];

/* A square of another phase, under a ramp and a factor. */
static void fill(double slope_y, double slope_x, double offset)
{
    for (size_t r = 0; r < ROWS; r++)
        for (size_t c = 0; c < COLUMNS; c++) {
            bool inside = r > 25 && r < 35 && c > 30 && c < 42;
            double angle = slope_y * (double)r + slope_x * (double)c + offset - (inside ? 0.8 : 0);
            object[r * COLUMNS + c] = (float)cos(angle) + (float)sin(angle) * (ff_complex)I;
        }
    const double corners[8] = {6, 6, 6, 48, 38, 6, 38, 48};
    memcpy(positions, corners, sizeof corners);
}

static struct ff_view *view_of(size_t limit)
{
    struct ff_error error = {0};
    const struct ff_view_source source = {object, ROWS, COLUMNS, positions, 4, {WINDOW, WINDOW}};
    struct ff_view *view = ff_view_create(&source, limit, &error);
    if (view == NULL)
        fail_msg("%s", error.message);
    return view;
}

static void test_ramp_and_offset_do_not_show(void **state)
{
    (void)state;
    fill(0, 0, 0);
    struct ff_view *plain = view_of(1000);
    fill(0.21, -0.4, 2.5);
    struct ff_view *ramped = view_of(1000);
    assert_int_equal(plain->rows, ramped->rows);
    for (size_t i = 0; i < plain->rows * plain->columns; i++)
        assert_true(fabsf(plain->phase[i] - ramped->phase[i]) < 2e-2f);
    assert_true(fabsf(ramped->phase_high - ramped->phase_low - 0.8f) < 2e-2f);
    ff_view_destroy(plain);
    ff_view_destroy(ramped);
}

static void test_views_keep_to_their_limit(void **state)
{
    (void)state;
    fill(0, 0, 0);
    for (size_t limit = 4; limit < 60; limit += 7) {
        struct ff_view *view = view_of(limit);
        assert_true(view->rows <= limit && view->columns <= limit);
        assert_true(view->rows >= 1 && view->columns >= 1);
        ff_view_destroy(view);
    }
}

/* All positions on a line: the scale is still found where the light was. */
static void test_a_line_of_a_scan_has_a_scale(void **state)
{
    (void)state;
    fill(0, 0, 0);
    for (size_t k = 0; k < 8; k += 2)
        positions[k] = 22;
    struct ff_view *view = view_of(1000);
    assert_true(fabsf(view->phase_high - view->phase_low - 0.8f) < 2e-2f);
    ff_view_destroy(view);
}

/* What a reader gives may be anything: the view must stay inside the object. */
static void test_mad_positions_show_the_whole_object(void **state)
{
    (void)state;
    static const double mad[] = {NAN, INFINITY, -1e300, 1e300};
    for (size_t i = 0; i < 4; i++) {
        fill(0, 0, 0);
        for (size_t k = 0; k < 8; k++)
            positions[k] = mad[i];
        struct ff_view *view = view_of(1000);
        assert_int_equal(view->rows, ROWS);
        assert_int_equal(view->columns, COLUMNS);
        ff_view_destroy(view);
    }
}

static void test_a_png_holds_the_pixels(void **state)
{
    (void)state;
    struct ff_error error = {0};
    fill(0, 0, 0);
    struct ff_view *view = view_of(1000);
    struct ff_picture *picture = ff_picture_of_phase(view, &error);
    struct ff_buffer png;
    ff_buffer_init(&png, FF_PICTURE_BYTES_MAX);
    assert_ok(ff_picture_encode(picture, &png, &error), error);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, png.data, png.size) != 0);
    assert_int_equal(image.width, picture->width);
    assert_int_equal(image.height, picture->height);
    image.format = PNG_FORMAT_RGB;
    struct ff_colour *pixels = calloc(picture->width * picture->height, sizeof *pixels);
    assert_non_null(pixels);
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL) != 0);
    assert_memory_equal(pixels, picture->pixels, picture->width * picture->height * 3);
    free(pixels);
    ff_buffer_dispose(&png);
    ff_picture_destroy(picture);
    ff_view_destroy(view);
}

static void test_a_buffer_that_is_too_small_is_an_error(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct ff_picture *picture = ff_picture_create(50, 50, (struct ff_colour){1, 2, 3}, &error);
    struct ff_buffer png;
    ff_buffer_init(&png, 20);
    assert_int_equal(ff_picture_encode(picture, &png, &error), -1);
    assert_int_equal(error.code, FF_TOO_LARGE);
    ff_buffer_dispose(&png);
    ff_picture_destroy(picture);
}

static void test_modes_are_shown_side_by_side(void **state)
{
    (void)state;
    struct ff_error error = {0};
    static ff_complex probe[3 * WINDOW * WINDOW];
    for (size_t i = 0; i < 3 * WINDOW * WINDOW; i++)
        probe[i] = 1;
    struct ff_picture *one = ff_picture_of_probe(probe, 1, WINDOW, WINDOW, &error);
    struct ff_picture *three = ff_picture_of_probe(probe, 3, WINDOW, WINDOW, &error);
    assert_int_equal(one->height, three->height);
    assert_true(three->width > 2 * one->width);
    ff_picture_destroy(one);
    ff_picture_destroy(three);
}

/* One epoch, equal costs and costs that are none: each has a curve, or an empty frame. */
static void test_curves_of_odd_costs(void **state)
{
    (void)state;
    struct ff_error error = {0};
    static const double costs[][3] = {{1, 1, 1}, {0, NAN, INFINITY}, {1e9, 1, 1e-9}, {-1, 2, 0}};
    for (size_t i = 0; i < 4; i++)
        for (size_t epochs = 1; epochs <= 3; epochs++) {
            struct ff_picture *picture = ff_picture_of_costs(costs[i], epochs, &error);
            assert_non_null(picture);
            ff_picture_destroy(picture);
        }
}

static void test_the_terminal_gets_two_pixels_a_character(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct ff_picture *picture = ff_picture_create(3, 5, (struct ff_colour){255, 0, 10}, &error);
    struct ff_buffer text;
    ff_buffer_init(&text, 1 << 16);
    ff_terminal_draw(picture, true, &text);
    size_t blocks = 0;
    size_t lines = 0;
    for (const char *at = ff_buffer_text(&text); *at != '\0'; at++) {
        blocks += strncmp(at, "▀", strlen("▀")) == 0;
        lines += *at == '\n';
    }
    assert_int_equal(blocks, 9);
    assert_int_equal(lines, 3);
    assert_non_null(strstr(ff_buffer_text(&text), "\033[38;2;255;0;10m"));
    ff_buffer_clear(&text);
    ff_terminal_draw(picture, false, &text);
    assert_non_null(strstr(ff_buffer_text(&text), "\033[38;5;196m"));
    ff_buffer_dispose(&text);
    ff_picture_destroy(picture);
}

static void test_lines_and_text_are_clipped(void **state)
{
    (void)state;
    struct ff_error error = {0};
    const struct ff_colour paper = {0, 0, 0};
    const struct ff_colour ink = {255, 255, 255};
    struct ff_picture *picture = ff_picture_create(20, 10, paper, &error);
    ff_draw_line(picture, -100, -50, 300, 90, 3, ink);
    ff_draw_text(picture, 15, 7, "0123", ink);
    ff_draw_text(picture, (size_t)-3, 0, "9", ink);
    assert_int_equal(picture->pixels[7 * 20 + 16].red, 255); /* the top of the 0 */
    ff_picture_destroy(picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ramp_and_offset_do_not_show),
        cmocka_unit_test(test_views_keep_to_their_limit),
        cmocka_unit_test(test_a_line_of_a_scan_has_a_scale),
        cmocka_unit_test(test_mad_positions_show_the_whole_object),
        cmocka_unit_test(test_a_png_holds_the_pixels),
        cmocka_unit_test(test_a_buffer_that_is_too_small_is_an_error),
        cmocka_unit_test(test_modes_are_shown_side_by_side),
        cmocka_unit_test(test_curves_of_odd_costs),
        cmocka_unit_test(test_the_terminal_gets_two_pixels_a_character),
        cmocka_unit_test(test_lines_and_text_are_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
