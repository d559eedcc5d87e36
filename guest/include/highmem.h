/* Short-lived kernel addresses for pages that have none of their own. */
#pragma once

#include "mm.h"

/*
 * Maps the page in a slot of the fixmap, or returns its lasting address if it has one. Calls nest like
 * brackets, KM_TYPE_NR deep, and the caller must not sleep in between.
 */
void *kmap_atomic(struct page *page);
void kunmap_atomic(void *address);

void clear_highpage(struct page *page);
