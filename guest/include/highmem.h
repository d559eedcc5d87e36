/* Kernel addresses for pages that have none of their own. */
#pragma once

#include "mm.h"

/*
 * Maps the page in a slot of the fixmap, or returns its lasting address if it has one. Calls nest like
 * brackets, KM_TYPE_NR deep, and the caller must not sleep in between.
 */
void *kmap_atomic(struct page *page);
void kunmap_atomic(void *address);

/*
 * The same for longer: the caller may sleep, and other processes may use the address too. NULL: all of the
 * LAST_PKMAP addresses for such mappings are in use, or there is no memory for a page table.
 */
void *kmap(struct page *page);
void kunmap(struct page *page);

void clear_highpage(struct page *page);
void copy_highpage(struct page *to, struct page *from);
