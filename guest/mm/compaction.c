/*
 * Compaction. Two scanners walk towards each other through a zone, a pageblock at a time: one from below
 * finds pages in use that can move, the other from above free pages to move them to. Where they meet, what is
 * in use lies above, and below are large free blocks.
 */
#include "compaction.h"
#include "asm/irqflags.h"
#include "delayacct.h"
#include "internal.h"
#include "migrate.h"
#include "vmscan.h"

/* An order that no block has: goes on until the scanners meet. */
#define WHOLE_ZONE MAX_ORDER

struct compact_control {
    struct zone *zone;
    unsigned int order;        /* of the block that is wanted, or WHOLE_ZONE */
    unsigned long migrate_pfn; /* where each scanner goes on */
    unsigned long free_pfn;
    struct list_head freepages; /* single pages, taken out of the free lists */
    unsigned long nr_freepages;
};

/* ---- The free scanner ---- */

static bool block_takes_movable(unsigned long pfn)
{
    enum migratetype type = get_pageblock_migratetype(pfn);
    return type == MIGRATE_MOVABLE || type == MIGRATE_CMA;
}

/* Takes the free pages of a pageblock, from its end down, until there are enough. */
static void isolate_freepages_block(struct compact_control *cc, unsigned long start_pfn,
                                    unsigned long end_pfn)
{
    for (unsigned long pfn = start_pfn; pfn < end_pfn && cc->nr_freepages < SWAP_CLUSTER_MAX; pfn++) {
        const struct page *page = pfn_to_page(pfn);
        unsigned int order;
        if (!(page->flags & PG_buddy) || page_zone(page) != cc->zone)
            continue;
        struct page *block = take_free_block(cc->zone, pfn, &order);
        for (unsigned long i = 0; i < 1ul << order; i++)
            list_add_tail(&block[i].lru, &cc->freepages);
        cc->nr_freepages += 1ul << order;
        pfn += (1ul << order) - 1;
    }
}

/* Works on interrupts off: handlers allocate, too. */
static void isolate_freepages(struct compact_control *cc)
{
    unsigned long flags = local_irq_save();
    while (cc->nr_freepages < SWAP_CLUSTER_MAX && cc->free_pfn > cc->migrate_pfn) {
        unsigned long start = ALIGN_DOWN(cc->free_pfn - 1, pageblock_nr_pages);
        start = max(start, cc->migrate_pfn);
        if (block_takes_movable(start))
            isolate_freepages_block(cc, start, cc->free_pfn);
        /* What is left of a block when there are enough is looked at again. */
        if (cc->nr_freepages < SWAP_CLUSTER_MAX)
            cc->free_pfn = start;
        count_vm_event(COMPACTFREE_SCANNED);
    }
    local_irq_restore(flags);
}

static struct page *get_freepage(struct compact_control *cc)
{
    if (list_empty(&cc->freepages))
        isolate_freepages(cc);
    if (list_empty(&cc->freepages))
        return NULL;
    struct page *page = list_first_entry(&cc->freepages, struct page, lru);
    list_del_init(&page->lru);
    cc->nr_freepages--;
    return page;
}

static void release_freepage(struct compact_control *cc, struct page *page)
{
    unsigned long flags = local_irq_save(), pfn = page_to_pfn(page);
    free_one_page(cc->zone, pfn, 0, get_pageblock_migratetype(pfn));
    local_irq_restore(flags);
}

/* ---- The migration scanner ---- */

/* False: there is no free page above it any more. */
static bool migrate_one(struct compact_control *cc, struct page *page)
{
    struct page *copy = get_freepage(cc);
    if (copy == NULL || page_to_pfn(copy) <= page_to_pfn(page)) {
        if (copy)
            release_freepage(cc, copy);
        return false;
    }
    prep_new_page(copy, 0, 0);
    if (migrate_page_to(page, copy))
        __free_page(copy);
    return true;
}

/* All pages of a pageblock that move. */
static bool migrate_block(struct compact_control *cc)
{
    unsigned long end = ALIGN_DOWN(cc->migrate_pfn, pageblock_nr_pages) + pageblock_nr_pages;
    end = min(end, zone_end_pfn(cc->zone));
    for (; cc->migrate_pfn < end; cc->migrate_pfn++) {
        struct page *page = pfn_to_page(cc->migrate_pfn);
        count_vm_event(COMPACTMIGRATE_SCANNED);
        if (page->flags & PG_buddy)
            cc->migrate_pfn += (1ul << page->order) - 1;
        else if ((page->flags & PG_lru) && page_zone(page) == cc->zone && !migrate_one(cc, page))
            return false;
    }
    drain_all_pages();
    return true;
}

/* Copies need room besides what is free anyway, and the block must not take the zone below its watermark. */
static bool is_suitable(const struct zone *zone, unsigned int order)
{
    unsigned long needed = order < MAX_ORDER ? 2ul << order : 2 * SWAP_CLUSTER_MAX;
    return zone->nr_free_pages - zone->nr_free_cma_pages >= zone->watermark[WMARK_MIN] + needed;
}

static bool has_block(const struct zone *zone, unsigned int order)
{
    return order < MAX_ORDER && zone_has_block(zone, order, 0);
}

static bool compact_zone(struct zone *zone, unsigned int order)
{
    struct compact_control cc = {.zone = zone,
                                 .order = order,
                                 .migrate_pfn = zone->zone_start_pfn,
                                 .free_pfn = zone_end_pfn(zone),
                                 .freepages = LIST_HEAD_INIT(cc.freepages)};
    drain_all_pages();
    while (!has_block(zone, order) && cc.migrate_pfn < cc.free_pfn && migrate_block(&cc))
        ;
    while (!list_empty(&cc.freepages))
        release_freepage(&cc, get_freepage(&cc));
    drain_all_pages();
    return has_block(zone, order);
}

/* ---- Who asks for it ---- */

bool try_to_compact_pages(gfp_t gfp, unsigned int order)
{
    bool has_succeeded = false;
    struct zone *const *next = contig_page_data.node_zonelists[gfp_zone(gfp)].zones;
    count_vm_event(COMPACTSTALL);
    delayacct_compact_start();
    for (; *next && !has_succeeded; next++)
        has_succeeded = is_suitable(*next, order) && compact_zone(*next, order);
    delayacct_compact_end();
    count_vm_event(has_succeeded ? COMPACTSUCCESS : COMPACTFAIL);
    return has_succeeded;
}

void compact_zones(unsigned int order)
{
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        if (!has_block(zone, order) && is_suitable(zone, order))
            compact_zone(zone, order);
    }
}

void compact_memory(void)
{
    struct zone *zone;
    for_each_populated_zone(zone) compact_zone(zone, WHOLE_ZONE);
}
