/* What the IOMMU's files share. */
#ifndef LK_DMA_IOMMU_INTERNAL_H
#define LK_DMA_IOMMU_INTERNAL_H

#include "dma/iommu.h"
#include "dma/iommu_registers.h"

/* What a present, well-formed context entry says. */
struct iommu_context {
    uint16_t source_id, domain;
    bool passes;        /* addresses go through as they are */
    bool is_quiet;      /* its faults are not recorded */
    unsigned nr_levels; /* 3 or 4 */
    uint64_t table;
};

struct context_entry {
    struct iommu_context context;
    uint64_t used; /* when; 0: the entry is empty */
};

struct iotlb_entry {
    uint16_t domain;
    unsigned page_shift;  /* 12, 21 or 30 */
    uint64_t page, frame; /* addresses >> page_shift */
    bool may_read, may_write;
    uint64_t used;
};

/* An interrupt of its own: FECTL to FEUADDR, or IECTL to IEUADDR. */
struct iommu_event {
    bool is_masked, waits;
    uint32_t data;
    uint64_t address;
};

/* FRCD: bits 63:0 and 127:64. */
struct fault_record {
    uint64_t page, rest;
};

struct iommu {
    struct iommu_params params;
    struct dma_master *master;
    /* Registers. */
    uint32_t status;              /* GSTS */
    uint64_t root_register, root; /* RTADDR, and what SRTP has made of it */
    uint64_t context_command, invalidate_address, iotlb_command;
    uint32_t fault_status; /* FSTS: the bits that are cleared by writing ones */
    unsigned first_fault;  /* FSTS: the record that PPF is about */
    struct iommu_event fault_event, wait_event;
    struct fault_record records[VTD_NR_FAULT_RECORDS];
    unsigned next_record;
    bool wait_is_done; /* ICS */
    uint64_t queue_address;
    uint32_t queue_head, queue_tail; /* bytes */
    /* The descriptor of the queue that is worked on, once it has been read. */
    struct event queue_event;
    bool queue_works;
    uint64_t descriptor[2];
    /* Caches. */
    struct context_entry *contexts;
    struct iotlb_entry *iotlb;
    uint64_t uses;
    struct iommu_stats stats;
};

/* ---- iommu_cache.c ---- */

const struct iommu_context *iommu_find_context(struct iommu *iommu, uint16_t source_id);
const struct iommu_context *iommu_keep_context(struct iommu *iommu, const struct iommu_context *context);
/* By device: those of source_id with the bits of `ignored` left out, whatever their domain. */
void iommu_drop_contexts(struct iommu *iommu, enum vtd_granularity granularity, uint16_t domain,
                         uint16_t source_id, uint16_t ignored);

const struct iotlb_entry *iommu_find_page(struct iommu *iommu, uint16_t domain, uint64_t at);
void iommu_keep_page(struct iommu *iommu, const struct iotlb_entry *entry);
/* Selective: what lies in the 2^nr_page_bits pages around `at`. */
void iommu_drop_pages(struct iommu *iommu, enum vtd_granularity granularity, uint16_t domain, uint64_t at,
                      unsigned nr_page_bits);

/* ---- iommu_walk.c ---- */

struct dma_translation iommu_translate(void *opaque, uint16_t source_id, struct baddr at, bool is_write,
                                       cycle_t now);

/* ---- iommu_fault.c ---- */

void iommu_record_fault(struct iommu *iommu, enum vtd_fault reason, uint16_t source_id, uint64_t at,
                        bool is_write);
/* Sets a bit of FSTS. */
void iommu_set_fault_status(struct iommu *iommu, uint32_t bit);
uint32_t iommu_fault_status(const struct iommu *iommu);
/* Ones clear: bits of FSTS; the valid bit of a record. */
void iommu_clear_fault_status(struct iommu *iommu, uint32_t bits);
void iommu_clear_record(struct iommu *iommu, unsigned record);
/* An event of its own becomes due; software writes its control register. */
void iommu_raise(struct iommu *iommu, struct iommu_event *event);
void iommu_set_mask(struct iommu *iommu, struct iommu_event *event, bool is_masked);

/* ---- iommu_queue.c ---- */

/* Goes on if there is something in the queue, and nothing in the way. */
void iommu_wake_queue(struct iommu *iommu, cycle_t now);
void iommu_queue_step(void *opaque, cycle_t now);

/* What the registers and the queue have in common. False: no such granularity. */
bool iommu_invalidate_contexts(struct iommu *iommu, unsigned granularity, uint16_t domain, uint16_t source_id,
                               unsigned function_mask);
bool iommu_invalidate_pages(struct iommu *iommu, unsigned granularity, uint16_t domain, uint64_t address);

#endif
