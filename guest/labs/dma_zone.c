/*
 * D3. A device that drives 24 address bits, as those of the ISA bus: what lies behind 16 MiB is out of its
 * reach. Its memory comes from ZONE_DMA, or a bounce buffer there stands in.
 */
#include "bug.h"
#include "dmaengine.h"
#include "lab.h"
#include "string.h"

enum { ISA_BITS = 24, BUFFER_BYTES = 4096, ERROR_ADDRESS = 5 /* docs/dma.md */ };

static struct device *engine;
static struct dma_chan *chan;

static u8 *new_page(gfp_t gfp, u8 fill)
{
    struct page *page = alloc_page(gfp);
    BUG_ON(page == NULL);
    return memset(page_address(page), fill, PAGE_SIZE);
}

/* Copies by the DMA API; how many cycles it took the CPU, and whether the bytes arrived. */
static u64 copy_mapped(const char *region_name, u8 *to, u8 *from, u8 value)
{
    struct lab_region region;
    memset(from, value, BUFFER_BYTES);
    lab_region_begin(&region, region_name);
    dma_addr_t from_bus = dma_map_single(engine, from, BUFFER_BYTES, DMA_TO_DEVICE);
    dma_addr_t to_bus = dma_map_single(engine, to, BUFFER_BYTES, DMA_FROM_DEVICE);
    BUG_ON(dma_mapping_error(from_bus) || dma_mapping_error(to_bus));
    int error = dma_memcpy(chan, to_bus, from_bus, BUFFER_BYTES, NULL);
    dma_unmap_single(engine, to_bus, BUFFER_BYTES, DMA_FROM_DEVICE);
    dma_unmap_single(engine, from_bus, BUFFER_BYTES, DMA_TO_DEVICE);
    lab_region_end(&region);
    lab_check(error == 0 && memcmp(to, from, BUFFER_BYTES) == 0,
              "%s: from %08llx to %08llx, the device is given %08llx and %08llx", region_name, __pa(from),
              __pa(to), from_bus, to_bus);
    return region.counts.cycles;
}

static void out_of_reach(const u8 *far, const u8 *near)
{
    struct dma_result result;
    int error = dma_memcpy(chan, __pa(near), __pa(far), BUFFER_BYTES, &result);
    lab_check(error && result.error == ERROR_ADDRESS && result.fault == __pa(far),
              "told to read %08llx, the device answers with error %u at %08llx", __pa(far), result.error,
              result.fault);
}

/* A mapping that changes hands three times: the device reads, the CPU writes, the device reads again. */
static void check_syncs(u8 *far, u8 *near)
{
    memset(far, 0x33, BUFFER_BYTES);
    dma_addr_t far_bus = dma_map_single(engine, far, BUFFER_BYTES, DMA_BIDIRECTIONAL);
    BUG_ON(dma_mapping_error(far_bus));
    dma_addr_t near_bus = dma_map_single(engine, near, BUFFER_BYTES, DMA_FROM_DEVICE);
    const struct dma_request fill = {.operation = DMA_OP_FILL,
                                     .bytes = BUFFER_BYTES / 2,
                                     .destination = {.address = far_bus},
                                     .pattern = 0x4444444444444444};
    int error = dma_run(chan, &fill, NULL);
    dma_sync_single_for_cpu(engine, far_bus, BUFFER_BYTES, DMA_BIDIRECTIONAL);
    lab_check(error == 0 && far[0] == 0x44 && far[BUFFER_BYTES / 2 - 1] == 0x44 &&
                  far[BUFFER_BYTES / 2] == 0x33,
              "after dma_sync_single_for_cpu() the CPU has what the device wrote, and the rest as it was");
    memset(far + BUFFER_BYTES / 4, 0x55, BUFFER_BYTES / 2);
    dma_sync_single_for_device(engine, far_bus, BUFFER_BYTES, DMA_BIDIRECTIONAL);
    error = dma_memcpy(chan, near_bus, far_bus, BUFFER_BYTES, NULL);
    dma_unmap_single(engine, near_bus, BUFFER_BYTES, DMA_FROM_DEVICE);
    dma_unmap_single(engine, far_bus, BUFFER_BYTES, DMA_BIDIRECTIONAL);
    lab_check(error == 0 && memcmp(near, far, BUFFER_BYTES) == 0 && near[0] == 0x44 &&
                  near[BUFFER_BYTES / 2] == 0x55 && near[BUFFER_BYTES - 1] == 0x33,
              "after dma_sync_single_for_device() the device has what the CPU wrote");
}

static void dma_zone(void)
{
    engine = dma_engine_device();
    if (engine == NULL || engine->dma_mask != DMA_BIT_MASK(ISA_BITS) || engine->domain) {
        lab_skip("there is no DMA engine that drives %u address bits, without an IOMMU", ISA_BITS);
        return;
    }
    chan = dma_request_channel();
    BUG_ON(chan == NULL);
    u8 *near = new_page(GFP_DMA, 0), *near2 = new_page(GFP_DMA, 0), *far = new_page(GFP_KERNEL, 0),
       *far2 = new_page(GFP_KERNEL, 0);
    lab_say("The device drives %u address bits; GFP_DMA gave the frame at %08llx, GFP_KERNEL that at %08llx",
            ISA_BITS, __pa(near), __pa(far));
    lab_check(dma_set_mask(engine, DMA_BIT_MASK(ISA_BITS)) == 0, "dma_set_mask: ZONE_DMA is within 24 bits");
    if (lab_check(__pa(near) < 16u << 20 && __pa(far) >= 16u << 20,
                  "one lies below 16 MiB and the other above")) {
        out_of_reach(far, near);
        u64 direct = copy_mapped("memory of ZONE_DMA", near2, near, 0x11);
        u64 bounced = copy_mapped("bounced", far2, far, 0x22);
        check_syncs(far, near);
        if (lab_counts_cycles()) {
            lab_figure("memory of ZONE_DMA", direct, 1, "cycles");
            lab_figure("bounced", bounced, 1, "cycles");
            lab_check(bounced > direct, "a bounce buffer costs the CPU two copies");
        }
    }
    free_pages((unsigned long)near, 0);
    free_pages((unsigned long)near2, 0);
    free_pages((unsigned long)far, 0);
    free_pages((unsigned long)far2, 0);
    dma_release_channel(chan);
}
LAB("dma-zone", dma_zone);
