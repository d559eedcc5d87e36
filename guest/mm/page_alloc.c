/*
 * The buddy system. Free memory is kept in blocks of 1 << order pages whose first frame number is a
 * multiple of their size, one list for each order. The buddy of a block is the block of the same size with
 * which it makes up an aligned block of twice the size: its frame number differs in bit `order` alone.
 */
#include "asm/irqflags.h"
#include "bug.h"
#include "highmem.h"
#include "internal.h"
#include "lookaside.h"
#include "mm.h"
#include "printk.h"

/* How far below the watermark an allocation may go. */
#define ALLOC_WMARK_MASK 0x3u
#define ALLOC_HIGH 0x20u /* half way to nothing */

static void add_to_free_list(struct zone *zone, struct page *page, unsigned int order)
{
    page->flags |= PG_buddy;
    page->order = (u8)order;
    list_add(&page->lru, &zone->free_area[order].free_list);
    zone->free_area[order].nr_free++;
}

static void del_from_free_list(struct zone *zone, struct page *page, unsigned int order)
{
    page->flags &= ~PG_buddy;
    list_del_init(&page->lru);
    zone->free_area[order].nr_free--;
}

static bool page_is_free_block(const struct page *page, const struct zone *zone, unsigned int order)
{
    return (page->flags & PG_buddy) && page->order == order && page_zone(page) == zone;
}

void free_one_page(struct zone *zone, unsigned long pfn, unsigned int order)
{
    zone->nr_free_pages += 1ul << order;
    while (order < MAX_ORDER - 1) {
        unsigned long buddy_pfn = pfn ^ (1ul << order);
        if (!pfn_valid(buddy_pfn) || !page_is_free_block(pfn_to_page(buddy_pfn), zone, order))
            break;
        del_from_free_list(zone, pfn_to_page(buddy_pfn), order);
        pfn &= buddy_pfn;
        order++;
    }
    add_to_free_list(zone, pfn_to_page(pfn), order);
}

/* Takes the smallest block that will do, and gives the halves that are not needed back to the lists below. */
static struct page *rmqueue(struct zone *zone, unsigned int order)
{
    for (unsigned int found = order; found < MAX_ORDER; found++) {
        struct free_area *area = &zone->free_area[found];
        if (list_empty(&area->free_list))
            continue;
        struct page *page = list_first_entry(&area->free_list, struct page, lru);
        del_from_free_list(zone, page, found);
        while (found > order) {
            found--;
            add_to_free_list(zone, page + (1ul << found), found);
        }
        zone->nr_free_pages -= 1ul << order;
        return page;
    }
    return NULL;
}

/*
 * Whether the zone keeps more than the mark, and the reserve for requests that cannot go higher, after the
 * allocation; and whether it has a block that is large enough.
 */
static bool zone_watermark_ok(const struct zone *zone, unsigned int order, unsigned int highest_zone,
                              unsigned int alloc_flags)
{
    unsigned long mark = zone->watermark[alloc_flags & ALLOC_WMARK_MASK];
    if (alloc_flags & ALLOC_HIGH)
        mark -= mark / 2;
    if (zone->nr_free_pages < (1ul << order) + mark + zone->lowmem_reserve[highest_zone])
        return false;
    for (unsigned int i = order; i < MAX_ORDER; i++)
        if (zone->free_area[i].nr_free)
            return true;
    return false;
}

static unsigned int gfp_zone(gfp_t gfp)
{
    if (gfp & __GFP_DMA)
        return ZONE_DMA;
    return (gfp & __GFP_HIGHMEM) ? ZONE_HIGHMEM : ZONE_NORMAL;
}

static struct page *get_page_from_freelist(gfp_t gfp, unsigned int order, unsigned int alloc_flags)
{
    unsigned int highest_zone = gfp_zone(gfp);
    struct zone *const *next = contig_page_data.node_zonelists[highest_zone].zones;
    for (; *next; next++) {
        if (!zone_watermark_ok(*next, order, highest_zone, alloc_flags))
            continue;
        struct page *page = rmqueue(*next, order);
        if (page)
            return page;
    }
    return NULL;
}

static void prep_new_page(struct page *page, unsigned int order, gfp_t gfp)
{
    set_page_owner(page, order, PAGE_OWNER_KERNEL);
    page->_refcount = 1;
    if (gfp & __GFP_ZERO)
        for (unsigned long i = 0; i < 1ul << order; i++)
            clear_highpage(page + i);
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
    if (order >= MAX_ORDER)
        return NULL;
    unsigned long flags = local_irq_save();
    struct page *page = get_page_from_freelist(gfp, order, WMARK_LOW);
    if (page == NULL)
        page = get_page_from_freelist(gfp, order, WMARK_MIN | ((gfp & __GFP_HIGH) ? ALLOC_HIGH : 0));
    local_irq_restore(flags);
    if (page == NULL) {
        if (!(gfp & __GFP_NOWARN))
            pr_warn("page allocation failure: order:%u, mode:%#x\n", order, gfp);
        return NULL;
    }
    lk_mm_event(LK_MM_ALLOC, page_to_pfn(page), order, page_zonenum(page));
    prep_new_page(page, order, gfp);
    return page;
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
    BUG_ON(gfp & __GFP_HIGHMEM);
    struct page *page = alloc_pages(gfp, order);
    return page ? (unsigned long)page_address(page) : 0;
}

void __free_pages(struct page *page, unsigned int order)
{
    BUG_ON((page->flags & (PG_reserved | PG_buddy)) || page->_mapcount);
    page->_refcount = 0;
    set_page_owner(page, order, PAGE_OWNER_FREE);
    lk_mm_event(LK_MM_FREE, page_to_pfn(page), order, page_zonenum(page));
    unsigned long flags = local_irq_save();
    free_one_page(page_zone(page), page_to_pfn(page), order);
    local_irq_restore(flags);
}

void free_pages(unsigned long address, unsigned int order)
{
    __free_pages(virt_to_page((const void *)address), order);
}

void put_page(struct page *page)
{
    BUG_ON(page->_refcount <= 0);
    if (--page->_refcount == 0)
        __free_pages(page, 0);
}

unsigned long nr_free_pages(void)
{
    unsigned long sum = 0;
    struct zone *zone;
    for_each_populated_zone(zone) sum += zone->nr_free_pages;
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
