/*
 * The DMA engine and the IOMMU: the bytes are what a driver does to their registers and puts into memory, and
 * time that passes. The first byte chooses the machine.
 */
#include "cache/content.h"
#include "dma/engine.h"
#include "dma/iommu.h"
#include "dma/iommu_registers.h"

#include <stdlib.h>
#include <string.h>

enum { RAM_BYTES = 1 << 20, STEP_BYTES = 8, MAX_STEPS = 2000, HOLE_PAGE = 0xa0, LINE_BYTES = 64 };
enum { WORDS_AT = 0x1000, MAX_CYCLES = 0xffff };
enum step {
    WRITE_REGISTER,
    READ_REGISTER,
    WRITE_CHANNEL,
    WRITE_WORD,
    WRITE_COMMAND,
    WRITE_IOMMU,
    TRANSLATE,
    WAIT,
    NR_STEPS
};

/* Bits of the first byte. */
enum { HAS_CACHES = 1, IS_BLIND = 2, IS_ISA = 4, HAS_OFFSET = 8, IS_COARSE = 16, HAS_IOMMU = 32 };

struct world {
    struct ram ram;
    struct ev_queue *events;
    struct dram *dram;
    struct cache_hierarchy caches;
    struct cache_content *content;
    struct dma_memory *memory;
    struct dma_engine *engine;
    struct iommu *iommu; /* or NULL */
    bool is_master;
};

static bool is_ram(void *opaque, struct paddr page)
{
    (void)opaque;
    return page.v >> PAGE_SHIFT != HOLE_PAGE;
}

static void changed(void *opaque, struct paddr at, uint64_t size_bytes)
{
    const struct world *world = opaque;
    if (!ram_has(&world->ram, at, size_bytes))
        abort();
}

static bool is_master(void *opaque)
{
    return ((struct world *)opaque)->is_master;
}

static void message(void *opaque, uint64_t address, uint32_t data)
{
    (void)opaque, (void)address, (void)data;
}

static void make_caches(struct world *world)
{
    static const char *const settings[] = {"cache.l1i.size=1KiB", "cache.l1i.ways=2",   "cache.l1d.size=1KiB",
                                           "cache.l1d.ways=2",    "cache.l2.size=4KiB", "cache.l2.ways=4"};
    struct diag diag;
    struct cfg *cfg = cfg_create();
    diag_init(&diag);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        cfg_set(cfg, settings[i], &diag);
    struct dram_params dram = dram_params_of(cfg_values(cfg));
    world->dram = dram_create(&dram);
    if (diag.nr_lines || !cache_hierarchy_create(&world->caches, cfg_values(cfg), world->dram))
        abort();
    diag_fini(&diag);
    cfg_destroy(cfg);
}

static void make_world(struct world *world, uint8_t kind)
{
    *world = (struct world){.events = ev_queue_create(), .is_master = true};
    if (!ram_init(&world->ram, RAM_BYTES))
        abort();
    if (kind & HAS_CACHES)
        make_caches(world);
    if ((kind & HAS_CACHES) && (kind & IS_BLIND))
        world->content = cache_content_create(&(struct cache_content_params){.ram = &world->ram,
                                                                             .caches = &world->caches,
                                                                             .line_bytes = LINE_BYTES,
                                                                             .changed = changed,
                                                                             .opaque = world});
    world->memory =
        dma_memory_create(&(struct dma_memory_params){.ram = &world->ram,
                                                      .is_ram = is_ram,
                                                      .written = changed,
                                                      .opaque = world,
                                                      .caches = kind & HAS_CACHES ? &world->caches : NULL,
                                                      .dram = world->dram,
                                                      .content = world->content,
                                                      .line_bytes = LINE_BYTES});
    const struct dma_master_params path = {.name = "DMA engine",
                                           .address_bits = kind & IS_ISA ? 19 : 64,
                                           .bus_offset = kind & HAS_OFFSET ? UINT64_MAX - 0x1fff : 0,
                                           .bytes_per_cycle = kind & IS_COARSE ? 4096 : 8,
                                           .burst_bytes = kind & IS_COARSE ? 4096 : 16,
                                           .bursts_in_flight = kind & IS_COARSE ? 16 : 3,
                                           .coherence = kind & IS_BLIND ? DMA_NONE : DMA_SNOOP};
    world->engine = dma_engine_create(&(struct dma_engine_params){.events = world->events,
                                                                  .memory = world->memory,
                                                                  .nr_channels = ENGINE_MAX_CHANNELS,
                                                                  .path = path,
                                                                  .is_master = is_master,
                                                                  .opaque = world});
    if (kind & HAS_IOMMU)
        world->iommu = iommu_create(&(struct iommu_params){.events = world->events,
                                                           .memory = world->memory,
                                                           .host_address_bits = 39,
                                                           .iotlb_entries = 4,
                                                           .iotlb_ways = 2,
                                                           .context_entries = 1,
                                                           .coherence = path.coherence,
                                                           .message = message});
    if (!world->engine || (!world->iommu && (kind & HAS_IOMMU)))
        abort();
}

static void destroy_world(struct world *world)
{
    iommu_destroy(world->iommu);
    dma_engine_destroy(world->engine);
    dma_memory_destroy(world->memory);
    cache_content_destroy(world->content);
    if (world->dram) {
        cache_hierarchy_destroy(&world->caches);
        dram_destroy(world->dram);
    }
    ev_queue_destroy(world->events);
    ram_fini(&world->ram);
}

/* As the CPU stores it. */
static void put_word(struct world *world, uint64_t at, uint32_t value)
{
    if (world->content)
        cache_content_begin(world->content, paddr(at), sizeof value);
    if (world->dram)
        cache_access(world->caches.l1d, paddr(at), true, ev_now(world->events));
    memcpy(world->ram.host + at, &value, sizeof value);
}

static void write_iommu(struct world *world, uint16_t where, uint32_t value)
{
    static const uint16_t registers[] = {
        VTD_GCMD, VTD_RTADDR, VTD_CCMD + 4, VTD_FSTS,      VTD_FECTL,          VTD_IQT,
        VTD_IQA,  VTD_ICS,    VTD_IVA,      VTD_IOTLB + 4, VTD_RECORDS_AT + 12};
    uint64_t offset =
        where & 1 ? where & 0xffc : registers[where / 2 % (sizeof registers / sizeof *registers)];
    iommu_write(world->iommu, offset, value);
    if (iommu_read(world->iommu, offset) != iommu_read(world->iommu, offset))
        abort();
}

/* What chance would seldom find: tables that lead somewhere, one page for all levels, and translation. */
static void translate(struct world *world, uint32_t value)
{
    enum { ROOT = WORDS_AT, CONTEXTS = 0x2000, TABLE = 0x3000, SOURCE_ID = 0 };
    put_word(world, ROOT, CONTEXTS | VTD_PRESENT);
    put_word(world, CONTEXTS + SOURCE_ID * 16, TABLE | (value & VTD_CONTEXT_QUIET) | VTD_PRESENT);
    put_word(world, CONTEXTS + SOURCE_ID * 16 + 8, value >> 8 & 3);
    for (uint32_t i = 0; i < 4; i++)
        put_word(world, TABLE + i * 8, (TABLE & ~0xfffu) + (value >> i * 8 & 0x8f) + (i << PAGE_SHIFT));
    iommu_write(world->iommu, VTD_RTADDR, ROOT);
    iommu_write(world->iommu, VTD_GCMD, VTD_ROOT_TABLE | VTD_TRANSLATION | (value & VTD_QUEUE));
}

/* One step of eight bytes: what, where (two), a small number, a value. */
static void take_step(struct world *world, const uint8_t *bytes)
{
    uint32_t value;
    uint16_t where;
    memcpy(&value, bytes + 4, sizeof value);
    memcpy(&where, bytes + 1, sizeof where);
    uint64_t channel = ENGINE_REG_CHANNELS + bytes[3] % 4u * ENGINE_CHANNEL_STRIDE;
    switch (bytes[0] % NR_STEPS) {
    case WRITE_REGISTER:
        world->is_master = where != UINT16_MAX;
        dma_engine_write(world->engine, where & 0xffc, value);
        break;
    case READ_REGISTER:
        dma_engine_read(world->engine, where & 0xffc);
        break;
    case WRITE_CHANNEL:
        dma_engine_write(world->engine, channel + where % 10u * 4, value);
        break;
    case WRITE_WORD:
        put_word(world, WORDS_AT + where % 0x400u * 4, value);
        break;
    case WRITE_COMMAND: /* what chance would seldom find: a ring at WORDS_AT with some work in it */
        put_word(world, WORDS_AT + where % 64u * 64, value & 0x703);
        put_word(world, WORDS_AT + where % 64u * 64 + 4, value >> 16 | 1);
        dma_engine_write(world->engine, channel + ENGINE_CH_RING_LO, WORDS_AT);
        dma_engine_write(world->engine, channel + ENGINE_CH_RING_SIZE, 64);
        dma_engine_write(world->engine, channel + ENGINE_CH_CONTROL, ENGINE_RUN | ENGINE_INT_ENABLE);
        dma_engine_write(world->engine, channel + ENGINE_CH_TAIL, bytes[3]);
        break;
    case WRITE_IOMMU:
        if (world->iommu)
            write_iommu(world, where, value);
        break;
    case TRANSLATE:
        if (world->iommu)
            translate(world, value);
        break;
    default:
        ev_run(world->events, ev_now(world->events) + (value & MAX_CYCLES));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nr_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nr_bytes)
{
    struct world world;
    if (nr_bytes == 0)
        return 0;
    make_world(&world, bytes[0]);
    for (size_t i = 1; i + STEP_BYTES <= nr_bytes && i < (size_t)MAX_STEPS * STEP_BYTES; i += STEP_BYTES)
        take_step(&world, bytes + i);
    ev_run(world.events, ev_now(world.events) + MAX_CYCLES);
    destroy_world(&world);
    return 0;
}
