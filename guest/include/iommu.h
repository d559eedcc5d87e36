/*
 * The IOMMU: gives each device bus addresses of its own, which it translates to frames, page by page, and
 * refuses all others (Intel Virtualization Technology for Directed I/O, revision 3.3, legacy mode). With the
 * boot option intel_iommu=on, drivers' DMA goes through it; dma-mapping.h uses it for them.
 */
#pragma once

#include "types.h"

struct device;
struct pci_dev;
struct iommu_domain;

#define IOMMU_READ 1u
#define IOMMU_WRITE 2u

/* Finds the unit, and from then on it translates. Nothing without the option, or without a unit. */
void intel_iommu_init(void);
/* Gives the device addresses of its own, if there is a unit that translates: dev->domain. */
void iommu_attach_device(struct device *dev, const struct pci_dev *pci);

/* So many pages of bus addresses that follow each other; 0: no room. They lie below 16 MiB. */
u64 iova_alloc(struct iommu_domain *domain, u32 nr_pages);
/* Whole pages. rights: IOMMU_READ, IOMMU_WRITE or both, of the device. */
void iommu_map(struct iommu_domain *domain, u64 iova, phys_addr_t physical, u32 nr_pages, u32 rights);
/* They mean nothing any more when it returns, and can be given to others. */
void iommu_unmap(struct iommu_domain *domain, u64 iova, u32 nr_pages);
phys_addr_t iommu_iova_to_phys(const struct iommu_domain *domain, u64 iova);

/* The oldest request that was refused and not told yet. */
struct iommu_fault {
    u64 address; /* of the page */
    u16 source;  /* bus << 8 | devfn */
    u8 reason;   /* chapter 7.1.3 */
    bool is_read;
};
bool iommu_next_fault(struct iommu_fault *fault);
