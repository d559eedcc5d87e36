/* What the rest of mm/ asks of swap (swap_slots.c, swap_state.c). */
#pragma once

#include "swap_info.h"

/* memory.c: brings in the page of a swap entry, which *pte is; VM_FAULT bits as handle_mm_fault(). */
u32 do_swap_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, u32 flags);
/* An entry of a page table becomes one of swap, and the slot has one more. */
void set_swap_pte(struct mm_struct *mm, pte_t *pte, swp_entry_t entry);
/* The page, with a reference, if the entry's is in memory; else NULL. */
struct page *lookup_swap_cache(swp_entry_t entry);
/*
 * The same, read from the disk if need be (*is_major), which takes long; not locked. PageUptodate() tells
 * whether reading went well. ERR_PTR: -ENOMEM, or -EAGAIN: nobody needs the entry any more.
 */
struct page *swapin_page(swp_entry_t entry, bool *is_major);
/* put_page() after unmapping: a page that is in the cache for nobody else any more leaves it. */
void free_page_and_swap_cache(struct page *page);
/* The number by which its areas find it (page_index()). */
void set_page_index(struct page *page, unsigned long index);
/* The copy has the page's slot from now on. */
void replace_in_swap_cache(struct page *page, struct page *copy);
