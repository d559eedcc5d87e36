/* Z1. Three zones, and how far a request may fall back in them. */
#include "held_pages.h"
#include "lab.h"

#define DMA_END_PFN ((16ul << 20) >> PAGE_SHIFT)

static struct zone *zone_of(enum zone_type type)
{
    return &contig_page_data.node_zones[type];
}

static void check_borders(void)
{
    const struct zone *dma = zone_of(ZONE_DMA), *normal = zone_of(ZONE_NORMAL), *high = zone_of(ZONE_HIGHMEM);
    lab_check(dma->zone_start_pfn == 0 && zone_end_pfn(dma) == DMA_END_PFN, "DMA is what lies below 16 MiB");
    lab_check(normal->zone_start_pfn == DMA_END_PFN && zone_end_pfn(normal) == max_low_pfn,
              "NORMAL ends with lowmem, at %lu MiB", max_low_pfn >> (20 - PAGE_SHIFT));
    lab_check(high->zone_start_pfn == max_low_pfn && zone_end_pfn(high) == max_pfn,
              "HIGHMEM is the rest, up to %lu MiB", max_pfn >> (20 - PAGE_SHIFT));
}

static void check_first_choice(void)
{
    static const struct {
        const char *name;
        gfp_t gfp;
        enum zone_type zone;
    } rows[] = {
        {"GFP_DMA", GFP_DMA, ZONE_DMA},
        {"GFP_KERNEL", GFP_KERNEL, ZONE_NORMAL},
        {"GFP_HIGHUSER", GFP_HIGHUSER, ZONE_HIGHMEM},
    };
    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        struct page *page = alloc_page(rows[i].gfp);
        lab_check(page && page_zonenum(page) == rows[i].zone, "%s takes its page from %s", rows[i].name,
                  zone_of(rows[i].zone)->name);
        if (page)
            __free_page(page);
    }
}

/*
 * What must be left in a zone when no request of a kind finds a page in it any more: min, and what is
 * reserved for those that cannot go as high as this one.
 */
static void check_left(enum zone_type type, enum zone_type highest, bool is_half)
{
    const struct zone *zone = zone_of(type);
    unsigned long min = zone->watermark[WMARK_MIN], kept = is_half ? min - min / 2 : min,
                  reserve = kept + zone->lowmem_reserve[highest];
    lab_check(zone->nr_free_pages <= reserve && zone->nr_free_pages + zone->pageset[0].batch >= reserve,
              "%s keeps %lu pages: %smin %lu and a reserve of %lu", zone->name, zone->nr_free_pages,
              is_half ? "half of " : "", min, zone->lowmem_reserve[highest]);
}

static void zones(void)
{
    struct list_head user = LIST_HEAD_INIT(user), kernel = LIST_HEAD_INIT(kernel), dma = LIST_HEAD_INIT(dma);
    unsigned long counts[MAX_NR_ZONES] = {0};
    lab_show(zoneinfo_show);
    check_borders();
    check_first_choice();

    lab_say("GFP_HIGHUSER takes all that it can get without reclaim:");
    hold_all_pages(&user, GFP_HIGHUSER & ~__GFP_RECLAIM, counts);
    lab_figure("pages from HighMem", counts[ZONE_HIGHMEM], 1, "pages");
    lab_figure("pages from Normal", counts[ZONE_NORMAL], 1, "pages");
    lab_figure("pages from DMA", counts[ZONE_DMA], 1, "pages");
    lab_check(counts[ZONE_HIGHMEM] && counts[ZONE_NORMAL] && counts[ZONE_DMA],
              "it fell back downwards, twice");
    check_left(ZONE_HIGHMEM, ZONE_HIGHMEM, false);
    check_left(ZONE_NORMAL, ZONE_HIGHMEM, false);
    check_left(ZONE_DMA, ZONE_HIGHMEM, false);

    counts[ZONE_HIGHMEM] = counts[ZONE_NORMAL] = counts[ZONE_DMA] = 0;
    unsigned long more = hold_all_pages(&kernel, GFP_KERNEL & ~__GFP_RECLAIM, counts);
    lab_check(more && counts[ZONE_HIGHMEM] == 0, "GFP_KERNEL still gets %lu pages: the reserves were for it",
              more);
    check_left(ZONE_NORMAL, ZONE_NORMAL, false);
    check_left(ZONE_DMA, ZONE_NORMAL, false);

    more = hold_all_pages(&dma, GFP_DMA, NULL);
    lab_check(more, "GFP_DMA still gets %lu pages", more);
    check_left(ZONE_DMA, ZONE_DMA, false);

    more = hold_all_pages(&kernel, GFP_KERNEL, counts);
    lab_check(more && counts[ZONE_HIGHMEM] == 0,
              "where it may reclaim, it must not sleep for it: it gets %lu pages of what is below min", more);
    check_left(ZONE_NORMAL, ZONE_NORMAL, true);
    release_pages(&user);
    release_pages(&kernel);
    release_pages(&dma);
}
LAB("zones", zones);
