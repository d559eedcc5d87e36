/*
 * The buddy system. Free memory is kept in blocks of 1 << order pages whose first frame number is a
 * multiple of their size, a list for each order and migrate type. The buddy of a block is the block of the
 * same size with which it makes up an aligned block of twice the size: its frame number differs in bit
 * `order` alone. No block is larger than a pageblock, so that a merge never mixes types.
 */
#include "internal.h"
#include "lookaside.h"

/* For the time line: how many pages are free, now and then, and every crossing of a watermark. */
static void note_free_pages(const struct zone *zone, unsigned long before)
{
    enum { PAGES_A_NOTE_SHIFT = 5 };
    unsigned long now = zone->nr_free_pages;
    if (before >> PAGES_A_NOTE_SHIFT != now >> PAGES_A_NOTE_SHIFT)
        lk_mm_free_pages(zone_idx(zone), now);
    for (unsigned int mark = WMARK_MIN; mark < NR_WMARK; mark++)
        if ((before <= zone->watermark[mark]) != (now <= zone->watermark[mark]))
            lk_mm_crosses_watermark(zone_idx(zone), mark, now, now <= zone->watermark[mark]);
}

/* Free pages that nobody may have do not count. */
static void mod_zone_freepage_state(struct zone *zone, long pages, enum migratetype type)
{
    unsigned long before = zone->nr_free_pages;
    if (type == MIGRATE_ISOLATE)
        return;
    zone->nr_free_pages += (unsigned long)pages;
    if (type == MIGRATE_CMA)
        zone->nr_free_cma_pages += (unsigned long)pages;
    note_free_pages(zone, before);
}

static void add_to_free_list(struct zone *zone, struct page *page, unsigned int order, enum migratetype type)
{
    page->flags |= PG_buddy;
    page->order = (u8)order;
    list_add(&page->lru, &zone->free_area[order].free_list[type]);
    zone->free_area[order].nr_free++;
}

static void del_from_free_list(struct zone *zone, struct page *page, unsigned int order)
{
    page->flags &= ~PG_buddy;
    list_del_init(&page->lru);
    zone->free_area[order].nr_free--;
}

void move_to_free_list(struct zone *zone, struct page *page, unsigned int order, enum migratetype type)
{
    list_del_init(&page->lru);
    list_add(&page->lru, &zone->free_area[order].free_list[type]);
}

static bool page_is_free_block(const struct page *page, const struct zone *zone, unsigned int order)
{
    return (page->flags & PG_buddy) && page->order == order && page_zone(page) == zone;
}

void free_one_page(struct zone *zone, unsigned long pfn, unsigned int order, enum migratetype type)
{
    mod_zone_freepage_state(zone, 1l << order, type);
    while (order < MAX_ORDER - 1) {
        unsigned long buddy_pfn = pfn ^ (1ul << order);
        if (!pfn_valid(buddy_pfn) || !page_is_free_block(pfn_to_page(buddy_pfn), zone, order))
            break;
        del_from_free_list(zone, pfn_to_page(buddy_pfn), order);
        pfn &= buddy_pfn;
        order++;
    }
    add_to_free_list(zone, pfn_to_page(pfn), order, type);
}

/* Gives the halves of a block that are not needed back to the lists below. */
static void expand(struct zone *zone, struct page *page, unsigned int low, unsigned int high,
                   enum migratetype type)
{
    while (high > low) {
        high--;
        add_to_free_list(zone, page + (1ul << high), high, type);
    }
}

/* Takes the smallest block on the type's own lists that will do. */
static struct page *rmqueue_smallest(struct zone *zone, unsigned int order, enum migratetype type)
{
    for (unsigned int found = order; found < MAX_ORDER; found++) {
        struct free_area *area = &zone->free_area[found];
        if (list_empty(&area->free_list[type]))
            continue;
        struct page *page = list_first_entry(&area->free_list[type], struct page, lru);
        del_from_free_list(zone, page, found);
        expand(zone, page, order, found, type);
        mod_zone_freepage_state(zone, -(1l << order), type);
        return page;
    }
    return NULL;
}

struct page *__rmqueue(struct zone *zone, unsigned int order, enum migratetype type, unsigned int alloc_flags)
{
    struct page *page = rmqueue_smallest(zone, order, type);
    if (page == NULL && (alloc_flags & ALLOC_CMA))
        page = rmqueue_smallest(zone, order, MIGRATE_CMA);
    if (page == NULL && steal_fallback(zone, order, type))
        page = rmqueue_smallest(zone, order, type);
    return page;
}

bool zone_has_block(const struct zone *zone, unsigned int order, unsigned int alloc_flags)
{
    for (; order < MAX_ORDER; order++) {
        const struct free_area *area = &zone->free_area[order];
        for (unsigned int type = 0; type < MIGRATE_PCPTYPES; type++)
            if (!list_empty(&area->free_list[type]))
                return true;
        if ((alloc_flags & ALLOC_CMA) && !list_empty(&area->free_list[MIGRATE_CMA]))
            return true;
    }
    return false;
}

unsigned long move_freepages_block(struct zone *zone, unsigned long pfn, enum migratetype type)
{
    unsigned long moved = 0;
    enum migratetype old_type = get_pageblock_migratetype(pfn);
    pfn = ALIGN_DOWN(pfn, pageblock_nr_pages);
    unsigned long end_pfn = min(pfn + pageblock_nr_pages, zone_end_pfn(zone));
    while (pfn < end_pfn) {
        struct page *page = pfn_to_page(pfn);
        if (!(page->flags & PG_buddy) || page_zone(page) != zone) {
            pfn++;
            continue;
        }
        move_to_free_list(zone, page, page->order, type);
        moved += 1ul << page->order;
        pfn += 1ul << page->order;
    }
    /* They were free all the time: no count goes down and up again, for anybody could read it between. */
    unsigned long before = zone->nr_free_pages;
    zone->nr_free_pages += moved * (unsigned long)((type != MIGRATE_ISOLATE) - (old_type != MIGRATE_ISOLATE));
    zone->nr_free_cma_pages += moved * (unsigned long)((type == MIGRATE_CMA) - (old_type == MIGRATE_CMA));
    note_free_pages(zone, before);
    set_pageblock_migratetype(end_pfn - 1, type);
    return moved;
}

struct page *take_free_block(struct zone *zone, unsigned long pfn, unsigned int *order)
{
    for (unsigned int i = 0; i < MAX_ORDER; i++) {
        unsigned long first_pfn = ALIGN_DOWN(pfn, 1ul << i);
        struct page *page = pfn_to_page(first_pfn);
        if (!page_is_free_block(page, zone, i))
            continue;
        del_from_free_list(zone, page, i);
        mod_zone_freepage_state(zone, -(1l << i), get_pageblock_migratetype(pfn));
        *order = i;
        return page;
    }
    return NULL;
}
