/* Memory runs low: pages that were not used for long leave the page cache. */
#include "fs.h"
#include "page_cache.h"
#include "slab.h"

/*
 * Whether nobody but the cache has the page, and the disk has what it holds. A page that was used since it
 * was looked at last gets another turn, and moves behind the others.
 */
static bool can_be_freed(struct page *page, bool is_urgent)
{
    if (PageLocked(page) || PageDirty(page) || page->_refcount != 1 + page->_mapcount)
        return false;
    if (!(page->flags & PG_referenced) || is_urgent)
        return true;
    page->flags &= ~PG_referenced;
    return false;
}

/* False: a process has written to it. */
static bool free_page_cache_page(struct page *page)
{
    get_page(page);
    page->flags |= PG_locked;
    unmap_page(page);
    bool is_clean = !PageDirty(page);
    if (is_clean)
        remove_from_page_cache(page);
    unlock_page(page);
    put_page(page);
    return is_clean;
}

/* One look at each page of all. */
static unsigned long scan_page_cache(unsigned long nr_to_free, bool is_urgent)
{
    unsigned long nr_freed = 0;
    for (unsigned long left = page_cache_stat.nr_pages; left > 0 && nr_freed < nr_to_free; left--) {
        struct page *page = list_first_entry(&page_cache_lru, struct page, lru);
        list_del_init(&page->lru);
        list_add_tail(&page->lru, &page_cache_lru);
        if (can_be_freed(page, is_urgent))
            nr_freed += free_page_cache_page(page);
    }
    return nr_freed;
}

unsigned long shrink_page_cache(unsigned long nr)
{
    unsigned long nr_freed = scan_page_cache(nr, false);
    return nr_freed ? nr_freed : scan_page_cache(nr, true);
}

/* A slab goes only when all its objects are free: names and inodes are given up until one does. */
unsigned long shrink_slab(unsigned long nr)
{
    for (;;) {
        unsigned long nr_pages = kmem_cache_shrink_all();
        if (nr_pages || shrink_dcache(nr) + shrink_clean_icache(nr) == 0)
            return nr_pages;
    }
}

unsigned long drop_pagecache(void)
{
    unsigned long nr_freed = 0;
    for (unsigned long left = page_cache_stat.nr_pages; left > 0; left--) {
        struct page *page = list_first_entry(&page_cache_lru, struct page, lru);
        list_del_init(&page->lru);
        list_add_tail(&page->lru, &page_cache_lru);
        if (page->_mapcount == 0 && can_be_freed(page, true))
            nr_freed += free_page_cache_page(page);
    }
    return nr_freed;
}
