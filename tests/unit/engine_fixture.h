/* A DMA engine over guest memory, driven as a driver does it: by its registers and by what is in memory. */
#ifndef LK_TESTS_UNIT_ENGINE_FIXTURE_H
#define LK_TESTS_UNIT_ENGINE_FIXTURE_H

#include "dma/engine.h"
#include "tests/unit/board_fixture.h"
#include "tests/unit/dma_fixture.h"

#include <string.h>

enum { RING = 0x1000, LISTS = 0x8000, RUN_AND_ASK = ENGINE_RUN | ENGINE_INT_ENABLE };

struct engine_world {
    struct dma_world memory;
    struct ev_queue *events;
    struct dma_engine *engine;
    struct line_record irq;
    bool is_master;
    unsigned nr_aborts;
};

struct descriptor {
    uint32_t command, length;
    uint64_t source, destination;
    uint32_t seed, reserved;
    uint32_t status, done, crc, number;
    uint64_t fault, zero;
};

struct entry {
    uint64_t address;
    uint32_t length, flags;
};

static bool engine_is_master(void *opaque)
{
    return ((struct engine_world *)opaque)->is_master;
}

static void engine_aborted(void *opaque)
{
    ((struct engine_world *)opaque)->nr_aborts++;
}

static inline struct dma_engine_params plain_engine(void)
{
    struct dma_engine_params params = {.nr_channels = 3, .path = plain_master()};
    params.path.bytes_per_cycle = 4;
    params.path.bursts_in_flight = 2;
    return params;
}

static inline void make_engine(struct engine_world *world, const char *const *caches,
                               const struct dma_engine_params *params)
{
    *world = (struct engine_world){.is_master = true, .events = ev_queue_create()};
    make_dma_world(&world->memory, caches);
    struct dma_engine_params all = *params;
    all.events = world->events;
    all.memory = world->memory.memory;
    all.irq = recording_line(&world->irq);
    all.is_master = engine_is_master;
    all.aborted = engine_aborted;
    all.opaque = world;
    world->irq.events = world->events;
    world->engine = dma_engine_create(&all);
    cr_assert_not_null(world->engine);
}

static inline void destroy_engine(struct engine_world *world)
{
    dma_engine_destroy(world->engine);
    destroy_dma_world(&world->memory);
    ev_queue_destroy(world->events);
}

static inline uint64_t channel_offset(unsigned channel, unsigned offset)
{
    return ENGINE_REG_CHANNELS + (uint64_t)channel * ENGINE_CHANNEL_STRIDE + offset;
}

static inline uint32_t channel_get(const struct engine_world *world, unsigned channel, unsigned offset)
{
    return dma_engine_read(world->engine, channel_offset(channel, offset));
}

static inline void channel_set(const struct engine_world *world, unsigned channel, unsigned offset,
                               uint32_t value)
{
    dma_engine_write(world->engine, channel_offset(channel, offset), value);
}

static inline uint8_t *ram_at(const struct engine_world *world, uint64_t at)
{
    return world->memory.ram.host + at;
}

/* A ring of `size` descriptors at this bus address. */
static inline void start_channel(const struct engine_world *world, unsigned channel, uint64_t ring,
                                 uint32_t size)
{
    channel_set(world, channel, ENGINE_CH_CONTROL, ENGINE_RESET);
    channel_set(world, channel, ENGINE_CH_RING_LO, (uint32_t)ring);
    channel_set(world, channel, ENGINE_CH_RING_HI, (uint32_t)(ring >> 32));
    channel_set(world, channel, ENGINE_CH_RING_SIZE, size);
    channel_set(world, channel, ENGINE_CH_STATUS, ENGINE_DONE | ENGINE_ERROR);
    channel_set(world, channel, ENGINE_CH_CONTROL, RUN_AND_ASK);
}

static inline struct descriptor descriptor_in(const struct engine_world *world, uint64_t ring, uint32_t place)
{
    struct descriptor descriptor;
    memcpy(&descriptor, ram_at(world, ring + place * sizeof descriptor), sizeof descriptor);
    return descriptor;
}

static inline void put_descriptor(const struct engine_world *world, uint64_t ring, uint32_t place,
                                  struct descriptor descriptor)
{
    memcpy(ram_at(world, ring + place * sizeof descriptor), &descriptor, sizeof descriptor);
}

/* Lets time pass until nothing is to be done; returns the cycle in which that was. */
static inline cycle_t run_to_rest(const struct engine_world *world)
{
    cycle_t last = ev_now(world->events);
    for (cycle_t next; (next = ev_next(world->events)) != EV_NEVER; last = next)
        ev_run(world->events, next);
    return last;
}

/* Channel 0, with a ring of 8 at RING, does this one descriptor; what it left in memory. */
static inline struct descriptor do_one(const struct engine_world *world, struct descriptor descriptor)
{
    start_channel(world, 0, RING, 8);
    put_descriptor(world, RING, 0, descriptor);
    channel_set(world, 0, ENGINE_CH_TAIL, 1);
    run_to_rest(world);
    return descriptor_in(world, RING, 0);
}

#endif
