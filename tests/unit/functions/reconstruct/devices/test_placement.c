/* Tiles on devices: exact where all can be tried, and never worse than in order. */
#include "tests/unit/check.h"

#include "functions/reconstruct/devices/placement.h"
#include "functions/reconstruct/solvers/random.h"

#include <math.h>
#include <stdbool.h>

enum { MOST = 16 };

/* Bytes a second of what is sold: NVLink bridges, NVSwitch, PCIe 4 under one switch, and across. */
static const double nvlink = 56e9;
static const double nvswitch = 300e9;
static const double pcie_near = 25e9;
static const double pcie_far = 10e9;

struct machine {
    double links[MOST * MOST];
    double ports[MOST];
    struct ff_topology topology;
};

struct edges {
    double bytes[MOST * MOST];
    unsigned tiles;
};

static void join(struct machine *machine, unsigned a, unsigned b, double bandwidth)
{
    machine->links[a * machine->topology.devices + b] = bandwidth;
    machine->links[b * machine->topology.devices + a] = bandwidth;
}

static void share(struct edges *edges, unsigned a, unsigned b, double bytes)
{
    edges->bytes[a * edges->tiles + b] = bytes;
    edges->bytes[b * edges->tiles + a] = bytes;
}

static struct machine *machine_of(unsigned devices, double bandwidth)
{
    struct machine *machine = calloc(1, sizeof *machine);
    assert_non_null(machine);
    machine->topology = (struct ff_topology){devices, machine->links, NULL};
    for (unsigned a = 0; a < devices; a++)
        for (unsigned b = a + 1; b < devices; b++)
            join(machine, a, b, bandwidth);
    return machine;
}

/* Tiles in a row, each overlapping the next. */
static struct edges row_of(unsigned tiles, double bytes)
{
    struct edges edges = {.tiles = tiles};
    for (unsigned i = 0; i + 1 < tiles; i++)
        share(&edges, i, i + 1, bytes);
    return edges;
}

static struct ff_placement *place(const struct machine *machine, const struct edges *edges)
{
    struct ff_error error;
    struct ff_placement *placement =
        ff_placement_create(&machine->topology, edges->tiles, edges->bytes, &error);
    if (placement == NULL)
        fail_msg("%s", error.message);
    return placement;
}

static double link_of(const struct machine *machine, const struct ff_placement *placement,
                      unsigned tile, unsigned peer)
{
    return machine
        ->links[placement->device[tile] * machine->topology.devices + placement->device[peer]];
}

/* Every tile has a device of its own, and the bytes of the links are those of the edges. */
static void check_whole(const struct machine *machine, const struct edges *edges,
                        const struct ff_placement *placement)
{
    unsigned devices = machine->topology.devices;
    double placed = 0;
    double all = 0;
    for (unsigned i = 0; i < edges->tiles; i++) {
        assert_true(placement->device[i] < devices);
        for (unsigned j = 0; j < edges->tiles; j++) {
            if (i == j)
                continue;
            assert_int_not_equal(placement->device[i], placement->device[j]);
            assert_true(
                placement->link_bytes[placement->device[i] * devices + placement->device[j]] ==
                edges->bytes[i * edges->tiles + j]);
            all += edges->bytes[i * edges->tiles + j];
        }
    }
    for (unsigned i = 0; i < devices * devices; i++)
        placed += placement->link_bytes[i];
    assert_true(fabs(placed - all) <= 1e-9 * all);
}

/* Four devices, bridged in pairs (0 with 2, 1 with 3), and a row of four tiles whose outer edges
 * are the heavy ones: these get the bridges. */
static void pairs_take_the_heavy_edges(void **state)
{
    (void)state;
    struct machine *machine = machine_of(4, pcie_far);
    join(machine, 0, 2, nvlink);
    join(machine, 1, 3, nvlink);
    struct edges edges = row_of(4, 12e6);
    share(&edges, 1, 2, 2e6);
    struct ff_placement *placement = place(machine, &edges);
    check_whole(machine, &edges, placement);
    assert_true(link_of(machine, placement, 0, 1) == nvlink);
    assert_true(link_of(machine, placement, 2, 3) == nvlink);
    assert_true(fabs(placement->exchange_s - fmax(12e6 / nvlink, 2e6 / pcie_far)) < 1e-12);
    ff_placement_destroy(placement);
    free(machine);
}

/* Where all links are alike the tiles stay in order, and the port is what limits. */
static void a_switch_keeps_the_order(void **state)
{
    (void)state;
    struct machine *machine = machine_of(8, nvswitch);
    struct edges edges = row_of(8, 12e6);
    machine->topology.ports = machine->ports;
    for (unsigned i = 0; i < 8; i++)
        machine->ports[i] = nvswitch;
    struct ff_placement *placement = place(machine, &edges);
    check_whole(machine, &edges, placement);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(placement->device[i], i);
    assert_true(fabs(placement->exchange_s - 24e6 / nvswitch) < 1e-12); /* two neighbours */
    ff_placement_destroy(placement);
    free(machine);
}

/* A slow port goes to a tile with one neighbour. */
static void a_slow_port_gets_an_end(void **state)
{
    (void)state;
    struct machine *machine = machine_of(5, nvswitch);
    struct edges edges = row_of(5, 12e6);
    machine->topology.ports = machine->ports;
    for (unsigned i = 0; i < 5; i++)
        machine->ports[i] = i == 2 ? nvswitch / 4 : nvswitch;
    struct ff_placement *placement = place(machine, &edges);
    check_whole(machine, &edges, placement);
    assert_true(placement->device[0] == 2 || placement->device[4] == 2);
    assert_true(fabs(placement->exchange_s - 4 * 12e6 / nvswitch) < 1e-12);
    ff_placement_destroy(placement);
    free(machine);
}

/* A tree: devices with even numbers hang on one switch, those with odd ones on another. A row of
 * tiles crosses between them once, at its lightest edge. */
static void a_tree_is_crossed_once(void **state)
{
    (void)state;
    for (unsigned devices = 4; devices <= MOST; devices += 4) {
        struct machine *machine = machine_of(devices, pcie_far);
        for (unsigned a = 0; a < devices; a++)
            for (unsigned b = a + 2; b < devices; b += 2)
                join(machine, a, b, pcie_near);
        struct edges edges = row_of(devices, 12e6);
        share(&edges, devices / 2 - 1, devices / 2, 3e6);
        struct ff_placement *placement = place(machine, &edges);
        check_whole(machine, &edges, placement);
        for (unsigned i = 0; i + 1 < devices; i++)
            assert_true(link_of(machine, placement, i, i + 1) ==
                        (i + 1 == devices / 2 ? pcie_far : pcie_near));
        ff_placement_destroy(placement);
        free(machine);
    }
}

/* Two tiles on eight devices, of which one pair is bridged, wherever that is. */
static void the_best_of_many(void **state)
{
    (void)state;
    struct edges edges = row_of(2, 1e6);
    for (unsigned a = 0; a < 8; a++)
        for (unsigned b = a + 1; b < 8; b++) {
            struct machine *machine = machine_of(8, pcie_far);
            join(machine, a, b, nvlink);
            struct ff_placement *placement = place(machine, &edges);
            assert_int_equal(placement->device[0], a);
            assert_int_equal(placement->device[1], b);
            ff_placement_destroy(placement);
            free(machine);
        }
}

/* What the model says of a placement, from its definition. */
static double exchange_of(const struct machine *machine, const struct edges *edges,
                          const unsigned *device, double *link_seconds)
{
    double most = 0;
    *link_seconds = 0;
    for (unsigned j = 0; j < edges->tiles; j++) {
        double all = 0;
        for (unsigned i = 0; i < edges->tiles; i++) {
            if (i == j)
                continue;
            double bytes = edges->bytes[i * edges->tiles + j];
            double seconds =
                bytes / machine->links[device[i] * machine->topology.devices + device[j]];
            most = fmax(most, seconds);
            *link_seconds += seconds;
            all += bytes;
        }
        most = fmax(most, all / machine->ports[device[j]]);
    }
    return most;
}

static struct machine *random_machine(struct ff_random *random, unsigned devices)
{
    struct machine *machine = machine_of(devices, 1);
    machine->topology.ports = machine->ports;
    for (unsigned a = 0; a < devices; a++) {
        machine->ports[a] = 1e9 * (20 + ff_random_below(random, 80));
        for (unsigned b = 0; b < devices; b++)
            machine->links[a * devices + b] = 1e9 * (5 + ff_random_below(random, 60));
    }
    return machine;
}

static struct edges random_edges(struct ff_random *random, unsigned tiles)
{
    struct edges edges = {.tiles = tiles};
    for (unsigned a = 0; a < tiles; a++)
        for (unsigned b = a + 1; b < tiles; b++)
            share(&edges, a, b, 1e6 * ff_random_below(random, 20));
    return edges;
}

/* Every order of five out of six devices, in turn; false after the last. */
static bool next_order(unsigned *device, unsigned tiles, unsigned devices)
{
    for (;;) {
        unsigned i = 0;
        while (i < tiles && ++device[i] == devices)
            device[i++] = 0;
        if (i == tiles)
            return false;
        bool distinct = true;
        for (unsigned a = 0; a < tiles; a++)
            for (unsigned b = a + 1; b < tiles; b++)
                distinct = distinct && device[a] != device[b];
        if (distinct)
            return true;
    }
}

static void nothing_is_faster(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(3);
    for (unsigned round = 0; round < 10; round++) {
        struct machine *machine = random_machine(&random, 6);
        struct edges edges = random_edges(&random, 5);
        struct ff_placement *placement = place(machine, &edges);
        check_whole(machine, &edges, placement);
        double total;
        double found = exchange_of(machine, &edges, placement->device, &total);
        assert_true(fabs(found - placement->exchange_s) <= 1e-9 * found);
        assert_true(fabs(total - placement->link_seconds) <= 1e-9 * total);
        unsigned device[5] = {0};
        while (next_order(device, 5, 6)) {
            double other_total;
            double other = exchange_of(machine, &edges, device, &other_total);
            assert_true(other >= found * (1 - 1e-8));
            assert_true(other > found * (1 + 1e-8) || other_total >= total * (1 - 1e-8));
        }
        ff_placement_destroy(placement);
        free(machine);
    }
}

/* Beyond what can be tried: no swap of two helps, and the same again gives the same. */
static void many_devices(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(4);
    for (unsigned round = 0; round < 5; round++) {
        struct machine *machine = random_machine(&random, MOST);
        struct edges edges = random_edges(&random, MOST - round);
        struct ff_placement *placement = place(machine, &edges);
        struct ff_placement *again = place(machine, &edges);
        check_whole(machine, &edges, placement);
        assert_memory_equal(placement->device, again->device,
                            edges.tiles * sizeof *placement->device);
        unsigned device[MOST];
        double total;
        double found = exchange_of(machine, &edges, placement->device, &total);
        for (unsigned a = 0; a < edges.tiles; a++)
            for (unsigned b = a + 1; b < edges.tiles; b++) {
                memcpy(device, placement->device, edges.tiles * sizeof *device);
                device[a] = placement->device[b];
                device[b] = placement->device[a];
                assert_true(exchange_of(machine, &edges, device, &total) >= found * (1 - 1e-8));
            }
        for (unsigned i = 0; i < edges.tiles; i++)
            device[i] = i;
        assert_true(exchange_of(machine, &edges, device, &total) >= found * (1 - 1e-8));
        ff_placement_destroy(placement);
        ff_placement_destroy(again);
        free(machine);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct ff_error error;
    struct machine *machine = machine_of(3, nvlink);
    struct edges edges = row_of(4, 1e6);
    assert_null(ff_placement_create(&machine->topology, 4, edges.bytes, &error));
    assert_non_null(strstr(error.message, "4 tiles on 3 devices"));
    assert_null(ff_placement_create(&machine->topology, 0, edges.bytes, &error));
    join(machine, 0, 2, 0);
    assert_null(ff_placement_create(&machine->topology, 2, edges.bytes, &error));
    assert_non_null(strstr(error.message, "from device 0 to device 2"));
    join(machine, 0, 2, NAN);
    assert_null(ff_placement_create(&machine->topology, 2, edges.bytes, &error));
    join(machine, 0, 2, nvlink);
    machine->topology.ports = machine->ports;
    assert_null(ff_placement_create(&machine->topology, 2, edges.bytes, &error));
    assert_non_null(strstr(error.message, "device 0 reads 0 bytes"));
    free(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_take_the_heavy_edges),
        cmocka_unit_test(a_switch_keeps_the_order),
        cmocka_unit_test(a_slow_port_gets_an_end),
        cmocka_unit_test(a_tree_is_crossed_once),
        cmocka_unit_test(the_best_of_many),
        cmocka_unit_test(nothing_is_faster),
        cmocka_unit_test(many_devices),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests_name("reconstruct placement", tests, NULL, NULL);
}
