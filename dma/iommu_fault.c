/* Fault records, and the two interrupts of the IOMMU itself (VT-d rev. 3.3, 7.2, 7.3; 11.4.7). */
#include "dma/iommu_internal.h"

/* ---- Events ---- */

void iommu_raise(struct iommu *iommu, struct iommu_event *event)
{
    event->waits = event->is_masked;
    if (event->is_masked)
        return;
    iommu->stats.events++;
    iommu->params.message(iommu->params.opaque, event->address, event->data);
}

void iommu_set_mask(struct iommu *iommu, struct iommu_event *event, bool is_masked)
{
    event->is_masked = is_masked;
    if (event->waits && !is_masked)
        iommu_raise(iommu, event);
}

/* ---- Fault status ---- */

static bool has_pending_record(const struct iommu *iommu)
{
    for (unsigned i = 0; i < VTD_NR_FAULT_RECORDS; i++) {
        if (iommu->records[i].rest >> 32 & VTD_RECORD_VALID)
            return true;
    }
    return false;
}

uint32_t iommu_fault_status(const struct iommu *iommu)
{
    uint32_t status = iommu->fault_status;
    if (has_pending_record(iommu))
        status |= VTD_FSTS_PENDING | iommu->first_fault << VTD_FSTS_INDEX_SHIFT;
    return status;
}

static bool is_quiet(const struct iommu *iommu)
{
    return !(iommu_fault_status(iommu) & (VTD_FSTS_CLEARS | VTD_FSTS_PENDING));
}

void iommu_set_fault_status(struct iommu *iommu, uint32_t bit)
{
    bool was_quiet = is_quiet(iommu);
    iommu->fault_status |= bit;
    if (was_quiet)
        iommu_raise(iommu, &iommu->fault_event);
}

/* An event that waits is gone when what it was about is. */
static void settle(struct iommu *iommu)
{
    if (is_quiet(iommu))
        iommu->fault_event.waits = false;
}

void iommu_clear_fault_status(struct iommu *iommu, uint32_t bits)
{
    iommu->fault_status &= ~bits;
    settle(iommu);
}

void iommu_clear_record(struct iommu *iommu, unsigned record)
{
    iommu->records[record].rest &= ~((uint64_t)VTD_RECORD_VALID << 32);
    settle(iommu);
}

void iommu_record_fault(struct iommu *iommu, enum vtd_fault reason, uint16_t source_id, uint64_t at,
                        bool is_write)
{
    struct fault_record *record = &iommu->records[iommu->next_record];
    if (iommu->fault_status & VTD_FSTS_OVERFLOW) {
        iommu->stats.faults_lost++;
        return;
    }
    if (record->rest >> 32 & VTD_RECORD_VALID) {
        iommu->stats.faults_lost++;
        iommu_set_fault_status(iommu, VTD_FSTS_OVERFLOW);
        return;
    }
    bool was_quiet = is_quiet(iommu);
    if (!has_pending_record(iommu))
        iommu->first_fault = iommu->next_record;
    uint32_t upper = VTD_RECORD_VALID | (is_write ? 0 : VTD_RECORD_READ) | (uint32_t)reason;
    *record =
        (struct fault_record){.page = at & ~(uint64_t)PAGE_MASK, .rest = (uint64_t)upper << 32 | source_id};
    iommu->next_record = (iommu->next_record + 1) % VTD_NR_FAULT_RECORDS;
    if (was_quiet)
        iommu_raise(iommu, &iommu->fault_event);
}
