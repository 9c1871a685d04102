/* Frames however they lie: packed by every filter, turned, mirrored, in other files, with pixels and frames that are
 * not to be used. */
#include "tests/unit/functions/reconstruct/formats/made_scan.h"

#include <lz4.h>
#include <sys/resource.h>
#include <unistd.h>

/* A file of the preset nanomax but for its frames. */
static hid_t start(struct made_place *place)
{
    hid_t file = made_file(place->path);
    made_put_line(file, "/entry/measurement/pseudo/x", made_x, 1e-6);
    made_put_line(file, "/entry/measurement/pseudo/y", made_y, 1e-6);
    made_set_geometry(place);
    made_set(place, "format", "nanomax");
    return file;
}

#define FRAMES "/entry/measurement/eiger1m/frames"

/* --- packed chunks --- */

static void append_big_endian(struct ff_buffer *to, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;) {
        uint8_t byte = (uint8_t)(value >> 8 * i);
        ff_buffer_append(to, &byte, 1);
    }
}

static void append_lz4_block(struct ff_buffer *to, const void *bytes, size_t size)
{
    char packed[1 << 16];
    int length = LZ4_compress_default(bytes, packed, (int)size, sizeof packed);
    assert_true(length > 0);
    append_big_endian(to, (uint64_t)length, 4);
    ff_buffer_append(to, packed, (size_t)length);
}

/* Bit by bit, from the definition: row 8 j + k of a block holds bit k of byte j of every element. */
static void shuffle_bits(const uint8_t *from, uint8_t *to, size_t count, size_t element)
{
    memset(to, 0, count * element);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < element; j++)
            for (size_t k = 0; k < 8; k++)
                if (from[i * element + j] >> k & 1)
                    to[(8 * j + k) * count / 8 + i / 8] |= (uint8_t)(1 << i % 8);
}

enum packing { PACK_LZ4, PACK_BITSHUFFLE, PACK_BITSHUFFLE_LZ4 };

static void pack_chunk(enum packing packing, const uint8_t *bytes, size_t size, size_t block,
                       struct ff_buffer *to)
{
    uint8_t shuffled[1 << 14];
    ff_buffer_clear(to);
    if (packing != PACK_BITSHUFFLE) {
        append_big_endian(to, size, 8);
        append_big_endian(to, block, 4);
    }
    size_t whole = packing == PACK_LZ4 ? size : size / 16 * 16;
    for (size_t at = 0; at < whole; at += block) {
        size_t length = whole - at < block ? whole - at : block;
        if (packing == PACK_LZ4) {
            append_lz4_block(to, bytes + at, length);
            continue;
        }
        shuffle_bits(bytes + at, shuffled, length / 2, 2);
        if (packing == PACK_BITSHUFFLE)
            ff_buffer_append(to, shuffled, length);
        else
            append_lz4_block(to, shuffled, length);
    }
    ff_buffer_append(to, bytes + whole, size - whole);
}

/* Chunks of 5 frames, which do not divide 12, and of 11 × 20 pixels, which do not divide a frame. */
static void put_packed(hid_t file, enum packing packing)
{
    enum { FRAMES_A_CHUNK = 5, ROWS_A_CHUNK = 11 };
    const hsize_t shape[] = {MADE_N, MADE_H, MADE_W};
    const hsize_t chunk[] = {FRAMES_A_CHUNK, ROWS_A_CHUNK, MADE_W};
    static uint16_t values[FRAMES_A_CHUNK * ROWS_A_CHUNK * MADE_W];
    const unsigned bitshuffle[] = {0, 3, 2, packing == PACK_BITSHUFFLE ? 512 : 0,
                                   packing == PACK_BITSHUFFLE ? 0 : 2};
    const unsigned block[] = {1000};
    struct ff_buffer packed;
    ff_buffer_init(&packed, 1 << 20);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_chunk(list, 3, chunk);
    if (packing == PACK_LZ4)
        H5Pset_filter(list, 32004, H5Z_FLAG_OPTIONAL, 1, block);
    else
        H5Pset_filter(list, 32008, H5Z_FLAG_OPTIONAL, 5, bitshuffle);
    hid_t space = H5Screate_simple(3, shape, NULL);
    hid_t id = H5Dcreate2(file, FRAMES, H5T_STD_U16LE, space, links, list, H5P_DEFAULT);
    assert_true(id >= 0);
    for (hsize_t n = 0; n < MADE_N; n += FRAMES_A_CHUNK)
        for (hsize_t r = 0; r < MADE_H; r += ROWS_A_CHUNK) {
            for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
                size_t frame = n + i / (ROWS_A_CHUNK * MADE_W);
                size_t row = r + i / MADE_W % ROWS_A_CHUNK;
                values[i] =
                    frame < MADE_N && row < MADE_H ? made_count(frame, row, i % MADE_W) : 0xdead;
            }
            pack_chunk(packing, (const uint8_t *)values, sizeof values,
                       packing == PACK_LZ4 ? 1000 : 1024, &packed);
            assert_true(H5Dwrite_chunk(id, H5P_DEFAULT, 0, (const hsize_t[]){n, r, 0}, packed.size,
                                       packed.data) >= 0);
        }
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(list);
    H5Pclose(links);
    ff_buffer_dispose(&packed);
}

static void test_packed_frames(void **state)
{
    struct made_place *place = *state;
    for (int packing = PACK_LZ4; packing <= PACK_BITSHUFFLE_LZ4; packing++) {
        hid_t file = start(place);
        put_packed(file, (enum packing)packing);
        H5Fclose(file);
        made_set(place, "threads", packing == PACK_LZ4 ? "1" : "3");
        made_read(place);
        made_assert_scan(place, 1e-12);
    }
}

static void put_deflated(hid_t file, const hsize_t *chunk, hid_t type)
{
    const hsize_t shape[] = {MADE_N, MADE_H, MADE_W};
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_chunk(list, 3, chunk);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, 4);
    hid_t space = H5Screate_simple(3, shape, NULL);
    hid_t id = H5Dcreate2(file, FRAMES, type, space, links, list, H5P_DEFAULT);
    assert_true(id >= 0 &&
                H5Dwrite(id, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, made_frames()) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(list);
    H5Pclose(links);
}

static void test_deflated_frames_of_every_type(void **state)
{
    struct made_place *place = *state;
    const hid_t types[] = {H5T_STD_U16LE, H5T_STD_U16BE, H5T_STD_I32LE,  H5T_STD_U32LE,
                           H5T_STD_I64LE, H5T_STD_U64BE, H5T_IEEE_F32LE, H5T_IEEE_F64BE};
    const hsize_t chunks[][3] = {{1, MADE_H, MADE_W}, {7, 5, 3}, {MADE_N, MADE_H, MADE_W}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        for (size_t k = 0; k < sizeof chunks / sizeof chunks[0]; k++) {
            hid_t file = start(place);
            put_deflated(file, chunks[k], types[i]);
            H5Fclose(file);
            made_read(place);
            made_assert_scan(place, 1e-12);
        }
}

/* A chunk that says it is more than it is, one that is cut, and one of noise: refused, and nothing is read or written
 * out of bounds (the sanitizers see that). */
static void test_damaged_chunks(void **state)
{
    struct made_place *place = *state;
    hid_t file = start(place);
    put_packed(file, PACK_BITSHUFFLE_LZ4);
    hid_t id = H5Dopen2(file, FRAMES, H5P_DEFAULT);
    uint8_t noise[64];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 37);
    H5Dwrite_chunk(id, H5P_DEFAULT, 0, (const hsize_t[]){5, 0, 0}, sizeof noise, noise);
    H5Dclose(id);
    H5Fclose(file);
    made_assert_refused(place, "does not unpack", "copy the file again");
}

static void test_a_filter_that_is_not_there_is_named_with_its_package(void **state)
{
    struct made_place *place = *state;
    const hsize_t shape[] = {MADE_N, MADE_H, MADE_W};
    hid_t file = start(place);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_chunk(list, 3, (const hsize_t[]){1, MADE_H, MADE_W});
    H5Pset_filter(list, 32013, H5Z_FLAG_OPTIONAL, 0, NULL);
    hid_t space = H5Screate_simple(3, shape, NULL);
    hid_t id = H5Dcreate2(file, FRAMES, H5T_STD_U16LE, space, links, list, H5P_DEFAULT);
    assert_true(id >= 0);
    for (hsize_t n = 0; n < MADE_N; n++)
        H5Dwrite_chunk(id, H5P_DEFAULT, 0, (const hsize_t[]){n, 0, 0}, 2 * MADE_PIXELS,
                       made_frames());
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(list);
    H5Pclose(links);
    H5Fclose(file);
    if (H5Zfilter_avail(32013) > 0)
        skip();
    made_assert_refused(place, "filter 32013", "hdf5-filter-plugin-zfp-serial");
}

/* --- other files --- */

static void put_virtual(hid_t file, const char *first, const char *second)
{
    const hsize_t shape[] = {MADE_N, MADE_H, MADE_W};
    const hsize_t half[] = {MADE_N / 2, MADE_H, MADE_W};
    const char *const names[] = {first, second};
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t space = H5Screate_simple(3, shape, NULL);
    hid_t source = H5Screate_simple(3, half, NULL);
    for (hsize_t i = 0; i < 2; i++) {
        H5Sselect_hyperslab(space, H5S_SELECT_SET, (const hsize_t[]){i * MADE_N / 2, 0, 0}, NULL,
                            half, NULL);
        assert_true(H5Pset_virtual(list, space, names[i], "/data", source) >= 0);
    }
    H5Sselect_all(space);
    hid_t id = H5Dcreate2(file, FRAMES, H5T_STD_U16LE, space, links, list, H5P_DEFAULT);
    assert_true(id >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Sclose(source);
    H5Pclose(list);
    H5Pclose(links);
}

static void put_half(const struct made_place *place, const char *name, size_t number)
{
    char *path = made_path(place, name);
    hid_t file = made_file(path);
    made_put(file, "/data", H5T_NATIVE_UINT16, 3, (const hsize_t[]){MADE_N / 2, MADE_H, MADE_W},
             made_frames() + number * MADE_PIXELS * MADE_N / 2);
    H5Fclose(file);
    free(path);
}

static void test_virtual_datasets(void **state)
{
    struct made_place *place = *state;
    hid_t file = start(place);
    put_virtual(file, "a.h5", "b.h5");
    H5Fclose(file);
    put_half(place, "a.h5", 0);
    made_assert_refused(place, "b.h5", "beside it");
    put_half(place, "b.h5", 1);
    made_read(place);
    made_assert_scan(place, 1e-12);
}

static void test_links_to_other_files(void **state)
{
    struct made_place *place = *state;
    hid_t file = start(place);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Lcreate_external("frames.h5", "/dp", file, FRAMES, links, H5P_DEFAULT);
    H5Pclose(links);
    H5Fclose(file);
    made_assert_refused(place, "link to frames.h5:/dp, which is not there", "beside");
    char *other = made_path(place, "frames.h5");
    file = made_file(other);
    made_put_frames(file, "/other");
    H5Fclose(file);
    made_assert_refused(place, "link to frames.h5:/dp: there is no such object in", "same scan");
    file = made_file(other);
    made_put_frames(file, "/dp");
    H5Fclose(file);
    made_read(place);
    made_assert_scan(place, 1e-12);
    assert_int_equal(truncate(other, 3000), 0);
    made_assert_refused(place, "frames.h5 is truncated", "copy it again");
    assert_int_equal(truncate(other, 0), 0);
    made_assert_refused(place, "frames.h5 is empty", "copied completely");
    free(other);
}

static struct ff_digest digest_of(const struct made_place *place)
{
    struct ff_error error = {0};
    struct ff_digest digest;
    assert_ok(ff_format_digest(place->settings, &digest, &error), error);
    return digest;
}

/* Links from link to link, one of them back to the start, and a virtual dataset at the end. */
static void test_the_digest_is_of_what_is_linked_to_as_well(void **state)
{
    struct made_place *place = *state;
    hid_t file = made_file(place->path);
    H5Lcreate_external("middle.h5", "/dp", file, "/dp", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    struct ff_digest alone = digest_of(place);
    char *middle = made_path(place, "middle.h5");
    file = made_file(middle);
    H5Lcreate_external("scan.h5", "/dp", file, "/back", H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, (const hsize_t[]){4}, NULL);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(plist, space, "end.h5", "/values", space);
    H5Dclose(H5Dcreate2(file, "/dp", H5T_NATIVE_INT, space, H5P_DEFAULT, plist, H5P_DEFAULT));
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    struct ff_digest linked = digest_of(place);
    assert_memory_not_equal(&alone, &linked, sizeof alone);
    char *end = made_path(place, "end.h5");
    struct ff_digest digests[2];
    for (int i = 0; i < 2; i++) {
        const int values[] = {1, 2, 3, i};
        file = made_file(end);
        made_put(file, "/values", H5T_NATIVE_INT, 1, (const hsize_t[]){4}, values);
        H5Fclose(file);
        digests[i] = digest_of(place);
        assert_memory_not_equal(&linked, &digests[i], sizeof linked);
    }
    assert_memory_not_equal(&digests[0], &digests[1], sizeof digests[0]);
    struct ff_digest again = digest_of(place);
    assert_memory_equal(&again, &digests[1], sizeof again);
    free(middle);
    free(end);
}

static void test_a_list_of_files(void **state)
{
    struct made_place *place = *state;
    char list[4096] = "";
    for (size_t n = 0; n < MADE_N; n++) { /* one frame a file, without an axis of frames */
        char name[32];
        snprintf(name, sizeof name, "%zu.h5", n);
        char *path = made_path(place, name);
        hid_t file = made_file(path);
        made_put(file, "/frame", H5T_NATIVE_UINT16, 2, (const hsize_t[]){MADE_H, MADE_W},
                 made_frames() + n * MADE_PIXELS);
        const double y = made_y(n);
        const double x = made_x(n);
        made_put(file, "/y", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){1}, &y);
        made_put(file, "/x", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){1}, &x);
        H5Fclose(file);
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", n > 0 ? "," : "", path);
        free(path);
    }
    struct ff_error error = {0};
    char *description = made_path(place, "format.yaml");
    assert_ok(ff_file_write(description,
                            ff_span_of("frames: /frame\npositions_y: /y m\npositions_x: /x m\n"),
                            0600, &error),
              error);
    made_set(place, "input", list);
    made_set(place, "format", description);
    made_set_geometry(place);
    made_read(place);
    made_assert_scan(place, 1e-12);
    free(description);
}

/* --- pixels and frames that are not to be used --- */

static size_t shifted(size_t r, size_t c)
{
    return (r + MADE_H / 2) % MADE_H * MADE_W + (c + MADE_W / 2) % MADE_W;
}

static void test_masks_by_range_and_by_file(void **state)
{
    struct made_place *place = *state;
    char *mask = made_path(place, "mask.h5");
    static uint8_t good[MADE_PIXELS];
    memset(good, 1, sizeof good);
    good[6 * MADE_W + 13] = 0;
    hid_t file = start(place);
    made_put_frames(file, FRAMES);
    H5Fclose(file);
    file = made_file(mask);
    made_put(file, "/entry/good", H5T_NATIVE_UINT8, 2, (const hsize_t[]){MADE_H, MADE_W}, good);
    H5Fclose(file);
    made_set(place, "mask", "rows 2,4:6; columns 19; rows 10: columns :2,7");
    made_read(place);
    for (size_t r = 0; r < MADE_H; r++)
        for (size_t c = 0; c < MADE_W; c++) {
            bool bad = r == 2 || r == 4 || r == 5 || c == 19 || (r >= 10 && (c < 2 || c == 7));
            assert_int_equal(place->measurement.measured[shifted(r, c)], !bad);
        }
    made_set(place, "mask", mask);
    made_assert_refused(place, "has no mask", "/DATASET");
    char setting[4200];
    snprintf(setting, sizeof setting, "%s:/entry/good", mask);
    made_set(place, "mask", setting);
    made_set(place, "mask_means", "good");
    made_read(place);
    assert_int_equal(place->measurement.measured[shifted(6, 13)], 0);
    assert_int_equal(place->measurement.measured[shifted(6, 12)], 1);
    static const char *const wrong[] = {"rows 3:2", "rows 16",       "columns 5:99",    "rows",
                                        "rows x",   "rows 3 rows 4", "rows 3; colums 4"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct ff_error error = {0};
        made_set(place, "mask", wrong[i]);
        assert_int_equal(made_try(place, &error), -1);
    }
    free(mask);
}

/* A frame without light and one far too bright are left out, with their positions. */
static void test_dark_and_bright_frames_are_left_out(void **state)
{
    struct made_place *place = *state;
    static uint16_t frames[MADE_N * MADE_PIXELS];
    memcpy(frames, made_frames(), sizeof frames);
    memset(frames + 4 * MADE_PIXELS, 0, MADE_PIXELS * sizeof frames[0]);
    for (size_t i = 0; i < MADE_PIXELS; i++)
        frames[7 * MADE_PIXELS + i] = 1000;
    hid_t file = start(place);
    made_put(file, FRAMES, H5T_NATIVE_UINT16, 3, (const hsize_t[]){MADE_N, MADE_H, MADE_W}, frames);
    H5Fclose(file);
    made_read(place);
    const struct ff_measurement *measurement = &place->measurement;
    assert_int_equal(measurement->patterns, MADE_N - 2);
    made_assert_notes(place, "1 of 12 frames hold no light, 1 are far too bright");
    static const size_t kept[] = {0, 1, 2, 3, 5, 6, 8, 9, 10, 11};
    double total = 0;
    for (size_t n = 0; n < MADE_N - 2; n++) {
        made_assert_frame(measurement, n, kept[n]);
        assert_true(fabs(measurement->positions_m[2 * n] - made_y(kept[n])) < 1e-12);
        for (size_t i = 0; i < MADE_PIXELS; i++)
            total += made_frames()[kept[n] * MADE_PIXELS + i];
    }
    assert_true(fabs(measurement->total_counts - total) < 0.5);
    made_set(place, "keep_frames", "all");
    made_read(place);
    assert_int_equal(place->measurement.patterns, MADE_N);
}

/* Values beyond 16 bit in the last frame turn all of them into float, and none is lost. */
static void test_values_beyond_16_bit(void **state)
{
    struct made_place *place = *state;
    static float frames[MADE_N * MADE_PIXELS];
    for (size_t i = 0; i < MADE_N * MADE_PIXELS; i++)
        frames[i] = made_frames()[i];
    frames[(MADE_N - 1) * MADE_PIXELS + 3 * MADE_W + 4] = 0.25F;
    hid_t file = start(place);
    made_put(file, FRAMES, H5T_NATIVE_FLOAT, 3, (const hsize_t[]){MADE_N, MADE_H, MADE_W}, frames);
    H5Fclose(file);
    made_set(place, "threads", "4");
    made_read(place);
    assert_non_null(place->measurement.counts.f32);
    for (size_t n = 0; n + 1 < MADE_N; n++)
        made_assert_frame(&place->measurement, n, n);
    float value = place->measurement.counts.f32[(MADE_N - 1) * MADE_PIXELS + shifted(3, 4)];
    assert_true(value > 0.2F && value < 0.3F);
}

/* The beam beside the middle: a square about it is kept, or as much as crop says. */
static void test_the_beam_beside_the_middle(void **state)
{
    struct made_place *place = *state;
    struct ff_error error = {0};
    char *description = made_path(place, "format.yaml");
    hid_t file = start(place);
    made_put_frames(file, FRAMES);
    H5Fclose(file);
    assert_ok(ff_file_write(description,
                            ff_span_of("frames: " FRAMES "\nbeam_row: 7 px\nbeam_column: 6\n"
                                       "positions_y: /entry/measurement/pseudo/y um\n"
                                       "positions_x: /entry/measurement/pseudo/x um\n"),
                            0600, &error),
              error);
    made_set(place, "format", description);
    made_read(place);
    assert_int_equal(place->measurement.rows, 12);
    assert_int_equal(place->measurement.columns, 12);
    assert_true(fabs(made_value(&place->measurement, 0, 0, 0) - made_count(0, 7, 6)) < 0.5);
    assert_true(fabs(made_value(&place->measurement, 3, 12 - 4, 12 - 1) - 103) < 0.5);
    made_assert_notes(place, "12 × 12");
    made_set(place, "crop", "8");
    made_read(place);
    assert_int_equal(place->measurement.rows, 8);
    assert_true(fabs(made_value(&place->measurement, 3, 8 - 4, 8 - 1) - 103) < 0.5);
    made_set(place, "crop", "14");
    made_assert_refused(place, "'crop' is 14", "about the beam");
    free(description);
}

static void test_a_near_field_stays_as_it_lies(void **state)
{
    struct made_place *place = *state;
    hid_t file = start(place);
    made_put_frames(file, FRAMES);
    H5Fclose(file);
    made_set(place, "near_field", "on");
    made_read(place);
    assert_true(place->measurement.near_field);
    assert_true(fabs(place->measurement.object_pixel_m[1] / MADE_PIXEL_M - 1) < 1e-12);
    for (size_t n = 0; n < MADE_N; n++)
        assert_memory_equal(place->measurement.counts.u16 + n * MADE_PIXELS,
                            made_frames() + n * MADE_PIXELS, 2 * MADE_PIXELS);
}

static void test_every_order_of_axes(void **state)
{
    struct made_place *place = *state;
    static const char *const names[] = {"frame", "row", "column"};
    static const size_t extents[] = {MADE_N, MADE_H, MADE_W};
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static uint16_t stored[MADE_N * MADE_PIXELS];
    char *description = made_path(place, "format.yaml");
    for (size_t i = 0; i < 6; i++)
        for (int flip = 0; flip < 4; flip++) {
            const size_t *order = orders[i];
            hsize_t shape[3];
            struct ff_error error = {0};
            char text[512];
            static const char *const flips[] = {"none", "rows", "columns", "both"};
            for (int k = 0; k < 3; k++)
                shape[k] = extents[order[k]];
            for (size_t e = 0; e < MADE_N * MADE_PIXELS; e++) {
                size_t at[3];
                at[order[2]] = e % shape[2];
                at[order[1]] = e / shape[2] % shape[1];
                at[order[0]] = e / shape[2] / shape[1];
                size_t r = flip & 1 ? MADE_H - 1 - at[1] : at[1];
                size_t c = flip & 2 ? MADE_W - 1 - at[2] : at[2];
                stored[e] = made_count(at[0], r, c);
            }
            hid_t file = start(place);
            made_put(file, FRAMES, H5T_NATIVE_UINT16, 3, shape, stored);
            H5Fclose(file);
            snprintf(text, sizeof text,
                     "frames: " FRAMES "\nframe_axes: %s %s %s\nflip_frames: %s\n"
                     "positions_y: /entry/measurement/pseudo/y um\n"
                     "positions_x: /entry/measurement/pseudo/x um\n",
                     names[order[0]], names[order[1]], names[order[2]], flips[flip]);
            assert_ok(ff_file_write(description, ff_span_of(text), 0600, &error), error);
            made_set(place, "format", description);
            made_read(place);
            made_assert_scan(place, 1e-12);
        }
    free(description);
}

int main(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        MADE_TEST(test_packed_frames),
        MADE_TEST(test_deflated_frames_of_every_type),
        MADE_TEST(test_damaged_chunks),
        MADE_TEST(test_a_filter_that_is_not_there_is_named_with_its_package),
        MADE_TEST(test_virtual_datasets),
        MADE_TEST(test_links_to_other_files),
        MADE_TEST(test_the_digest_is_of_what_is_linked_to_as_well),
        MADE_TEST(test_a_list_of_files),
        MADE_TEST(test_masks_by_range_and_by_file),
        MADE_TEST(test_dark_and_bright_frames_are_left_out),
        MADE_TEST(test_values_beyond_16_bit),
        MADE_TEST(test_the_beam_beside_the_middle),
        MADE_TEST(test_a_near_field_stays_as_it_lies),
        MADE_TEST(test_every_order_of_axes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
