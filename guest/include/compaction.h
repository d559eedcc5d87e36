/* Making large blocks: pages in use move together (mm/compaction.c). */
#pragma once

#include "gfp.h"
#include "mmzone.h"

/*
 * Direct compaction for a request of that order which found no block, in the zones that it may have. Never
 * sleeps. True: there is a block now.
 */
bool try_to_compact_pages(gfp_t gfp, unsigned int order);
/* Makes blocks of that order in all zones that have the pages for it, but no block. */
void compact_zones(unsigned int order);
/* Compacts all zones as far as it goes (/proc/sys/vm/compact_memory). */
void compact_memory(void);
