/* One bus master: its bytes against a plain copy, its limits, its cycles in closed form, and its snoops. */
#include "tests/unit/dma_fixture.h"

#include <string.h>

static const char *const small_caches[] = {"cache.l1i.size=1KiB",
                                           "cache.l1i.ways=2",
                                           "cache.l1d.size=1KiB",
                                           "cache.l1d.ways=2",
                                           "cache.l2.size=4KiB",
                                           "cache.l2.ways=4",
                                           NULL};

static struct dma_master *make_master(struct dma_world *world, const struct dma_master_params *params)
{
    struct dma_master *master = dma_master_create(params, world->memory);
    cr_assert_not_null(master);
    return master;
}

static uint64_t stat_of(struct dma_memory *memory, const char *name)
{
    struct stat_registry *registry = stat_registry_create();
    cr_assert(dma_memory_register_stats(memory, registry, "dma"));
    uint64_t value;
    cr_assert(stat_get_count(registry, name, &value), "%s", name);
    stat_registry_destroy(registry);
    return value;
}

static void move_at_random(const char *const *settings, enum dma_coherence coherence)
{
    enum { MOVES = 5000, MAX_BYTES = 600, RAM_BYTES = HOLE_PAGE * PAGE_BYTES };
    static uint8_t expected[RAM_BYTES], buffer[MAX_BYTES];
    struct dma_world world;
    uint64_t random = 7;
    memset(expected, 0, sizeof expected);
    make_dma_world(&world, settings);
    struct dma_master_params params = plain_master();
    params.bus_offset = 0x80000000;
    params.bytes_per_cycle = 4;
    params.burst_bytes = 128;
    params.bursts_in_flight = 3;
    params.coherence = coherence;
    struct dma_master *master = make_master(&world, &params);
    cycle_t now = 0, done;
    for (unsigned i = 0; i < MOVES; i++) {
        size_t length = next_random(&random) % MAX_BYTES;
        uint64_t at = next_random(&random) % (RAM_BYTES - MAX_BYTES);
        if (next_random(&random) & 1) {
            cr_assert_eq(dma_read(master, baddr(at + 0x80000000), buffer, length, now, &done), DMA_OK);
            cr_assert_arr_eq(buffer, expected + at, length);
        } else {
            for (size_t j = 0; j < length; j++)
                expected[at + j] = buffer[j] = (uint8_t)next_random(&random);
            cr_assert_eq(dma_write(master, baddr(at + 0x80000000), buffer, length, now, &done), DMA_OK);
            cr_assert(length == 0 || world.written_end == at + length);
        }
        cr_assert_geq(done, now);
        now += next_random(&random) % 100;
    }
    cr_assert_arr_eq(world.ram.host, expected, RAM_BYTES);
    cr_assert_eq(world.written_bytes, dma_master_stats(master)->bytes_written);
    dma_master_destroy(master);
    destroy_dma_world(&world);
}

Test(dma_master, moves_the_bytes_that_a_copy_moves)
{
    move_at_random(NULL, DMA_SNOOP);
    move_at_random(small_caches, DMA_SNOOP);
    move_at_random(small_caches, DMA_NONE);
}

Test(dma_master, refuses_what_it_cannot_reach)
{
    struct dma_world world;
    uint8_t bytes[256] = {1, 2, 3};
    cycle_t done;
    make_dma_world(&world, NULL);
    struct dma_master_params params = plain_master();
    params.address_bits = 19;
    struct dma_master *isa = make_master(&world, &params);
    params.address_bits = 64;
    params.bus_offset = 0x1000;
    struct dma_master *offset = make_master(&world, &params);

    cr_expect_eq(dma_write(isa, baddr((1 << 19) - 2), bytes, 2, 5, &done), DMA_OK);
    cr_expect_eq(dma_write(isa, baddr((1 << 19) - 2), bytes, 3, 5, &done), DMA_TOO_HIGH);
    cr_expect_eq(world.written_bytes, 2, "nothing of what is too high is moved");
    cr_expect_eq(done, 5);
    cr_expect_eq(dma_read(isa, baddr(1 << 19), bytes, 0, 5, &done), DMA_OK, "no byte is no byte too high");

    cr_expect_eq(dma_read(offset, baddr(0xfff), bytes, 1, 0, &done), DMA_NO_MEMORY, "below physical 0");
    cr_expect_eq(dma_read(offset, baddr(0x1000), bytes, 1, 0, &done), DMA_OK);
    cr_expect_eq(dma_read(offset, baddr(DMA_RAM_BYTES + 0xfff), bytes, 1, 0, &done), DMA_OK);
    cr_expect_eq(dma_read(offset, baddr(DMA_RAM_BYTES + 0x1000), bytes, 1, 0, &done), DMA_NO_MEMORY);
    cr_expect_eq(dma_read(offset, baddr(UINT64_MAX), bytes, 1, 0, &done), DMA_NO_MEMORY);
    cr_expect_eq(dma_read(offset, baddr(UINT64_MAX), bytes, 2, 0, &done), DMA_TOO_HIGH, "it wraps");

    /* The bursts before the hole are written. */
    uint64_t hole = HOLE_PAGE * PAGE_BYTES;
    bytes[0] = 0x5a;
    cr_expect_eq(dma_write(offset, baddr(hole - 64 + 0x1000), bytes, 128, 0, &done), DMA_NO_MEMORY);
    cr_expect_eq(world.ram.host[hole - 64], 0x5a);
    cr_expect_eq(world.ram.host[hole], 0);
    cr_expect_eq(dma_master_stats(offset)->faults, 5);
    dma_master_destroy(isa);
    dma_master_destroy(offset);
    destroy_dma_world(&world);
}

/* The DRAM answers after DRAM_CYCLES and is never busy: what is left is the device's own pace. */
static cycle_t time_of(bool is_write, uint64_t bytes_per_cycle, uint64_t nr_in_flight, size_t length)
{
    struct dma_world world;
    static uint8_t bytes[8 * PAGE_BYTES];
    cycle_t done;
    make_dma_world(&world, small_caches);
    struct dma_master_params params = plain_master();
    params.bytes_per_cycle = bytes_per_cycle;
    params.bursts_in_flight = nr_in_flight;
    struct dma_master *master = make_master(&world, &params);
    cr_assert_eq(dma_piece_bytes(master), nr_in_flight * LINE);
    enum dma_status status = is_write ? dma_write(master, baddr(0), bytes, length, 1000, &done)
                                      : dma_read(master, baddr(0), bytes, length, 1000, &done);
    cr_assert_eq(status, DMA_OK);
    dma_master_destroy(master);
    destroy_dma_world(&world);
    return done - 1000;
}

Test(dma_master, takes_the_cycles_of_memory_and_of_its_path)
{
    enum { PATH = LINE / 4 };
    cr_expect_eq(time_of(false, 0, 1, LINE), DRAM_CYCLES);
    cr_expect_eq(time_of(false, 4, 1, LINE), DRAM_CYCLES + PATH);
    cr_expect_eq(time_of(true, 4, 1, LINE), PATH + DRAM_CYCLES);
    cr_expect_eq(time_of(false, 4, 1, 2), DRAM_CYCLES + 1, "a part of a cycle is a cycle");
    cr_expect_eq(time_of(false, 4, 1, 10 * LINE), 10 * (DRAM_CYCLES + PATH), "one after the other");
    cr_expect_eq(time_of(true, 4, 1, 10 * LINE), 10 * (DRAM_CYCLES + PATH));
    /* With enough in flight the path is never idle: it sets the pace. */
    cr_expect_eq(time_of(false, 4, 8, 100 * LINE), DRAM_CYCLES + 100 * PATH);
    cr_expect_eq(time_of(true, 4, 8, 100 * LINE), 100 * PATH + DRAM_CYCLES);
    /* With two, each pair waits for memory. */
    cr_expect_eq(time_of(false, 0, 2, 100 * LINE), 50 * DRAM_CYCLES);
}

Test(dma_master, has_only_its_own_path_in_the_functional_model)
{
    struct dma_world world;
    uint8_t bytes[256];
    cycle_t done;
    make_dma_world(&world, NULL);
    struct dma_master_params params = plain_master();
    params.bytes_per_cycle = 2;
    struct dma_master *master = make_master(&world, &params);
    cr_expect_eq(dma_read(master, baddr(0), bytes, sizeof bytes, 10, &done), DMA_OK);
    cr_expect_eq(done, 10 + sizeof bytes / 2);
    dma_master_destroy(master);
    destroy_dma_world(&world);
}

Test(dma_master, competes_for_the_memory_of_the_cpu)
{
    struct dma_world world;
    uint8_t bytes[LINE];
    cycle_t done;
    make_dma_world(&world, small_caches);
    struct dma_master_params params = plain_master();
    struct dma_master *master = make_master(&world, &params);
    uint64_t reads = dram_stats(world.caches.dram)->reads;
    cr_expect_eq(dma_read(master, baddr(LINE - 1), bytes, 2, 0, &done), DMA_OK);
    cr_expect_eq(dram_stats(world.caches.dram)->reads, reads + 2, "two lines are two accesses");
    dma_master_destroy(master);
    destroy_dma_world(&world);
}

Test(dma_master, snoops_the_caches)
{
    struct dma_world world;
    uint8_t bytes[LINE];
    cycle_t done;
    make_dma_world(&world, small_caches);
    struct dma_master_params params = plain_master();
    struct dma_master *master = make_master(&world, &params);
    params.coherence = DMA_NONE;
    struct dma_master *blind = make_master(&world, &params);
    struct cache *l1d = world.caches.at.l1d;
    const struct dram_stats *dram = dram_stats(world.caches.dram);

    cache_access(l1d, paddr(0x100), true, 0);
    cr_expect_eq(dma_read(blind, baddr(0x100), bytes, LINE, 1000, &done), DMA_OK);
    cr_expect_eq(done, 1000 + DRAM_CYCLES);
    cr_expect_eq(cache_state(l1d, paddr(0x100)), CACHE_STATE_M, "who does not snoop changes nothing");
    cr_expect_eq(stat_of(world.memory, "dma.snoops"), 0);

    uint64_t reads = dram->reads, writes = dram->writes;
    cr_expect_eq(dma_read(master, baddr(0x100), bytes, LINE, 2000, &done), DMA_OK);
    cr_expect_eq(done, 2000 + cache_hit_cycles(l1d), "the cache supplies it");
    cr_expect_eq(cache_state(l1d, paddr(0x100)), CACHE_STATE_S);
    cr_expect_eq(dram->reads, reads);
    cr_expect_eq(dram->writes, writes + 1, "and memory gets it");
    cr_expect_eq(stat_of(world.memory, "dma.interventions"), 1);

    cr_expect_eq(dma_read(master, baddr(0x100), bytes, LINE, 3000, &done), DMA_OK);
    cr_expect_eq(done, 3000 + DRAM_CYCLES, "memory has what is not dirty");

    cr_expect_eq(dma_write(master, baddr(0x13f), bytes, 2, 4000, &done), DMA_OK);
    cr_expect_not(cache_contains(l1d, paddr(0x100)));
    cr_expect_not(cache_contains(world.caches.at.l2, paddr(0x100)));
    cr_expect_eq(stat_of(world.memory, "dma.lines_invalidated"), 1, "of two lines one was cached");
    cr_expect_eq(stat_of(world.memory, "dma.snoops"), 4);
    dma_master_destroy(blind);
    dma_master_destroy(master);
    destroy_dma_world(&world);
}
