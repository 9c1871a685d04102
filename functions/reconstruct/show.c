/* farfield show: the figures of a result, and its phase drawn on the terminal. */
#include "functions/local/program.h"
#include "functions/reconstruct/picture/terminal.h"
#include "functions/reconstruct/result.h"
#include "protocol/core/json_text.h"
#include "protocol/core/text.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static const char usage[] =
    "usage: farfield show RESULT.h5 [--picture] [--json]\n"
    "\n"
    "Prints the figures of a reconstruction. On a terminal, or with --picture, it draws the phase\n"
    "of the object in coloured half blocks as wide as the terminal.\n"
    "\n"
    "  farfield show scan-recon.h5\n"
    "  farfield show scan-recon.h5 --json\n"
    "\n"
    "Exit status: 0 done, 1 it is no result, 2 wrong use.\n";

static void print_line(const char *key, const char *value)
{
    if (value != NULL)
        ff_text_printf(stdout, "%-12s %s\n", key, value);
}

static void print_text(const struct ff_product *product)
{
    char text[64];
    print_line("input", product->input);
    print_line("sha256", product->input_sha256);
    print_line("device", product->device);
    printf("%-12s %zu × %zu pixels of %.4g × %.4g nm\n", "object", product->rows, product->columns,
           1e9 * product->pixel_m[0], 1e9 * product->pixel_m[1]);
    printf("%-12s %zu mode%s of %zu × %zu pixels\n", "probe", product->modes,
           product->modes == 1 ? "" : "s", product->probe_rows, product->probe_columns);
    if (product->eigenprobes > 0)
        printf("%-12s %zu, a probe of its own for each pattern\n", "eigenprobes",
               product->eigenprobes);
    printf("%-12s %zu%s\n", "positions", product->patterns * product->fly,
           product->input_positions != NULL ? ", corrected" : "");
    print_line("orientation", product->orientation);
    if (isfinite(product->energy_eV))
        printf("%-12s %.6g eV\n", "energy", product->energy_eV);
    if (isfinite(product->seconds)) {
        ff_text_duration(product->seconds, text, sizeof text);
        ff_text_printf(stdout, "%-12s %zu in %s%s%s\n", "epochs", product->epochs, text,
                       product->stopped != NULL ? ", ended: " : "",
                       product->stopped != NULL ? product->stopped : "");
    } else {
        printf("%-12s %zu\n", "epochs", product->epochs);
    }
    if (isfinite(product->cost))
        printf("%-12s %.4f per pixel\n", "cost", product->cost);
    if (isfinite(product->r))
        printf("%-12s %.4f\n", "R", product->r);
}

/* What the file does not say is null. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static void print_json(const struct ff_product *product, const char *path)
{
    json_t *settings = product->settings != NULL ? json_loads(product->settings, 0, NULL) : NULL;
    json_t *line = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:[I, I], s:[o, o], s:I, s:[I, I], s:I, s:o, s:o, s:I, "
        "s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:o, s:o}",
        "result", ff_json_text(path), "input", ff_json_text(product->input), "input_sha256",
        ff_json_text(product->input_sha256), "version", ff_json_text(product->version), "device",
        ff_json_text(product->device), "settings", settings != NULL ? settings : json_null(),
        "object_px", (json_int_t)product->rows, (json_int_t)product->columns, "object_pixel_m",
        number(product->pixel_m[0]), number(product->pixel_m[1]), "modes",
        (json_int_t)product->modes, "probe_px", (json_int_t)product->probe_rows,
        (json_int_t)product->probe_columns, "patterns", (json_int_t)product->patterns, "energy_eV",
        number(product->energy_eV), "distance_m", number(product->distance_m), "epochs",
        (json_int_t)product->epochs, "cost", number(product->cost), "r", number(product->r),
        "seconds", number(product->seconds), "stopped", ff_json_text(product->stopped),
        "eigenprobes", (json_int_t)product->eigenprobes, "fly", (json_int_t)product->fly,
        "positions_corrected", product->input_positions != NULL, "orientation",
        ff_json_text(product->orientation), "loss", ff_json_text(product->loss));
    if (ff_json_print(line, false, stdout) == 0)
        putchar('\n');
    json_decref(line);
}

static int draw(const struct ff_product *product, struct ff_error *error)
{
    const struct ff_view_source source = {
        .object = product->object,
        .rows = product->rows,
        .columns = product->columns,
        .positions = product->positions,
        .patterns = product->patterns * product->fly,
        .window = {product->probe_rows, product->probe_columns},
    };
    struct ff_view *view = ff_view_create(&source, ff_terminal_columns(STDOUT_FILENO), error);
    struct ff_picture *picture = view != NULL ? ff_picture_of_phase(view, error) : NULL;
    struct ff_buffer text;
    ff_buffer_init(&text, 64 << 20);
    int result = -1;
    if (picture != NULL) {
        ff_terminal_draw(picture, ff_terminal_has_all_colours(), &text);
        result = ff_buffer_check(&text, "the picture", error);
    }
    if (result == 0)
        fputs(ff_buffer_text(&text), stdout);
    ff_buffer_dispose(&text);
    ff_picture_destroy(picture);
    ff_view_destroy(view);
    return result;
}

int main(int argc, char **argv)
{
    struct ff_local_arguments arguments = {.extra = "--picture"};
    struct ff_error error = {0};
    if (ff_local_arguments_read("show", argc, argv, &arguments, &error) < 0)
        return ff_local_report("show", false, &error);
    if (arguments.help) {
        fputs(usage, stdout);
        return 0;
    }
    struct ff_product *product = ff_product_read(arguments.file, &error);
    if (product == NULL)
        return ff_local_report("show", arguments.json, &error);
    int result = 0;
    if (arguments.json)
        print_json(product, arguments.file);
    else if (arguments.has_extra || isatty(STDOUT_FILENO) == 1)
        result = draw(product, &error);
    if (!arguments.json)
        print_text(product);
    ff_product_destroy(product);
    return result == 0 ? 0 : ff_local_report("show", false, &error);
}
