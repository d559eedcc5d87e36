/* What the files about the page cache share (include/pagemap.h). */
#pragma once

#include "pagemap.h"

static inline bool mapping_has_disk(const struct address_space *mapping)
{
    return mapping->a_ops->writepage != NULL;
}

/* The page need not be written any more: it is about to be, or nobody wants it. */
void clear_page_dirty(struct page *page);
/*
 * Writes a page, locked, if it is dirty: from now on, a write of a process to it is noticed again. 0 or the
 * error, which the address space keeps, too.
 */
int write_one_page(struct page *page);

/* rmap.c: no process can write to the page from now on without a fault. */
void write_protect_page(struct page *page);
/* rmap.c: takes the page out of all page tables. */
void unmap_page(struct page *page);
/* pagewalk.c: takes the pages from number first on, and private copies of them, out of all processes. */
void unmap_mapping_range(struct address_space *mapping, unsigned long first);
