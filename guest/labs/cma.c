/* C1. A large block in a region that movable pages use: they move, and who owns them notices nothing. */
#include "cma.h"
#include "asm/pgtable.h"
#include "asm/uaccess.h"
#include "held_pages.h"
#include "lab.h"
#include "mman.h"
#include "sched.h"
#include "slab.h"

#define USER_BYTES (40ul << 20)
#define USER_PAGES (USER_BYTES >> PAGE_SHIFT)
#define BLOCK_PAGES ((8ul << 20) >> PAGE_SHIFT)

static bool is_in_cma(const struct page *page)
{
    return get_pageblock_migratetype(page_to_pfn(page)) == MIGRATE_CMA;
}

/* A process's memory: a number in each page. */
static unsigned long fill_user_memory(void)
{
    long start = do_mmap(current->mm, 0, USER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    lab_check(start > 0 || start < -4095, "a process maps %lu MiB at %08lx and writes to all of its pages",
              USER_BYTES >> 20, (unsigned long)start);
    for (u32 i = 0; i < USER_PAGES; i++)
        if (put_user_u32(i * 2654435761u, (u32 *)((unsigned long)start + i * PAGE_SIZE)))
            break;
    return (unsigned long)start;
}

static void check_user_memory(unsigned long start)
{
    u32 nr_right = 0;
    for (u32 i = 0; i < USER_PAGES; i++) {
        u32 value;
        if (get_user_u32(&value, (const u32 *)(start + i * PAGE_SIZE)) == 0 && value == i * 2654435761u)
            nr_right++;
    }
    lab_check(nr_right == USER_PAGES, "all of the process's %lu pages hold what they held", USER_PAGES);
}

/* The process's page that lies in this frame now; USER_PAGES: none. */
static u32 user_page_in(unsigned long start, const struct page *frame)
{
    for (u32 i = 0; i < USER_PAGES; i++) {
        const pte_t *pte = find_pte(current->mm, start + i * PAGE_SIZE);
        if (pte && pte_present(*pte) && pte_page(*pte) == frame)
            return i;
    }
    return USER_PAGES;
}

static u32 count_user_pages_in_cma(unsigned long start)
{
    u32 nr = 0;
    for (u32 i = 0; i < USER_PAGES; i++)
        nr += is_in_cma(pte_page(*find_pte(current->mm, start + i * PAGE_SIZE)));
    return nr;
}

static void check_block(const struct page *block)
{
    u32 nr_owned = 0;
    for (u32 i = 0; i < BLOCK_PAGES; i++)
        nr_owned += block[i].owner == PAGE_OWNER_CMA && block[i]._mapcount == 0;
    lab_check(nr_owned == BLOCK_PAGES,
              "8 MiB at frame %05lx, twice what the buddy system has: all of it the caller's",
              page_to_pfn(block));
}

static void take_block(unsigned long start)
{
    struct lab_region region;
    unsigned long moved_before = nr_migrated_pages(), rss = current->mm->rss;
    lab_region_begin(&region, "cma_alloc of 8 MiB");
    struct page *block = cma_alloc(BLOCK_PAGES, 0);
    lab_region_end(&region);
    if (!lab_check(block != NULL, "cma_alloc gives 8 MiB"))
        return;
    unsigned long moved = nr_migrated_pages() - moved_before;
    check_block(block);
    lab_figure("pages that moved", moved, 1, "pages");
    lab_check(moved > 0 && user_page_in(start, block + moved / 2) == USER_PAGES,
              "no entry of the process leads there");
    check_user_memory(start);
    lab_check(current->mm->rss == rss, "it has as many pages as before");
    if (lab_counts_cycles() && moved)
        lab_figure("a page moved", region.counts.cycles, (u32)moved, "cycles");
    lab_show(meminfo_show);
    lab_check(cma_release(block, BLOCK_PAGES) && cma_used_pages() == 0,
              "given back, it is free for movable pages");
}

static void check_pinned(unsigned long start)
{
    u32 i = 0;
    while (i < USER_PAGES && !is_in_cma(pte_page(*find_pte(current->mm, start + i * PAGE_SIZE))))
        i++;
    if (!lab_check(i < USER_PAGES, "a page of the process lies in the region"))
        return;
    struct page *page = pte_page(*find_pte(current->mm, start + i * PAGE_SIZE));
    get_page(page);
    lab_check(cma_alloc(cma_total_pages(), 0) == NULL,
              "all of the region at once: not while somebody holds a page of it");
    page->_refcount--;
}

static void check_kernel_stays_out(void)
{
    struct list_head held = LIST_HEAD_INIT(held);
    bool is_out = true;
    unsigned long nr = hold_all_pages(&held, GFP_KERNEL, NULL);
    const struct page *page;
    list_for_each_entry(page, &held, lru) is_out &= !is_in_cma(page);
    lab_check(nr && is_out, "the kernel takes %lu pages, all that it can get: none in the region", nr);
    release_pages(&held);
}

static void cma_lab(void)
{
    if (cma_total_pages() < 2 * BLOCK_PAGES) {
        lab_skip("there is no region: cma=16M makes one");
        return;
    }
    lab_check(cma_total_pages() << PAGE_SHIFT == 16ul << 20, "cma=16M: a region of 4096 pages");
    check_kernel_stays_out();
    current->mm = mm_alloc();
    if (!lab_check(current->mm != NULL, "an address space"))
        return;
    switch_mm(current->mm);
    unsigned long start = fill_user_memory();
    u32 in_cma = count_user_pages_in_cma(start);
    lab_figure("of these in the region", in_cma, 1, "pages");
    lab_check(in_cma > BLOCK_PAGES, "movable pages use the region when nobody else does");
    take_block(start);
    check_pinned(start);
    check_user_memory(start);
    struct mm_struct *mm = current->mm;
    current->mm = NULL;
    switch_mm(NULL);
    mmput(mm);
}
LAB("cma", cma_lab);
