/*
 * When a migrate type has no free block left, it steals from another one. It takes the largest block there
 * is, and if the pageblock around that is mostly free or of its own kind, the whole pageblock: one pageblock
 * that changes sides does less harm than many with a few strangers in each.
 */
#include "internal.h"

/* Whom to steal from, best first. CMA and isolated pageblocks are nobody's to steal. */
static const enum migratetype fallbacks[MIGRATE_PCPTYPES][2] = {
    [MIGRATE_UNMOVABLE] = {MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE},
    [MIGRATE_RECLAIMABLE] = {MIGRATE_UNMOVABLE, MIGRATE_MOVABLE},
    [MIGRATE_MOVABLE] = {MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE},
};

/*
 * Movable pages can move away later, so a movable request does not claim a pageblock for a small block; the
 * others do, since their pages will be in somebody's way wherever they are.
 */
static bool can_claim_pageblock(unsigned int order, enum migratetype type)
{
    return order >= pageblock_order / 2 || type != MIGRATE_MOVABLE;
}

/* Free pages of a pageblock. */
static unsigned long count_free_pages(const struct zone *zone, unsigned long pfn)
{
    unsigned long nr_free = 0;
    pfn = ALIGN_DOWN(pfn, pageblock_nr_pages);
    unsigned long end_pfn = min(pfn + pageblock_nr_pages, zone_end_pfn(zone));
    for (; pfn < end_pfn; pfn++) {
        const struct page *page = pfn_to_page(pfn);
        if (page_zone(page) != zone || !(page->flags & PG_buddy))
            continue;
        nr_free += 1ul << page->order;
        pfn += (1ul << page->order) - 1;
    }
    return nr_free;
}

static void steal_block(struct zone *zone, struct page *page, enum migratetype type)
{
    unsigned int order = page->order;
    unsigned long pfn = page_to_pfn(page);
    if (order == pageblock_order ||
        (can_claim_pageblock(order, type) && count_free_pages(zone, pfn) >= pageblock_nr_pages / 2))
        move_freepages_block(zone, pfn, type);
    else
        move_to_free_list(zone, page, order, type);
}

bool steal_fallback(struct zone *zone, unsigned int order, enum migratetype type)
{
    for (unsigned int from = MAX_ORDER; from-- > order;) {
        struct free_area *area = &zone->free_area[from];
        for (unsigned int i = 0; i < ARRAY_SIZE(fallbacks[type]); i++) {
            struct list_head *list = &area->free_list[fallbacks[type][i]];
            if (list_empty(list))
                continue;
            steal_block(zone, list_first_entry(list, struct page, lru), type);
            return true;
        }
    }
    return false;
}
