/*
 * Bounce buffers: blocks of ZONE_DMA, one for each mapping of memory that the device does not reach. (Linux
 * has a pool for them, swiotlb, taken at boot.)
 */
#include "asm/irqflags.h"
#include "bug.h"
#include "dma-mapping.h"

#define MAX_BOUNCES 64

static struct bounce {
    phys_addr_t original, physical; /* of the memory, and of the block */
    size_t bytes;                   /* 0: not in use */
    unsigned int order;
} bounces[MAX_BOUNCES];
static u32 nr_taken;

static struct bounce *find(const struct device *dev, dma_addr_t handle)
{
    phys_addr_t physical = handle - dev->bus_offset;
    if (dev->domain)
        return NULL;
    /* Most devices reach all memory, and must not pay for those that do not. */
    for (struct bounce *b = bounces; nr_taken && b < bounces + MAX_BOUNCES; b++) {
        if (b->bytes && physical >= b->physical && physical - b->physical < b->bytes)
            return b;
    }
    return NULL;
}

bool is_bounced(const struct device *dev, dma_addr_t handle)
{
    return find(dev, handle) != NULL;
}

static struct bounce *take(size_t bytes)
{
    unsigned long flags = local_irq_save();
    struct bounce *b = bounces;
    while (b < bounces + MAX_BOUNCES && b->bytes)
        b++;
    if (b < bounces + MAX_BOUNCES) {
        b->bytes = bytes;
        nr_taken++;
    }
    local_irq_restore(flags);
    return b < bounces + MAX_BOUNCES ? b : NULL;
}

static void give_back(struct bounce *b)
{
    unsigned long flags = local_irq_save();
    b->bytes = 0;
    nr_taken--;
    local_irq_restore(flags);
}

dma_addr_t bounce_map(struct device *dev, phys_addr_t original, size_t bytes)
{
    struct bounce *b = take(bytes);
    if (b == NULL)
        return DMA_MAPPING_ERROR;
    b->order = 0;
    while (PAGE_SIZE << b->order < bytes)
        b->order++;
    struct page *page = alloc_pages(GFP_DMA, b->order);
    b->original = original;
    b->physical = page ? (phys_addr_t)page_to_pfn(page) << PAGE_SHIFT : 0;
    dma_addr_t handle = b->physical + dev->bus_offset;
    if (page == NULL || handle + bytes - 1 > dev->dma_mask) {
        if (page)
            __free_pages(page, b->order);
        give_back(b);
        return DMA_MAPPING_ERROR;
    }
    /* Also where the device only writes: it may write less than all, and the rest is copied back too. */
    bounce_to_device(dev, handle, bytes);
    if (!dev->is_coherent)
        flush_physical(b->physical, bytes);
    return handle;
}

void bounce_to_device(const struct device *dev, dma_addr_t handle, size_t bytes)
{
    const struct bounce *b = find(dev, handle);
    phys_addr_t physical = handle - dev->bus_offset;
    copy_physical(physical, b->original + (physical - b->physical), bytes);
}

void bounce_to_cpu(const struct device *dev, dma_addr_t handle, size_t bytes)
{
    const struct bounce *b = find(dev, handle);
    phys_addr_t physical = handle - dev->bus_offset;
    copy_physical(b->original + (physical - b->physical), physical, bytes);
}

void bounce_unmap(const struct device *dev, dma_addr_t handle)
{
    struct bounce *b = find(dev, handle);
    BUG_ON(b == NULL);
    __free_pages(pfn_to_page(PFN_DOWN(b->physical)), b->order);
    give_back(b);
}
