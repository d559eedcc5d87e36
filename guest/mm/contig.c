/*
 * A range of frames on demand. Its pageblocks are isolated first, so that whatever is freed there stays
 * free; then its pages move; then it is taken out of the free lists.
 */
#include "contig.h"
#include "asm/irqflags.h"
#include "errno.h"
#include "internal.h"
#include "lookaside.h"
#include "migrate.h"
#include "pagemap.h"

static void set_blocks_type(unsigned long start, unsigned long end, enum migratetype type)
{
    for (unsigned long pfn = ALIGN_DOWN(start, pageblock_nr_pages); pfn < end; pfn += pageblock_nr_pages)
        move_freepages_block(page_zone(pfn_to_page(pfn)), pfn, type);
}

static int move_pages_away(unsigned long start, unsigned long end)
{
    for (unsigned long pfn = start; pfn < end; pfn++) {
        struct page *page = pfn_to_page(pfn);
        if (page->owner == PAGE_OWNER_FREE)
            continue;
        bool can_move = PageAnon(page) || page->owner == PAGE_OWNER_PAGE_CACHE;
        int error = can_move ? migrate_page(page) : -EBUSY;
        if (error)
            return error;
    }
    return 0;
}

/* A free block may reach over the range's ends: what lies outside goes back. */
static void trim(struct zone *zone, unsigned long first, unsigned long block_end, unsigned long start,
                 unsigned long end)
{
    for (unsigned long pfn = first; pfn < block_end; pfn++)
        if (pfn < start || pfn >= end)
            free_one_page(zone, pfn, 0, MIGRATE_ISOLATE);
}

static void take_range(unsigned long start, unsigned long end)
{
    struct zone *zone = page_zone(pfn_to_page(start));
    for (unsigned long pfn = start; pfn < end;) {
        unsigned int order;
        const struct page *block = take_free_block(zone, pfn, &order);
        unsigned long first = page_to_pfn(block), block_end = first + (1ul << order);
        trim(zone, first, block_end, start, end);
        for (; pfn < min(block_end, end); pfn++) {
            struct page *page = pfn_to_page(pfn);
            set_page_owner(page, 0, PAGE_OWNER_CMA);
            page->_refcount = 1;
            lk_mm_alloc(pfn, 0, page_zonenum(page));
        }
    }
}

int alloc_contig_range(unsigned long start, unsigned long end)
{
    unsigned long flags = local_irq_save();
    set_blocks_type(start, end, MIGRATE_ISOLATE);
    /* Pages on the CPUs' lists are free, but not where they can be taken from. */
    drain_all_pages();
    int error = move_pages_away(start, end);
    if (error == 0)
        take_range(start, end);
    set_blocks_type(start, end, MIGRATE_CMA);
    local_irq_restore(flags);
    return error;
}

void free_contig_range(unsigned long start, unsigned long count)
{
    unsigned long flags = local_irq_save();
    for (unsigned long pfn = start; pfn < start + count; pfn++) {
        struct page *page = pfn_to_page(pfn);
        free_pages_prepare(page, 0);
        free_one_page(page_zone(page), pfn, 0, get_pageblock_migratetype(pfn));
    }
    local_irq_restore(flags);
}
