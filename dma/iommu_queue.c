/* Invalidation, by register and by queue (VT-d rev. 3.3, 6.5). */
#include "dma/iommu_internal.h"

#include <assert.h>
#include <string.h>

enum { ADDRESS_BITS_MASK = 0x3f, MAX_PAGE_BITS = 18 };

/* FM: how many bits of the function number, from the highest, are not compared (11.4.2). */
bool iommu_invalidate_contexts(struct iommu *iommu, unsigned granularity, uint16_t domain, uint16_t source_id,
                               unsigned function_mask)
{
    static const uint16_t ignored[4] = {0, 4, 6, 7};
    if (granularity == VTD_NO_GRANULARITY)
        return false;
    iommu_drop_contexts(iommu, (enum vtd_granularity)granularity, domain, source_id,
                        ignored[function_mask & 3]);
    return true;
}

/* `address` as in the IVA register: the page, and in bits 5:0 how many of its lowest bits do not count. */
bool iommu_invalidate_pages(struct iommu *iommu, unsigned granularity, uint16_t domain, uint64_t address)
{
    unsigned nr_page_bits = address & ADDRESS_BITS_MASK;
    if (granularity == VTD_NO_GRANULARITY || (granularity == VTD_SELECTIVE && nr_page_bits > MAX_PAGE_BITS))
        return false;
    iommu_drop_pages(iommu, (enum vtd_granularity)granularity, domain, address,
                     granularity == VTD_SELECTIVE ? nr_page_bits : 0);
    return true;
}

/* ---- The queue ---- */

static uint32_t queue_bytes(const struct iommu *iommu)
{
    return (uint32_t)PAGE_BYTES << (iommu->queue_address & 7);
}

static void fail(struct iommu *iommu)
{
    iommu->queue_works = false;
    iommu_set_fault_status(iommu, VTD_FSTS_QUEUE_ERROR);
}

void iommu_wake_queue(struct iommu *iommu, cycle_t now)
{
    cycle_t done;
    if (iommu->queue_works || !(iommu->status & VTD_QUEUE) || (iommu->fault_status & VTD_FSTS_QUEUE_ERROR) ||
        iommu->queue_head == iommu->queue_tail)
        return;
    uint64_t at = (iommu->queue_address & ~(uint64_t)PAGE_MASK) + iommu->queue_head;
    if (iommu->queue_tail >= queue_bytes(iommu) ||
        dma_read(iommu->master, baddr(at), iommu->descriptor, VTD_DESCRIPTOR_BYTES, now, &done) != DMA_OK) {
        fail(iommu);
        return;
    }
    iommu->stats.queue_reads++;
    iommu->queue_works = true;
    bool is_scheduled = ev_schedule(iommu->params.events, &iommu->queue_event, done);
    assert(is_scheduled); /* the queue has had room for it since the IOMMU was made */
    (void)is_scheduled;
}

static bool do_wait(struct iommu *iommu, cycle_t now)
{
    uint32_t status = (uint32_t)(iommu->descriptor[0] >> 32);
    cycle_t done;
    if ((iommu->descriptor[0] & VTD_WAIT_STATUS) &&
        dma_write(iommu->master, baddr(iommu->descriptor[1] & ~UINT64_C(3)), &status, sizeof status, now,
                  &done) != DMA_OK)
        return false;
    if ((iommu->descriptor[0] & VTD_WAIT_INTERRUPT) && !iommu->wait_is_done) {
        iommu->wait_is_done = true;
        iommu_raise(iommu, &iommu->wait_event);
    }
    return true;
}

/* False: no descriptor that it knows, or a reserved field is not zero. */
static bool do_descriptor(struct iommu *iommu, cycle_t now)
{
    uint64_t low = iommu->descriptor[0], high = iommu->descriptor[1];
    uint16_t domain = (uint16_t)(low >> 16), source_id = (uint16_t)(low >> 32);
    unsigned granularity = low >> 4 & 3, function_mask = low >> 48 & 3;
    switch (low & 0xf) {
    case VTD_INV_CONTEXT:
        return !(low & UINT64_C(0xfffc00000000ffc0)) && high == 0 &&
               iommu_invalidate_contexts(iommu, granularity, domain, source_id, function_mask);
    case VTD_INV_IOTLB:
        return !(low & UINT64_C(0xffffffff0000ff00)) && !(high & 0xf80) &&
               iommu_invalidate_pages(iommu, granularity, domain, high);
    case VTD_INV_WAIT:
        return !(low & 0xffffff80) && !(high & 3) && do_wait(iommu, now);
    default:
        return false;
    }
}

void iommu_queue_step(void *opaque, cycle_t now)
{
    struct iommu *iommu = opaque;
    if (!do_descriptor(iommu, now)) {
        fail(iommu);
        return;
    }
    iommu->queue_works = false;
    iommu->queue_head += VTD_DESCRIPTOR_BYTES;
    if (iommu->queue_head == queue_bytes(iommu))
        iommu->queue_head = 0;
    iommu_wake_queue(iommu, now);
}
