/* The IOMMU's registers (VT-d rev. 3.3, 11.4). */
#include "dma/iommu_internal.h"

#include <assert.h>
#include <stdlib.h>

/* ---- What it can do ---- */

enum {
    VERSION = 0x10,
    /* CAP */
    DOMAIN_BITS_16 = 6,
    WIDTHS = (1 << VTD_WIDTH_3_LEVELS | 1 << VTD_WIDTH_4_LEVELS) << 8,
    ADDRESS_BITS_48 = 47 << 16,
    ZERO_LENGTH_READS = 1 << 22,
    RECORDS_SHIFT = 24,
    /* its upper half */
    LARGE_PAGES = 3 << (34 - 32),
    PAGE_SELECTIVE = 1 << (39 - 32),
    NR_RECORDS_SHIFT = 40 - 32,
    MAX_PAGE_BITS = 18 << (48 - 32),
    DRAINS = 3 << (54 - 32),
    /* ECAP */
    COHERENT = 1 << 0,
    QUEUED = 1 << 1,
    PASS_THROUGH = 1 << 6,
    IOTLB_SHIFT = 8,
};

static uint32_t capabilities(bool is_upper)
{
    if (is_upper)
        return LARGE_PAGES | PAGE_SELECTIVE | (VTD_NR_FAULT_RECORDS - 1) << NR_RECORDS_SHIFT | MAX_PAGE_BITS |
               DRAINS;
    return DOMAIN_BITS_16 | WIDTHS | ADDRESS_BITS_48 | ZERO_LENGTH_READS |
           (uint32_t)(VTD_RECORDS_AT / 16) << RECORDS_SHIFT;
}

static uint32_t extended_capabilities(const struct iommu *iommu)
{
    return (iommu->params.coherence == DMA_SNOOP ? COHERENT : 0) | QUEUED | PASS_THROUGH |
           VTD_IOTLB_AT / 16 << IOTLB_SHIFT;
}

/* ---- Reading ---- */

static uint32_t half(uint64_t value, uint64_t offset)
{
    return (uint32_t)(offset & 4 ? value >> 32 : value);
}

static uint32_t read_event_control(const struct iommu_event *event)
{
    return (event->is_masked ? VTD_EVENT_MASKED : 0) | (event->waits ? VTD_EVENT_WAITS : 0);
}

static uint32_t read_record(const struct iommu *iommu, uint64_t offset)
{
    const struct fault_record *record = &iommu->records[offset / sizeof *record];
    return half(offset & 8 ? record->rest : record->page, offset);
}

static uint32_t read_status(const struct iommu *iommu, uint64_t offset)
{
    switch (offset) {
    case VTD_GSTS:
        return iommu->status;
    case VTD_FSTS:
        return iommu_fault_status(iommu);
    case VTD_FECTL:
        return read_event_control(&iommu->fault_event);
    case VTD_FEDATA:
        return iommu->fault_event.data;
    case VTD_ICS:
        return iommu->wait_is_done;
    case VTD_IECTL:
        return read_event_control(&iommu->wait_event);
    case VTD_IEDATA:
        return iommu->wait_event.data;
    default:
        return 0;
    }
}

uint32_t iommu_read(const struct iommu *iommu, uint64_t offset)
{
    if (offset >= VTD_RECORDS_AT && offset < VTD_RECORDS_AT + sizeof iommu->records)
        return read_record(iommu, offset - VTD_RECORDS_AT);
    switch (offset & ~UINT64_C(4)) {
    case VTD_VER:
        return offset == VTD_VER ? VERSION : 0;
    case VTD_CAP:
        return capabilities(offset & 4);
    case VTD_ECAP:
        return offset & 4 ? 0 : extended_capabilities(iommu);
    case VTD_RTADDR:
        return half(iommu->root_register, offset);
    case VTD_CCMD:
        return half(iommu->context_command, offset);
    case VTD_FEADDR:
        return half(iommu->fault_event.address, offset);
    case VTD_IQH:
        return offset & 4 ? 0 : iommu->queue_head;
    case VTD_IQT:
        return offset & 4 ? 0 : iommu->queue_tail;
    case VTD_IQA:
        return half(iommu->queue_address, offset);
    case VTD_IEADDR:
        return half(iommu->wait_event.address, offset);
    case VTD_IOTLB:
        return half(iommu->iotlb_command, offset);
    default:
        return read_status(iommu, offset);
    }
}

/* ---- Writing ---- */

static void set_half(uint64_t *value, uint64_t offset, uint32_t written)
{
    unsigned shift = offset & 4 ? 32 : 0;
    *value = (*value & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)written << shift;
}

/* Each command is done at once, and shown as done in GSTS. */
static void write_command(struct iommu *iommu, uint32_t command)
{
    cycle_t now = ev_now(iommu->params.events);
    if (command & VTD_ROOT_TABLE) {
        iommu->root = iommu->root_register & ~(uint64_t)PAGE_MASK;
        iommu->status |= VTD_ROOT_TABLE;
    }
    iommu->status = (iommu->status & ~VTD_TRANSLATION) | (command & VTD_TRANSLATION);
    if ((iommu->status ^ command) & VTD_QUEUE) {
        iommu->status ^= VTD_QUEUE;
        iommu->queue_head = 0;
        iommu->queue_works = false;
        ev_cancel(iommu->params.events, &iommu->queue_event);
        iommu_wake_queue(iommu, now);
    }
}

/* The upper half has the command; what was done stands in another field of it then. */
static void write_context_command(struct iommu *iommu, uint64_t offset, uint32_t value)
{
    set_half(&iommu->context_command, offset, value);
    if (!(offset & 4) || !(value & VTD_GO))
        return;
    uint64_t command = iommu->context_command;
    unsigned granularity = value >> VTD_CCMD_GRANULARITY_SHIFT & 3;
    bool is_done = iommu_invalidate_contexts(iommu, granularity, (uint16_t)command, (uint16_t)(command >> 16),
                                             command >> 32 & 3);
    value &= ~(VTD_GO | UINT32_C(3) << VTD_CCMD_DONE_SHIFT);
    set_half(&iommu->context_command, offset, value | (is_done ? granularity << VTD_CCMD_DONE_SHIFT : 0));
}

static void write_iotlb_command(struct iommu *iommu, uint64_t offset, uint32_t value)
{
    set_half(&iommu->iotlb_command, offset, value);
    if (!(offset & 4) || !(value & VTD_GO))
        return;
    unsigned granularity = value >> VTD_IOTLB_GRANULARITY_SHIFT & 3;
    bool is_done = iommu_invalidate_pages(iommu, granularity, (uint16_t)value, iommu->invalidate_address);
    value &= ~(VTD_GO | UINT32_C(3) << VTD_IOTLB_DONE_SHIFT);
    set_half(&iommu->iotlb_command, offset, value | (is_done ? granularity << VTD_IOTLB_DONE_SHIFT : 0));
}

/* The tail: 16 bytes a descriptor, at most 512 KiB of them. */
static void write_tail(struct iommu *iommu, uint32_t value)
{
    iommu->queue_tail = value & 0x7fff0;
    iommu_wake_queue(iommu, ev_now(iommu->params.events));
}

static void write_status(struct iommu *iommu, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case VTD_GCMD:
        write_command(iommu, value);
        break;
    case VTD_FSTS:
        iommu_clear_fault_status(iommu, value & VTD_FSTS_CLEARS);
        iommu_wake_queue(iommu, ev_now(iommu->params.events));
        break;
    case VTD_FECTL:
        iommu_set_mask(iommu, &iommu->fault_event, value & VTD_EVENT_MASKED);
        break;
    case VTD_FEDATA:
        iommu->fault_event.data = value & 0xffff;
        break;
    case VTD_ICS:
        if (value & 1)
            iommu->wait_is_done = iommu->wait_event.waits = false;
        break;
    case VTD_IECTL:
        iommu_set_mask(iommu, &iommu->wait_event, value & VTD_EVENT_MASKED);
        break;
    case VTD_IEDATA:
        iommu->wait_event.data = value & 0xffff;
        break;
    default:
        break;
    }
}

void iommu_write(struct iommu *iommu, uint64_t offset, uint32_t value)
{
    uint64_t record = (offset - VTD_RECORDS_AT) / sizeof *iommu->records;
    if (offset >= VTD_RECORDS_AT && record < VTD_NR_FAULT_RECORDS) {
        if ((offset & 0xc) == 0xc && (value & VTD_RECORD_VALID))
            iommu_clear_record(iommu, (unsigned)record);
        return;
    }
    switch (offset & ~UINT64_C(4)) {
    case VTD_RTADDR:
        set_half(&iommu->root_register, offset, value);
        break;
    case VTD_CCMD:
        write_context_command(iommu, offset, value);
        break;
    case VTD_FEADDR:
        set_half(&iommu->fault_event.address, offset, offset & 4 ? value : value & ~UINT32_C(3));
        break;
    case VTD_IQT:
        if (!(offset & 4))
            write_tail(iommu, value);
        break;
    case VTD_IQA:
        set_half(&iommu->queue_address, offset, offset & 4 ? value : value & ~UINT32_C(0xff8));
        break;
    case VTD_IEADDR:
        set_half(&iommu->wait_event.address, offset, offset & 4 ? value : value & ~UINT32_C(3));
        break;
    case VTD_IVA:
        set_half(&iommu->invalidate_address, offset, value);
        break;
    case VTD_IOTLB:
        write_iotlb_command(iommu, offset, value);
        break;
    default:
        write_status(iommu, offset, value);
        break;
    }
}

/* ---- The IOMMU ---- */

struct iommu_params iommu_params_of(const struct config *config)
{
    return (struct iommu_params){
        .iotlb_entries = config->iommu_present ? config->iommu_iotlb_entries : 0,
        .iotlb_ways = config->iommu_iotlb_ways,
        .context_entries = config->iommu_context_entries,
        .coherence = (enum dma_coherence)config->dma_coherence,
    };
}

static bool create_parts(struct iommu *iommu)
{
    const struct dma_master_params own = {.name = "IOMMU",
                                          .address_bits = 64,
                                          .burst_bytes = VTD_DESCRIPTOR_BYTES,
                                          .bursts_in_flight = 1,
                                          .coherence = iommu->params.coherence,
                                          .is_untranslated = true};
    iommu->master = dma_master_create(&own, iommu->params.memory);
    iommu->contexts = calloc(iommu->params.context_entries, sizeof *iommu->contexts);
    iommu->iotlb = calloc(iommu->params.iotlb_entries, sizeof *iommu->iotlb);
    iommu->queue_event =
        (struct event){.handler = iommu_queue_step, .opaque = iommu, .name = "invalidation queue"};
    /* The event queue keeps the room that an event once had: from here on memory cannot run short. */
    return iommu->master && iommu->contexts && iommu->iotlb &&
           ev_schedule(iommu->params.events, &iommu->queue_event, EV_NEVER);
}

struct iommu *iommu_create(const struct iommu_params *params)
{
    assert(params->iotlb_ways && params->iotlb_entries % params->iotlb_ways == 0 && params->context_entries);
    struct iommu *iommu = calloc(1, sizeof *iommu);
    if (!iommu)
        return NULL;
    iommu->params = *params;
    iommu->fault_event.is_masked = iommu->wait_event.is_masked = true;
    if (!create_parts(iommu)) {
        iommu_destroy(iommu);
        return NULL;
    }
    dma_memory_set_iommu(params->memory, iommu_translate, iommu);
    return iommu;
}

void iommu_destroy(struct iommu *iommu)
{
    if (!iommu)
        return;
    dma_memory_set_iommu(iommu->params.memory, NULL, NULL);
    ev_cancel(iommu->params.events, &iommu->queue_event);
    dma_master_destroy(iommu->master);
    free(iommu->contexts);
    free(iommu->iotlb);
    free(iommu);
}

const struct iommu_stats *iommu_stats(const struct iommu *iommu)
{
    return &iommu->stats;
}

bool iommu_register_stats(struct iommu *iommu, struct stat_registry *registry, const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct iommu_stats, name, unit, sentence),
#include "dma/iommu_stats.def"
#undef STAT
    };
    return stat_register(registry, path, rows, sizeof rows / sizeof *rows, &iommu->stats);
}
