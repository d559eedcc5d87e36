/* What is mapped where, by the page tables in memory: runs of linear addresses, in order. */
#ifndef LK_SIM_OBSERVE_PAGE_RANGES_H
#define LK_SIM_OBSERVE_PAGE_RANGES_H

#include "cpu/cpu.h"

struct page_range {
    struct laddr first;
    uint64_t size_bytes;
    struct paddr physical; /* of the first byte */
    unsigned flags;        /* TLB_USER, TLB_WRITABLE, TLB_NO_EXECUTE: what all levels allow together */
};

/*
 * Calls `take` for each run of pages with equal rights, with are_contiguous also of adjoining frames, until
 * it returns false. Nothing is called while paging is off. False: there is more than could be looked at
 * (tables that lead into each other name more pages than anybody can visit).
 */
bool page_ranges(const struct cpu *cpu, bool are_contiguous,
                 bool (*take)(void *opaque, const struct page_range *range), void *opaque);

#endif
