/* The DMA API of devices behind an IOMMU: every mapping gets bus addresses of its own. */
#include "iommu.h"
#include "dma-mapping.h"

static u32 rights_for(enum dma_data_direction dir)
{
    return dir == DMA_TO_DEVICE     ? IOMMU_READ
           : dir == DMA_FROM_DEVICE ? IOMMU_WRITE
                                    : IOMMU_READ | IOMMU_WRITE;
}

static u32 nr_pages_of(u64 start, size_t bytes)
{
    return (u32)(PFN_UP(start + bytes) - PFN_DOWN(start));
}

dma_addr_t iommu_dma_map(struct device *dev, phys_addr_t physical, size_t bytes, enum dma_data_direction dir)
{
    u32 nr_pages = nr_pages_of(physical, bytes);
    u64 iova = iova_alloc(dev->domain, nr_pages);
    if (iova == 0)
        return DMA_MAPPING_ERROR;
    iommu_map(dev->domain, iova, physical & ~(phys_addr_t)(PAGE_SIZE - 1), nr_pages, rights_for(dir));
    return iova + (physical & ~PAGE_MASK);
}

void iommu_dma_unmap(struct device *dev, dma_addr_t handle, size_t bytes)
{
    iommu_unmap(dev->domain, handle & PAGE_MASK, nr_pages_of(handle, bytes));
}

/* Whether piece i goes on where the one before it ends, once their pages follow each other. */
static bool joins(const struct scatterlist *sg, u32 i)
{
    return sg[i].offset == 0 && sg[i - 1].offset + sg[i - 1].length == PAGE_SIZE;
}

/* Pages of pieces [first, end) side by side. 0: no room. */
static dma_addr_t map_joined(struct device *dev, const struct scatterlist *sg, u32 first, u32 end,
                             enum dma_data_direction dir)
{
    u64 iova = iova_alloc(dev->domain, end - first);
    for (u32 i = first; i < end && iova; i++)
        iommu_map(dev->domain, iova + (u64)(i - first) * PAGE_SIZE,
                  (phys_addr_t)page_to_pfn(sg[i].page) << PAGE_SHIFT, 1, rights_for(dir));
    return iova ? iova + sg[first].offset : 0;
}

u32 iommu_dma_map_sg(struct device *dev, struct scatterlist *sg, u32 nents, enum dma_data_direction dir)
{
    u32 nr = 0;
    for (u32 first = 0; first < nents; nr++) {
        u32 end = first + 1, bytes = sg[first].length;
        for (; end < nents && joins(sg, end); end++)
            bytes += sg[end].length;
        dma_addr_t handle = map_joined(dev, sg, first, end, dir);
        /* Never ahead of the pieces that are still to be looked at. */
        sg[nr].dma_address = handle;
        sg[nr].dma_length = handle ? bytes : 0;
        if (handle == 0) {
            dma_unmap_sg(dev, sg, nr, DMA_TO_DEVICE);
            return 0;
        }
        first = end;
    }
    if (nr < nents)
        sg[nr].dma_length = 0;
    return nr;
}
