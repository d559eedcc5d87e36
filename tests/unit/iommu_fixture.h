/* An IOMMU between two devices and guest memory, with tables that a test makes. */
#ifndef LK_TESTS_UNIT_IOMMU_FIXTURE_H
#define LK_TESTS_UNIT_IOMMU_FIXTURE_H

#include "dma/iommu.h"
#include "dma/iommu_registers.h"
#include "tests/unit/dma_fixture.h"

#include <string.h>

enum { ROOT = 0x1000, CONTEXTS = 0x2000, TABLES = 0x3000, HOST_BITS = 36 };
enum { DEVICE = 0x18, OTHER_DEVICE = 0x1f };

struct iommu_world {
    struct dma_world memory;
    struct ev_queue *events;
    struct iommu *iommu;
    struct dma_master *device, *other;
    uint64_t next_table; /* where free memory for tables begins */
    unsigned nr_messages;
    uint64_t message_address;
    uint32_t message_data;
};

static void iommu_message(void *opaque, uint64_t address, uint32_t data)
{
    struct iommu_world *world = opaque;
    world->nr_messages++;
    world->message_address = address;
    world->message_data = data;
}

static inline struct dma_master *make_device(struct iommu_world *world, uint16_t source_id)
{
    struct dma_master_params params = plain_master();
    params.source_id = source_id;
    struct dma_master *master = dma_master_create(&params, world->memory.memory);
    cr_assert_not_null(master);
    return master;
}

static inline void make_iommu(struct iommu_world *world, const char *const *caches, uint64_t iotlb_entries,
                              uint64_t iotlb_ways)
{
    *world = (struct iommu_world){.events = ev_queue_create(), .next_table = TABLES};
    make_dma_world(&world->memory, caches);
    const struct iommu_params params = {.events = world->events,
                                        .memory = world->memory.memory,
                                        .host_address_bits = HOST_BITS,
                                        .iotlb_entries = iotlb_entries,
                                        .iotlb_ways = iotlb_ways,
                                        .context_entries = 2,
                                        .message = iommu_message,
                                        .opaque = world};
    world->iommu = iommu_create(&params);
    cr_assert_not_null(world->iommu);
    world->device = make_device(world, DEVICE);
    world->other = make_device(world, OTHER_DEVICE);
}

static inline void destroy_iommu(struct iommu_world *world)
{
    dma_master_destroy(world->device);
    dma_master_destroy(world->other);
    iommu_destroy(world->iommu);
    destroy_dma_world(&world->memory);
    ev_queue_destroy(world->events);
}

static inline void set64(const struct iommu_world *world, uint64_t offset, uint64_t value)
{
    iommu_write(world->iommu, offset, (uint32_t)value);
    iommu_write(world->iommu, offset + 4, (uint32_t)(value >> 32));
}

static inline uint64_t get64(const struct iommu_world *world, uint64_t offset)
{
    return iommu_read(world->iommu, offset) | (uint64_t)iommu_read(world->iommu, offset + 4) << 32;
}

static inline void put64(const struct iommu_world *world, uint64_t at, uint64_t value)
{
    memcpy(world->memory.ram.host + at, &value, sizeof value);
}

static inline uint64_t word_at(const struct iommu_world *world, uint64_t at)
{
    uint64_t value;
    memcpy(&value, world->memory.ram.host + at, sizeof value);
    return value;
}

static inline void put_context(const struct iommu_world *world, uint8_t device, uint64_t low, uint64_t high)
{
    put64(world, CONTEXTS + device * 16u, low);
    put64(world, CONTEXTS + device * 16u + 8, high);
}

/* Bus 0 has its contexts at CONTEXTS; translation is on. */
static inline void turn_on(const struct iommu_world *world)
{
    put64(world, ROOT, CONTEXTS | VTD_PRESENT);
    set64(world, VTD_RTADDR, ROOT);
    iommu_write(world->iommu, VTD_GCMD, VTD_ROOT_TABLE);
    iommu_write(world->iommu, VTD_GCMD, VTD_TRANSLATION);
}

static inline uint64_t new_table(struct iommu_world *world)
{
    world->next_table += PAGE_BYTES;
    cr_assert_leq(world->next_table, HOLE_PAGE * PAGE_BYTES);
    return world->next_table - PAGE_BYTES;
}

/* Makes `entry` the entry of this level for `at`, below a table of `nr_levels`; tables between are made. */
static inline void put_page(struct iommu_world *world, uint64_t table, unsigned nr_levels, uint64_t at,
                            unsigned level, uint64_t entry)
{
    for (unsigned i = nr_levels;; i--) {
        uint64_t place = table + (at >> (12 + 9 * (i - 1)) & 511) * 8;
        if (i == level) {
            put64(world, place, entry);
            return;
        }
        if (word_at(world, place) == 0)
            put64(world, place, new_table(world) | VTD_ENTRY_READ | VTD_ENTRY_WRITE);
        table = word_at(world, place) & VTD_ADDRESS_MASK;
    }
}

/* One byte; what it was, or why not. */
static inline enum dma_status read_byte(struct dma_master *master, uint64_t at, uint8_t *byte)
{
    cycle_t done;
    return dma_read(master, baddr(at), byte, 1, 0, &done);
}

static inline enum dma_status write_byte(struct dma_master *master, uint64_t at, uint8_t byte)
{
    cycle_t done;
    return dma_write(master, baddr(at), &byte, 1, 0, &done);
}

#endif
