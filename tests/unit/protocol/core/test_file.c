#include "tests/unit/check.h"

#include "protocol/core/digest.h"
#include "protocol/core/file.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t count_entries(const char *folder)
{
    size_t count = 0;
    DIR *open = opendir(folder);
    assert_non_null(open);
    for (struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open))
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

static void test_write_replaces_and_leaves_nothing_beside(void **state)
{
    (void)state;
    struct ff_error error;
    char *folder = make_folder();
    char *path = ff_path_join(folder, "settings");
    char *data = NULL;
    size_t size = 0;
    assert_ok(ff_file_write(path, ff_span_of("old"), 0600, &error), error);
    assert_ok(ff_file_write(path, ff_span_of("new text"), 0600, &error), error);
    assert_ok(ff_file_read(path, 100, &data, &size, &error), error);
    assert_string_equal(data, "new text");
    assert_int_equal(size, 8);
    assert_int_equal(count_entries(folder), 1);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    free(data);
    assert_ok(ff_folder_remove(folder, &error), error);
    assert_int_equal(access(folder, F_OK), -1);
    free(path);
    free(folder);
}

static void test_refusals_name_the_file(void **state)
{
    (void)state;
    struct ff_error error;
    char *folder = make_folder();
    char *path = ff_path_join(folder, "absent");
    char *data = NULL;
    size_t size = 0;
    assert_int_equal(ff_file_read(path, 100, &data, &size, &error), -1);
    assert_int_equal(error.code, FF_INPUT_MISSING);
    assert_non_null(strstr(error.message, path));
    assert_int_equal(ff_file_read(folder, 100, &data, &size, &error), -1);
    assert_non_null(strstr(error.message, "is a folder"));
    assert_ok(ff_file_write(path, ff_span_of("eleven bytes"), 0600, &error), error);
    assert_int_equal(ff_file_read(path, 10, &data, &size, &error), -1);
    assert_int_equal(error.code, FF_TOO_LARGE);
    char *below = ff_path_join(path, "x");
    assert_int_equal(ff_file_write(below, ff_span_of("x"), 0600, &error), -1);
    assert_int_equal(ff_folder_make(path, 0700, &error), -1);
    assert_null(data);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(below);
    free(path);
    free(folder);
}

static void test_remove_does_not_follow_links(void **state)
{
    (void)state;
    struct ff_error error;
    char *outside = make_folder();
    char *kept = ff_path_join(outside, "kept");
    char *folder = make_folder();
    char *deep = ff_path_join(folder, "a/b/c");
    char *link = ff_path_join(folder, "a/link");
    assert_ok(ff_file_write(kept, ff_span_of("x"), 0600, &error), error);
    assert_ok(ff_folder_make(deep, 0700, &error), error);
    assert_int_equal(symlink(outside, link), 0);
    assert_ok(ff_folder_remove(folder, &error), error);
    assert_int_equal(access(kept, F_OK), 0);
    assert_ok(ff_folder_remove(outside, &error), error);
    assert_ok(ff_folder_remove(outside, &error), error);
    free(outside);
    free(kept);
    free(folder);
    free(deep);
    free(link);
}

static void test_digest_is_sha_256(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_digest digest;
    struct ff_digest of_file;
    struct ff_digest parsed;
    char text[FF_DIGEST_TEXT_SIZE];
    uint64_t size = 0;
    char *folder = make_folder();
    char *path = ff_path_join(folder, "abc");
    assert_ok(ff_digest_of(ff_span_of("abc"), &digest, &error), error);
    ff_digest_text(&digest, text); /* the example of FIPS 180-4 */
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(ff_digest_parse(text, strlen(text), &parsed), 0);
    assert_memory_equal(&parsed, &digest, sizeof digest);
    assert_int_equal(ff_digest_parse(text, 63, &parsed), -1);
    assert_ok(ff_file_write(path, ff_span_of("abc"), 0600, &error), error);
    assert_ok(ff_digest_of_file(path, &of_file, &size, &error), error);
    assert_memory_equal(&of_file, &digest, sizeof digest);
    assert_int_equal(size, 3);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_replaces_and_leaves_nothing_beside),
        cmocka_unit_test(test_refusals_name_the_file),
        cmocka_unit_test(test_remove_does_not_follow_links),
        cmocka_unit_test(test_digest_is_sha_256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
