#include "worker/loader.h" /* before cmocka, whose macro `fail` would meet a member of that name */

#include "tests/unit/check.h"

#include "protocol/core/file.h"

#include <elf.h>
#include <unistd.h>

static char *folder;

static const char *write_file(const char *name, const void *bytes, size_t size)
{
    static char path[512];
    struct ff_error error;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(ff_file_write(path, (struct ff_span){bytes, size}, 0600, &error), error);
    return path;
}

static void assert_refused(const char *path, const char *what)
{
    struct ff_error error;
    const struct ff_function *function = NULL;
    assert_int_equal(ff_function_load(path, "probe", &function, &error), -1);
    assert_int_equal(error.code, FF_FUNCTION_INVALID);
    assert_null(function);
    if (strstr(error.message, what) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, what);
}

static void test_a_function_is_loaded(void **state)
{
    (void)state;
    struct ff_error error;
    char path[512];
    const struct ff_function *function = NULL;
    snprintf(path, sizeof path, "%s/lib/farfield/functions/echo.so", getenv("FF_STAGE"));
    assert_ok(ff_function_load(path, "echo", &function, &error), error);
    assert_string_equal(function->name, "echo");
}

static void test_files_that_are_no_functions(void **state)
{
    (void)state;
    Elf64_Ehdr head;
    assert_refused("/nonexistent", "cannot open");
    assert_refused(write_file("text", "#!/bin/sh\n", 10), "is not a shared object");
    assert_refused(write_file("empty", "", 0), "is not a shared object");
    memset(&head, 0, sizeof head);
    memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_ident[EI_DATA] = ELFDATA2LSB;
    head.e_machine = EM_S390;
    head.e_type = ET_DYN;
    assert_refused(write_file("foreign", &head, sizeof head), "is built for another machine");
    FILE *own = fopen("/proc/self/exe", "re");
    assert_int_equal(fread(&head, sizeof head, 1, own), 1);
    fclose(own);
    head.e_type = ET_REL;
    assert_refused(write_file("object", &head, sizeof head), "no shared object (type 1)");
    head.e_type = ET_DYN;
    assert_refused(write_file("cut", &head, sizeof head), "cannot be loaded");
}

/* Compiled here, so that each is a real shared object that only its declaration spoils. */
static void test_shared_objects_that_are_no_functions(void **state)
{
    (void)state;
    const struct {
        const char *name;
        const char *source;
        const char *what;
    } objects[] = {
        {"none", "int other;", "exports no symbol farfield_function"},
        {"newer",
         "const struct ff_function farfield_function = {.abi = 99, .size = sizeof(struct "
         "ff_function), .invoke = invoke};",
         "is built for ABI 99"},
        {"short",
         "const struct ff_function farfield_function = {.abi = 1, .size = 8, .invoke = "
         "invoke};",
         "size 8"},
        {"idle",
         "const struct ff_function farfield_function = {.abi = 1, .size = sizeof(struct "
         "ff_function)};",
         "no invoke"},
    };
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        char text[1024];
        char command[2048];
        char object[512];
        snprintf(text, sizeof text,
                 "#include \"functions/function.h\"\nint invoke(struct ff_call *c);\nint "
                 "invoke(struct ff_call *c) { return c != 0; }\n%s\n",
                 objects[i].source);
        const char *source = write_file("source.c", text, strlen(text));
        snprintf(object, sizeof object, "%s/%s.so", folder, objects[i].name);
        snprintf(command, sizeof command, "cc -shared -fPIC -I '%s' '%s' -o '%s'",
                 getenv("FF_SOURCE"), source, object);
        assert_int_equal(system(command), 0);
        assert_refused(object, objects[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_function_is_loaded),
        cmocka_unit_test(test_files_that_are_no_functions),
        cmocka_unit_test(test_shared_objects_that_are_no_functions),
    };
    struct ff_error error;
    folder = make_folder();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)!ff_folder_remove(folder, &error);
    free(folder);
    return failed;
}
