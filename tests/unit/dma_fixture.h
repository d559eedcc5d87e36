/* Guest memory as bus masters see it: RAM with a hole, with or without caches. */
#ifndef LK_TESTS_UNIT_DMA_FIXTURE_H
#define LK_TESTS_UNIT_DMA_FIXTURE_H

#include "dma/master.h"
#include "tests/unit/cache_fixture.h"

enum { DMA_RAM_BYTES = 1 << 20, HOLE_PAGE = 0xa0 };

struct dma_world {
    struct ram ram;
    struct stack_of_caches caches;
    struct dma_memory *memory;
    uint64_t written_bytes, written_end; /* of what the CPU was told */
};

static bool dma_world_is_ram(void *opaque, struct paddr page)
{
    (void)opaque;
    return page.v >> PAGE_SHIFT != HOLE_PAGE;
}

static void dma_world_written(void *opaque, struct paddr at, uint64_t size_bytes)
{
    struct dma_world *world = opaque;
    world->written_bytes += size_bytes;
    world->written_end = at.v + size_bytes;
}

/* The settings of the caches as make_caches takes them; NULL: the functional model. */
static inline void make_dma_world(struct dma_world *world, const char *const *settings)
{
    *world = (struct dma_world){0};
    cr_assert(ram_init(&world->ram, DMA_RAM_BYTES));
    if (settings)
        world->caches = make_caches(settings);
    const struct dma_memory_params params = {.ram = &world->ram,
                                             .is_ram = dma_world_is_ram,
                                             .written = dma_world_written,
                                             .opaque = world,
                                             .caches = settings ? &world->caches.at : NULL,
                                             .dram = world->caches.dram,
                                             .line_bytes = LINE};
    world->memory = dma_memory_create(&params);
    cr_assert_not_null(world->memory);
}

static inline void destroy_dma_world(struct dma_world *world)
{
    dma_memory_destroy(world->memory);
    if (world->caches.dram)
        destroy_caches(&world->caches);
    ram_fini(&world->ram);
}

/* A master that reaches all there is, at once; tests change what they are about. */
static inline struct dma_master_params plain_master(void)
{
    return (struct dma_master_params){
        .name = "test", .address_bits = 64, .burst_bytes = LINE, .bursts_in_flight = 1};
}

#endif
