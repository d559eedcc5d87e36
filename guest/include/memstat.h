/* What the pages of an address space are, and whom they are shared with (mm/memstat.c). */
#pragma once

#include "mm_types.h"

/* Sums over the pages that are present; bytes, but for pss. */
struct mem_size_stats {
    unsigned long resident;
    unsigned long anonymous; /* of these, without a file */
    unsigned long shared_clean, shared_dirty, private_clean, private_dirty;
    unsigned long referenced;
    unsigned long swap; /* on disk */
    u64 pss, swap_pss;  /* each page divided among those who map it; bytes << PSS_SHIFT */
};

#define PSS_SHIFT 12

/* Adds the pages of an area. */
void smap_gather_stats(const struct vm_area_struct *vma, struct mem_size_stats *stats);
/* Of all areas. */
void mm_gather_stats(struct mm_struct *mm, struct mem_size_stats *stats);
