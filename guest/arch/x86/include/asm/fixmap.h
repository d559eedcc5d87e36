/* Linear addresses fixed at compile time, one page each, counted down from FIXADDR_TOP. */
#pragma once

#include "asm/page.h"
#include "asm/pgtable_types.h"

/* How deep kmap_atomic() can nest. */
#define KM_TYPE_NR 8

/* Addresses for kmap(): one page table full. */
#define LAST_PKMAP PTRS_PER_PTE

enum fixed_addresses {
    FIX_HOLE, /* unmapped: catches overruns of the last page */
    FIX_KMAP_BEGIN,
    FIX_KMAP_END = FIX_KMAP_BEGIN + KM_TYPE_NR - 1,
    FIX_LAB, /* a page that a lab looks at in ways of its own */
    __end_of_fixed_addresses,
};

/* flags == 0 unmaps. */
void set_fixmap(enum fixed_addresses slot, unsigned long pfn, pteval_t flags);

static inline unsigned long fix_to_virt(unsigned int slot)
{
    return FIXADDR_TOP - ((unsigned long)(slot + 1) << PAGE_SHIFT);
}

static inline unsigned int virt_to_fix(unsigned long address)
{
    return (unsigned int)((FIXADDR_TOP - address) >> PAGE_SHIFT) - 1;
}
