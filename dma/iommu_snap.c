/* The state of an IOMMU, for checkpoints (sim/base/snap.h). */
#include "dma/iommu_internal.h"
#include "sim/base/snap.h"

static void event_snap(struct iommu_event *event, struct snap *snap)
{
    SNAP_OPEN(snap, event);
    SNAP_FLAG(snap, event->is_masked);
    SNAP_FLAG(snap, event->waits);
    SNAP(snap, event->data);
    SNAP(snap, event->address);
    SNAP_CLOSE(snap, event);
}

static void context_snap(struct context_entry *entry, struct snap *snap)
{
    SNAP_OPEN(snap, entry);
    SNAP(snap, entry->context.source_id);
    SNAP(snap, entry->context.domain);
    SNAP_FLAG(snap, entry->context.passes);
    SNAP_FLAG(snap, entry->context.is_quiet);
    SNAP(snap, entry->context.nr_levels);
    SNAP(snap, entry->context.table);
    SNAP(snap, entry->used);
    SNAP_CLOSE(snap, entry);
    SNAP_REQUIRE(snap, !entry->used || entry->context.passes || entry->context.nr_levels == 3 ||
                           entry->context.nr_levels == 4);
}

static void iotlb_snap(struct iotlb_entry *entry, struct snap *snap)
{
    SNAP_OPEN(snap, entry);
    SNAP(snap, entry->domain);
    SNAP_BELOW(snap, entry->page_shift, 64);
    SNAP(snap, entry->page);
    SNAP(snap, entry->frame);
    SNAP_FLAG(snap, entry->may_read);
    SNAP_FLAG(snap, entry->may_write);
    SNAP(snap, entry->used);
    SNAP_CLOSE(snap, entry);
}

void iommu_snap(struct iommu *iommu, struct snap *snap)
{
    SNAP_OPEN(snap, iommu);
    SNAP_SKIP(snap, iommu->params);
    dma_master_snap(iommu->master, snap);
    SNAP_SKIP(snap, iommu->master);
    SNAP(snap, iommu->status);
    SNAP(snap, iommu->root_register);
    SNAP(snap, iommu->root);
    SNAP(snap, iommu->context_command);
    SNAP(snap, iommu->invalidate_address);
    SNAP(snap, iommu->iotlb_command);
    SNAP(snap, iommu->fault_status);
    SNAP_BELOW(snap, iommu->first_fault, VTD_NR_FAULT_RECORDS);
    event_snap(&iommu->fault_event, snap);
    event_snap(&iommu->wait_event, snap);
    for (unsigned i = 0; i < VTD_NR_FAULT_RECORDS; i++) {
        SNAP(snap, iommu->records[i].page);
        SNAP(snap, iommu->records[i].rest);
    }
    SNAP_BELOW(snap, iommu->next_record, VTD_NR_FAULT_RECORDS);
    SNAP_FLAG(snap, iommu->wait_is_done);
    SNAP(snap, iommu->queue_address);
    SNAP(snap, iommu->queue_head);
    SNAP(snap, iommu->queue_tail);
    snap_event(snap, iommu->params.events, &iommu->queue_event);
    SNAP_FLAG(snap, iommu->queue_works);
    SNAP_ARRAY(snap, iommu->descriptor);
    for (uint64_t i = 0; i < iommu->params.context_entries; i++)
        context_snap(&iommu->contexts[i], snap);
    for (uint64_t i = 0; i < iommu->params.iotlb_entries; i++)
        iotlb_snap(&iommu->iotlb[i], snap);
    SNAP_SKIP(snap, iommu->contexts);
    SNAP_SKIP(snap, iommu->iotlb);
    SNAP(snap, iommu->uses);
    SNAP_COUNTERS(snap, iommu->stats);
    SNAP_CLOSE(snap, iommu);
}
