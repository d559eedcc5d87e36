/*
 * Per-CPU lists of single pages, in front of the buddy system. Most requests are for one page, and most of
 * them come soon after one was freed: they need no splitting and merging, and get a page that the cache
 * still holds. On a machine with several CPUs they need no lock either.
 */
#include "asm/irqflags.h"
#include "internal.h"

#define BATCH_MOST 31u
#define HIGH_IN_BATCHES 6u

void pageset_init(struct zone *zone)
{
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        struct per_cpu_pages *pcp = &zone->pageset[cpu];
        *pcp = (struct per_cpu_pages){.batch = 1};
        for (unsigned int type = 0; type < MIGRATE_PCPTYPES; type++)
            INIT_LIST_HEAD(&pcp->lists[type]);
    }
}

/* A 4096th of the zone, but 31 pages at most; no power of two, lest CPUs come upon each other's lines. */
static unsigned int zone_batchsize(const struct zone *zone)
{
    unsigned long share = zone->managed_pages / 4096 * 3 / 2;
    unsigned int batch = 1;
    while (batch * 2 <= share && batch <= BATCH_MOST)
        batch *= 2;
    return max(batch - 1, 1u);
}

void setup_pageset(struct zone *zone)
{
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        struct per_cpu_pages *pcp = &zone->pageset[cpu];
        pcp->batch = zone_batchsize(zone);
        pcp->high = HIGH_IN_BATCHES * pcp->batch;
    }
}

static void rmqueue_bulk(struct zone *zone, struct per_cpu_pages *pcp, enum migratetype type,
                         unsigned int alloc_flags)
{
    for (unsigned int i = 0; i < pcp->batch; i++) {
        struct page *page = __rmqueue(zone, 0, type, alloc_flags);
        if (page == NULL)
            return;
        list_add_tail(&page->lru, &pcp->lists[type]);
        pcp->count++;
    }
}

struct page *rmqueue_pcplist(struct zone *zone, enum migratetype type, unsigned int alloc_flags)
{
    struct per_cpu_pages *pcp = &zone->pageset[smp_processor_id()];
    struct list_head *list = &pcp->lists[type];
    if (list_empty(list))
        rmqueue_bulk(zone, pcp, type, alloc_flags);
    if (list_empty(list))
        return NULL;
    struct page *page = list_first_entry(list, struct page, lru);
    list_del_init(&page->lru);
    pcp->count--;
    return page;
}

/* Gives back so many pages, those that have been here longest, from each list in turn. */
static void free_pcppages_bulk(struct zone *zone, struct per_cpu_pages *pcp, unsigned int count)
{
    unsigned int type = 0;
    for (; count; type = (type + 1) % MIGRATE_PCPTYPES) {
        struct list_head *list = &pcp->lists[type];
        if (list_empty(list))
            continue;
        struct page *page = list_entry(list->prev, struct page, lru);
        list_del_init(&page->lru);
        unsigned long pfn = page_to_pfn(page);
        free_one_page(zone, pfn, 0, get_pageblock_migratetype(pfn));
        pcp->count--;
        count--;
    }
}

void free_pcppage(struct zone *zone, struct page *page)
{
    unsigned long pfn = page_to_pfn(page);
    enum migratetype type = get_pageblock_migratetype(pfn);
    if (type == MIGRATE_ISOLATE) {
        free_one_page(zone, pfn, 0, type);
        return;
    }
    /* A CMA page will do for the next movable request. */
    if (type == MIGRATE_CMA)
        type = MIGRATE_MOVABLE;
    struct per_cpu_pages *pcp = &zone->pageset[smp_processor_id()];
    list_add(&page->lru, &pcp->lists[type]);
    pcp->count++;
    if (pcp->count >= pcp->high)
        free_pcppages_bulk(zone, pcp, min(pcp->batch, pcp->count));
}

void drain_all_pages(void)
{
    unsigned long flags = local_irq_save();
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
            free_pcppages_bulk(zone, &zone->pageset[cpu], zone->pageset[cpu].count);
    }
    local_irq_restore(flags);
}
