/* The LRU lists: where a page that may be reclaimed waits, and how it moves (include/swap.h). */
#include "swap.h"
#include "bug.h"
#include "errno.h"
#include "memcontrol.h"
#include "page_cache.h"

void lruvec_init(struct lruvec *lruvec)
{
    *lruvec = (struct lruvec){.nr_pages = {0}};
    for (unsigned int lru = 0; lru < NR_LRU_LISTS; lru++)
        INIT_LIST_HEAD(&lruvec->lists[lru]);
}

struct lruvec *page_lruvec(const struct page *page)
{
    if (page->flags & PG_charged)
        return &mem_cgroups[page->memcg]->lruvecs[page_zonenum(page)];
    return &page_zone(page)->lruvec;
}

/* By its flags, and by whose it is. */
static enum lru_list page_lru(const struct page *page)
{
    if (page->flags & PG_unevictable)
        return LRU_UNEVICTABLE;
    return (enum lru_list)((PageAnon(page) ? 0 : LRU_FILE) + ((page->flags & PG_active) ? LRU_ACTIVE : 0));
}

static void add_page_to_lru_list(struct page *page, bool at_tail)
{
    struct lruvec *lruvec = page_lruvec(page);
    enum lru_list lru = page_lru(page);
    if (at_tail)
        list_add_tail(&page->lru, &lruvec->lists[lru]);
    else
        list_add(&page->lru, &lruvec->lists[lru]);
    lruvec->nr_pages[lru]++;
    page->flags |= PG_lru;
}

static void del_page_from_lru_list(struct page *page)
{
    list_del_init(&page->lru);
    page_lruvec(page)->nr_pages[page_lru(page)]--;
    page->flags &= ~PG_lru;
}

/* The pages of a file without a disk have nowhere to go. */
static bool page_is_evictable(const struct page *page)
{
    return PageAnon(page) || (page->mapping && mapping_has_disk(page->mapping));
}

void lru_cache_add(struct page *page)
{
    BUG_ON(page->flags & PG_lru);
    if (!page_is_evictable(page))
        page->flags |= PG_unevictable;
    else if (PageAnon(page))
        page->flags |= PG_active;
    add_page_to_lru_list(page, false);
}

void lru_cache_del(struct page *page)
{
    if (page->flags & PG_lru)
        del_page_from_lru_list(page);
    page->flags &= ~(PG_active | PG_unevictable);
}

void activate_page(struct page *page)
{
    if ((page->flags & (PG_lru | PG_active | PG_unevictable)) != PG_lru)
        return;
    del_page_from_lru_list(page);
    page->flags |= PG_active;
    add_page_to_lru_list(page, false);
    count_vm_event(PGACTIVATE);
}

void deactivate_page(struct page *page)
{
    if ((page->flags & (PG_lru | PG_unevictable)) != PG_lru)
        return;
    del_page_from_lru_list(page);
    if (page->flags & PG_active)
        count_vm_event(PGDEACTIVATE);
    page->flags &= ~(PG_active | PG_referenced);
    add_page_to_lru_list(page, true);
}

void mark_page_accessed(struct page *page)
{
    if (!(page->flags & PG_referenced)) {
        page->flags |= PG_referenced;
    } else if ((page->flags & (PG_lru | PG_active | PG_unevictable)) == PG_lru) {
        activate_page(page);
        page->flags &= ~PG_referenced;
    }
}

int isolate_lru_page(struct page *page)
{
    if (!(page->flags & PG_lru))
        return -EBUSY;
    del_page_from_lru_list(page);
    get_page(page);
    return 0;
}

void putback_lru_page(struct page *page)
{
    /* Who took it out of its file, or unmapped it for the last time, has left it to this reference. */
    if (page->_refcount > 1 && (PageAnon(page) || page->mapping))
        add_page_to_lru_list(page, false);
    put_page(page);
}

void rescue_unevictable_page(struct page *page)
{
    if ((page->flags & (PG_lru | PG_unevictable)) != (PG_lru | PG_unevictable) || !page_is_evictable(page))
        return;
    del_page_from_lru_list(page);
    page->flags &= ~PG_unevictable;
    add_page_to_lru_list(page, false);
}

unsigned long zone_nr_lru_pages(struct zone *zone, enum lru_list lru)
{
    unsigned long sum = 0;
    u32 cursor = 0;
    const struct lruvec *lruvec;
    while ((lruvec = mem_cgroup_next_lruvec(zone, NULL, &cursor)))
        sum += lruvec->nr_pages[lru];
    return sum;
}

unsigned long nr_lru_pages(enum lru_list lru)
{
    unsigned long sum = 0;
    struct zone *zone;
    for_each_populated_zone(zone) sum += zone_nr_lru_pages(zone, lru);
    return sum;
}
