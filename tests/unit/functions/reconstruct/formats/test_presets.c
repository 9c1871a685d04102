/* Every preset, on a file that is written here by hand from what the format's owners say of it: found by itself,
 * frames as they were, positions, geometry and probe. */
#include "tests/unit/functions/reconstruct/formats/made_npz.h"
#include "tests/unit/functions/reconstruct/formats/made_scan.h"

#include "functions/reconstruct/formats/preset.h"
#include "functions/reconstruct/formats/store.h"

static const double exact = 1e-12; /* metres */

static void assert_found(struct made_place *place, const char *name)
{
    made_read(place);
    assert_string_equal(place->format, name);
}

/* (N, columns, rows) */
static const uint16_t *turned_frames(bool corner)
{
    static uint16_t frames[MADE_N * MADE_PIXELS];
    for (size_t n = 0; n < MADE_N; n++)
        for (size_t r = 0; r < MADE_H; r++)
            for (size_t c = 0; c < MADE_W; c++) {
                size_t to_r = corner ? (r + MADE_H / 2) % MADE_H : r;
                size_t to_c = corner ? (c + MADE_W / 2) % MADE_W : c;
                frames[(n * MADE_W + to_c) * MADE_H + to_r] = made_count(n, r, c);
            }
    return frames;
}

static const hsize_t turned_shape[] = {MADE_N, MADE_W, MADE_H};

static void put_complex(hid_t file, const char *path, int rank, const hsize_t *shape)
{
    static float values[4 * MADE_PIXELS];
    hid_t type = H5Tcreate(H5T_COMPOUND, 8);
    H5Tinsert(type, "r", 0, H5T_NATIVE_FLOAT);
    H5Tinsert(type, "i", 4, H5T_NATIVE_FLOAT);
    for (size_t i = 0; i < 2 * MADE_PIXELS; i++) /* two modes; row 2, column 9 differs */
        values[2 * i] = i == 2 * MADE_W + 9 ? MADE_PROBE_VALUE : 1;
    made_put(file, path, type, rank, shape, values);
    H5Tclose(type);
}

static void assert_probe(const struct made_place *place, size_t modes)
{
    const struct ff_measurement *measurement = &place->measurement;
    assert_int_equal(measurement->probe_modes, modes);
    assert_int_equal(measurement->probe_rows, MADE_H);
    assert_int_equal(measurement->probe_columns, MADE_W);
    const float *parts = (const float *)measurement->probe;
    assert_true(parts[(2 * MADE_W + 9) * 2] > 2.9F && parts[(2 * MADE_W + 8) * 2] < 1.1F);
}

static void test_cxi(void **state)
{
    struct made_place *place = *state;
    double xyz[3 * MADE_N];
    const double basis[] = {0, -MADE_PIXEL_M, 0, -MADE_PIXEL_M, 0, 0};
    for (size_t n = 0; n < MADE_N; n++) { /* the sample moves; the frame's axes run against x, y */
        xyz[3 * n] = made_x(n);
        xyz[3 * n + 1] = made_y(n);
        xyz[3 * n + 2] = 0;
    }
    hid_t file = made_file(place->path);
    made_put_frames(file, "/entry_1/instrument_1/detector_1/data");
    made_put(file, "/entry_1/sample_1/geometry_1/translation", H5T_NATIVE_DOUBLE, 2,
             (const hsize_t[]){MADE_N, 3}, xyz);
    made_put(file, "/entry_1/instrument_1/detector_1/basis_vectors", H5T_NATIVE_DOUBLE, 2,
             (const hsize_t[]){2, 3}, basis);
    made_put_number(file, "/entry_1/instrument_1/detector_1/distance", MADE_DISTANCE_M);
    made_put_number(file, "/entry_1/instrument_1/detector_1/x_pixel_size", MADE_PIXEL_M);
    made_put_number(file, "/entry_1/instrument_1/detector_1/y_pixel_size", MADE_PIXEL_M);
    made_put_number(file, "/entry_1/instrument_1/source_1/energy",
                    MADE_ENERGY_EV * FF_ELECTRON_V_J);
    put_complex(file, "/entry_1/instrument_1/source_1/probe", 3,
                (const hsize_t[]){2, MADE_H, MADE_W});
    H5Fclose(file);
    assert_found(place, "cxi");
    made_assert_scan(place, exact);
    made_assert_geometry(place);
    assert_probe(place, 2);
}

static void test_flow(void **state)
{
    struct made_place *place = *state;
    hid_t file = made_file(place->path);
    made_put(file, "/data", H5T_NATIVE_UINT16, 3, turned_shape, turned_frames(false));
    made_put_yx(file, "/positions_0", 1);
    put_complex(file, "/recprobe", 2, (const hsize_t[]){MADE_H, MADE_W});
    H5Fclose(file);
    assert_found(place, "flow");
    made_assert_scan(place, exact);
    assert_probe(place, 1);
    assert_true(fabs(place->measurement.object_pixel_m[0] * 34068864 - 1) < 1e-6);
    made_set_geometry(place); /* what is told wins over what the flow's script holds */
    made_read(place);
    made_assert_geometry(place);
}

static void test_ptychodus_and_a_product(void **state)
{
    struct made_place *place = *state;
    int64_t ids[MADE_N];
    double y[MADE_N];
    double x[MADE_N];
    for (size_t n = 0; n < MADE_N; n++) { /* in another order */
        size_t of = (n * 5) % MADE_N;
        ids[n] = (int64_t)of;
        y[n] = made_y(of);
        x[n] = made_x(of);
    }
    char *product = made_path(place, "product.h5");
    const hsize_t shape[] = {MADE_N};
    hid_t file = made_file(product);
    made_put(file, "/probe_position_indexes", H5T_NATIVE_INT64, 1, shape, ids);
    made_put(file, "/probe_position_y_m", H5T_NATIVE_DOUBLE, 1, shape, y);
    made_put(file, "/probe_position_x_m", H5T_NATIVE_DOUBLE, 1, shape, x);
    put_complex(file, "/probe", 4, (const hsize_t[]){1, 2, MADE_H, MADE_W});
    made_put_attribute(file, "/", "probe_energy_eV", MADE_ENERGY_EV);
    made_put_attribute(file, "/", "detector_object_distance_m", MADE_DISTANCE_M);
    H5Fclose(file);
    file = made_file(place->path);
    made_put_frames(file, "/dp");
    H5Fclose(file);
    made_assert_refused(place, "no positions", "positions_file");
    made_set(place, "positions_file", product);
    made_assert_refused(place, "pixel size of the detector", "detector_pixel_um");
    made_set(place, "detector_pixel_um", "50");
    assert_found(place, "ptychodus");
    made_assert_scan(place, exact);
    made_assert_geometry(place);
    assert_probe(place, 2);
    free(product);
}

static void test_fold_slice(void **state)
{
    struct made_place *place = *state;
    hid_t file = made_file(place->path);
    made_put_frames(file, "/dp");
    made_put_line(file, "/ppY", made_y, 1);
    made_put_line(file, "/ppX", made_x, 1);
    H5Fclose(file);
    made_assert_refused(place, "photon energy", "energy_eV");
    made_set(place, "energy_eV", "8000");
    made_assert_refused(place, "distance", "distance_m");
    made_set(place, "distance_m", "2");
    made_assert_refused(place, "pixel size", "detector_pixel_um");
    made_set(place, "detector_pixel_um", "50");
    assert_found(place, "ptychodus");
    made_assert_scan(place, exact);
    made_assert_geometry(place);
}

static void test_ptychodus_npz(void **state)
{
    struct made_place *place = *state;
    int64_t frame_ids[MADE_N];
    int64_t ids[MADE_N];
    double y[MADE_N];
    double x[MADE_N];
    const double energy = MADE_ENERGY_EV;
    const double distance = MADE_DISTANCE_M;
    static uint8_t bad[MADE_PIXELS];
    bad[7 * MADE_W + 11] = 1;
    for (size_t n = 0; n < MADE_N; n++) {
        size_t of = MADE_N - 1 - n;
        frame_ids[n] = 40 + (int64_t)n;
        ids[n] = 40 + (int64_t)of;
        y[n] = made_y(of);
        x[n] = made_x(of);
    }
    const struct made_member members[] = {
        {"patterns", "<u2", "(12, 16, 20)", made_frames(), 2 * MADE_N * MADE_PIXELS, false, true},
        {"indexes", "<i8", "(12,)", frame_ids, sizeof frame_ids, false, false},
        {"bad_pixels", "|b1", "(16, 20)", bad, sizeof bad, false, false},
        {"probe_position_indexes", "<i8", "(12,)", ids, sizeof ids, false, true},
        {"probe_position_y_m", "<f8", "(12,)", y, sizeof y, false, false},
        {"probe_position_x_m", "<f8", "(12,)", x, sizeof x, false, true},
        {"probe_energy_eV", "<f8", "()", &energy, sizeof energy, false, false},
        {"detector_object_distance_m", "<f8", "()", &distance, sizeof distance, false, false},
        {"comments", "<U4", "()", "c\0\0\0o\0\0\0m\0\0\0m\0\0", 16, false, false},
    };
    made_npz(place->path, members, sizeof members / sizeof members[0]);
    made_set(place, "detector_pixel_um", "50");
    assert_found(place, "ptychodus-npz");
    made_assert_geometry(place);
    made_assert_positions(&place->measurement, exact);
    size_t at = (7 + MADE_H / 2) % MADE_H * MADE_W + (11 + MADE_W / 2) % MADE_W;
    assert_non_null(place->measurement.measured);
    assert_int_equal(place->measurement.measured[at], 0);
    assert_true(made_value(&place->measurement, 4, (MADE_ROW + MADE_H / 2) % MADE_H,
                           (MADE_COLUMN + MADE_W / 2) % MADE_W) > 103.5);
}

/* A master file, two files of frames behind external links, a link to what was never written, and a table with
 * several samples a trigger, of which the first and the last count. */
static void test_velociprobe(void **state)
{
    struct made_place *place = *state;
    char *data[2] = {made_path(place, "data_000001.h5"), made_path(place, "data_000002.h5")};
    char *table = made_path(place, "positions.csv");
    struct ff_error error = {0};
    struct ff_buffer text;
    for (size_t i = 0; i < 2; i++) {
        hid_t file = made_file(data[i]);
        made_put(file, "/entry/data/data", H5T_NATIVE_UINT16, 3,
                 (const hsize_t[]){MADE_N / 2, MADE_H, MADE_W},
                 made_frames() + i * (MADE_N / 2) * MADE_PIXELS);
        H5Fclose(file);
    }
    hid_t file = made_file(place->path);
    const char *eiger = "/entry/instrument/detector/";
    char path[128];
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"beam_center_x", MADE_W / 2},          {"beam_center_y", MADE_H / 2},
        {"detector_distance", MADE_DISTANCE_M}, {"x_pixel_size", MADE_PIXEL_M},
        {"y_pixel_size", MADE_PIXEL_M},         {"detectorSpecific/photon_energy", MADE_ENERGY_EV}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(path, sizeof path, "%s%s", eiger, numbers[i].name);
        made_put_number(file, path, numbers[i].value);
    }
    made_put_number(file, "/entry/sample/goniometer/chi", 60);
    H5Gclose(H5Gcreate2(file, "/entry/data", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Lcreate_external("data_000002.h5", "/entry/data/data", file, "/entry/data/data_000002",
                       H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("data_000001.h5", "/entry/data/data", file, "/entry/data/data_000001",
                       H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("data_000003.h5", "/entry/data/data", file, "/entry/data/data_000003",
                       H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    ff_buffer_init(&text, 1 << 16);
    for (size_t n = 0; n < MADE_N; n++) { /* x is seen under 60 degrees: half of it */
        double x = 2e9 * made_x(n);
        double y = -1e9 * made_y(n);
        ff_buffer_printf(&text, "0,%.6f,0,0,0,%.6f,0,%zu\n", x - 4, y + 2, n + 1);
        ff_buffer_printf(&text, "0,%.6f,0,0,0,%.6f,0,%zu\n", x + 77, y, n + 1);
        ff_buffer_printf(&text, "0,%.6f,0,0,0,%.6f,0,%zu\n", x + 4, y - 2, n + 1);
    }
    assert_ok(ff_file_write(table, ff_buffer_span(&text), 0600, &error), error);
    made_set(place, "positions_file", table);
    assert_found(place, "velociprobe");
    made_assert_scan(place, 1e-13);
    made_assert_geometry(place);
    made_assert_notes(place, "data_000003");
    ff_buffer_dispose(&text);
    free(data[0]);
    free(data[1]);
    free(table);
}

/* Columns 4 and 7 of a table in µm, with a title and headings, negated; attributes of the frames. */
static void write_lynx_table(const char *path)
{
    struct ff_error error = {0};
    struct ff_buffer text;
    ff_buffer_init(&text, 1 << 16);
    ff_buffer_append_text(&text,
                          "Scan 7, of a star\nDataPoint TotalPoints Target_x Average_x Stdev_x"
                          " Target_y Average_y Stdev_y\n");
    for (size_t n = 0; n < MADE_N; n++)
        ff_buffer_printf(&text, " %zu %d 0 %.9f 0 0 %.9f 0\n", n + 1, MADE_N, -1e6 * made_x(n),
                         -1e6 * made_y(n));
    assert_ok(ff_file_write(path, ff_buffer_span(&text), 0600, &error), error);
    ff_buffer_dispose(&text);
}

static void test_lynx(void **state)
{
    struct made_place *place = *state;
    char *table = made_path(place, "scan.dat");
    const char *data = "/entry/data/eiger_4";
    hid_t file = made_file(place->path);
    made_put_frames(file, data);
    made_put_attribute(file, data, "Center_x_pixel", MADE_W / 2);
    made_put_attribute(file, data, "Center_y_pixel", MADE_H / 2);
    made_put_attribute(file, data, "Detector_distance_m", MADE_DISTANCE_M);
    made_put_attribute(file, data, "Photon_energy_kev", MADE_ENERGY_EV / 1000);
    made_put_attribute(file, data, "Pixel_size", MADE_PIXEL_M);
    H5Fclose(file);
    write_lynx_table(table);
    made_set(place, "positions_file", table);
    assert_found(place, "lynx");
    made_assert_scan(place, exact);
    made_assert_geometry(place);
    free(table);
}

static void test_csaxs(void **state)
{
    struct made_place *place = *state;
    char *table = made_path(place, "scan.dat");
    hid_t file = made_file(place->path);
    made_put_frames(file, "/entry/data/data");
    made_put_number(file, "/entry/instrument/monochromator/energy", MADE_ENERGY_EV / 1000);
    made_put_number(file, "/entry/instrument/monochromator/distance", -1000 * MADE_DISTANCE_M);
    made_put_number(file, "/entry/instrument/eiger_4/x_pixel_size", 1e6 * MADE_PIXEL_M);
    made_put_number(file, "/entry/instrument/eiger_4/y_pixel_size", 1e6 * MADE_PIXEL_M);
    H5Fclose(file);
    write_lynx_table(table);
    made_set(place, "positions_file", table);
    assert_found(place, "csaxs");
    made_assert_scan(place, exact);
    made_assert_geometry(place);
    free(table);
}

static void test_nanomax(void **state)
{
    struct made_place *place = *state;
    hid_t file = made_file(place->path);
    made_put_frames(file, "/entry/measurement/eiger1m/frames");
    made_put_line(file, "/entry/measurement/pseudo/x", made_x, 1e-6);
    made_put_line(file, "/entry/measurement/pseudo/y", made_y, 1e-6);
    H5Fclose(file);
    made_set_geometry(place);
    assert_found(place, "nanomax");
    made_assert_scan(place, exact);
    made_assert_geometry(place);
}

static void put_hxn(hid_t file, double (*first)(size_t), double (*second)(size_t))
{
    double points[2 * MADE_N];
    for (size_t n = 0; n < MADE_N; n++) {
        points[n] = 1e6 * first(n);
        points[MADE_N + n] = 1e6 * second(n);
    }
    double wavelength = FF_PLANCK_J_S * FF_LIGHT_M_S / (MADE_ENERGY_EV * FF_ELECTRON_V_J);
    made_put(file, "/points", H5T_NATIVE_DOUBLE, 2, (const hsize_t[]){2, MADE_N}, points);
    made_put_number(file, "/lambda_nm", 1e9 * wavelength);
    made_put_number(file, "/z_m", MADE_DISTANCE_M);
    made_put_number(file, "/ccd_pixel_um", 1e6 * MADE_PIXEL_M);
    made_put_number(file, "/angle", 0);
}

static void test_nsls2_holds_amplitudes(void **state)
{
    struct made_place *place = *state;
    static float amplitudes[MADE_N * MADE_PIXELS];
    for (size_t i = 0; i < MADE_N * MADE_PIXELS; i++)
        amplitudes[i] = sqrtf(made_frames()[i]);
    hid_t file = made_file(place->path);
    made_put(file, "/diffamp", H5T_NATIVE_FLOAT, 3, (const hsize_t[]){MADE_N, MADE_H, MADE_W},
             amplitudes);
    put_hxn(file, made_x, made_y);
    H5Fclose(file);
    assert_found(place, "nsls2");
    made_assert_scan(place, exact); /* whole counts again, in 16 bit */
    made_assert_geometry(place);
}

static void test_holoptycho(void **state)
{
    struct made_place *place = *state;
    hid_t file = made_file(place->path);
    made_put_frames(file, "/dp");
    put_hxn(file, made_y, made_x);
    H5Fclose(file);
    assert_found(place, "holoptycho");
    made_assert_scan(place, exact);
    made_assert_geometry(place);
}

/* Frames last, in FORTRAN order, big-endian: all that numpy can do to them. */
static void test_slac(void **state)
{
    struct made_place *place = *state;
    static uint8_t frames[2 * MADE_N * MADE_PIXELS];
    double x[MADE_N];
    double y[MADE_N];
    for (size_t n = 0; n < MADE_N; n++) {
        for (size_t i = 0; i < MADE_PIXELS; i++) {
            size_t to = (n * MADE_W + i % MADE_W) * MADE_H + i / MADE_W;
            uint16_t count = made_frames()[n * MADE_PIXELS + i];
            frames[2 * to] = (uint8_t)(count >> 8);
            frames[2 * to + 1] = (uint8_t)count;
        }
        x[n] = made_x(n) / made_object_pixel(1);
        y[n] = made_y(n) / made_object_pixel(0);
    }
    const struct made_member members[] = {
        {"diffraction", ">u2", "(16, 20, 12)", frames, sizeof frames, true, false},
        {"xcoords_start", "<f8", "(12,)", x, sizeof x, false, false},
        {"ycoords_start", "<f8", "(12,)", y, sizeof y, false, false},
    };
    made_npz(place->path, members, sizeof members / sizeof members[0]);
    made_set_geometry(place);
    assert_found(place, "slac");
    made_assert_scan(place, exact);
}

static void test_tike(void **state)
{
    struct made_place *place = *state;
    static float frames[MADE_N * MADE_PIXELS];
    float scan[2 * MADE_N];
    static float probe[2 * MADE_PIXELS];
    for (size_t n = 0; n < MADE_N; n++) {
        for (size_t i = 0; i < MADE_PIXELS; i++) {
            size_t r = (i / MADE_W + MADE_H / 2) % MADE_H;
            size_t c = (i % MADE_W + MADE_W / 2) % MADE_W;
            frames[n * MADE_PIXELS + r * MADE_W + c] = made_frames()[n * MADE_PIXELS + i];
        }
        scan[2 * n] = (float)(made_y(n) / made_object_pixel(0));
        scan[2 * n + 1] = (float)(made_x(n) / made_object_pixel(1));
    }
    for (size_t i = 0; i < MADE_PIXELS; i++)
        probe[2 * i] = i == 2 * MADE_W + 9 ? MADE_PROBE_VALUE : 1;
    const struct made_member members[] = {
        {"data", "<f4", "(1, 12, 16, 20)", frames, sizeof frames, false, false},
        {"scan", "<f4", "(1, 12, 2)", scan, sizeof scan, false, false},
        {"probe", "<c8", "(1, 1, 1, 1, 16, 20)", probe, sizeof probe, false, false},
    };
    made_npz(place->path, members, sizeof members / sizeof members[0]);
    made_assert_refused(place, "photon energy", "object_pixel_nm");
    made_set_geometry(place);
    assert_found(place, "tike");
    made_assert_scan(place, 1e-12);
    assert_probe(place, 1);
}

static void test_ptyd(void **state)
{
    struct made_place *place = *state;
    static uint8_t weights[MADE_PIXELS];
    memset(weights, 1, sizeof weights);
    weights[0] = 0;
    hid_t file = made_file(place->path);
    for (size_t k = 0; k < MADE_N; k++) { /* "10" comes behind "2" */
        double yx[] = {made_y(k), made_x(k)};
        char path[64];
        snprintf(path, sizeof path, "/chunks/%zu/data", k);
        made_put(file, path, H5T_NATIVE_UINT16, 3, (const hsize_t[]){1, MADE_H, MADE_W},
                 made_frames() + k * MADE_PIXELS);
        snprintf(path, sizeof path, "/chunks/%zu/positions", k);
        made_put(file, path, H5T_NATIVE_DOUBLE, 2, (const hsize_t[]){1, 2}, yx);
    }
    const double psize[] = {MADE_PIXEL_M, MADE_PIXEL_M};
    made_put_number(file, "/meta/energy", MADE_ENERGY_EV / 1000);
    made_put_number(file, "/meta/distance", MADE_DISTANCE_M);
    made_put(file, "/meta/psize", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){2}, psize);
    made_put(file, "/meta/weight2d", H5T_NATIVE_UINT8, 2, (const hsize_t[]){MADE_H, MADE_W},
             weights);
    H5Fclose(file);
    assert_found(place, "ptyd");
    made_assert_geometry(place);
    made_assert_positions(&place->measurement, exact);
    assert_int_equal(place->measurement.patterns, MADE_N);
    assert_int_equal(place->measurement.measured[MADE_H / 2 * MADE_W + MADE_W / 2], 0);
    for (size_t n = 0; n < MADE_N; n++)
        assert_true(fabs(made_value(&place->measurement, n, (MADE_ROW + MADE_H / 2) % MADE_H,
                                    (MADE_COLUMN + MADE_W / 2) % MADE_W) -
                         (double)(100 + n)) < 0.5);
}

static void test_ptyr_gives_what_goes_with_frames(void **state)
{
    struct made_place *place = *state;
    const double psize[] = {3e-8, 3e-8};
    char *result = made_path(place, "recon.ptyr");
    hid_t file = made_file(result);
    put_complex(file, "/content/probe/S00/data", 3, (const hsize_t[]){2, MADE_H, MADE_W});
    made_put(file, "/content/probe/S00/_psize", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){2}, psize);
    made_put_number(file, "/content/probe/S00/_energy", MADE_ENERGY_EV / 1000);
    made_put_yx(file, "/content/positions/S00", 1);
    H5Fclose(file);
    file = made_file(place->path);
    made_put_frames(file, "/dp");
    H5Fclose(file);
    made_set(place, "positions_file", result);
    assert_found(place, "ptychodus");
    made_assert_scan(place, exact);
    assert_probe(place, 2);
    assert_true(fabs(place->measurement.object_pixel_m[0] / 3e-8 - 1) < 1e-9);
    made_set(place, "positions_file", "");
    made_set(place, "input", result);
    made_assert_refused(place, "looks like a result", "positions_file");
    free(result);
}

static void test_ptychoshelves(void **state)
{
    struct made_place *place = *state;
    uint32_t positions[2 * MADE_N];
    for (size_t n = 0; n < MADE_N; n++) {
        positions[2 * n] = (uint32_t)lround(made_y(n) / made_object_pixel(0));
        positions[2 * n + 1] = (uint32_t)lround(made_x(n) / made_object_pixel(1));
    }
    hid_t file = made_file(place->path);
    made_put(file, "/measurement/n0/data", H5T_NATIVE_UINT16, 3, turned_shape, turned_frames(true));
    made_put(file, "/measurement/n0/positions", H5T_NATIVE_UINT32, 2, (const hsize_t[]){MADE_N, 2},
             positions);
    H5Fclose(file);
    made_set_geometry(place);
    assert_found(place, "ptychoshelves");
    made_assert_scan(place, made_object_pixel(0)); /* whole pixels */
}

static void test_files_in_series(void **state)
{
    struct made_place *place = *state;
    struct ff_error error = {0};
    struct ff_buffer text;
    ff_buffer_init(&text, 1 << 16);
    ff_buffer_append_text(&text, "x,y\n");
    for (size_t n = 0; n < MADE_N; n++) {
        char name[32];
        snprintf(name, sizeof name, "fly_%zu.h5", n); /* without noughts in front */
        char *path = made_path(place, name);
        hid_t file = made_file(path);
        made_put(file, "/entry/data/data", H5T_NATIVE_UINT16, 3,
                 (const hsize_t[]){1, MADE_H, MADE_W}, made_frames() + n * MADE_PIXELS);
        H5Fclose(file);
        free(path);
        ff_buffer_printf(&text, "%.12g;%.12g\n", 1e6 * made_x(n), 1e6 * made_y(n));
    }
    char *table = made_path(place, "positions.csv");
    assert_ok(ff_file_write(table, ff_buffer_span(&text), 0600, &error), error);
    made_set_path(place, "input", "fly_*.h5");
    made_set(place, "positions_file", table);
    made_set(place, "positions_unit", "um");
    made_set_geometry(place);
    assert_found(place, "aps-2idd");
    made_assert_scan(place, 1e-13);
    ff_buffer_dispose(&text);
    free(table);
}

static void test_aps_9id(void **state)
{
    struct made_place *place = *state;
    char *other = made_path(place, "motors.h5");
    hid_t file = made_file(place->path);
    made_put_frames(file, "/exchange/data");
    H5Fclose(file);
    file = made_file(other);
    made_put_line(file, "/motors/up", made_y, 1e-3);
    made_put_line(file, "/motors/aside", made_x, 1e-3);
    H5Fclose(file);
    made_set(place, "positions_file", other);
    made_set_geometry(place);
    made_assert_refused(place, "no positions", "positions_columns");
    made_set(place, "positions_columns", "/motors/up,/motors/aside");
    made_set(place, "positions_unit", "mm");
    assert_found(place, "aps-9id");
    made_assert_scan(place, exact);
    free(other);
}

static void test_every_preset_is_told_of(void **state)
{
    (void)state;
    struct ff_error error = {0};
    char *text = NULL;
    size_t size = 0;
    char path[4096];
    const char *source = getenv("FF_SOURCE");
    snprintf(path, sizeof path, "%s/functions/reconstruct/formats/README.md",
             source != NULL ? source : ".");
    assert_ok(ff_file_read(path, 1 << 20, &text, &size, &error), error);
    for (const struct ff_preset *preset = ff_presets; preset->name != NULL; preset++) {
        struct ff_description description;
        char quoted[64];
        assert_ok(ff_description_init(&description, &error), error);
        assert_ok(ff_preset_describe(preset, &description, &error), error);
        ff_description_dispose(&description);
        snprintf(quoted, sizeof quoted, "`%s`", preset->name);
        if (strstr(text, quoted) == NULL)
            fail_msg("the README does not tell of %s", preset->name);
    }
    for (size_t i = 0; i < ff_description_table.count; i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "`%s`", ff_description_table.options[i].key);
        if (strstr(text, quoted) == NULL)
            fail_msg("the README does not tell of the key %s", quoted);
    }
    free(text);
}

/* What `farfield inspect` asks: which presets a file could be, and what it lacks. */
static void test_candidates_come_with_reasons(void **state)
{
    struct made_place *place = *state;
    struct ff_error error = {0};
    struct ff_candidate candidates[FF_CANDIDATES_MAX];
    hid_t file = made_file(place->path);
    made_put_frames(file, "/dp");
    H5Fclose(file);
    struct ff_hdf5_file *store = ff_store_open(place->path, &error);
    assert_non_null(store);
    size_t count = ff_preset_candidates(store, candidates);
    assert_int_equal(count, 2);
    assert_string_equal(candidates[0].preset->name, "ptychodus");
    assert_string_equal(candidates[0].missing, "");
    assert_true(candidates[0].has_frames);
    assert_string_equal(candidates[1].preset->name, "holoptycho");
    assert_string_equal(candidates[1].missing, "/points");
    ff_hdf5_close(store);
}

int main(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        MADE_TEST(test_cxi),
        MADE_TEST(test_flow),
        MADE_TEST(test_ptychodus_and_a_product),
        MADE_TEST(test_fold_slice),
        MADE_TEST(test_ptychodus_npz),
        MADE_TEST(test_velociprobe),
        MADE_TEST(test_lynx),
        MADE_TEST(test_csaxs),
        MADE_TEST(test_nanomax),
        MADE_TEST(test_nsls2_holds_amplitudes),
        MADE_TEST(test_holoptycho),
        MADE_TEST(test_slac),
        MADE_TEST(test_tike),
        MADE_TEST(test_ptyd),
        MADE_TEST(test_ptyr_gives_what_goes_with_frames),
        MADE_TEST(test_ptychoshelves),
        MADE_TEST(test_files_in_series),
        MADE_TEST(test_aps_9id),
        MADE_TEST(test_every_preset_is_told_of),
        MADE_TEST(test_candidates_come_with_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
