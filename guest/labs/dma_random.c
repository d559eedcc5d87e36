/*
 * The DMA API at random: the CPU and the DMA engine write, copy and sum buffers of scattered pages, highmem
 * among them, and a model that only the CPU touches has what they must hold. Whatever the machine is, each
 * byte that is read is the model's.
 */
#include "asm/cacheflush.h"
#include "bug.h"
#include "dmaengine.h"
#include "highmem.h"
#include "lab.h"
#include "slab.h"
#include "string.h"

enum { NR_BUFFERS = 6, NR_PAGES = 3, BUFFER_BYTES = NR_PAGES * 4096, UNIT = 64, NR_STEPS = 240 };

static struct buffer {
    struct page *pages[NR_PAGES];
    u8 *model;
} buffers[NR_BUFFERS];

/* A part of a buffer, in whole units, and as pieces of pages. */
struct part {
    struct buffer *buffer;
    u32 start, bytes;
    struct scatterlist sg[NR_PAGES];
    u32 nents;
};

static struct device *engine;
static struct dma_chan *chan;
static u32 nr_wrong, nr_errors;
static u64 nr_bytes_compared;

/* xorshift32 (Marsaglia 2003). */
static u32 random_below(u32 limit)
{
    static u32 x = 2463534242u;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x % limit;
}

static u32 crc32c(const u8 *bytes, u32 nr_bytes)
{
    u32 crc = ~0u;
    for (u32 i = 0; i < nr_bytes; i++) {
        crc ^= bytes[i];
        for (u32 bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

static struct part random_part(u32 most_bytes)
{
    struct part part = {.buffer = &buffers[random_below(NR_BUFFERS)]};
    part.bytes = (1 + random_below(most_bytes / UNIT)) * UNIT;
    part.start = random_below((BUFFER_BYTES - part.bytes) / UNIT + 1) * UNIT;
    for (u32 at = part.start; at < part.start + part.bytes; part.nents++) {
        u32 offset = at % PAGE_SIZE, bytes = min((u32)PAGE_SIZE - offset, part.start + part.bytes - at);
        part.sg[part.nents] = (struct scatterlist){
            .page = part.buffer->pages[at / PAGE_SIZE], .offset = offset, .length = bytes};
        at += bytes;
    }
    return part;
}

/* ---- The CPU ---- */

static void write_by_cpu(const struct part *part)
{
    u8 *model = part->buffer->model + part->start;
    for (u32 i = 0; i < part->bytes; i++)
        model[i] = (u8)random_below(256);
    for (u32 i = 0; i < part->nents; i++) {
        u8 *page = kmap_atomic(part->sg[i].page);
        memcpy(page + part->sg[i].offset, model, part->sg[i].length);
        kunmap_atomic(page);
        model += part->sg[i].length;
    }
}

static void compare_by_cpu(const struct buffer *buffer)
{
    for (u32 i = 0; i < NR_PAGES; i++) {
        u8 *page = kmap_atomic(buffer->pages[i]);
        nr_wrong += memcmp(page, buffer->model + i * PAGE_SIZE, PAGE_SIZE) != 0;
        kunmap_atomic(page);
    }
    nr_bytes_compared += BUFFER_BYTES;
}

/* ---- The engine ---- */

static struct dma_side map_part(struct part *part, enum dma_data_direction dir)
{
    u32 nr = dma_map_sg(engine, part->sg, part->nents, dir);
    BUG_ON(nr == 0);
    return (struct dma_side){.sg = part->sg, .nents = nr};
}

/*
 * The CPU may look at what lies in front of a mapping, and a prefetcher goes on from there: it brings in
 * lines that the device is about to write.
 */
static void touch_before(const struct part *part)
{
    u32 offset = part->sg[0].offset;
    u8 *page = kmap_atomic(part->sg[0].page);
    if (offset) {
        clflush_cache_range(page + offset - 1, 1);
        (void)*(const volatile u8 *)(page + offset - 1);
    }
    kunmap_atomic(page);
}

static void copy_by_engine(struct part *to, struct part *from)
{
    if (to->buffer == from->buffer)
        return;
    u32 bytes = min(to->bytes, from->bytes);
    const struct dma_request request = {.operation = DMA_OP_COPY,
                                        .bytes = bytes,
                                        .source = map_part(from, DMA_TO_DEVICE),
                                        .destination = map_part(to, DMA_FROM_DEVICE)};
    touch_before(to);
    nr_errors += dma_run(chan, &request, NULL) != 0;
    dma_unmap_sg(engine, to->sg, to->nents, DMA_FROM_DEVICE);
    dma_unmap_sg(engine, from->sg, from->nents, DMA_TO_DEVICE);
    memcpy(to->buffer->model + to->start, from->buffer->model + from->start, bytes);
    compare_by_cpu(to->buffer);
}

static void fill_by_engine(struct part *part)
{
    const u8 value = (u8)random_below(256);
    const struct dma_request request = {.operation = DMA_OP_FILL,
                                        .bytes = part->bytes,
                                        .destination = map_part(part, DMA_FROM_DEVICE),
                                        .pattern = 0x0101010101010101ull * value};
    touch_before(part);
    nr_errors += dma_run(chan, &request, NULL) != 0;
    dma_unmap_sg(engine, part->sg, part->nents, DMA_FROM_DEVICE);
    memset(part->buffer->model + part->start, value, part->bytes);
    compare_by_cpu(part->buffer);
}

static void sum_by_engine(struct part *part)
{
    struct dma_result result;
    const struct dma_request request = {
        .operation = DMA_OP_CRC32C, .bytes = part->bytes, .source = map_part(part, DMA_TO_DEVICE)};
    nr_errors += dma_run(chan, &request, &result) != 0;
    dma_unmap_sg(engine, part->sg, part->nents, DMA_TO_DEVICE);
    nr_wrong += result.crc != crc32c(part->buffer->model + part->start, part->bytes);
    nr_bytes_compared += part->bytes;
}

/* A page that stays mapped while it goes to and fro; its model is what is written here. */
static void take_turns(void)
{
    u8 *page = page_address(alloc_page(GFP_KERNEL));
    memset(page, 0xA0, PAGE_SIZE);
    dma_addr_t bus = dma_map_single(engine, page, PAGE_SIZE, DMA_BIDIRECTIONAL);
    BUG_ON(dma_mapping_error(bus));
    for (u32 turn = 1; turn <= 8; turn++) {
        u32 offset = random_below(PAGE_SIZE / UNIT / 2) * UNIT;
        const struct dma_request fill = {.operation = DMA_OP_FILL,
                                         .bytes = UNIT,
                                         .destination = {.address = bus + offset},
                                         .pattern = 0x0101010101010101ull * turn};
        const struct dma_request sum = {
            .operation = DMA_OP_CRC32C, .bytes = PAGE_SIZE, .source = {.address = bus}};
        struct dma_result result;
        nr_errors += dma_run(chan, &fill, NULL) != 0;
        dma_sync_single_for_cpu(engine, bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
        nr_wrong += page[offset] != turn || page[offset + UNIT - 1] != turn;
        page[PAGE_SIZE / 2 + offset] = (u8)~turn;
        u32 wanted = crc32c(page, PAGE_SIZE);
        dma_sync_single_for_device(engine, bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
        nr_errors += dma_run(chan, &sum, &result) != 0;
        nr_wrong += result.crc != wanted;
        nr_bytes_compared += PAGE_SIZE;
    }
    dma_unmap_single(engine, bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
    free_pages((unsigned long)page, 0);
}

static void step(void)
{
    struct part part = random_part(BUFFER_BYTES), other = random_part(BUFFER_BYTES);
    switch (random_below(4)) {
    case 0:
        write_by_cpu(&part);
        break;
    case 1:
        copy_by_engine(&part, &other);
        break;
    case 2:
        fill_by_engine(&part);
        break;
    default:
        part = random_part(1024); /* the model's sum is slow */
        sum_by_engine(&part);
    }
}

static void dma_random(void)
{
    u32 nr_highmem = 0;
    engine = dma_engine_device();
    chan = dma_request_channel();
    if (chan == NULL) {
        lab_skip("no DMA engine reaches memory here");
        return;
    }
    for (struct buffer *buffer = buffers; buffer < buffers + NR_BUFFERS; buffer++) {
        for (u32 i = 0; i < NR_PAGES; i++) {
            buffer->pages[i] = alloc_page(i % 2 ? GFP_KERNEL : GFP_KERNEL | __GFP_HIGHMEM);
            BUG_ON(buffer->pages[i] == NULL);
            clear_highpage(buffer->pages[i]);
            nr_highmem += PageHighMem(buffer->pages[i]);
        }
        buffer->model = kzalloc(BUFFER_BYTES, GFP_KERNEL);
        BUG_ON(buffer->model == NULL);
    }
    lab_say("The engine %s, drives addresses up to %llx, and is %s; %u of %u pages are highmem",
            engine->is_coherent ? "snoops" : "does not snoop", engine->dma_mask,
            engine->domain ? "behind an IOMMU" : "on memory itself", nr_highmem, NR_BUFFERS * NR_PAGES);
    for (u32 i = 0; i < NR_STEPS; i++)
        step();
    take_turns();
    lab_check(nr_errors == 0, "the engine has no complaint in %u steps", NR_STEPS);
    lab_check(nr_wrong == 0 && nr_bytes_compared > 100000, "%llu bytes compared, and each is the model's",
              nr_bytes_compared);
    for (struct buffer *buffer = buffers; buffer < buffers + NR_BUFFERS; buffer++) {
        for (u32 i = 0; i < NR_PAGES; i++)
            __free_page(buffer->pages[i]);
        kfree(buffer->model);
    }
    dma_release_channel(chan);
}
LAB("dma-random", dma_random);
