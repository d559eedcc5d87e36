/* B2. Much is free, and yet there is no large block. */
#include "held_pages.h"
#include "lab.h"

/* Gives every second page back; the others stay. */
static void release_every_second(struct list_head *held)
{
    bool stays = false;
    for (struct list_head *at = held->next, *next; at != held; at = next) {
        next = at->next;
        struct page *page = list_entry(at, struct page, lru);
        stays = page_to_pfn(page) % 2;
        if (stays)
            continue;
        list_del_init(at);
        __free_page(page);
    }
    drain_all_pages();
}

static void figure_blocks(const char *when)
{
    struct zone *zone = &contig_page_data.node_zones[ZONE_NORMAL];
    u32 largest = MAX_ORDER;
    while (largest-- > 0 && zone->free_area[largest].nr_free == 0)
        ;
    lab_say("%s: zone Normal has %lu free pages, the largest block is %lu pages", when, zone->nr_free_pages,
            largest < MAX_ORDER ? 1ul << largest : 0);
}

/* The pages below min were free all along, and lie together: others take those that are left of them. */
struct reserve {
    struct {
        struct page *page;
        u32 order;
    } blocks[64];
    u32 nr;
};

static void take_reserve(struct reserve *reserve)
{
    for (u32 order = MAX_ORDER; order-- > 1;) {
        struct page *page;
        while (reserve->nr < ARRAY_SIZE(reserve->blocks) &&
               (page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, order)) != NULL) {
            reserve->blocks[reserve->nr].page = page;
            reserve->blocks[reserve->nr++].order = order;
        }
    }
}

static void check_checkerboard(void)
{
    struct list_head held = LIST_HEAD_INIT(held);
    struct reserve reserve = {.nr = 0};
    struct zone *zone = &contig_page_data.node_zones[ZONE_NORMAL];
    figure_blocks("at first");
    hold_all_pages(&held, GFP_KERNEL, NULL);
    release_every_second(&held);
    take_reserve(&reserve);
    figure_blocks("all taken, every second page given back");
    lab_check(zone->nr_free_pages > zone->managed_pages / 3, "more than a third of the zone is free");
    lab_check(alloc_pages(GFP_KERNEL | __GFP_NOWARN, 1) == NULL, "two pages side by side: there are none");
    while (reserve.nr--)
        __free_pages(reserve.blocks[reserve.nr].page, reserve.blocks[reserve.nr].order);
    release_pages(&held);
    drain_all_pages();
    figure_blocks("all given back");
    lab_check(zone->free_area[MAX_ORDER - 1].nr_free, "there are blocks of 1024 pages again");
}

#define NR_PAGES 4000

/*
 * Pages that live long between pages that do not; then the latter go. Returns how many whole pageblocks are
 * free then.
 */
static unsigned long blocks_left(gfp_t short_lived, gfp_t long_lived)
{
    struct list_head brief = LIST_HEAD_INIT(brief), lasting = LIST_HEAD_INIT(lasting);
    for (u32 i = 0; i < NR_PAGES; i++) {
        bool lasts = i % 8 == 0;
        struct page *page = alloc_page((lasts ? long_lived : short_lived) | __GFP_NOWARN);
        if (page)
            list_add(&page->lru, lasts ? &lasting : &brief);
    }
    release_pages(&brief);
    drain_all_pages();
    unsigned long blocks = contig_page_data.node_zones[ZONE_NORMAL].free_area[MAX_ORDER - 1].nr_free;
    release_pages(&lasting);
    drain_all_pages();
    return blocks;
}

static void fragmentation(void)
{
    check_checkerboard();
    lab_say(
        "%u pages, of which every eighth stays: how many blocks of 4 MiB are free when the others have gone",
        NR_PAGES);
    unsigned long mixed = blocks_left(GFP_KERNEL, GFP_KERNEL);
    unsigned long grouped = blocks_left(GFP_KERNEL | __GFP_MOVABLE, GFP_KERNEL);
    lab_figure("4 MiB blocks, all of one type", mixed, 1, "blocks");
    lab_figure("4 MiB blocks, grouped by mobility", grouped, 1, "blocks");
    lab_check(grouped >= mixed + 2,
              "pages that cannot move do less harm when they keep to pageblocks of their own");
}
LAB("fragmentation", fragmentation);
