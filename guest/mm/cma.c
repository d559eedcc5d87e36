/* The contiguous memory area (include/cma.h): a bitmap of what was handed out. */
#include "cma.h"
#include "asm/page.h"
#include "bug.h"
#include "contig.h"
#include "internal.h"
#include "memblock.h"
#include "params.h"
#include "printk.h"

#define CMA_MOST_PAGES ((512ul << 20) >> PAGE_SHIFT)
#define BITS_PER_WORD 32u

static struct {
    unsigned long base_pfn, count; /* count 0: there is no area */
    unsigned long used;
    u32 bitmap[CMA_MOST_PAGES / BITS_PER_WORD];
} cma;

static bool is_used(unsigned long i)
{
    return cma.bitmap[i / BITS_PER_WORD] & (1u << i % BITS_PER_WORD);
}

static void mark(unsigned long first, unsigned long count, bool used)
{
    for (unsigned long i = first; i < first + count; i++) {
        if (used)
            cma.bitmap[i / BITS_PER_WORD] |= 1u << i % BITS_PER_WORD;
        else
            cma.bitmap[i / BITS_PER_WORD] &= ~(1u << i % BITS_PER_WORD);
    }
    cma.used += used ? count : -count;
}

/*
 * The area may lie where the option says, or else anywhere in lowmem, whose pages the kernel can use without
 * mapping them first. Pageblocks have one type each, so it consists of whole ones.
 */
void __init cma_reserve(void)
{
    const phys_addr_t block = pageblock_nr_pages << PAGE_SHIFT;
    phys_addr_t bytes = ALIGN_UP(boot_params.cma_bytes, block), base;
    if (bytes == 0)
        return;
    phys_addr_t end = boot_params.cma_end ? boot_params.cma_end : (phys_addr_t)max_low_pfn << PAGE_SHIFT;
    if (bytes >> PAGE_SHIFT > CMA_MOST_PAGES ||
        !memblock_find_in_range(boot_params.cma_start, end, bytes, block, &base)) {
        pr_warn("cma: no %llu KiB between %08llx and %08llx\n", bytes >> 10, boot_params.cma_start, end);
        return;
    }
    memblock_reserve(base, bytes);
    cma.base_pfn = PFN_DOWN(base);
    cma.count = PFN_DOWN(bytes);
    pr_info("cma: Reserved %llu KiB at %08llx\n", bytes >> 10, base);
}

void __init cma_init_reserved_areas(void)
{
    for (unsigned long pfn = cma.base_pfn; pfn < cma.base_pfn + cma.count; pfn += pageblock_nr_pages) {
        struct zone *zone = page_zone(pfn_to_page(pfn));
        for (unsigned long i = pfn; i < pfn + pageblock_nr_pages; i++) {
            pfn_to_page(i)->flags &= ~PG_reserved;
            set_page_owner(pfn_to_page(i), 0, PAGE_OWNER_FREE);
        }
        set_pageblock_migratetype(pfn, MIGRATE_CMA);
        free_one_page(zone, pfn, pageblock_order, MIGRATE_CMA);
        zone->managed_pages += pageblock_nr_pages;
    }
}

/* The first run of so many pages from `from` on that nobody has; cma.count: there is none. */
static unsigned long find_run(unsigned long from, unsigned long count, unsigned long align)
{
    unsigned long first = from;
    while (first + count <= cma.count) {
        first = ALIGN_UP(cma.base_pfn + first, align) - cma.base_pfn;
        unsigned long i = 0;
        while (i < count && first + i < cma.count && !is_used(first + i))
            i++;
        if (i == count)
            return first;
        first += i + 1;
    }
    return cma.count;
}

struct page *cma_alloc(unsigned long count, unsigned int align_order)
{
    if (count == 0)
        return NULL;
    /* A page that cannot move makes a run impossible; another may do. */
    unsigned long first = 0;
    for (;;) {
        first = find_run(first, count, 1ul << align_order);
        if (first >= cma.count)
            return NULL;
        unsigned long pfn = cma.base_pfn + first;
        if (alloc_contig_range(pfn, pfn + count) == 0) {
            mark(first, count, true);
            return pfn_to_page(pfn);
        }
        first++;
    }
}

bool cma_release(struct page *pages, unsigned long count)
{
    unsigned long pfn = page_to_pfn(pages);
    if (pfn < cma.base_pfn || pfn >= cma.base_pfn + cma.count)
        return false;
    mark(pfn - cma.base_pfn, count, false);
    free_contig_range(pfn, count);
    return true;
}

unsigned long cma_total_pages(void)
{
    return cma.count;
}

unsigned long cma_used_pages(void)
{
    return cma.used;
}
