/*
 * Reclaim: from the lists of pages to free memory. The inactive lists are looked at from their tails; the
 * active ones only give them new pages when they have become short. How much of either kind, anonymous or
 * file pages, is for get_scan_count() to say.
 */
#include "vmscan.h"
#include "bug.h"
#include "fs.h"
#include "math64.h"
#include "page_cache.h"
#include "rmap.h"
#include "swapops.h"

unsigned long vm_swappiness = 60;

/* ---- One page ---- */

enum page_references { PAGEREF_RECLAIM, PAGEREF_RECLAIM_CLEAN, PAGEREF_KEEP, PAGEREF_ACTIVATE };

/*
 * An anonymous page that was used stays. One of a file must have been used twice, so that a pass over a large
 * file that is mapped does not activate it all; what programs execute stays at once.
 */
static enum page_references page_check_references(struct page *page, u32 *vm_flags)
{
    u32 nr_referenced = page_referenced(page, vm_flags);
    bool was_referenced = page->flags & PG_referenced;
    page->flags &= ~PG_referenced;
    if (*vm_flags & VM_LOCKED)
        return PAGEREF_RECLAIM;
    if (nr_referenced == 0)
        return was_referenced && !PageAnon(page) ? PAGEREF_RECLAIM_CLEAN : PAGEREF_RECLAIM;
    if (PageAnon(page))
        return PAGEREF_ACTIVATE;
    page->flags |= PG_referenced;
    if (was_referenced || nr_referenced > 1 || (*vm_flags & VM_EXEC))
        return PAGEREF_ACTIVATE;
    return PAGEREF_KEEP;
}

enum page_fate { PAGE_KEEP, PAGE_ACTIVATE, PAGE_MUST_STAY, PAGE_FREE };

/*
 * Writes a dirty page to where it belongs, if this may sleep. It is clean then, unless somebody writes to it.
 */
static enum page_fate pageout(struct page *page, struct scan_control *sc)
{
    if (PageAnon(page))
        return sc->may_swap && swap_writepage(page) == 0 ? PAGE_FREE : PAGE_ACTIVATE;
    sc->nr_dirty++;
    return sc->may_writepage && write_one_page(page) == 0 ? PAGE_FREE : PAGE_KEEP;
}

/*
 * An anonymous page gets a place in swap; then it goes out of all page tables. PAGE_FREE: it is out of them.
 */
static enum page_fate unmap_for_reclaim(struct page *page, const struct scan_control *sc)
{
    if (PageAnon(page) && !PageSwapCache(page)) {
        if (!sc->may_swap)
            return PAGE_KEEP;
        if (add_to_swap(page))
            return PAGE_ACTIVATE;
    }
    if (try_to_unmap(page) == TTU_SUCCESS)
        return PAGE_FREE;
    if (PageAnon(page))
        try_to_free_swap(page);
    return PAGE_MUST_STAY;
}

/* The lists' reference, the cache's, and no other: nobody can come by the page any more. */
static bool nobody_has(const struct page *page)
{
    return page->_mapcount == 0 && page->_refcount == 2;
}

/* What becomes of a locked page. PAGE_FREE: it has left its file, or its place in swap, and is nobody's. */
static enum page_fate reclaim_page(struct page *page, struct scan_control *sc)
{
    u32 vm_flags = 0;
    if (page->flags & PG_unevictable)
        return PAGE_MUST_STAY;
    if ((page->_mapcount && !sc->may_unmap) || (!PageAnon(page) && page->mapping == NULL))
        return PAGE_KEEP;
    enum page_references references = page_check_references(page, &vm_flags);
    if (vm_flags & VM_LOCKED)
        return PAGE_MUST_STAY;
    if (references == PAGEREF_ACTIVATE)
        return PAGE_ACTIVATE;
    if (references == PAGEREF_KEEP)
        return PAGE_KEEP;
    enum page_fate fate = unmap_for_reclaim(page, sc);
    if (fate == PAGE_FREE && PageDirty(page))
        fate = references == PAGEREF_RECLAIM_CLEAN ? PAGE_KEEP : pageout(page, sc);
    if (fate != PAGE_FREE)
        return fate;
    if (PageDirty(page) || !nobody_has(page))
        return PAGE_KEEP;
    if (PageAnon(page))
        delete_from_swap_cache(page);
    else
        remove_from_page_cache(page);
    return PAGE_FREE;
}

unsigned long shrink_page_list(struct list_head *page_list, struct scan_control *sc)
{
    unsigned long nr_freed = 0;
    while (!list_empty(page_list)) {
        struct page *page = list_entry(page_list->prev, struct page, lru);
        list_del_init(&page->lru);
        enum page_fate fate = PAGE_KEEP;
        if (trylock_page(page)) {
            fate = reclaim_page(page, sc);
            unlock_page(page);
        }
        if (fate == PAGE_ACTIVATE) {
            page->flags |= PG_active;
            sc->nr_activated++;
            count_vm_event(PGACTIVATE);
        } else if (fate == PAGE_MUST_STAY) {
            page->flags |= PG_unevictable;
        }
        nr_freed += fate == PAGE_FREE;
        putback_lru_page(page);
    }
    return nr_freed;
}

unsigned long reclaim_pages(struct list_head *page_list)
{
    struct scan_control sc = {
        .gfp = GFP_HIGHUSER_MOVABLE, .may_writepage = true, .may_swap = true, .may_unmap = true};
    return shrink_page_list(page_list, &sc);
}

/* ---- Lists ---- */

/* Takes up to nr pages from the tail of a list, with a reference to each. */
static unsigned long isolate_lru_pages(struct lruvec *lruvec, unsigned int lru, unsigned long nr,
                                       struct list_head *isolated)
{
    unsigned long nr_taken = 0;
    for (; nr_taken < nr && !list_empty(&lruvec->lists[lru]); nr_taken++) {
        struct page *page = list_entry(lruvec->lists[lru].prev, struct page, lru);
        (void)isolate_lru_page(page);
        list_add(&page->lru, isolated);
    }
    return nr_taken;
}

static void count_scanned(unsigned long nr_scanned, unsigned long nr_freed)
{
    count_vm_events(current_is_kswapd() ? PGSCAN_KSWAPD : PGSCAN_DIRECT, nr_scanned);
    count_vm_events(current_is_kswapd() ? PGSTEAL_KSWAPD : PGSTEAL_DIRECT, nr_freed);
}

/* Returns how many were looked at: not more than could be too many if all go. */
static unsigned long shrink_inactive_list(struct lruvec *lruvec, unsigned int lru, unsigned long nr,
                                          struct scan_control *sc)
{
    LIST_HEAD(isolated);
    struct zone_reclaim_stat *stat = &lruvec->reclaim_stat;
    nr = min(nr, sc->nr_to_reclaim - min(sc->nr_reclaimed, sc->nr_to_reclaim));
    unsigned long nr_scanned = isolate_lru_pages(lruvec, lru, nr, &isolated);
    unsigned long nr_active = sc->nr_activated;
    unsigned long nr_freed = shrink_page_list(&isolated, sc);
    stat->recent_rotated[is_file_lru(lru)] += sc->nr_activated - nr_active;
    sc->nr_scanned += nr_scanned;
    sc->nr_reclaimed += nr_freed;
    count_scanned(nr_scanned, nr_freed);
    count_vm_events(is_file_lru(lru) ? PGSTEAL_FILE : PGSTEAL_ANON, nr_freed);
    return nr;
}

/*
 * The pages that were active longest become inactive, used or not: they have the time until they reach the
 * other end of that list to be used again. Only what programs execute, and have since, gets another turn.
 */
static void shrink_active_list(struct lruvec *lruvec, unsigned int lru, unsigned long nr)
{
    LIST_HEAD(isolated);
    struct zone_reclaim_stat *stat = &lruvec->reclaim_stat;
    (void)isolate_lru_pages(lruvec, lru, nr, &isolated);
    while (!list_empty(&isolated)) {
        struct page *page = list_entry(isolated.prev, struct page, lru);
        u32 vm_flags = 0;
        list_del_init(&page->lru);
        bool was_used = page_referenced(page, &vm_flags);
        if (was_used && is_file_lru(lru) && (vm_flags & VM_EXEC)) {
            stat->recent_rotated[true]++;
        } else {
            page->flags &= ~PG_active;
            count_vm_event(PGDEACTIVATE);
        }
        putback_lru_page(page);
    }
}

/*
 * As long as the inactive list is the longer one, active pages are left alone. Anonymous pages are all used
 * when they come, so that in large zones fewer of them need to be watched.
 */
static bool inactive_list_is_low(const struct lruvec *lruvec, unsigned int inactive)
{
    const unsigned long pages_per_gib = 1ul << (30 - PAGE_SHIFT);
    unsigned long nr_inactive = lruvec->nr_pages[inactive],
                  nr_active = lruvec->nr_pages[inactive + LRU_ACTIVE];
    u32 ratio = is_file_lru(inactive) ? 1 : int_sqrt((u32)(10 * (nr_inactive + nr_active) / pages_per_gib));
    return nr_inactive * max(ratio, 1u) < nr_active;
}

/* Returns how many of the nr pages are done with. */
static unsigned long shrink_list(struct lruvec *lruvec, unsigned int lru, unsigned long nr,
                                 struct scan_control *sc)
{
    if (!is_active_lru(lru))
        return shrink_inactive_list(lruvec, lru, nr, sc);
    if (inactive_list_is_low(lruvec, lru - LRU_ACTIVE))
        shrink_active_list(lruvec, lru, nr);
    return nr;
}

/* ---- Anonymous and file pages ---- */

static bool can_swap(const struct scan_control *sc)
{
    return sc->may_swap && sc->swappiness && nr_swap_pages;
}

/* The past counts less and less: when it is more than a quarter of the pages, half of it is forgotten. */
static void age_reclaim_stat(struct lruvec *lruvec)
{
    unsigned long *rotated = lruvec->reclaim_stat.recent_rotated, nr_pages = 0;
    unsigned int lru;
    for_each_evictable_lru(lru) nr_pages += lruvec->nr_pages[lru];
    if (rotated[false] + rotated[true] > nr_pages / 4) {
        rotated[false] /= 2;
        rotated[true] /= 2;
    }
}

/*
 * How many pages of each list are to be looked at. Swappiness is the share of anonymous pages that is wished,
 * of 200. Where more pages were in use than among the others, a smaller part is looked at, half of it at the
 * least.
 */
static void get_scan_count(struct lruvec *lruvec, const struct scan_control *sc, unsigned long *nr)
{
    age_reclaim_stat(lruvec);
    const unsigned long *rotated = lruvec->reclaim_stat.recent_rotated;
    unsigned long total = rotated[false] + rotated[true], part[2],
                  wish[2] = {sc->swappiness, 2 * SWAPPINESS_MOST - sc->swappiness};
    for (unsigned int i = 0; i < 2; i++)
        part[i] = wish[i] * (3 * total + 1) / (total + rotated[i] + 1);
    unsigned int lru;
    for_each_evictable_lru(lru)
    {
        unsigned long size = lruvec->nr_pages[lru] >> sc->priority;
        if (!can_swap(sc))
            nr[lru] = is_file_lru(lru) ? size : 0;
        else if (sc->priority == 0)
            nr[lru] = size;
        else
            nr[lru] =
                (unsigned long)div_u64((u64)size * part[is_file_lru(lru)], (u32)(part[0] + part[1] + 1));
    }
}

/* The lists are shortened side by side: in each round, in proportion to what is left to be looked at. */
static unsigned long batch_of(const unsigned long *nr, unsigned int lru)
{
    unsigned long most = 1;
    unsigned int i;
    for_each_evictable_lru(i) most = max(most, nr[i]);
    return (unsigned long)div_u64((u64)nr[lru] * min(most, SWAP_CLUSTER_MAX) + most - 1, (u32)most);
}

void shrink_lruvec(struct lruvec *lruvec, struct scan_control *sc)
{
    unsigned long nr[LRU_UNEVICTABLE], batch[LRU_UNEVICTABLE];
    unsigned int lru;
    get_scan_count(lruvec, sc, nr);
    while ((nr[LRU_INACTIVE_ANON] || nr[LRU_ACTIVE_FILE] || nr[LRU_INACTIVE_FILE]) &&
           sc->nr_reclaimed < sc->nr_to_reclaim) {
        for_each_evictable_lru(lru) batch[lru] = batch_of(nr, lru);
        for_each_evictable_lru(lru)
        {
            if (batch[lru])
                nr[lru] -= shrink_list(lruvec, lru, batch[lru], sc);
        }
    }
    /* Even if there was nothing to swap: the active list's pages are to be watched before there is need. */
    if (can_swap(sc) && inactive_list_is_low(lruvec, LRU_INACTIVE_ANON))
        shrink_active_list(lruvec, LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX);
}
