/*
 * Goes through the page tables of the address space that is in use, as they lie in RAM: what is mapped,
 * whether or not a TLB has it. Nothing is changed, not even an accessed bit.
 */
#ifndef LK_SIM_OBSERVE_VIEW_MAPPINGS_H
#define LK_SIM_OBSERVE_VIEW_MAPPINGS_H

#include "mmu/mmu.h"
#include "sim/base/ram.h"

/* A page that is mapped: `nr_frames` of 4 KiB from frame `first` on. */
struct view_mapping {
    uint64_t linear;
    pfn_t first, nr_frames;
    uint64_t rights; /* PTE_RW, PTE_US: what all entries allow; PTE_XD: one of them forbids execution */
};

/* In the order of their addresses. Either may be NULL; a table is told of behind what it maps. */
struct view_mapping_visitor {
    void *opaque;
    void (*page)(void *opaque, const struct view_mapping *mapping);
    void (*table)(void *opaque, pfn_t frame);
    bool is_users_only; /* what no user may reach is passed over, tables too */
};

/* Nothing while paging is off. Tables that lead to themselves end after some millions of pages. */
void view_visit_mappings(const struct ram *ram, const struct paging_mode *mode,
                         const struct view_mapping_visitor *visitor);

#endif
