/*
 * The contiguous memory area: RAM set aside at boot (cma=) that only movable pages may use meanwhile. Who
 * needs a large block that is contiguous gets it there: the pages in the way move somewhere else.
 */
#pragma once

#include "types.h"

struct page;

/*
 * At boot, after paging_init() and before free_area_init(): sets the area aside. Then, from mem_init():
 * gives it to the buddy system as CMA pageblocks.
 */
void cma_reserve(void);
void cma_init_reserved_areas(void);

/*
 * So many contiguous pages, the first at a multiple of 1 << align_order pages; or NULL. They belong to
 * PAGE_OWNER_CMA. May move pages of processes, whose contents and addresses stay.
 */
struct page *cma_alloc(unsigned long count, unsigned int align_order);
/* False if the pages are none of the area's. */
bool cma_release(struct page *pages, unsigned long count);

/* Pages in the area, and those of them that cma_alloc() handed out. */
unsigned long cma_total_pages(void);
unsigned long cma_used_pages(void);

/* Migrated for all requests so far. */
unsigned long nr_migrated_pages(void);
