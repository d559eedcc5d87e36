/* B2. The way out: much is free in small pieces, and pages in use move until there is a large block. */
#include "compaction.h"
#include "asm/uaccess.h"
#include "lab.h"
#include "mm.h"
#include "own_mm.h"
#include "vmstat.h"

#define START 0x10000000ul
#define ORDER 9u

/* A word of each page, by its number. */
static u32 word_of(unsigned long number)
{
    return (u32)number * 2654435761u;
}

static bool is_ours(unsigned long number)
{
    return number % 4 == 0;
}

static u32 largest_order(void)
{
    u32 largest = 0;
    const struct zone *zone;
    for_each_populated_zone(zone)
    {
        for (u32 order = 0; order < MAX_ORDER; order++)
            if (zone->free_area[order].nr_free)
                largest = max(largest, order);
    }
    return largest;
}

/* A process takes nearly all memory, and gives three of four pages back. How many it had. */
static unsigned long make_holes(struct mm_struct *mm)
{
    unsigned long nr_pages = nr_free_pages() * 15 / 16;
    map_anonymous(mm, START, nr_pages << PAGE_SHIFT);
    for (unsigned long i = 0; i < nr_pages; i++)
        if (put_user_u32(word_of(i), (u32 *)(START + (i << PAGE_SHIFT))))
            return 0;
    for (unsigned long i = 0; i < nr_pages; i++)
        if (!is_ours(i))
            zap_page_range(mm, START + (i << PAGE_SHIFT), START + ((i + 1) << PAGE_SHIFT));
    drain_all_pages();
    return nr_pages;
}

/* What is free besides lies in large blocks: somebody takes those. */
static struct page *blocks[256];
static u32 orders[256];

static u32 take_large_blocks(void)
{
    u32 nr = 0;
    for (u32 order = MAX_ORDER; order-- > 3;) {
        struct page *page;
        while (nr < ARRAY_SIZE(blocks) &&
               (page = alloc_pages(__GFP_HIGHMEM | __GFP_HIGH | __GFP_NOWARN, order)) != NULL) {
            blocks[nr] = page;
            orders[nr++] = order;
        }
    }
    return nr;
}

static unsigned long count_right(unsigned long nr_pages)
{
    unsigned long nr_right = 0;
    for (unsigned long i = 0; i < nr_pages; i += 4) {
        u32 value;
        nr_right +=
            get_user_u32(&value, (const u32 *)(START + (i << PAGE_SHIFT))) == 0 && value == word_of(i);
    }
    return nr_right;
}

static void check_block(struct mm_struct *mm, unsigned long nr_pages)
{
    struct lab_region region;
    unsigned long nr_moved = vm_events[PGMIGRATE_SUCCESS];
    lab_check(alloc_pages(__GFP_HIGHMEM | __GFP_NOWARN, ORDER) == NULL,
              "a request that must not wait gets no block of %lu pages", 1ul << ORDER);
    lab_region_begin(&region, "a block by compaction");
    struct page *block = alloc_pages(GFP_KERNEL | __GFP_NOWARN, ORDER);
    lab_region_end(&region);
    nr_moved = vm_events[PGMIGRATE_SUCCESS] - nr_moved;
    lab_figure("pages that moved", nr_moved, 1, "pages");
    if (!lab_check(block != NULL && nr_moved, "one that may compact memory gets it: pages in use have moved"))
        return;
    bool is_free = true;
    for (unsigned long i = 0; i < 1ul << ORDER; i++)
        is_free &= block[i].owner == PAGE_OWNER_KERNEL && block[i]._mapcount == 0;
    lab_check(is_free, "all of it is the caller's");
    unsigned long nr_ours = (nr_pages + 3) / 4;
    lab_check(count_right(nr_pages) == nr_ours, "all of the process's %lu pages hold what they held",
              nr_ours);
    lab_check(mm->rss == nr_ours, "it has as many as before");
    __free_pages(block, ORDER);
    if (lab_counts_cycles() && nr_moved)
        lab_figure("a page moved", region.counts.cycles, (u32)nr_moved, "cycles");
}

static void compaction(void)
{
    struct mm_struct *mm = new_mm();
    use_mm(mm);
    unsigned long nr_pages = make_holes(mm);
    u32 nr_taken = take_large_blocks();
    lab_say("a process of %lu pages gave three of four back: %lu pages are free, the largest block has %lu",
            nr_pages, nr_free_pages(), 1ul << largest_order());
    lab_check(nr_pages && nr_free_pages() > nr_pages / 2 && largest_order() < ORDER,
              "half of memory is free, and there is no block of %lu pages", 1ul << ORDER);
    check_block(mm, nr_pages);
    compact_memory();
    lab_check(largest_order() == MAX_ORDER - 1, "compact_memory: there are blocks of 1024 pages again");
    lab_check(count_right(nr_pages) == (nr_pages + 3) / 4, "and the process's pages are what they were");
    while (nr_taken--)
        __free_pages(blocks[nr_taken], orders[nr_taken]);
    use_mm(NULL);
    mmput(mm);
}
LAB("compaction", compaction);
