/*
 * guest/mm compiled for the host, against models that are too simple to be wrong: a byte a frame, and loops
 * over all of them.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "gfp.h"
#include "host_mm.h"
#include "memblock.h"

#define NR_STEPS (HOST_MANY * 400)
#define STEPS_PER_PREDICTION 40
#define STEPS_PER_CHECK 4000
#define MAX_BLOCKS 3000

/* How many blocks of each order the free frames of a zone make up, if every two free buddies are merged. */
static void count_maximal_blocks(const struct zone *zone, const bool *is_free,
                                 unsigned long counts[MAX_ORDER])
{
    memset(counts, 0, MAX_ORDER * sizeof(counts[0]));
    unsigned long end = zone_end_pfn(zone);
    for (unsigned long pfn = zone->zone_start_pfn; pfn < end;) {
        unsigned int order = MAX_ORDER;
        while (order-- > 0) {
            unsigned long size = 1ul << order, i = 0;
            if (pfn % size || pfn + size > end)
                continue;
            while (i < size && is_free[pfn + i])
                i++;
            if (i == size)
                break;
        }
        /* order wrapped round: not even one page. */
        if (order >= MAX_ORDER) {
            pfn++;
            continue;
        }
        counts[order]++;
        pfn += 1ul << order;
    }
}

static void check_free_lists(const bool *is_free)
{
    struct zone *zone;
    drain_all_pages();
    for_each_populated_zone(zone)
    {
        unsigned long counts[MAX_ORDER], free_pages_counted = 0;
        count_maximal_blocks(zone, is_free, counts);
        for (unsigned int order = 0; order < MAX_ORDER; order++) {
            cr_assert_eq(zone->free_area[order].nr_free, counts[order],
                         "%s, order %u: %lu blocks, %lu expected", zone->name, order,
                         zone->free_area[order].nr_free, counts[order]);
            free_pages_counted += counts[order] << order;
        }
        cr_assert_eq(zone->nr_free_pages, free_pages_counted);
    }
}

static void check_owners(const bool *is_free)
{
    unsigned long counts[NR_PAGE_OWNERS] = {0};
    for (unsigned long pfn = 0; pfn < max_pfn; pfn++)
        counts[pfn_to_page(pfn)->owner]++;
    cr_assert_arr_eq(counts, nr_owned_pages, sizeof(counts), "pages by owner are miscounted");
    for (unsigned long pfn = 0; pfn < max_pfn; pfn++)
        if ((pfn_to_page(pfn)->owner == PAGE_OWNER_FREE) != is_free[pfn])
            cr_assert_fail("frame %lu", pfn);
}

static void read_free_frames(bool *is_free)
{
    for (unsigned long pfn = 0; pfn < max_pfn; pfn++)
        is_free[pfn] = pfn_to_page(pfn)->owner == PAGE_OWNER_FREE;
}

/*
 * The zone that must serve a request: the highest allowed that stays above low, then above min (an urgent
 * request: half of min), or NULL.
 */
static const struct zone *expected_zone(unsigned int highest, bool urgent, unsigned int order,
                                        const bool *is_free)
{
    for (int mark = WMARK_LOW; mark >= WMARK_MIN; mark--) {
        for (unsigned int i = highest + 1; i-- > 0;) {
            const struct zone *zone = &contig_page_data.node_zones[i];
            unsigned long counts[MAX_ORDER], keep = zone->watermark[mark];
            if (urgent && mark == WMARK_MIN)
                keep -= keep / 2;
            keep += zone->lowmem_reserve[highest];
            if (zone->nr_free_pages < keep + (1ul << order))
                continue;
            count_maximal_blocks(zone, is_free, counts);
            for (unsigned int found = order; found < MAX_ORDER; found++)
                if (counts[found])
                    return zone;
        }
    }
    return NULL;
}

struct block {
    struct page *page;
    unsigned int order;
};

struct request {
    unsigned int highest_zone, order;
    bool is_urgent;
    gfp_t gfp;
};

static struct request random_request(void)
{
    static const gfp_t zone_flags[MAX_NR_ZONES] = {GFP_DMA, GFP_KERNEL, GFP_HIGHUSER};
    static const gfp_t mobility[3] = {0, __GFP_MOVABLE, __GFP_RECLAIMABLE};
    struct request request = {.highest_zone = random_below(MAX_NR_ZONES),
                              .order = random_below(random_below(MAX_ORDER) + 1),
                              .is_urgent = random_below(4) == 0};
    request.gfp = zone_flags[request.highest_zone] | mobility[random_below(3)] | __GFP_NOWARN;
    if (request.is_urgent)
        request.gfp |= __GFP_HIGH;
    return request;
}

/* The block must come from the zone that the naive model names, or not at all if it names none. */
static struct page *alloc_as_predicted(const struct request *request, const bool *is_free)
{
    drain_all_pages();
    const struct zone *expected =
        expected_zone(request->highest_zone, request->is_urgent, request->order, is_free);
    struct page *page = alloc_pages(request->gfp, request->order);
    cr_assert_eq(page ? page_zone(page) : NULL, expected);
    return page;
}

static void take_block(struct block *block, bool *is_free, bool is_predicted)
{
    struct request request = random_request();
    block->order = request.order;
    block->page =
        is_predicted ? alloc_as_predicted(&request, is_free) : alloc_pages(request.gfp, request.order);
    if (block->page == NULL)
        return;
    unsigned long pfn = page_to_pfn(block->page), pages = 1ul << block->order;
    cr_assert_eq(pfn % pages, 0, "a block is aligned to its size");
    for (unsigned long i = pfn; i < pfn + pages; i++) {
        if (!is_free[i])
            cr_assert_fail("frame %lu was handed out twice", i);
        is_free[i] = false;
    }
}

static void give_block(struct block *block, bool *is_free)
{
    unsigned long pfn = page_to_pfn(block->page);
    __free_pages(block->page, block->order);
    for (unsigned long i = pfn; i < pfn + (1ul << block->order); i++)
        is_free[i] = true;
    block->page = NULL;
}

Test(guest_mm, buddy_lists_are_the_maximal_blocks_of_the_free_frames)
{
    static bool is_free[RAM_PAGES];
    static struct block blocks[MAX_BLOCKS];
    start_memory();
    read_free_frames(is_free);
    check_free_lists(is_free);
    unsigned long free_at_first = nr_free_pages();
    for (int step = 0; step < NR_STEPS; step++) {
        struct block *block = &blocks[random_below(MAX_BLOCKS)];
        if (block->page)
            give_block(block, is_free);
        else if (random_below(100) < 70)
            take_block(block, is_free, step % STEPS_PER_PREDICTION == 0);
        if (step % STEPS_PER_CHECK == 0)
            check_free_lists(is_free);
    }
    check_owners(is_free);
    for (int i = 0; i < MAX_BLOCKS; i++)
        if (blocks[i].page)
            give_block(&blocks[i], is_free);
    check_free_lists(is_free);
    check_owners(is_free);
    cr_assert_eq(nr_free_pages(), free_at_first, "everything came back");
}

/* Every free page lies on the list of its pageblock's type, but for those stolen singly. */
static unsigned long pages_on_lists(const struct zone *zone, enum migratetype type)
{
    unsigned long pages = 0;
    for (unsigned int order = 0; order < MAX_ORDER; order++) {
        const struct page *page;
        list_for_each_entry(page, &zone->free_area[order].free_list[type], lru) pages += 1ul << order;
    }
    return pages;
}

Test(guest_mm, unmovable_pages_keep_to_pageblocks_of_their_own)
{
    enum { NR_PAGES = 3000 };
    static struct page *movable[NR_PAGES], *unmovable[NR_PAGES];
    start_memory();
    for (int i = 0; i < NR_PAGES; i++) {
        movable[i] = alloc_page(GFP_KERNEL | __GFP_MOVABLE);
        unmovable[i] = alloc_page(GFP_KERNEL);
        cr_assert(movable[i] && unmovable[i]);
        cr_assert_eq(get_pageblock_migratetype(page_to_pfn(movable[i])), MIGRATE_MOVABLE);
        cr_assert_eq(get_pageblock_migratetype(page_to_pfn(unmovable[i])), MIGRATE_UNMOVABLE);
    }
    /* 3000 pages need three pageblocks; had they been mixed with the others, no pageblock would be whole. */
    for (int i = 0; i < NR_PAGES; i++)
        __free_page(movable[i]);
    drain_all_pages();
    const struct zone *normal = &contig_page_data.node_zones[ZONE_NORMAL];
    cr_assert_geq(normal->free_area[pageblock_order].nr_free, 4);
    for (int i = 0; i < NR_PAGES; i++)
        __free_page(unmovable[i]);
}

Test(guest_mm, freed_pages_come_back_first_and_in_reverse)
{
    struct page *pages[4];
    start_memory();
    for (int i = 0; i < 4; i++)
        pages[i] = alloc_page(GFP_KERNEL);
    for (int i = 0; i < 4; i++)
        __free_page(pages[i]);
    for (int i = 4; i-- > 0;)
        cr_assert_eq(alloc_page(GFP_KERNEL), pages[i]);
}

Test(guest_mm, free_lists_of_all_types_add_up)
{
    start_memory();
    for (u32 i = 0; i < 1000; i++)
        cr_assert_not_null(alloc_pages(i % 3 ? GFP_KERNEL : GFP_KERNEL | __GFP_RECLAIMABLE, i % 2));
    drain_all_pages();
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        unsigned long sum = 0;
        for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
            sum += pages_on_lists(zone, type);
        cr_assert_eq(sum, zone->nr_free_pages, "%s", zone->name);
    }
}

Test(guest_mm, the_pages_of_a_compound_page_know_their_first)
{
    start_memory();
    struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(compound_head(page + i), page);
    cr_assert_eq(compound_order(page), 3);
    put_page(page);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(compound_head(page + i), page + i);
}

Test(guest_mm, too_large_an_order_is_refused)
{
    start_memory();
    cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_ORDER));
}

Test(guest_mm, zeroed_pages_are_zero)
{
    start_memory();
    struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 2);
    cr_assert_not_null(page);
    const char *bytes = page_address(page);
    for (unsigned long i = 0; i < PAGE_SIZE << 2; i++)
        cr_assert_eq(bytes[i], 0);
}

/*
 * Fact R4: 30720 KiB and a zone of 800 MiB in 1 GiB give 24000 KiB; low and high lie a quarter and a half
 * above.
 */
Test(guest_mm, watermarks_share_min_free_kbytes_by_zone_size)
{
    struct zone *zones = contig_page_data.node_zones;
    zones[ZONE_DMA].present_pages = zones[ZONE_DMA].managed_pages = (224ul << 20) >> PAGE_SHIFT;
    zones[ZONE_NORMAL].present_pages = zones[ZONE_NORMAL].managed_pages = (800ul << 20) >> PAGE_SHIFT;
    min_free_kbytes = 30720;
    setup_per_zone_wmarks();
    const unsigned long *mark = zones[ZONE_NORMAL].watermark;
    cr_assert_eq(mark[WMARK_MIN] << (PAGE_SHIFT - 10), 24000);
    cr_assert_eq(mark[WMARK_LOW] << (PAGE_SHIFT - 10), 30000);
    cr_assert_eq(mark[WMARK_HIGH] << (PAGE_SHIFT - 10), 36000);
    cr_assert_eq(zones[ZONE_DMA].lowmem_reserve[ZONE_NORMAL], ((800ul << 20) >> PAGE_SHIFT) / 256);
}

/* Linux's table for min_free_kbytes: 4 * sqrt(lowmem KiB). */
Test(guest_mm, min_free_kbytes_is_four_times_the_root_of_lowmem)
{
    static const struct {
        unsigned long mib, kbytes;
    } rows[] = {{16, 512}, {64, 1024}, {256, 2048}, {1024, 4096}};
    struct zone *normal = &contig_page_data.node_zones[ZONE_NORMAL];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        normal->present_pages = normal->managed_pages = (rows[i].mib << 20) >> PAGE_SHIFT;
        min_free_kbytes = 0;
        setup_per_zone_wmarks();
        cr_assert_eq(min_free_kbytes, rows[i].kbytes, "%lu MiB: %lu", rows[i].mib, min_free_kbytes);
    }
}

#define TOY_PAGES 256ul
#define TOY_BYTES (TOY_PAGES << PAGE_SHIFT)
#define TOY_UNIT 512u /* all ranges are multiples of it, so that one flag stands for so many bytes */
#define TOY_UNITS (TOY_BYTES / TOY_UNIT)

static void mark_units(bool *units, u32 start, u32 count)
{
    for (u32 i = start; i < start + count; i++)
        units[i] = true;
}

static bool any_unit(const bool *units, u32 start, u32 count, bool value)
{
    for (u32 i = start; i < start + count; i++)
        if (units[i] == value)
            return true;
    return false;
}

static enum memblock_kind naive_kind(const bool *ram, const bool *taken, unsigned long pfn)
{
    const u32 units_per_page = (u32)PAGE_SIZE / TOY_UNIT;
    u32 start = (u32)pfn * units_per_page;
    if (any_unit(ram, start, units_per_page, false))
        return MEMBLOCK_HOLE;
    return any_unit(taken, start, units_per_page, true) ? MEMBLOCK_RESERVED : MEMBLOCK_FREE;
}

/* The highest aligned run that is RAM and not taken; TOY_UNITS if there is none. */
static u32 naive_alloc(const bool *ram, const bool *taken, u32 count, u32 align)
{
    for (u32 start = (u32)TOY_UNITS - count + 1; start-- > 0;)
        if (start % align == 0 && !any_unit(ram, start, count, false) && !any_unit(taken, start, count, true))
            return start;
    return TOY_UNITS;
}

static void check_classify(const bool *ram, const bool *taken)
{
    unsigned long next;
    for (unsigned long pfn = 0; pfn < TOY_PAGES; pfn = next) {
        enum memblock_kind kind = memblock_classify(pfn, TOY_PAGES, &next);
        cr_assert_gt(next, pfn);
        cr_assert_leq(next, TOY_PAGES);
        for (unsigned long i = pfn; i < next; i++)
            cr_assert_eq(kind, naive_kind(ram, taken, i), "frame %lu", i);
    }
}

Test(guest_mm, memblock_agrees_with_a_flag_for_every_512_bytes)
{
    static bool ram[TOY_UNITS], taken[TOY_UNITS];
    for (int round = 0; round < 200; round++) {
        memset(ram, 0, sizeof(ram));
        memset(taken, 0, sizeof(taken));
        memblock.memory.nr = memblock.reserved.nr = 0;
        memblock_set_current_limit(TOY_BYTES);
        for (int i = 0; i < 8; i++) {
            u32 start = random_below(TOY_UNITS - 200), count = random_below(200);
            memblock_add((phys_addr_t)start * TOY_UNIT, (phys_addr_t)count * TOY_UNIT);
            mark_units(ram, start, count);
            start = random_below(TOY_UNITS - 50), count = random_below(50);
            memblock_reserve((phys_addr_t)start * TOY_UNIT, (phys_addr_t)count * TOY_UNIT);
            mark_units(taken, start, count);
        }
        check_classify(ram, taken);
        for (int i = 0; i < 10; i++) {
            u32 count = 1 + random_below(20), align = 1u << random_below(5);
            u32 expected = naive_alloc(ram, taken, count, align);
            if (expected == TOY_UNITS)
                break;
            phys_addr_t got =
                memblock_phys_alloc((phys_addr_t)count * TOY_UNIT, (phys_addr_t)align * TOY_UNIT);
            cr_assert_eq(got, (phys_addr_t)expected * TOY_UNIT);
            mark_units(taken, expected, count);
        }
        check_classify(ram, taken);
    }
}
