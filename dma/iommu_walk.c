/* From a requester and its address to a physical one (VT-d rev. 3.3, 3.4 to 3.7; 9.1, 9.3, 9.8). */
#include "dma/iommu_internal.h"

/* Writes to this range are interrupt requests, and no DMA (3.14). */
enum { INTERRUPTS_SHIFT = 20, INTERRUPTS = 0xfee };

enum { INDEX_BITS = 9, INDEX_MASK = (1 << INDEX_BITS) - 1, ENTRY_BYTES = 8, PAIR_BYTES = 16 };

/* A request on its way. */
struct request {
    struct iommu *iommu;
    uint16_t source_id;
    uint64_t at;
    bool is_write;
    cycle_t now;
};

static bool read_table(struct request *request, uint64_t at, uint64_t *words, size_t nr_words)
{
    cycle_t done;
    if (dma_read(request->iommu->master, baddr(at), words, nr_words * sizeof *words, request->now, &done) !=
        DMA_OK)
        return false;
    request->iommu->stats.walk_cycles += done - request->now;
    request->now = done;
    return true;
}

/* `is_quiet`: the context entry says that its faults are not to be recorded. */
static struct dma_translation refuse(const struct request *request, enum vtd_fault reason, bool is_quiet)
{
    request->iommu->stats.faults++;
    if (!is_quiet)
        iommu_record_fault(request->iommu, reason, request->source_id, request->at, request->is_write);
    return (struct dma_translation){.kind = DMA_REFUSED, .ready = request->now};
}

/* Bits of an address in a table that the machine does not have. */
static uint64_t too_high_bits(const struct iommu *iommu)
{
    return VTD_ADDRESS_MASK & ~((UINT64_C(1) << iommu->params.host_address_bits) - 1);
}

/* ---- Root and context entries ---- */

/* 0, or the reason why not; *context is complete but for what a reason forbids. */
static unsigned parse_context(const struct request *request, const uint64_t words[2],
                              struct iommu_context *context)
{
    const uint64_t low_reserved = 0xff0 | UINT64_C(0xfff0000000000000) | too_high_bits(request->iommu);
    const uint64_t high_reserved = 0x80 | ~UINT64_C(0xffffff);
    unsigned type = words[0] >> VTD_CONTEXT_TYPE_SHIFT & VTD_CONTEXT_TYPE_MASK;
    unsigned width = words[1] & VTD_CONTEXT_WIDTH_MASK;
    *context = (struct iommu_context){
        .source_id = request->source_id,
        .domain = (uint16_t)(words[1] >> VTD_CONTEXT_DOMAIN_SHIFT),
        .passes = type == VTD_TYPE_PASSES,
        .is_quiet = words[0] & VTD_CONTEXT_QUIET,
        .nr_levels = width + 2,
        .table = words[0] & VTD_ADDRESS_MASK,
    };
    if (!(words[0] & VTD_PRESENT))
        return VTD_FAULT_CONTEXT_ABSENT;
    if ((words[0] & low_reserved) || (words[1] & high_reserved))
        return VTD_FAULT_CONTEXT_RESERVED;
    if ((type != VTD_TYPE_TRANSLATES && type != VTD_TYPE_PASSES) ||
        (width != VTD_WIDTH_3_LEVELS && width != VTD_WIDTH_4_LEVELS))
        return VTD_FAULT_CONTEXT_INVALID;
    return 0;
}

static unsigned read_context(struct request *request, struct iommu_context *context)
{
    struct iommu *iommu = request->iommu;
    uint64_t root[2], words[2];
    unsigned bus = request->source_id >> 8, function = request->source_id & 0xff;
    *context = (struct iommu_context){0};
    if (!read_table(request, iommu->root + bus * PAIR_BYTES, root, 2))
        return VTD_FAULT_ROOT_ACCESS;
    iommu->stats.table_reads++;
    if (!(root[0] & VTD_PRESENT))
        return VTD_FAULT_ROOT_ABSENT;
    if ((root[0] & (~VTD_ADDRESS_MASK & ~(uint64_t)VTD_PRESENT)) || (root[0] & too_high_bits(iommu)) ||
        root[1])
        return VTD_FAULT_ROOT_RESERVED;
    if (!read_table(request, (root[0] & VTD_ADDRESS_MASK) + function * PAIR_BYTES, words, 2))
        return VTD_FAULT_CONTEXT_ACCESS;
    iommu->stats.table_reads++;
    return parse_context(request, words, context);
}

/* ---- Second-level tables ---- */

static uint64_t entry_reserved_bits(const struct iommu *iommu, unsigned level, bool is_leaf)
{
    uint64_t bits = too_high_bits(iommu);
    /* Of a page: no snoop control, no device TLBs, and no address bits below its size. */
    if (is_leaf)
        return bits | VTD_ENTRY_SNOOP | VTD_ENTRY_TRANSIENT |
               (((UINT64_C(1) << INDEX_BITS * (level - 1)) - 1) << PAGE_SHIFT);
    return level == 4 ? bits | VTD_ENTRY_LARGE : bits;
}

/* 0 and *page, or the reason why not. */
static unsigned walk(struct request *request, const struct iommu_context *context, struct iotlb_entry *page)
{
    struct iommu *iommu = request->iommu;
    uint64_t table = context->table, entry;
    unsigned allowed = VTD_ENTRY_READ | VTD_ENTRY_WRITE,
             wanted = request->is_write ? VTD_ENTRY_WRITE : VTD_ENTRY_READ;
    for (unsigned level = context->nr_levels;; level--) {
        unsigned shift = PAGE_SHIFT + INDEX_BITS * (level - 1);
        if (!read_table(request, table + (request->at >> shift & INDEX_MASK) * ENTRY_BYTES, &entry, 1))
            return VTD_FAULT_ENTRY_ACCESS;
        iommu->stats.walk_reads++;
        if (!(entry & wanted))
            return request->is_write ? VTD_FAULT_WRITE : VTD_FAULT_READ;
        bool is_leaf = level == 1 || ((entry & VTD_ENTRY_LARGE) && level < 4);
        if (entry & entry_reserved_bits(iommu, level, is_leaf))
            return VTD_FAULT_ENTRY_RESERVED;
        allowed &= (unsigned)entry;
        table = entry & VTD_ADDRESS_MASK;
        if (is_leaf) {
            *page = (struct iotlb_entry){.domain = context->domain,
                                         .page_shift = shift,
                                         .page = request->at >> shift,
                                         .frame = table >> shift,
                                         .may_read = allowed & VTD_ENTRY_READ,
                                         .may_write = allowed & VTD_ENTRY_WRITE};
            return 0;
        }
    }
}

static struct dma_translation answer(const struct request *request, const struct iotlb_entry *page)
{
    uint64_t offset = request->at & ((UINT64_C(1) << page->page_shift) - 1);
    return (struct dma_translation){
        .kind = DMA_TRANSLATED, .at = paddr(page->frame << page->page_shift | offset), .ready = request->now};
}

static struct dma_translation translate(struct request *request, const struct iommu_context *context)
{
    struct iommu *iommu = request->iommu;
    if (context->passes)
        return (struct dma_translation){
            .kind = DMA_TRANSLATED, .at = paddr(request->at), .ready = request->now};
    if (request->at >> (PAGE_SHIFT + INDEX_BITS * context->nr_levels))
        return refuse(request, VTD_FAULT_TOO_HIGH, context->is_quiet);
    const struct iotlb_entry *found = iommu_find_page(iommu, context->domain, request->at);
    if (found) {
        iommu->stats.iotlb_hits++;
        if (!(request->is_write ? found->may_write : found->may_read))
            return refuse(request, request->is_write ? VTD_FAULT_WRITE : VTD_FAULT_READ, context->is_quiet);
        return answer(request, found);
    }
    struct iotlb_entry page;
    iommu->stats.iotlb_misses++;
    unsigned reason = walk(request, context, &page);
    if (reason)
        return refuse(request, (enum vtd_fault)reason, context->is_quiet);
    iommu_keep_page(iommu, &page);
    return answer(request, &page);
}

struct dma_translation iommu_translate(void *opaque, uint16_t source_id, struct baddr at, bool is_write,
                                       cycle_t now)
{
    struct iommu *iommu = opaque;
    struct request request = {
        .iommu = iommu, .source_id = source_id, .at = at.v, .is_write = is_write, .now = now};
    if (!(iommu->status & VTD_TRANSLATION) || at.v >> INTERRUPTS_SHIFT == INTERRUPTS)
        return (struct dma_translation){.kind = DMA_UNTRANSLATED, .ready = now};
    iommu->stats.requests++;
    const struct iommu_context *context = iommu_find_context(iommu, source_id);
    if (context) {
        iommu->stats.context_hits++;
        return translate(&request, context);
    }
    struct iommu_context read;
    iommu->stats.context_misses++;
    unsigned reason = read_context(&request, &read);
    /* FPD counts whether or not the entry is present, where it could be read (9.3). */
    if (reason)
        return refuse(&request, (enum vtd_fault)reason, read.is_quiet);
    return translate(&request, iommu_keep_context(iommu, &read));
}
