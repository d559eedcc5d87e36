/*
 * D4. Frames that lie apart, and a device that is given one address for all of them. With an IOMMU they are
 * one stretch of bus addresses; without one, the address reaches the first frame and then what lies behind
 * it, and the device has to be given a list.
 */
#include "iommu.h"
#include "bug.h"
#include "dmaengine.h"
#include "lab.h"
#include "string.h"

enum { NR_FRAMES = 16, BUFFER_BYTES = NR_FRAMES * 4096, ERROR_IOMMU = 6 /* docs/dma.md */ };

static struct device *engine;
static struct dma_chan *chan;
static struct page *source[NR_FRAMES], *destination[NR_FRAMES];
static struct scatterlist source_sg[NR_FRAMES], destination_sg[NR_FRAMES];

/*
 * Of frames that come one after the other every second one is given back, so that those that stay lie
 * apart.
 */
static void get_scattered(struct page **pages)
{
    struct page *all[2 * NR_FRAMES];
    for (u32 i = 0; i < 2 * NR_FRAMES; i++) {
        all[i] = alloc_page(GFP_KERNEL);
        BUG_ON(all[i] == NULL);
    }
    for (u32 i = 0; i < NR_FRAMES; i++) {
        pages[i] = all[2 * i];
        __free_page(all[2 * i + 1]);
    }
}

static void put_scattered(struct page **pages)
{
    for (u32 i = 0; i < NR_FRAMES; i++)
        __free_page(pages[i]);
}

static bool lie_apart(struct page **pages)
{
    for (u32 i = 0; i + 1 < NR_FRAMES; i++) {
        if (pages[i + 1] == pages[i] + 1)
            return false;
    }
    return true;
}

static void fill(struct page **pages, u8 first)
{
    for (u32 i = 0; i < NR_FRAMES; i++)
        memset(page_address(pages[i]), (u8)(first + i), PAGE_SIZE);
}

/* How many frames of the destination are as those of the source. */
static u32 nr_right(void)
{
    u32 nr = 0;
    for (u32 i = 0; i < NR_FRAMES; i++)
        nr += memcmp(page_address(source[i]), page_address(destination[i]), PAGE_SIZE) == 0;
    return nr;
}

static u32 map(struct page **pages, struct scatterlist *sg, enum dma_data_direction dir)
{
    for (u32 i = 0; i < NR_FRAMES; i++)
        sg[i] = (struct scatterlist){.page = pages[i], .length = PAGE_SIZE};
    u32 nr = dma_map_sg(engine, sg, NR_FRAMES, dir);
    BUG_ON(nr == 0);
    return nr;
}

/* All of it by one address for each side, or by lists of the pieces; returns how many frames arrived. */
static u32 copy(const char *region_name, bool by_lists)
{
    struct lab_region region;
    fill(source, by_lists ? 0x20 : 0x40);
    fill(destination, 0);
    lab_region_begin(&region, region_name);
    u32 nr_from = map(source, source_sg, DMA_TO_DEVICE),
        nr_to = map(destination, destination_sg, DMA_FROM_DEVICE);
    struct dma_request request = {.operation = DMA_OP_COPY,
                                  .bytes = BUFFER_BYTES,
                                  .source = {.address = source_sg[0].dma_address},
                                  .destination = {.address = destination_sg[0].dma_address}};
    if (by_lists) {
        request.source = (struct dma_side){.sg = source_sg, .nents = nr_from};
        request.destination = (struct dma_side){.sg = destination_sg, .nents = nr_to};
    }
    int error = dma_run(chan, &request, NULL);
    dma_unmap_sg(engine, destination_sg, NR_FRAMES, DMA_FROM_DEVICE);
    dma_unmap_sg(engine, source_sg, NR_FRAMES, DMA_TO_DEVICE);
    lab_region_end(&region);
    lab_check(error == 0, "%s: pieces given to the device: %u for %u frames; it has no complaint",
              region_name, by_lists ? nr_from : 1, NR_FRAMES);
    if (lab_counts_cycles())
        lab_figure(region_name, region.counts.cycles, 1, "cycles");
    return nr_right();
}

static void check_refused(const char *what, dma_addr_t to, dma_addr_t from, bool is_read)
{
    struct dma_result result;
    struct iommu_fault fault;
    dma_addr_t refused = is_read ? from : to;
    int error = dma_memcpy(chan, to, from, 64, &result);
    bool is_recorded = iommu_next_fault(&fault);
    lab_check(error && result.error == ERROR_IOMMU && is_recorded && fault.address == (refused & PAGE_MASK) &&
                  fault.is_read == is_read,
              "%s at %08llx: refused, and recorded for device %02x.%x with reason %u", what, refused,
              (fault.source >> 3) & 0x1F, fault.source & 7, fault.reason);
}

/* The device reaches nothing that it was not given, and what it was given only as it was. */
static void check_protection(void)
{
    map(source, source_sg, DMA_TO_DEVICE);
    map(destination, destination_sg, DMA_FROM_DEVICE);
    dma_addr_t from = source_sg[0].dma_address, to = destination_sg[0].dma_address;
    check_refused("a write of what it may read", from, from, false);
    check_refused("a read of what it may write", to, to, true);
    dma_unmap_sg(engine, source_sg, NR_FRAMES, DMA_TO_DEVICE);
    check_refused("a read of what was taken back", to, from, true);
    dma_unmap_sg(engine, destination_sg, NR_FRAMES, DMA_FROM_DEVICE);
}

static void with_iommu(void)
{
    u32 nr_pieces = map(source, source_sg, DMA_TO_DEVICE);
    lab_check(nr_pieces == 1 && source_sg[0].dma_length == BUFFER_BYTES,
              "dma_map_sg() makes one piece of them, %u bytes from bus address %08llx on",
              source_sg[0].dma_length, source_sg[0].dma_address);
    dma_unmap_sg(engine, source_sg, NR_FRAMES, DMA_TO_DEVICE);
    u32 nr = copy("by address and length, through the IOMMU", false);
    lab_check(nr == NR_FRAMES, "by one address %u of %u frames arrive", nr, NR_FRAMES);
    check_protection();
}

/* By one address the device would read and write frames that are somebody else's: it only reads. */
static void without_iommu(void)
{
    u32 nr_pieces = map(source, source_sg, DMA_TO_DEVICE);
    struct dma_result result;
    const struct dma_request request = {
        .operation = DMA_OP_CRC32C, .bytes = 2 * PAGE_SIZE, .source = {.address = source_sg[0].dma_address}};
    struct dma_request by_list = request;
    lab_check(nr_pieces == NR_FRAMES, "without an IOMMU dma_map_sg() makes %u pieces of them", nr_pieces);
    by_list.source = (struct dma_side){.sg = source_sg, .nents = 2};
    lab_check(dma_run(chan, &by_list, &result) == 0, "the device reads two frames by a list");
    u32 crc = result.crc;
    int error = dma_run(chan, &request, &result);
    lab_check(error == 0 && result.crc != crc,
              "two frames by the first one's address are others: their CRC32C is %08x, not %08x", result.crc,
              crc);
    dma_unmap_sg(engine, source_sg, NR_FRAMES, DMA_TO_DEVICE);
    u32 nr = copy("by a list of pieces", true);
    lab_check(nr == NR_FRAMES, "by lists %u of %u frames arrive", nr, NR_FRAMES);
}

static void iommu(void)
{
    engine = dma_engine_device();
    chan = dma_request_channel();
    if (chan == NULL) {
        lab_skip("no DMA engine reaches memory here");
        return;
    }
    get_scattered(source);
    get_scattered(destination);
    fill(source, 0x20);
    lab_say("%u frames at %08llx, %08llx ...; the engine is %s", NR_FRAMES, __pa(page_address(source[0])),
            __pa(page_address(source[1])), engine->domain ? "behind an IOMMU" : "on memory itself");
    lab_check(lie_apart(source) && lie_apart(destination), "no two of them lie side by side");
    if (engine->domain)
        with_iommu();
    else
        without_iommu();
    put_scattered(destination);
    put_scattered(source);
    dma_release_channel(chan);
}
LAB("iommu", iommu);
