/*
 * How memory is shared with devices that read and write it themselves. A driver gives a device bus
 * addresses that it gets here, and says when who may touch the memory; what that costs depends on the
 * machine:
 *
 *   the device snoops the caches         nothing has to be done
 *   it does not                          streaming mappings: lines are written back or dropped (CLFLUSH) when
 *                                        the memory changes hands; coherent memory: mapped uncached
 *   an IOMMU stands in between            addresses of the device's own, one stretch for scattered frames
 *   it does not reach the memory         a bounce buffer in ZONE_DMA, and copies when it changes hands
 *
 * The names are Linux's.
 */
#pragma once

#include "gfp.h"
#include "mm.h"

typedef u64 dma_addr_t; /* an address on the device's bus */
#define DMA_MAPPING_ERROR (~(dma_addr_t)0)
#define DMA_BIT_MASK(bits) ((bits) == 64 ? ~0ull : (1ull << (bits)) - 1)

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };

/* A device that masters a bus. */
struct device {
    const char *name;
    u64 dma_mask;                /* the highest bus address that it can drive */
    u64 bus_offset;              /* bus address = physical address + this */
    bool is_coherent;            /* it asks the caches */
    struct iommu_domain *domain; /* what its bus addresses mean; NULL: no IOMMU, and bus_offset holds */
};

/*
 * Whether devices of this machine snoop, for those that cannot tell themselves: true, but where the DMA
 * engine says otherwise.
 */
extern bool dma_default_coherent;

/* 0, or -EIO when no memory of this machine would surely be within reach. */
int dma_set_mask(struct device *dev, u64 mask);

/*
 * Memory that CPU and device may touch at any time: whole pages, zeroed; NULL: none. gfp as for
 * alloc_pages(), without __GFP_HIGHMEM.
 */
void *dma_alloc_coherent(struct device *dev, size_t bytes, dma_addr_t *handle, gfp_t gfp);
void dma_free_coherent(struct device *dev, size_t bytes, void *address, dma_addr_t handle);

/*
 * Lowmem that changes hands: from dma_map to dma_unmap it is the device's, but between dma_sync_..._for_cpu
 * and dma_sync_..._for_device. The handle may be DMA_MAPPING_ERROR. Memory that shares a line with something
 * else must not be mapped on a machine that does not snoop.
 */
dma_addr_t dma_map_single(struct device *dev, void *address, size_t bytes, enum dma_data_direction dir);
void dma_unmap_single(struct device *dev, dma_addr_t handle, size_t bytes, enum dma_data_direction dir);
void dma_sync_single_for_cpu(struct device *dev, dma_addr_t handle, size_t bytes,
                             enum dma_data_direction dir);
void dma_sync_single_for_device(struct device *dev, dma_addr_t handle, size_t bytes,
                                enum dma_data_direction dir);

static inline bool dma_mapping_error(dma_addr_t handle)
{
    return handle == DMA_MAPPING_ERROR;
}

/* A piece of memory, within one page, of highmem too; and what the device calls it. */
struct scatterlist {
    struct page *page;
    u32 offset, length;
    dma_addr_t dma_address;
    u32 dma_length;
};

/*
 * How many pieces the device has to be given: the first ones by dma_address and dma_length, which may be
 * fewer than nents, where an IOMMU makes one of several. 0: an error, and none is mapped. dma_unmap_sg() is
 * given nents again.
 */
u32 dma_map_sg(struct device *dev, struct scatterlist *sg, u32 nents, enum dma_data_direction dir);
void dma_unmap_sg(struct device *dev, struct scatterlist *sg, u32 nents, enum dma_data_direction dir);

/* ---- iommu.c: mappings of devices that have a domain ---- */

dma_addr_t iommu_dma_map(struct device *dev, phys_addr_t physical, size_t bytes, enum dma_data_direction dir);
void iommu_dma_unmap(struct device *dev, dma_addr_t handle, size_t bytes);
u32 iommu_dma_map_sg(struct device *dev, struct scatterlist *sg, u32 nents, enum dma_data_direction dir);

/* ---- bounce.c: memory in reach of a device that stands in for memory that is not ---- */

/* The bus address of the stand-in, filled; or DMA_MAPPING_ERROR. */
dma_addr_t bounce_map(struct device *dev, phys_addr_t original, size_t bytes);
/* The physical address of what the handle means to the device is in a stand-in. */
bool is_bounced(const struct device *dev, dma_addr_t handle);
/* Copies what the CPU has to the stand-in, or back. */
void bounce_to_device(const struct device *dev, dma_addr_t handle, size_t bytes);
void bounce_to_cpu(const struct device *dev, dma_addr_t handle, size_t bytes);
void bounce_unmap(const struct device *dev, dma_addr_t handle);
/* Copies between any frames, and writes back and drops the lines of some, page by page. */
void copy_physical(phys_addr_t to, phys_addr_t from, size_t bytes);
void flush_physical(phys_addr_t start, size_t bytes);
