/* What the files in mm/ share among themselves. */
#pragma once

#include "mm.h"

/*
 * Puts a block into the free lists, merged with its buddies as far as that goes. Its pages are marked free
 * already.
 */
void free_one_page(struct zone *zone, unsigned long pfn, unsigned int order);
