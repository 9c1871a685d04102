/* What joins devices, told from what NVML, CUDA and the kernel's file system say: bridges, switches, trees of PCIe. */
#include "functions/reconstruct/backends/cuda/cuda.h"
#include "functions/reconstruct/backends/cuda/links.h"
#include "functions/reconstruct/backends/cuda/pci.h"
#include "functions/reconstruct/devices/placement.h"
#include "tests/cuda/fault.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEVICES = 4,
    NOTHING = 0,
    SWITCH = 100,
    UNSEEN = 99 /* a device's number, from 1, or one of these */
};

/* 16 lanes */
#define PCIE_4 (16e9 * 16 / 8 * 128 / 130)
#define PCIE_3 (8e9 * 16 / 8 * 128 / 130)
#define PCIE_2 (5e9 * 16 / 8 * 8 / 10)

/* --- a pretended NVML --- */

static struct {
    int ends[DEVICES][FF_NVML_LINKS];
    int handles[DEVICES]; /* whose addresses are handles */
    int open;
    bool refuses;
} pretended;

static int nvml_init(void)
{
    pretended.open += !pretended.refuses;
    return pretended.refuses ? 9 /* the driver is not loaded */ : FF_NVML_SUCCESS;
}

static int nvml_shutdown(void)
{
    pretended.open--;
    return FF_NVML_SUCCESS;
}

static int nvml_handle(const char *bus_id, void **device)
{
    struct ff_pci_address address;
    if (!ff_pci_parse(bus_id, &address) || address.bus < 1 || address.bus > DEVICES)
        return 6; /* not found */
    *device = &pretended.handles[address.bus - 1];
    return FF_NVML_SUCCESS;
}

static int end_of(void *device, unsigned link)
{
    return pretended.ends[(int *)device - pretended.handles][link];
}

static int nvml_state(void *device, unsigned link, int *is_active)
{
    *is_active = end_of(device, link) != NOTHING;
    return FF_NVML_SUCCESS;
}

static int nvml_pci(void *device, unsigned link, struct ff_nvml_pci *pci)
{
    pci->bus = (unsigned)end_of(device, link);
    return FF_NVML_SUCCESS;
}

static int nvml_type(void *device, unsigned link, int *type)
{
    *type = end_of(device, link) == SWITCH ? FF_NVML_END_SWITCH : FF_NVML_END_GPU;
    return FF_NVML_SUCCESS;
}

static struct ff_nvml nvml = {nvml_init, nvml_shutdown, nvml_handle, nvml_state,
                              nvml_pci,  nvml_type,     NULL};

static void join(unsigned a, unsigned b, unsigned links)
{
    for (unsigned i = 0; i < links; i++) {
        int *of_a = pretended.ends[a], *of_b = pretended.ends[b];
        while (*of_a != NOTHING)
            of_a++;
        while (*of_b != NOTHING)
            of_b++;
        *of_a = (int)b + 1;
        *of_b = (int)a + 1;
    }
}

/* --- a pretended /sys --- */

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[8192];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void make_folders(const char *root, const char *below, char *path, size_t size)
{
    snprintf(path, size, "%s", root);
    for (const char *part = below; *part != '\0';) {
        size_t length = strcspn(part, "/");
        snprintf(path + strlen(path), size - strlen(path), "/%.*s", (int)length, part);
        (void)mkdir(path, 0777);
        part += length + (part[length] == '/');
    }
}

/* Device `number` below bridges, "pci0000:00/0000:00:01.0". */
static void place(const char *root, unsigned number, const char *bridges, int node,
                  const char *speed, const char *width)
{
    char below[256], folder[4200], link[4200], text[16];
    snprintf(below, sizeof below, "devices/%s/0000:%02x:00.0", bridges, number + 1);
    make_folders(root, below, folder, sizeof folder);
    snprintf(text, sizeof text, "%d\n", node);
    write_text(folder, "numa_node", text);
    write_text(folder, "max_link_speed", speed);
    write_text(folder, "max_link_width", width);
    make_folders(root, "bus/pci/devices", link, sizeof link);
    snprintf(link + strlen(link), sizeof link - strlen(link), "/0000:%02x:00.0", number + 1);
    assert_int_equal(symlink(folder, link), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void drop(char *root)
{
    assert_int_equal(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(root);
}

/* Two processors: 0 and 1 behind a switch of the first, 2 at another of its ports, 3 at the second one. */
static char *make_tree(void)
{
    char *root = make_folder();
    place(root, 0, "pci0000:00/0000:00:01.0/0000:80:00.0", 0, "16.0 GT/s PCIe\n", "16\n");
    place(root, 1, "pci0000:00/0000:00:01.0/0000:81:00.0", 0, "16.0 GT/s PCIe\n", "16\n");
    place(root, 2, "pci0000:00/0000:00:02.0", 0, "5.0 GT/s PCIe\n", "16\n");
    place(root, 3, "pci0000:40/0000:40:01.0", 1, "16.0 GT/s PCIe\n", "16\n");
    char port[4200]; /* which is older than what is plugged in */
    snprintf(port, sizeof port, "%s/devices/pci0000:40/0000:40:01.0", root);
    write_text(port, "max_link_speed", "8.0 GT/s PCIe\n");
    write_text(port, "max_link_width", "16\n");
    return root;
}

/* --- rates --- */

static double links[DEVICES * DEVICES], ports[DEVICES];

static void begin(void)
{
    memset(&pretended, 0, sizeof pretended);
    memset(links, 0, sizeof links);
    memset(ports, 0, sizeof ports);
    standin_begin(DEVICES, STANDIN_LAZY, 0);
}

static void measure(const struct ff_nvml *by, const char *sysfs)
{
    struct ff_error error;
    assert_ok(ff_cuda_links_by(DEVICES, by, sysfs, links, ports, &error), error);
    assert_int_equal(pretended.open, 0);
}

static void check(unsigned from, unsigned to, double bytes_s)
{
    if (links[from * DEVICES + to] < bytes_s * (1 - 1e-9) ||
        links[from * DEVICES + to] > bytes_s * (1 + 1e-9))
        fail_msg("from %u to %u: %g, and should be %g", from, to, links[from * DEVICES + to],
                 bytes_s);
}

static void check_port(unsigned device, double bytes_s)
{
    assert_true(ports[device] > bytes_s * (1 - 1e-9) && ports[device] < bytes_s * (1 + 1e-9));
}

static void bridges_join_pairs(void **state)
{
    (void)state;
    char *root = make_tree();
    begin();
    join(0, 2, 4);
    join(1, 3, 2);
    measure(&nvml, root);
    check(0, 2, 100e9);
    check(2, 0, 100e9);
    check(1, 3, 50e9);
    check(0, 1, PCIE_4);
    check(2, 3, PCIE_2 * .5);
    check_port(0, 100e9 + PCIE_4);
    check_port(3, 50e9 + PCIE_3);

    /* Tiles 0 and 1 share most, then 2 and 3: the widest bridge is for the first two. */
    const double bytes[DEVICES * DEVICES] = {0, 9, 1, 0, 9, 0, 0, 1, 1, 0, 0, 5, 0, 1, 5, 0};
    const struct ff_topology topology = {DEVICES, links, ports};
    struct ff_error error;
    struct ff_placement *placement = ff_placement_create(&topology, DEVICES, bytes, &error);
    assert_non_null(placement);
    assert_int_equal(placement->device[0] + placement->device[1], 2);
    assert_int_equal(placement->device[0] % 2, 0);
    assert_int_equal(placement->device[2] % 2, 1);
    ff_placement_destroy(placement);
    standin_end();
    drop(root);
}

static void switches_join_all(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < DEVICES; i++)
        for (unsigned link = 0; link < (i == 3 ? 6 : 12); link++)
            pretended.ends[i][link] = SWITCH;
    measure(&nvml, "/nowhere");
    check(0, 1, 300e9);
    check(2, 0, 300e9);
    check(3, 0, 150e9);
    check(0, 3, 150e9);
    check_port(0, 300e9);
    check_port(3, 150e9);
    standin_end();
}

/* By generation: 18 links of an H100, 4 of a bridge of 8.6, 18 of 10.0. */
static void generations_differ(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 2; i++) {
        standin_set_capability(i, 9, 0);
        for (unsigned link = 0; link < 18; link++)
            pretended.ends[i][link] = SWITCH;
    }
    standin_set_capability(2, 8, 6);
    standin_set_capability(3, 8, 6);
    join(2, 3, 4);
    measure(&nvml, "/nowhere");
    check(0, 1, 450e9);
    check(2, 3, 56e9);
    standin_set_capability(0, 10, 0);
    standin_set_capability(1, 10, 0);
    measure(&nvml, "/nowhere");
    check(0, 1, 900e9);
    standin_end();
}

static void trees_of_pcie(void **state)
{
    (void)state;
    char *root = make_tree();
    begin();
    standin_set_link(3, 0, 0, 0);
    measure(&nvml, root);
    check(0, 1, PCIE_4);
    check(0, 2, PCIE_2 * .8);
    check(2, 1, PCIE_2 * .8);
    check(1, 3, PCIE_3 * .5);
    check(3, 0, PCIE_3 * .5);
    check(0, 3, PCIE_3 * .5 * .5); /* 3 cannot read 0 */
    check_port(0, PCIE_4);
    check_port(2, PCIE_2);
    standin_end();
    drop(root);
}

/* Where NVML is not there, or does not start: native atomics tell bridges, ranks the rest. */
static void without_nvml(void **state)
{
    (void)state;
    for (int refuses = 0; refuses < 2; refuses++) {
        begin();
        pretended.refuses = refuses;
        for (unsigned a = 0; a < DEVICES; a++)
            for (unsigned b = 0; b < DEVICES; b++)
                if (a != b)
                    standin_set_link(a, b, 1, a / 2 == b / 2 ? 0 : 1);
        measure(refuses ? &nvml : NULL, "/nowhere");
        check(0, 1, 50e9);
        check(3, 2, 50e9);
        check(0, 2, PCIE_4 / 2);
        check_port(1, 50e9 + PCIE_4);
        standin_end();
    }
}

/* A link to a device that is not visible joins nothing; where NVML cannot say what a link ends at, neither does one to a
 * switch. */
static void ends_that_are_not_seen(void **state)
{
    (void)state;
    struct ff_nvml older = nvml;
    older.nvmlDeviceGetNvLinkRemoteDeviceType = NULL;
    begin();
    for (unsigned link = 0; link < 6; link++) {
        pretended.ends[0][link] = pretended.ends[1][link] = UNSEEN;
        pretended.ends[2][link] = pretended.ends[3][link] = SWITCH;
    }
    measure(&nvml, "/nowhere");
    check(0, 1, PCIE_4);
    check(2, 3, 150e9);
    measure(&older, "/nowhere");
    check(2, 3, PCIE_4);
    standin_end();
}

static void failures_are_told(void **state)
{
    (void)state;
    static const char *const calls[] = {"cudaDeviceGetPCIBusId", "cudaDeviceGetAttribute",
                                        "cudaDeviceCanAccessPeer", "cudaDeviceGetP2PAttribute"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct ff_error error = {0};
        begin();
        standin_fail_call(calls[i], 2, cudaErrorUnknown);
        assert_int_equal(ff_cuda_links_by(DEVICES, NULL, "/nowhere", links, ports, &error), -1);
        assert_int_equal(error.code, FF_NO_DEVICE);
        assert_non_null(strstr(error.message, calls[i]));
        standin_end();
    }
}

/* This machine, whatever it has. */
static void the_backend_offers_them(void **state)
{
    (void)state;
    struct ff_error error;
    begin();
    assert_ok(ff_backend_cuda.links(DEVICES, links, ports, &error), error);
    for (unsigned a = 0; a < DEVICES; a++) {
        assert_true(ports[a] > 0);
        for (unsigned b = 0; b < DEVICES; b++)
            assert_true(a == b || links[a * DEVICES + b] > 0);
    }
    standin_end();
}

static void addresses(void **state)
{
    (void)state;
    struct ff_pci_address a, b;
    assert_true(ff_pci_parse("0000:3B:00.0", &a));
    assert_true(ff_pci_parse("00000000:3b:00.0", &b));
    assert_true(ff_pci_same(a, b));
    assert_int_equal(a.bus, 0x3b);
    assert_true(ff_pci_parse("0001:3b:1f.7", &b));
    assert_false(ff_pci_same(a, b));
    assert_int_equal(b.device, 0x1f);
    assert_false(ff_pci_parse("3b:00.0", &a));
    assert_false(ff_pci_parse("0000:3b:00.0x", &a));
    assert_false(ff_pci_parse("", &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bridges_join_pairs), cmocka_unit_test(switches_join_all),
        cmocka_unit_test(generations_differ), cmocka_unit_test(trees_of_pcie),
        cmocka_unit_test(without_nvml),       cmocka_unit_test(ends_that_are_not_seen),
        cmocka_unit_test(failures_are_told),  cmocka_unit_test(the_backend_offers_them),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
