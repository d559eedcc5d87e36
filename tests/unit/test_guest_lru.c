/* The guest's LRU lists (guest/mm/swap.c, guest/mm/vmscan.c): which page of a file goes first. */
#include "host_mm.h"

#include <criterion/criterion.h>
#include <string.h>

#include "err.h"
#include "fs.h"
#include "pagemap.h"
#include "slab.h"
#include "swap.h"

#define NR_PAGES 64u

static struct inode inode;

/* The disk has pages of zeroes, and takes everything. */
static int readpage(struct page *page)
{
    memset(page_address(page), 0, PAGE_SIZE);
    return 0;
}

static int writepage(struct page *page)
{
    (void)page;
    return 0;
}

static const struct address_space_operations ops = {.readpage = readpage, .writepage = writepage};

static void start(void)
{
    start_memory();
    kmem_cache_init();
    page_cache_init();
    cr_assert_eq(inode_init_mapping(&inode, &ops, GFP_HIGHUSER_MOVABLE), 0);
}

static bool is_cached(u32 number)
{
    struct page *page = find_get_page(inode.i_mapping, number);
    if (page)
        put_page(page);
    return page != NULL;
}

/* As read() does. True: it had to be read from the disk. */
static bool use(u32 number)
{
    bool is_major = false;
    struct page *page = read_mapping_page(inode.i_mapping, number, &is_major);
    cr_assert_not(IS_ERR(page));
    mark_page_accessed(page);
    put_page(page);
    return is_major;
}

/* The same with room for so many pages. Returns which page had to go; 0: none. */
static u32 use_with_room_for(u32 nr_frames, u32 number)
{
    u32 victim = 0;
    bool was_cached[NR_PAGES];
    for (u32 i = 0; i < NR_PAGES; i++)
        was_cached[i] = is_cached(i);
    if (!was_cached[number] && inode.i_mapping->nrpages == nr_frames)
        cr_assert_eq(shrink_page_cache(1), 1);
    for (u32 i = 0; i < NR_PAGES; i++)
        if (was_cached[i] && !is_cached(i))
            victim = i;
    use(number);
    return victim;
}

/* Fact R3. First in, first out would be 1. */
Test(guest_lru, of_four_frames_1_2_3_4_1_2_5_takes_that_of_3, .init = start)
{
    static const u32 uses[] = {1, 2, 3, 4, 1, 2};
    for (u32 i = 0; i < sizeof uses / sizeof *uses; i++)
        cr_assert_eq(use_with_room_for(4, uses[i]), 0);
    cr_assert_eq(use_with_room_for(4, 5), 3);
}

/* Its pages are as their flags say. Returns how many there are. */
static unsigned long check_list(const struct zone *zone, unsigned int lru)
{
    unsigned long nr = 0;
    const struct page *page;
    list_for_each_entry(page, &zone->lruvec.lists[lru], lru)
    {
        u32 flags =
            PG_lru | (is_active_lru(lru) ? PG_active : 0) | (lru == LRU_UNEVICTABLE ? PG_unevictable : 0);
        cr_assert(page_zone(page) == zone && (page->flags & (PG_lru | PG_active | PG_unevictable)) == flags);
        nr++;
    }
    return nr;
}

/* The counts are those of the lists, and each page of the cache is on one. */
static void check_lists(void)
{
    unsigned long nr_all = 0;
    const struct zone *zone;
    for_each_populated_zone(zone)
    {
        for (unsigned int lru = 0; lru < NR_LRU_LISTS; lru++) {
            cr_assert_eq(check_list(zone, lru), zone->lruvec.nr_pages[lru]);
            nr_all += zone->lruvec.nr_pages[lru];
        }
    }
    cr_assert_eq(nr_all, page_cache_stat.nr_pages);
}

/* Pages that were used once go in the order in which they came, before any that was used twice. */
Test(guest_lru, what_was_used_once_goes_before_what_was_used_twice, .init = start)
{
    for (u32 round = 0; round < 200; round++) {
        bool is_twice[NR_PAGES];
        u32 nr_once = 0;
        for (u32 i = 0; i < NR_PAGES; i++) {
            is_twice[i] = random_below(2);
            nr_once += !is_twice[i];
            cr_assert(use(i));
        }
        for (u32 i = NR_PAGES; i-- > 0;)
            cr_assert(!is_twice[i] || !use(i));
        check_lists();
        for (u32 i = 0; i < NR_PAGES; i++) {
            if (is_twice[i])
                continue;
            cr_assert_eq(shrink_page_cache(1), 1);
            cr_assert_not(is_cached(i));
        }
        for (u32 i = 0; i < NR_PAGES; i++)
            cr_assert_eq(is_cached(i), is_twice[i]);
        check_lists();
        /* The active pages become inactive first, half of them at a time. */
        unsigned long nr_freed = 0, nr;
        while ((nr = shrink_page_cache(NR_PAGES)) != 0)
            nr_freed += nr;
        cr_assert_eq(nr_freed, NR_PAGES - nr_once);
        check_lists();
        cr_assert_eq(inode.i_mapping->nrpages, 0);
    }
}

/* One pass over a file of any length leaves what is used again and again where it is. */
Test(guest_lru, a_pass_over_a_large_file_spares_the_working_set, .init = start)
{
    enum { NR_FRAMES = 32, NR_WORKING = 8 };
    for (u32 i = 0; i < 2 * NR_WORKING; i++)
        use(i % NR_WORKING);
    for (u32 i = 0; i < 5000; i++) {
        if (inode.i_mapping->nrpages == NR_FRAMES)
            cr_assert_eq(shrink_page_cache(1), 1);
        cr_assert(use(NR_WORKING + i));
    }
    for (u32 i = 0; i < NR_WORKING; i++)
        cr_assert_not(use(i));
}

/* Nobody gets the pages that are written to, held, or locked; they are there when they can be had again. */
Test(guest_lru, pages_in_use_stay, .init = start)
{
    for (u32 i = 0; i < 3; i++)
        use(i);
    struct page *held = find_get_page(inode.i_mapping, 0), *locked = find_lock_page(inode.i_mapping, 1);
    set_page_dirty(held);
    cr_assert_eq(shrink_page_cache(NR_PAGES), 1);
    cr_assert(is_cached(0) && is_cached(1) && !is_cached(2));
    check_lists();
    unlock_page(locked);
    put_page(locked);
    cr_assert_eq(shrink_page_cache(NR_PAGES), 1);
    put_page(held);
    cr_assert_eq(shrink_page_cache(NR_PAGES), 0);
    cr_assert_eq(filemap_write_and_wait(inode.i_mapping), 0);
    cr_assert_eq(shrink_page_cache(NR_PAGES), 1);
    check_lists();
}

/* isolate and putback are each other's inverse, and lose no page that leaves its file meanwhile. */
Test(guest_lru, isolated_pages_come_back_unless_they_are_gone, .init = start)
{
    use(0);
    use(1);
    struct page *stays = find_get_page(inode.i_mapping, 0), *goes = find_lock_page(inode.i_mapping, 1);
    unsigned long nr_free = nr_free_pages();
    cr_assert_eq(isolate_lru_page(stays), 0);
    cr_assert_neq(isolate_lru_page(stays), 0);
    cr_assert_eq(isolate_lru_page(goes), 0);
    cr_assert_eq(shrink_page_cache(NR_PAGES), 0);
    remove_from_page_cache(goes);
    unlock_page(goes);
    put_page(goes);
    putback_lru_page(stays);
    putback_lru_page(goes);
    cr_assert_eq(nr_free_pages(), nr_free + 1);
    check_lists();
    put_page(stays);
}
