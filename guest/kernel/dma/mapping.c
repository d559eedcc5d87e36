#include "asm/cacheflush.h"
#include "asm/pgtable.h"
#include "cma.h"
#include "dma-mapping.h"
#include "errno.h"
#include "highmem.h"
#include "iommu.h"
#include "slab.h"
#include "string.h"
#include "vmalloc.h"

bool dma_default_coherent = true;

static unsigned int order_of(size_t bytes)
{
    unsigned int order = 0;
    while (PAGE_SIZE << order < bytes)
        order++;
    return order;
}

static bool is_reached(const struct device *dev, dma_addr_t handle, size_t bytes)
{
    return handle <= dev->dma_mask && bytes - 1 <= dev->dma_mask - handle;
}

static phys_addr_t physical_of(const struct device *dev, dma_addr_t handle)
{
    return dev->domain ? iommu_iova_to_phys(dev->domain, handle) : handle - dev->bus_offset;
}

static phys_addr_t sg_phys(const struct scatterlist *sg)
{
    return ((phys_addr_t)page_to_pfn(sg->page) << PAGE_SHIFT) + sg->offset;
}

int dma_set_mask(struct device *dev, u64 mask)
{
    u64 dma_zone_end = min((u64)max_pfn << PAGE_SHIFT, 16ull << 20);
    if (mask < dma_zone_end - 1 + (dev->domain ? 0 : dev->bus_offset))
        return -EIO;
    dev->dma_mask = mask;
    return 0;
}

/* ---- Physical memory, page by page, so that highmem can be meant ---- */

void flush_physical(phys_addr_t start, size_t bytes)
{
    while (bytes) {
        u32 offset = (u32)(start & ~PAGE_MASK), piece = (u32)min((size_t)(PAGE_SIZE - offset), bytes);
        u8 *page = kmap_atomic(pfn_to_page(PFN_DOWN(start)));
        clflush_cache_range(page + offset, piece);
        kunmap_atomic(page);
        start += piece;
        bytes -= piece;
    }
}

void copy_physical(phys_addr_t to, phys_addr_t from, size_t bytes)
{
    while (bytes) {
        u32 to_offset = (u32)(to & ~PAGE_MASK), from_offset = (u32)(from & ~PAGE_MASK);
        size_t piece = min((size_t)(PAGE_SIZE - max(to_offset, from_offset)), bytes);
        u8 *to_page = kmap_atomic(pfn_to_page(PFN_DOWN(to)));
        u8 *from_page = kmap_atomic(pfn_to_page(PFN_DOWN(from)));
        memcpy(to_page + to_offset, from_page + from_offset, piece);
        kunmap_atomic(from_page);
        kunmap_atomic(to_page);
        to += piece;
        from += piece;
        bytes -= piece;
    }
}

/* ---- Coherent memory ---- */

/* A second mapping of lowmem, past the caches. Its page list is the area's until unmap_uncached(). */
static void *map_uncached(struct page *first, u32 nr_pages)
{
    struct page **pages = kmalloc(nr_pages * sizeof(struct page *), GFP_KERNEL);
    for (u32 i = 0; pages && i < nr_pages; i++)
        pages[i] = first + i;
    void *address = pages ? vmap(pages, nr_pages, PAGE_KERNEL_NOCACHE) : NULL;
    if (address == NULL)
        kfree(pages);
    return address;
}

static void unmap_uncached(const void *address)
{
    struct page **pages = find_vm_area((unsigned long)address)->pages;
    vunmap(address);
    kfree(pages);
}

/* From the buddy system if it has such a block, or else from the contiguous area. */
static struct page *alloc_contiguous(gfp_t gfp, unsigned int order)
{
    struct page *page = alloc_pages(gfp | __GFP_NOWARN, order);
    if (page == NULL && !(gfp & __GFP_DMA))
        page = cma_alloc(1ul << order, order);
    if (page && PageHighMem(page)) {
        cma_release(page, 1ul << order);
        page = NULL;
    }
    return page;
}

static void free_contiguous(struct page *page, unsigned int order)
{
    if (page->owner != PAGE_OWNER_CMA || !cma_release(page, 1ul << order))
        __free_pages(page, order);
}

/* 0: the pages are not within reach. */
static dma_addr_t coherent_handle(struct device *dev, phys_addr_t physical, size_t bytes)
{
    dma_addr_t handle =
        dev->domain ? iommu_dma_map(dev, physical, bytes, DMA_BIDIRECTIONAL) : physical + dev->bus_offset;
    return handle != DMA_MAPPING_ERROR && is_reached(dev, handle, bytes) ? handle : 0;
}

static void *coherent_address(const struct device *dev, struct page *page, unsigned int order)
{
    void *address = page_address(page);
    memset(address, 0, PAGE_SIZE << order);
    if (dev->is_coherent)
        return address;
    /* The zeroes must be in memory before nobody asks the caches any more. */
    clflush_cache_range(address, PAGE_SIZE << order);
    return map_uncached(page, 1u << order);
}

void *dma_alloc_coherent(struct device *dev, size_t bytes, dma_addr_t *handle, gfp_t gfp)
{
    unsigned int order = order_of(bytes);
    if (dev->domain == NULL && dev->dma_mask < ((u64)max_low_pfn << PAGE_SHIFT) - 1 + dev->bus_offset)
        gfp |= GFP_DMA;
    struct page *page = alloc_contiguous(gfp, order);
    if (page == NULL)
        return NULL;
    *handle = coherent_handle(dev, (phys_addr_t)page_to_pfn(page) << PAGE_SHIFT, PAGE_SIZE << order);
    void *address = *handle ? coherent_address(dev, page, order) : NULL;
    if (address)
        return address;
    if (*handle && dev->domain)
        iommu_dma_unmap(dev, *handle, PAGE_SIZE << order);
    free_contiguous(page, order);
    return NULL;
}

void dma_free_coherent(struct device *dev, size_t bytes, void *address, dma_addr_t handle)
{
    unsigned int order = order_of(bytes);
    struct page *page = pfn_to_page(PFN_DOWN(physical_of(dev, handle)));
    if (!dev->is_coherent)
        unmap_uncached(address);
    if (dev->domain)
        iommu_dma_unmap(dev, handle, PAGE_SIZE << order);
    free_contiguous(page, order);
}

/* ---- Streaming mappings ---- */

/*
 * Before the device has it: what is dirty must be in memory, or would be written over what the device writes
 * there later.
 */
static dma_addr_t map(struct device *dev, phys_addr_t physical, size_t bytes, enum dma_data_direction dir)
{
    dma_addr_t handle = physical + dev->bus_offset;
    if (dev->domain == NULL && !is_reached(dev, handle, bytes))
        return bounce_map(dev, physical, bytes);
    if (!dev->is_coherent)
        flush_physical(physical, bytes);
    return dev->domain ? iommu_dma_map(dev, physical, bytes, dir) : handle;
}

static void unmap(struct device *dev, dma_addr_t handle, size_t bytes, enum dma_data_direction dir)
{
    dma_sync_single_for_cpu(dev, handle, bytes, dir);
    if (dev->domain)
        iommu_dma_unmap(dev, handle, bytes);
    else if (is_bounced(dev, handle))
        bounce_unmap(dev, handle);
}

dma_addr_t dma_map_single(struct device *dev, void *address, size_t bytes, enum dma_data_direction dir)
{
    return map(dev, __pa(address), bytes, dir);
}

void dma_unmap_single(struct device *dev, dma_addr_t handle, size_t bytes, enum dma_data_direction dir)
{
    unmap(dev, handle, bytes, dir);
}

/* Lines that a load or a prefetch brought in while the device wrote are older than what it wrote. */
void dma_sync_single_for_cpu(struct device *dev, dma_addr_t handle, size_t bytes, enum dma_data_direction dir)
{
    if (dir == DMA_TO_DEVICE)
        return;
    if (!dev->is_coherent)
        flush_physical(physical_of(dev, handle), bytes);
    if (is_bounced(dev, handle))
        bounce_to_cpu(dev, handle, bytes);
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t handle, size_t bytes,
                                enum dma_data_direction dir)
{
    if (is_bounced(dev, handle) && dir != DMA_FROM_DEVICE)
        bounce_to_device(dev, handle, bytes);
    if (!dev->is_coherent)
        flush_physical(physical_of(dev, handle), bytes);
}

static void flush_sg(const struct scatterlist *sg, u32 nents)
{
    for (u32 i = 0; i < nents; i++)
        flush_physical(sg_phys(&sg[i]), sg[i].length);
}

u32 dma_map_sg(struct device *dev, struct scatterlist *sg, u32 nents, enum dma_data_direction dir)
{
    if (dev->domain) {
        if (!dev->is_coherent)
            flush_sg(sg, nents);
        return iommu_dma_map_sg(dev, sg, nents, dir);
    }
    for (u32 i = 0; i < nents; i++) {
        sg[i].dma_address = map(dev, sg_phys(&sg[i]), sg[i].length, dir);
        sg[i].dma_length = sg[i].length;
        if (dma_mapping_error(sg[i].dma_address)) {
            dma_unmap_sg(dev, sg, i, DMA_TO_DEVICE);
            return 0;
        }
    }
    return nents;
}

void dma_unmap_sg(struct device *dev, struct scatterlist *sg, u32 nents, enum dma_data_direction dir)
{
    if (dev->domain && !dev->is_coherent && dir != DMA_TO_DEVICE)
        flush_sg(sg, nents);
    for (u32 i = 0; i < nents && sg[i].dma_length; i++) {
        if (dev->domain)
            iommu_dma_unmap(dev, sg[i].dma_address, sg[i].dma_length);
        else
            unmap(dev, sg[i].dma_address, sg[i].dma_length, dir);
    }
}
