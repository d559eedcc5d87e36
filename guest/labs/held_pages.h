/* Pages that a lab holds in order to fill memory, on a list through page->lru. */
#pragma once

#include "mm.h"

/* Takes single pages until there is none for such a request; counts[] (or NULL) by zone. Returns how many. */
static inline unsigned long hold_all_pages(struct list_head *held, gfp_t gfp,
                                           unsigned long counts[MAX_NR_ZONES])
{
    unsigned long nr = 0;
    for (;; nr++) {
        struct page *page = alloc_page(gfp | __GFP_NOWARN);
        if (page == NULL)
            return nr;
        list_add_tail(&page->lru, held);
        if (counts)
            counts[page_zonenum(page)]++;
    }
}

static inline void release_pages(struct list_head *held)
{
    while (!list_empty(held)) {
        struct page *page = list_first_entry(held, struct page, lru);
        list_del_init(&page->lru);
        __free_page(page);
    }
}
