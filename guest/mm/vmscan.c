/* Memory runs low: pages that were not used for long leave the page cache. */
#include "fs.h"
#include "page_cache.h"
#include "slab.h"
#include "swap.h"

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

/* Whoever is next on the list goes to its end. */
static struct page *next_page(struct list_head *list)
{
    struct page *page = list_entry(list->prev, struct page, lru);
    list_del_init(&page->lru);
    list_add(&page->lru, list);
    return page;
}

static unsigned long scan_list(struct lruvec *lruvec, enum lru_list lru, unsigned long nr_to_free,
                               bool is_urgent, bool takes_mapped)
{
    unsigned long nr_freed = 0;
    for (unsigned long left = lruvec->nr_pages[lru]; left > 0 && nr_freed < nr_to_free; left--) {
        struct page *page = next_page(&lruvec->lists[lru]);
        if ((takes_mapped || page->_mapcount == 0) && can_be_freed(page, is_urgent))
            nr_freed += free_page_cache_page(page);
    }
    return nr_freed;
}

/* One look at each page of all. */
static unsigned long scan_page_cache(unsigned long nr_to_free, bool is_urgent, bool takes_mapped)
{
    unsigned long nr_freed = 0;
    struct zone *zone;
    for (unsigned int i = 0; i < 2; i++)
        for_each_populated_zone(zone)
        {
            if (nr_freed < nr_to_free)
                nr_freed += scan_list(&zone->lruvec, i ? LRU_ACTIVE_FILE : LRU_INACTIVE_FILE,
                                      nr_to_free - nr_freed, is_urgent, takes_mapped);
        }
    return nr_freed;
}

unsigned long shrink_page_cache(unsigned long nr)
{
    unsigned long nr_freed = scan_page_cache(nr, false, true);
    return nr_freed ? nr_freed : scan_page_cache(nr, true, true);
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

unsigned long vm_swappiness = 60;
