/* Inputs that cannot be, or cannot be used: files of two scans, probes, settings, types and links. */
#include "tests/unit/functions/reconstruct/formats/made_scan.h"

#include <sys/stat.h>

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

static void write_plain(const struct made_place *place, hid_t type, const void *frames)
{
    hid_t file = made_file(place->path);
    made_put(file, "/dp", type, 3, (const hsize_t[]){MADE_N, MADE_H, MADE_W}, frames);
    made_put_line(file, "/ppY", made_y, 1);
    made_put_line(file, "/ppX", made_x, 1);
    H5Fclose(file);
}

/* What a setting says is held to the same ranges as what a file says. */
static void test_settings_beyond_all_sense(void **state)
{
    struct made_place *place = *state;
    static const struct {
        const char *key, *value, *what;
    } cases[] = {
        {"energy_eV", "1e-6", "'energy_eV' says 1.60218e-25 J, which is not a photon energy"},
        {"distance_m", "1e-9", "'distance_m' says 1e-09 m"},
        {"detector_pixel_um", "1e-4", "'detector_pixel_um' says 1e-10 m"},
        {"object_pixel_nm", "1e-9", "'object_pixel_nm' says 1e-18 m"},
    };
    write_plain(place, H5T_NATIVE_UINT16, made_frames());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made_set_geometry(place);
        made_set(place, cases[i].key, cases[i].value);
        made_assert_refused(place, cases[i].what, "unit");
    }
}

/* A gap of a 32-bit detector in frames of 64 bit, and the top of 64 bit itself. */
static void test_gaps_in_wider_types(void **state)
{
    struct made_place *place = *state;
    static uint64_t frames[MADE_N * MADE_PIXELS];
    static float floats[MADE_N * MADE_PIXELS];
    made_set_geometry(place);
    for (size_t i = 0; i < MADE_N * MADE_PIXELS; i++) {
        size_t pixel = i % MADE_PIXELS;
        frames[i] = pixel < 30 ? UINT32_MAX : pixel < 40 ? UINT64_MAX : made_frames()[i];
        floats[i] = pixel < 40 ? (float)UINT32_MAX : (float)made_frames()[i];
    }
    for (int i = 0; i < 2; i++) {
        write_plain(place, i == 0 ? H5T_NATIVE_UINT64 : H5T_NATIVE_FLOAT,
                    i == 0 ? (const void *)frames : floats);
        made_read(place);
        size_t masked = 0;
        assert_non_null(place->measurement.measured);
        for (size_t k = 0; k < MADE_PIXELS; k++)
            masked += place->measurement.measured[k] == 0;
        assert_int_equal(masked, 40);
        assert_non_null(place->measurement.counts.u16);
    }
}

static void test_types_that_are_not_read_are_named(void **state)
{
    struct made_place *place = *state;
    hid_t half = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    made_set_geometry(place);
    write_plain(place, half, made_frames());
    made_assert_refused(place, "/dp holds no real numbers of a usual type", "32 and 64 bit");
    H5Tclose(half);
}

/* The library would wait for somebody to write into it. */
static void test_a_link_to_a_pipe(void **state)
{
    struct made_place *place = *state;
    char *pipe = made_path(place, "frames.h5");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    hid_t file = made_file(place->path);
    H5Lcreate_external("frames.h5", "/dp", file, "/dp", H5P_DEFAULT, H5P_DEFAULT);
    made_put_line(file, "/ppY", made_y, 1);
    made_put_line(file, "/ppX", made_x, 1);
    H5Fclose(file);
    made_assert_refused(place, "has a link to a pipe instead of a file", "in its place");
    free(pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MADE_TEST(test_files_of_two_scans),
        MADE_TEST(test_probes_out_of_range),
        MADE_TEST(test_settings_beyond_all_sense),
        MADE_TEST(test_gaps_in_wider_types),
        MADE_TEST(test_types_that_are_not_read_are_named),
        MADE_TEST(test_a_link_to_a_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
