/* The IOTLB and the context cache (VT-d rev. 3.3, 6.2): what they hold is used until software drops it. */
#include "dma/iommu_internal.h"

/* ---- Context cache ---- */

const struct iommu_context *iommu_find_context(struct iommu *iommu, uint16_t source_id)
{
    for (uint64_t i = 0; i < iommu->params.context_entries; i++) {
        struct context_entry *entry = &iommu->contexts[i];
        if (entry->used && entry->context.source_id == source_id) {
            entry->used = ++iommu->uses;
            return &entry->context;
        }
    }
    return NULL;
}

const struct iommu_context *iommu_keep_context(struct iommu *iommu, const struct iommu_context *context)
{
    struct context_entry *oldest = iommu->contexts;
    for (uint64_t i = 1; i < iommu->params.context_entries; i++) {
        if (iommu->contexts[i].used < oldest->used)
            oldest = &iommu->contexts[i];
    }
    *oldest = (struct context_entry){.context = *context, .used = ++iommu->uses};
    return &oldest->context;
}

void iommu_drop_contexts(struct iommu *iommu, enum vtd_granularity granularity, uint16_t domain,
                         uint16_t source_id, uint16_t ignored)
{
    iommu->stats.context_invalidations++;
    for (uint64_t i = 0; i < iommu->params.context_entries; i++) {
        struct context_entry *entry = &iommu->contexts[i];
        bool is_meant = granularity == VTD_GLOBAL ||
                        (granularity == VTD_DOMAIN && entry->context.domain == domain) ||
                        (granularity == VTD_SELECTIVE &&
                         ((entry->context.source_id ^ source_id) & ~ignored & 0xffff) == 0);
        if (is_meant)
            entry->used = 0;
    }
}

/* ---- IOTLB ---- */

enum { NR_PAGE_SIZES = 3 };
static const unsigned page_shifts[NR_PAGE_SIZES] = {12, 21, 30};

static struct iotlb_entry *set_of(const struct iommu *iommu, uint64_t page)
{
    uint64_t nr_sets = iommu->params.iotlb_entries / iommu->params.iotlb_ways;
    return iommu->iotlb + (page & (nr_sets - 1)) * iommu->params.iotlb_ways;
}

/* Pages of all sizes share the sets, each by the bits above its own offset. */
const struct iotlb_entry *iommu_find_page(struct iommu *iommu, uint16_t domain, uint64_t at)
{
    for (unsigned size = 0; size < NR_PAGE_SIZES; size++) {
        uint64_t page = at >> page_shifts[size];
        struct iotlb_entry *set = set_of(iommu, page);
        for (uint64_t way = 0; way < iommu->params.iotlb_ways; way++) {
            struct iotlb_entry *entry = &set[way];
            if (entry->used && entry->page_shift == page_shifts[size] && entry->page == page &&
                entry->domain == domain) {
                entry->used = ++iommu->uses;
                return entry;
            }
        }
    }
    return NULL;
}

void iommu_keep_page(struct iommu *iommu, const struct iotlb_entry *entry)
{
    struct iotlb_entry *set = set_of(iommu, entry->page), *oldest = set;
    for (uint64_t way = 1; way < iommu->params.iotlb_ways; way++) {
        if (set[way].used < oldest->used)
            oldest = &set[way];
    }
    *oldest = *entry;
    oldest->used = ++iommu->uses;
}

void iommu_drop_pages(struct iommu *iommu, enum vtd_granularity granularity, uint16_t domain, uint64_t at,
                      unsigned nr_page_bits)
{
    iommu->stats.iotlb_invalidations++;
    unsigned shift = PAGE_SHIFT + nr_page_bits;
    for (uint64_t i = 0; i < iommu->params.iotlb_entries; i++) {
        struct iotlb_entry *entry = &iommu->iotlb[i];
        /* They overlap if they are the same in what is above the larger one. */
        unsigned larger = shift > entry->page_shift ? shift : entry->page_shift;
        bool is_there = (entry->page << entry->page_shift) >> larger == at >> larger;
        bool is_meant =
            granularity == VTD_GLOBAL || (entry->domain == domain && (granularity == VTD_DOMAIN || is_there));
        if (entry->used && is_meant) {
            entry->used = 0;
            iommu->stats.iotlb_dropped++;
        }
    }
}
