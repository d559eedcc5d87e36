/*
 * From a page to the page-table entries that map it. An anonymous page knows its anon_vma: the areas that
 * it may be mapped in, which are the one it came in for and those that fork and cuts made of it. In each,
 * the page's name (page->index) says where to look. A page of the page cache knows its file, and that all
 * areas that map it.
 */
#pragma once

#include "mm_types.h"

struct anon_vma {
    struct list_head areas; /* through anon_vma_node */
};

void rmap_init(void);
/* An area that is about to get its first page needs an anon_vma. 0 or -ENOMEM. */
int anon_vma_prepare(struct vm_area_struct *vma);
/* Enters an area that is a copy or a part of another one beside it. */
void anon_vma_link(struct vm_area_struct *vma, struct anon_vma *anon_vma);
/* Takes an area out, which has no page any more. */
void anon_vma_unlink(struct vm_area_struct *vma);

/* A new page is mapped at address. */
void page_add_new_anon_rmap(struct page *page, const struct vm_area_struct *vma, unsigned long address);
/* A page of the swap cache is mapped where its entry was. */
void page_add_anon_rmap(struct page *page, const struct vm_area_struct *vma, unsigned long address);
/* A page is mapped once more; once less. */
void page_dup_rmap(struct page *page);
void page_remove_rmap(struct page *page);

/*
 * How many page-table entries the page was used through since this was asked last: their accessed bits are
 * cleared. *vm_flags: those of the areas that used it, and VM_LOCKED of any that maps it.
 */
u32 page_referenced(struct page *page, u32 *vm_flags);

typedef int (*rmap_fn)(struct page *page, struct vm_area_struct *vma, unsigned long address, pte_t *pte,
                       void *arg);
/*
 * Calls fn for each entry that maps the page, until one returns another value than 0, which is returned.
 */
int rmap_walk(struct page *page, rmap_fn fn, void *arg);
