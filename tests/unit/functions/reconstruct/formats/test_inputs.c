/* Inputs of several files that are no one scan, and probes that cannot be used. */
#include "tests/unit/functions/reconstruct/formats/made_scan.h"

/* A scan with a probe that is a spot of so many columns. */
static void write_one_of_two(const struct made_place *place, const char *name, double distance_m,
                             size_t probe_side, size_t spot)
{
    static float probe[MADE_PIXELS];
    char *path = made_path(place, name);
    hid_t file = made_file(path);
    for (size_t i = 0; i < probe_side * probe_side; i++)
        probe[i] = i % probe_side < spot ? 1 : 0;
    made_put_frames(file, "/dp");
    made_put_line(file, "/y", made_y, 1);
    made_put_line(file, "/x", made_x, 1);
    made_put_number(file, "/z_m", distance_m);
    made_put(file, "/probe", H5T_NATIVE_FLOAT, 2, (const hsize_t[]){probe_side, probe_side}, probe);
    H5Fclose(file);
    free(path);
}

static void test_files_of_two_scans(void **state)
{
    struct made_place *place = *state;
    static const struct {
        double distance_m;
        size_t probe_side, spot;
        const char *what; /* NULL: they are one scan */
    } cases[] = {
        {2, 16, 4, NULL},
        {2.01, 16, 4, NULL}, /* read anew */
        {2.1, 16, 4, "the distance to the detector is 2 in one and 2.1 in the other"},
        {2, 12, 4, "the number of rows of the probe is 16 in one and 12 in the other"},
        {2, 16, 12, "the width of the probe in pixels is"},
    };
    char list[512];
    snprintf(list, sizeof list, "%s/a.h5,%s/b.h5", place->folder, place->folder);
    made_set(place, "input", list);
    static const char description[] = "frames: /dp\npositions_y: /y\npositions_x: /x\n"
                                      "energy: 8 keV\ndistance: /z_m\npixel_rows: 50 um\n"
                                      "probe: /probe\n";
    struct ff_error error = {0};
    char *path = made_path(place, "own.yaml");
    const struct ff_span text = {description, sizeof description - 1};
    assert_ok(ff_file_write(path, text, 0600, &error), error);
    made_set(place, "format", path);
    free(path);
    write_one_of_two(place, "a.h5", 2, 16, 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_one_of_two(place, "b.h5", cases[i].distance_m, cases[i].probe_side, cases[i].spot);
        if (cases[i].what == NULL) {
            made_read(place);
            continue;
        }
        made_assert_refused(place, "a.h5 and ", "each scan alone");
        made_assert_refused(place, "b.h5 are not of one scan", "each scan alone");
        made_assert_refused(place, cases[i].what, "each scan alone");
    }
}

/* Single precision holds neither the power of such a probe nor the factor that mends it. */
static void test_probes_out_of_range(void **state)
{
    struct made_place *place = *state;
    static const struct {
        float value;
        const char *what, *remedy;
    } cases[] = {{1e-40F, "at most 1e-40, too small", "multiply"},
                 {1e25F, "at most 1e+25, too large", "multiply"},
                 {0, "no power", "estimate"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static float probe[MADE_PIXELS];
        hid_t file = made_file(place->path);
        made_put_frames(file, "/data");
        made_put_yx(file, "/positions_0", 1);
        for (size_t k = 0; k < MADE_PIXELS; k++)
            probe[k] = cases[i].value;
        made_put(file, "/recprobe", H5T_NATIVE_FLOAT, 2, (const hsize_t[]){MADE_W, MADE_H}, probe);
        H5Fclose(file);
        made_assert_refused(place, cases[i].what, cases[i].remedy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MADE_TEST(test_files_of_two_scans),
        MADE_TEST(test_probes_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
