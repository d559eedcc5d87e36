/*
 * The guest's contiguous memory area: blocks are taken from among pages of a process, which must keep their
 * contents at their addresses. The page tables are an array.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "asm/pgtable.h"
#include "cma.h"
#include "errno.h"
#include "gfp.h"
#include "highmem.h"
#include "host_mm.h"
#include "params.h"
#include "rmap.h"
#include "slab.h"

#define USER_PAGES (TASK_SIZE >> PAGE_SHIFT)
#define CMA_PAGES ((16ul << 20) >> PAGE_SHIFT)
#define MAX_BLOCKS 8
#define NR_STEPS (HOST_MANY * 2)

static pte_t entries[USER_PAGES];
static u32 contents[USER_PAGES]; /* 0: no page there */
static struct mm_struct *process;
static u32 last_content;

pgd_t *pgd_alloc(void)
{
    static pgd_t pgd;
    return &pgd;
}

void pgd_free(pgd_t *pgd)
{
    (void)pgd;
}

void free_pgtables(struct mm_struct *mm)
{
    (void)mm;
}

pte_t *find_pte(struct mm_struct *mm, unsigned long address)
{
    (void)mm;
    return &entries[address >> PAGE_SHIFT];
}

int mm_populate(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    (void)mm;
    (void)start;
    (void)end;
    return 0;
}

static void drop_page(unsigned long i)
{
    struct page *page = pte_page(entries[i]);
    entries[i] = (pte_t){0};
    contents[i] = 0;
    page_remove_rmap(page);
    put_page(page);
}

void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    (void)mm;
    for (unsigned long i = start >> PAGE_SHIFT; i < end >> PAGE_SHIFT; i++)
        if (pte_present(entries[i]))
            drop_page(i);
}

static u32 *words_of(struct page *page)
{
    return page_address(page);
}

static void bring_page(unsigned long i)
{
    struct vm_area_struct *vma = find_vma(process, i << PAGE_SHIFT);
    cr_assert_eq(anon_vma_prepare(vma), 0);
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN);
    if (page == NULL)
        return;
    set_page_owner(page, 0, PAGE_OWNER_ANON);
    page_add_new_anon_rmap(page, vma, i << PAGE_SHIFT);
    entries[i] = mk_pte(page, (pgprot_t){1});
    contents[i] = ++last_content;
    words_of(page)[0] = words_of(page)[1023] = contents[i];
}

static void check_contents(void)
{
    for (unsigned long i = 0; i < USER_PAGES; i++) {
        if (contents[i] == 0)
            continue;
        const u32 *words = words_of(pte_page(entries[i]));
        if (words[0] != contents[i] || words[1023] != contents[i] || pte_page(entries[i])->_mapcount != 1)
            cr_assert_fail("page %lu of the process has lost its contents", i);
    }
}

struct block {
    struct page *pages;
    unsigned long count;
};

static void fill_block(const struct block *block, int value)
{
    memset(page_address(block->pages), value, block->count << PAGE_SHIFT);
}

/* The fill value is there still, and the pages are nobody else's. */
static void check_block(const struct block *block, int value)
{
    const u8 *bytes = page_address(block->pages);
    for (unsigned long i = 0; i < block->count; i++)
        if (bytes[i << PAGE_SHIFT] != value || block->pages[i].owner != PAGE_OWNER_CMA)
            cr_assert_fail("page %lu of a block was given to somebody else", i);
}

static bool take_block(struct block *block, int value)
{
    unsigned int align_order = random_below(6);
    block->count = 1 + random_below(1u << random_below(11));
    block->pages = cma_alloc(block->count, align_order);
    if (block->pages == NULL)
        return false;
    cr_assert_eq(page_to_pfn(block->pages) % (1ul << align_order), 0);
    fill_block(block, value);
    return true;
}

static void start(phys_addr_t cma_start, phys_addr_t cma_end)
{
    boot_params.cma_bytes = CMA_PAGES << PAGE_SHIFT;
    boot_params.cma_start = cma_start;
    boot_params.cma_end = cma_end;
    start_memory();
    kmem_cache_init();
    mmap_init();
    cr_assert_eq(cma_total_pages(), CMA_PAGES);
}

/* All of highmem is the region, so that it is where a process's pages come from first. */
static void start_process(void)
{
    start(LOW_PAGES << PAGE_SHIFT, RAM_PAGES << PAGE_SHIFT);
    process = mm_alloc();
    const struct vm_area_struct area = {
        .vm_start = PAGE_SIZE, .vm_end = TASK_SIZE, .vm_flags = VM_READ | VM_WRITE};
    cr_assert_eq(insert_vma(process, &area), 0);
}

Test(guest_cma, blocks_are_whole_and_pages_that_move_keep_their_contents)
{
    static struct block blocks[MAX_BLOCKS];
    unsigned nr_taken = 0;
    start_process();
    kmem_cache_shrink_all();
    for (int step = 0; step < NR_STEPS; step++) {
        for (int i = 0; i < 50; i++) {
            unsigned long page = 1 + random_below((u32)USER_PAGES - 1);
            if (contents[page])
                drop_page(page);
            else
                bring_page(page);
        }
        unsigned i = random_below(MAX_BLOCKS);
        if (blocks[i].pages) {
            check_block(&blocks[i], (int)i);
            cr_assert(cma_release(blocks[i].pages, blocks[i].count));
            blocks[i].pages = NULL;
        } else {
            nr_taken += take_block(&blocks[i], (int)i);
        }
        check_contents();
    }
    cr_assert_gt(nr_taken, NR_STEPS / 4);
    cr_assert_gt(nr_migrated_pages(), 1000);
    for (unsigned i = 0; i < MAX_BLOCKS; i++)
        if (blocks[i].pages)
            cr_assert(cma_release(blocks[i].pages, blocks[i].count));
    mmput(process);
    drain_all_pages();
    cr_assert_eq(cma_used_pages(), 0);
    cr_assert_eq(contig_page_data.node_zones[ZONE_HIGHMEM].nr_free_cma_pages, CMA_PAGES);
}

Test(guest_cma, unmovable_requests_get_nothing_from_the_region)
{
    start(0, 0);
    unsigned long nr = 0;
    struct page *page;
    while ((page = alloc_page(GFP_KERNEL | __GFP_NOWARN)) != NULL) {
        if (get_pageblock_migratetype(page_to_pfn(page)) == MIGRATE_CMA)
            cr_assert_fail("frame %lu lies in the region", page_to_pfn(page));
        nr++;
    }
    cr_assert_gt(nr, 5000);
    cr_assert_eq(contig_page_data.node_zones[ZONE_NORMAL].nr_free_cma_pages, CMA_PAGES);
    struct page *movable = alloc_page(GFP_KERNEL | __GFP_MOVABLE);
    cr_assert_not_null(movable);
    cr_assert_eq(get_pageblock_migratetype(page_to_pfn(movable)), MIGRATE_CMA);
}

Test(guest_cma, the_region_lies_where_the_option_says)
{
    start(LOW_PAGES << PAGE_SHIFT, RAM_PAGES << PAGE_SHIFT);
    const struct page *pages = cma_alloc(CMA_PAGES, 0);
    cr_assert_not_null(pages);
    cr_assert_eq(page_to_pfn(pages), LOW_PAGES);
    cr_assert(PageHighMem(pages));
}

Test(guest_cma, a_page_that_somebody_holds_is_not_moved)
{
    start_process();
    unsigned long i = 0;
    do {
        bring_page(++i);
        cr_assert_neq(contents[i], 0);
    } while (get_pageblock_migratetype(page_to_pfn(pte_page(entries[i]))) != MIGRATE_CMA);
    struct page *page = pte_page(entries[i]);
    get_page(page);
    cr_assert_null(cma_alloc(CMA_PAGES, 0));
    cr_assert_eq(pte_page(entries[i]), page);
    put_page(page);
    cr_assert_not_null(cma_alloc(CMA_PAGES, 0));
    check_contents();
}
