/* The page allocator: which zone serves a request, and what happens to a page on its way out and back. */
#include "asm/irqflags.h"
#include "bug.h"
#include "compaction.h"
#include "highmem.h"
#include "internal.h"
#include "lookaside.h"
#include "memcontrol.h"
#include "pagemap.h"
#include "printk.h"
#include "vmscan.h"

/*
 * Whether the zone keeps more than the mark, and the reserve for requests that cannot go higher, after the
 * allocation; and whether it has a block that is large enough.
 */
static bool zone_watermark_ok(const struct zone *zone, unsigned int order, unsigned int highest_zone,
                              unsigned int alloc_flags)
{
    unsigned long mark = zone->watermark[alloc_flags & ALLOC_WMARK_MASK];
    if (alloc_flags & ALLOC_NO_WATERMARKS)
        return zone_has_block(zone, order, alloc_flags);
    if (alloc_flags & ALLOC_HIGH)
        mark -= mark / 2;
    unsigned long free_pages = zone->nr_free_pages;
    if (!(alloc_flags & ALLOC_CMA))
        free_pages -= zone->nr_free_cma_pages;
    if (free_pages < (1ul << order) + mark + zone->lowmem_reserve[highest_zone])
        return false;
    return zone_has_block(zone, order, alloc_flags);
}

/* The two mobility flags are the type's number. */
static enum migratetype gfp_migratetype(gfp_t gfp)
{
    return (enum migratetype)((gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE)) >> GFP_MOVABLE_SHIFT);
}

static struct page *rmqueue(struct zone *zone, unsigned int order, enum migratetype type,
                            unsigned int alloc_flags)
{
    return order == 0 ? rmqueue_pcplist(zone, type, alloc_flags) : __rmqueue(zone, order, type, alloc_flags);
}

static struct page *get_page_from_freelist(gfp_t gfp, unsigned int order, unsigned int alloc_flags)
{
    unsigned int highest_zone = gfp_zone(gfp);
    enum migratetype type = gfp_migratetype(gfp);
    if (type == MIGRATE_MOVABLE)
        alloc_flags |= ALLOC_CMA;
    struct zone *const *next = contig_page_data.node_zonelists[highest_zone].zones;
    struct page *page = NULL;
    unsigned long flags = local_irq_save();
    for (; *next && page == NULL; next++) {
        if (zone_watermark_ok(*next, order, highest_zone, alloc_flags))
            page = rmqueue(*next, order, type, alloc_flags);
    }
    local_irq_restore(flags);
    return page;
}

bool zones_are_above_min(enum zone_type highest_zone)
{
    struct zone *const *next = contig_page_data.node_zonelists[highest_zone].zones;
    while (*next && !zone_watermark_ok(*next, 0, highest_zone, WMARK_MIN))
        next++;
    return *next != NULL;
}

/*
 * kswapd is to get memory back. Meanwhile, what is above min; then with what the CPUs' lists hold merged into
 * blocks. Below that, who asks gets memory back himself; who must not sleep for it goes half way to nothing,
 * and the next system call makes up for it.
 */
static struct page *alloc_pages_slowpath(gfp_t gfp, unsigned int order)
{
    unsigned int alloc_flags = WMARK_MIN | ((gfp & __GFP_HIGH) ? ALLOC_HIGH : 0);
    wakeup_kswapd(contig_page_data.node_zonelists[gfp_zone(gfp)].zones[0], order);
    struct page *page = get_page_from_freelist(gfp, order, alloc_flags);
    if (page == NULL) {
        drain_all_pages();
        page = get_page_from_freelist(gfp, order, alloc_flags);
    }
    if (page == NULL && current_may_have_reserves())
        page = get_page_from_freelist(gfp, order, ALLOC_NO_WATERMARKS);
    if (page || !(gfp & __GFP_RECLAIM))
        return page;
    if (!(gfp & __GFP_IO)) {
        memory_is_short = true;
        alloc_flags |= ALLOC_HIGH;
        page = get_page_from_freelist(gfp, order, alloc_flags);
    }
    /* Pages that are free need only be moved together; where there are too few, some are freed in between. */
    if (page == NULL && order && try_to_compact_pages(gfp, order))
        page = get_page_from_freelist(gfp, order, alloc_flags);
    while (page == NULL && try_to_free_pages(gfp, order)) {
        drain_all_pages();
        if (order)
            (void)try_to_compact_pages(gfp, order);
        page = get_page_from_freelist(gfp, order, alloc_flags);
    }
    return page;
}

static void prep_compound_page(struct page *page, unsigned int order)
{
    page->flags |= PG_head;
    page->order = (u8)order;
    for (unsigned long i = 1; i < 1ul << order; i++) {
        page[i].flags |= PG_tail;
        page[i].first_page = page;
    }
}

void prep_new_page(struct page *page, unsigned int order, gfp_t gfp)
{
    set_page_owner(page, order, PAGE_OWNER_KERNEL);
    count_vm_events(PGALLOC_DMA + page_zonenum(page), 1ul << order);
    page->_refcount = 1;
    if (order && (gfp & __GFP_COMP))
        prep_compound_page(page, order);
    if (gfp & __GFP_ZERO)
        for (unsigned long i = 0; i < 1ul << order; i++)
            clear_highpage(page + i);
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
    if (order >= MAX_ORDER)
        return NULL;
    struct page *page = get_page_from_freelist(gfp, order, WMARK_LOW);
    if (page == NULL)
        page = alloc_pages_slowpath(gfp, order);
    if (page == NULL) {
        if (!(gfp & __GFP_NOWARN))
            pr_warn("page allocation failure: order:%u, mode:%#x\n", order, gfp);
        return NULL;
    }
    lk_mm_alloc(page_to_pfn(page), order, page_zonenum(page));
    prep_new_page(page, order, gfp);
    return page;
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
    BUG_ON(gfp & __GFP_HIGHMEM);
    struct page *page = alloc_pages(gfp, order);
    return page ? (unsigned long)page_address(page) : 0;
}

void free_pages_prepare(struct page *page, unsigned int order)
{
    BUG_ON((page->flags & (PG_reserved | PG_buddy | PG_tail | PG_locked | PG_dirty | PG_lru)) ||
           page->_mapcount);
    BUG_ON((page->flags & PG_head) && page->order != order);
    page->_refcount = 0;
    if (page->flags & PG_head)
        for (unsigned long i = 1; i < 1ul << order; i++) {
            page[i].flags &= ~PG_tail;
            page[i].first_page = NULL;
        }
    if (page->flags & PG_charged)
        mem_cgroup_uncharge(page);
    page->flags &= ~(PG_head | PG_anon | PG_uptodate | PG_referenced | PG_active | PG_unevictable);
    page->anon_vma = NULL;
    set_page_owner(page, order, PAGE_OWNER_FREE);
    count_vm_events(PGFREE, 1ul << order);
    lk_mm_free(page_to_pfn(page), order, page_zonenum(page));
}

void __free_pages(struct page *page, unsigned int order)
{
    free_pages_prepare(page, order);
    unsigned long pfn = page_to_pfn(page);
    unsigned long flags = local_irq_save();
    if (order == 0)
        free_pcppage(page_zone(page), page);
    else
        free_one_page(page_zone(page), pfn, order, get_pageblock_migratetype(pfn));
    local_irq_restore(flags);
}

void free_pages(unsigned long address, unsigned int order)
{
    __free_pages(virt_to_page((const void *)address), order);
}

void put_page(struct page *page)
{
    BUG_ON(page->_refcount <= 0);
    if (--page->_refcount)
        return;
    if (page->flags & PG_lru)
        lru_cache_del(page);
    __free_pages(page, compound_order(page));
}

unsigned long nr_free_pages(void)
{
    unsigned long sum = 0;
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        sum += zone->nr_free_pages;
        for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
            sum += zone->pageset[cpu].count;
    }
    return sum;
}

unsigned long free_reserved_area(const char *start, const char *end)
{
    unsigned long pages = 0;
    for (const char *at = start; at < end; at += PAGE_SIZE, pages++) {
        struct page *page = virt_to_page(at);
        page->flags &= ~PG_reserved;
        page_zone(page)->managed_pages++;
        __free_page(page);
    }
    return pages;
}
