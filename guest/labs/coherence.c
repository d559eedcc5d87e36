/*
 * D1. The same transfer in three ways: the CPU fills a buffer, the DMA engine copies it to another, the CPU
 * reads that. What each step costs where the memory is mapped uncached, where the device snoops, and where
 * the driver flushes.
 */
#include "bug.h"
#include "dmaengine.h"
#include "lab.h"
#include "string.h"

enum { BUFFER_BYTES = 4096, NR_WORDS = BUFFER_BYTES / 4 };

/* The regions of a way; map and unmap are left out where memory is shared for good. */
struct way {
    const char *name, *write, *map, *copy, *unmap, *read;
    u64 write_cycles, map_cycles, copy_cycles, unmap_cycles, read_cycles;
};

static u32 word(u32 seed, u32 i)
{
    return (seed + i) * 0x9E3779B1u;
}

static u64 timed_write(const char *name, volatile u32 *buffer, u32 seed)
{
    struct lab_region region;
    lab_region_begin(&region, name);
    for (u32 i = 0; i < NR_WORDS; i++)
        buffer[i] = word(seed, i);
    lab_region_end(&region);
    return region.counts.cycles;
}

static u64 timed_read(const char *name, const volatile u32 *buffer, u32 seed, u32 *nr_wrong)
{
    struct lab_region region;
    *nr_wrong = 0;
    lab_region_begin(&region, name);
    for (u32 i = 0; i < NR_WORDS; i++)
        *nr_wrong += buffer[i] != word(seed, i);
    lab_region_end(&region);
    return region.counts.cycles;
}

static u64 timed_copy(const char *name, struct dma_chan *chan, dma_addr_t to, dma_addr_t from)
{
    struct lab_region region;
    lab_region_begin(&region, name);
    int error = dma_memcpy(chan, to, from, BUFFER_BYTES, NULL);
    lab_region_end(&region);
    lab_check(error == 0, "%s: the engine says that all went well", name);
    return region.counts.cycles;
}

static void finish(const struct way *way, u32 nr_wrong)
{
    u64 cycles =
        way->write_cycles + way->map_cycles + way->copy_cycles + way->unmap_cycles + way->read_cycles;
    lab_check(nr_wrong == 0, "%s: all %u words arrive", way->name, NR_WORDS);
    if (lab_counts_cycles())
        lab_figure(way->name, cycles, 1, "cycles in all");
}

/* Memory that both may touch at any time. */
static void share_coherent(struct dma_chan *chan, struct device *dev, struct way *way, u32 seed)
{
    dma_addr_t from_bus, to_bus;
    u32 *from = dma_alloc_coherent(dev, BUFFER_BYTES, &from_bus, GFP_KERNEL), nr_wrong;
    u32 *to = dma_alloc_coherent(dev, BUFFER_BYTES, &to_bus, GFP_KERNEL);
    BUG_ON(from == NULL || to == NULL);
    way->write_cycles = timed_write(way->write, from, seed);
    way->copy_cycles = timed_copy(way->copy, chan, to_bus, from_bus);
    way->read_cycles = timed_read(way->read, to, seed, &nr_wrong);
    finish(way, nr_wrong);
    dma_free_coherent(dev, BUFFER_BYTES, to, to_bus);
    dma_free_coherent(dev, BUFFER_BYTES, from, from_bus);
}

/* What is measured below has been in the caches before: the code, and with it the buffers. */
static void warm_up(struct dma_chan *chan, struct device *dev, u32 *from, u32 *to)
{
    for (u32 i = 0; i < NR_WORDS; i++)
        from[i] = to[i] = 0;
    dma_addr_t from_bus = dma_map_single(dev, from, BUFFER_BYTES, DMA_TO_DEVICE);
    dma_addr_t to_bus = dma_map_single(dev, to, BUFFER_BYTES, DMA_FROM_DEVICE);
    dma_memcpy(chan, to_bus, from_bus, BUFFER_BYTES, NULL);
    dma_unmap_single(dev, to_bus, BUFFER_BYTES, DMA_FROM_DEVICE);
    dma_unmap_single(dev, from_bus, BUFFER_BYTES, DMA_TO_DEVICE);
    for (u32 i = 0; i < NR_WORDS; i++)
        to[i] = from[i] + i;
}

/* Memory that changes hands. Both buffers are in the caches at first, as memory in use is. */
static void share_streaming(struct dma_chan *chan, struct device *dev, struct way *way, u32 seed)
{
    u32 *from = page_address(alloc_page(GFP_KERNEL)), *to = page_address(alloc_page(GFP_KERNEL)), nr_wrong;
    struct lab_region map, unmap;
    warm_up(chan, dev, from, to);
    way->write_cycles = timed_write(way->write, from, seed);

    lab_region_begin(&map, way->map);
    dma_addr_t from_bus = dma_map_single(dev, from, BUFFER_BYTES, DMA_TO_DEVICE);
    dma_addr_t to_bus = dma_map_single(dev, to, BUFFER_BYTES, DMA_FROM_DEVICE);
    lab_region_end(&map);
    way->map_cycles = map.counts.cycles;

    way->copy_cycles = timed_copy(way->copy, chan, to_bus, from_bus);

    lab_region_begin(&unmap, way->unmap);
    dma_unmap_single(dev, to_bus, BUFFER_BYTES, DMA_FROM_DEVICE);
    dma_unmap_single(dev, from_bus, BUFFER_BYTES, DMA_TO_DEVICE);
    lab_region_end(&unmap);
    way->unmap_cycles = unmap.counts.cycles;

    way->read_cycles = timed_read(way->read, to, seed, &nr_wrong);
    finish(way, nr_wrong);
    free_pages((unsigned long)to, 0);
    free_pages((unsigned long)from, 0);
}

static struct way uncached = {.name = "uncached",
                              .write = "uncached: the CPU writes",
                              .copy = "uncached: the device copies",
                              .read = "uncached: the CPU reads"};
static struct way snooped = {.name = "snooped",
                             .write = "snooped: the CPU writes",
                             .map = "snooped: map",
                             .copy = "snooped: the device copies",
                             .unmap = "snooped: unmap",
                             .read = "snooped: the CPU reads"};
static struct way flushed = {.name = "flushed",
                             .write = "flushed: the CPU writes",
                             .map = "flushed: map",
                             .copy = "flushed: the device copies",
                             .unmap = "flushed: unmap",
                             .read = "flushed: the CPU reads"};

/* The engine's checksum of what RFC 3720 has the value of: nine characters, written by the CPU just now. */
static void check_crc(struct dma_chan *chan, struct device *dev)
{
    char *text = page_address(alloc_page(GFP_KERNEL));
    memcpy(text, "123456789", 9);
    dma_addr_t bus = dma_map_single(dev, text, 9, DMA_TO_DEVICE);
    const struct dma_request request = {.operation = DMA_OP_CRC32C, .bytes = 9, .source = {.address = bus}};
    struct dma_result result;
    int error = dma_run(chan, &request, &result);
    dma_unmap_single(dev, bus, 9, DMA_TO_DEVICE);
    lab_check(error == 0 && result.crc == 0xE3069283, "the engine's CRC32C of \"123456789\" is %08x",
              result.crc);
    free_pages((unsigned long)text, 0);
}

static void coherence(void)
{
    struct dma_chan *chan = dma_request_channel();
    if (chan == NULL) {
        lab_skip("there is no DMA engine");
        return;
    }
    struct device *engine = dma_engine_device();
    /* The same device, for which the driver does what it would have to do if it did not snoop. */
    struct device unaided = *engine;
    unaided.is_coherent = false;

    lab_say("%u bytes, written by the CPU, copied by the DMA engine, read by the CPU; the engine %s",
            BUFFER_BYTES, engine->is_coherent ? "snoops" : "does not snoop");
    share_coherent(chan, &unaided, &uncached, 1);
    if (engine->is_coherent)
        share_streaming(chan, engine, &snooped, 2);
    share_streaming(chan, &unaided, &flushed, 3);
    check_crc(chan, engine);
    dma_release_channel(chan);
    if (!lab_counts_cycles())
        return;
    lab_check(uncached.write_cycles > 2 * flushed.write_cycles &&
                  uncached.read_cycles > 2 * flushed.read_cycles,
              "uncached: each access of the CPU pays; write and read take more than twice as long as cached");
    if (engine->is_coherent)
        lab_check(snooped.map_cycles + snooped.unmap_cycles < flushed.map_cycles + flushed.unmap_cycles,
                  "snooped: handing over costs the CPU less than flushing");
}
LAB("dma-coherence", coherence);
