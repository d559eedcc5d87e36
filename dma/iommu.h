/*
 * An IOMMU with the registers and tables of Intel VT-d in legacy mode (Intel Virtualization Technology for
 * Directed I/O, rev. 3.3, chapters 3, 6, 7, 9 and 11): root and context tables by the requester's bus, device
 * and function; second-level tables of three or four levels with 4 KiB, 2 MiB and 1 GiB pages; IOTLB and
 * context cache; invalidation by registers and by queue; fault recording registers. docs/iommu.md says what
 * is there.
 *
 * It stands between all masters of a `struct dma_memory` (dma/master.h) and that memory. Its own reads and
 * writes are a master's, which it does not translate.
 */
#ifndef LK_DMA_IOMMU_H
#define LK_DMA_IOMMU_H

#include "dma/master.h"
#include "sim/base/config.h"
#include "sim/base/event.h"

enum { IOMMU_REGISTERS_BYTES = 0x1000 };

struct iommu_params {
    struct ev_queue *events; /* outlives it, as does the memory */
    struct dma_memory *memory;
    unsigned host_address_bits;         /* of physical addresses that tables may have */
    uint64_t iotlb_entries, iotlb_ways; /* ways divide entries, into a power of two of sets */
    uint64_t context_entries;           /* of the context cache, which is fully associative */
    enum dma_coherence coherence;       /* of its own accesses */
    /* An interrupt message: a write of `data` to `address`. */
    void (*message)(void *opaque, uint64_t address, uint32_t data);
    void *opaque;
};

/* What the configuration asks for; iotlb_entries is 0 if it asks for none. */
struct iommu_params iommu_params_of(const struct config *config);

struct iommu;

/* From now on all other masters of the memory go through it. NULL when the host's memory is short. */
struct iommu *iommu_create(const struct iommu_params *params);
void iommu_destroy(struct iommu *iommu);

/* Its registers, by dwords; 64-bit ones low half first. In the cycle of the queue's clock. */
uint32_t iommu_read(const struct iommu *iommu, uint64_t offset);
void iommu_write(struct iommu *iommu, uint64_t offset, uint32_t value);

struct iommu_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "dma/iommu_stats.def"
#undef STAT
};
const struct iommu_stats *iommu_stats(const struct iommu *iommu);
bool iommu_register_stats(struct iommu *iommu, struct stat_registry *registry, const char *path);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void iommu_snap(struct iommu *iommu, struct snap *snap);

#endif
