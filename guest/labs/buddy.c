/* B1. Blocks of 1 to 1024 pages; splitting and merging. */
#include "held_pages.h"
#include "lab.h"

static unsigned long count_list(const struct list_head *list)
{
    unsigned long count = 0;
    for (const struct list_head *at = list->next; at != list; at = at->next)
        count++;
    return count;
}

static void count_blocks(const struct zone *zone, enum migratetype type, unsigned long counts[MAX_ORDER])
{
    drain_all_pages();
    for (u32 order = 0; order < MAX_ORDER; order++)
        counts[order] = count_list(&zone->free_area[order].free_list[type]);
}

static void check_orders(void)
{
    for (u32 order = 0; order < MAX_ORDER; order++) {
        unsigned long address = __get_free_pages(GFP_KERNEL, order);
        lab_check(address && __pa(address) % (PAGE_SIZE << order) == 0,
                  "order %2u: %4lu KiB at physical %08llx, a multiple of its size", order,
                  (PAGE_SIZE << order) >> 10, __pa(address));
        free_pages(address, order);
    }
    lab_check(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_ORDER) == NULL,
              "8 MiB are refused: the largest block has 4");
}

/* The smallest block that will do must go from the lists, and leave a half of each size below it. */
static bool is_split(const unsigned long before[MAX_ORDER], const unsigned long after[MAX_ORDER], u32 order)
{
    u32 found = order;
    while (found < MAX_ORDER && before[found] == 0)
        found++;
    for (u32 i = 0; i < MAX_ORDER; i++) {
        unsigned long expected = before[i] + (i >= order && i < found) - (i == found);
        if (after[i] != expected)
            return false;
    }
    return found < MAX_ORDER;
}

static void check_split(u32 order)
{
    unsigned long before[MAX_ORDER], after[MAX_ORDER];
    struct zone *zone = &contig_page_data.node_zones[ZONE_NORMAL];
    count_blocks(zone, MIGRATE_MOVABLE, before);
    struct page *page = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, order);
    count_blocks(zone, MIGRATE_MOVABLE, after);
    lab_check(page && is_split(before, after, order),
              "taking order %u splits the smallest block that will do, and no other", order);
    __free_pages(page, order);
    count_blocks(zone, MIGRATE_MOVABLE, after);
    bool is_whole = true;
    for (u32 i = 0; i < MAX_ORDER; i++)
        is_whole &= before[i] == after[i];
    lab_check(is_whole, "giving it back merges the halves again");
}

/* 4 MiB given back a page at a time, every fifth page, round and round, until the last one. */
static void check_merge(void)
{
    struct zone *zone = &contig_page_data.node_zones[ZONE_NORMAL];
    struct page *block = alloc_pages(GFP_KERNEL, MAX_ORDER - 1);
    if (!lab_check(block != NULL, "a block of 1024 pages"))
        return;
    for (u32 i = 1; i < 1024; i++)
        block[i]._refcount = 1;
    drain_all_pages();
    unsigned long before = zone->free_area[MAX_ORDER - 1].nr_free;
    for (u32 i = 0; i < 1024; i++) {
        if (i == 1023) {
            drain_all_pages();
            lab_check(zone->free_area[MAX_ORDER - 1].nr_free == before,
                      "1023 of its pages make no block of 1024");
        }
        __free_page(block + i * 5 % 1024);
    }
    drain_all_pages();
    lab_check(zone->free_area[MAX_ORDER - 1].nr_free == before + 1, "with the last one it is whole again");
}

static void buddy(void)
{
    lab_show(buddyinfo_show);
    check_orders();
    check_split(0);
    check_split(3);
    check_split(7);
    check_merge();
    lab_show(pagetypeinfo_show);
}
LAB("buddy", buddy);
