/* /proc/meminfo. */
#include "asm/pgtable.h"
#include "blkdev.h"
#include "cma.h"
#include "mm.h"
#include "pagemap.h"
#include "sched.h"
#include "seq_file.h"
#include "swap.h"
#include "swapops.h"
#include "vmalloc.h"

static void row(struct seq_file *m, const char *name, unsigned long pages)
{
    seq_printf(m, "%-16s%8lu kB\n", name, pages_to_kbytes(pages));
}

static unsigned long vmalloc_pages(void)
{
    unsigned long bytes = 0;
    for (const struct vm_struct *area = first_vm_area(); area; area = next_vm_area(area))
        bytes += area->size;
    return bytes >> PAGE_SHIFT;
}

/*
 * What a new program could get: free pages but for what kswapd would keep free, and of the page cache what
 * lies above that or its half.
 */
static unsigned long si_mem_available(void)
{
    unsigned long low = 0, free = nr_free_pages(), cached = nr_owned_pages[PAGE_OWNER_PAGE_CACHE];
    const struct zone *zone;
    for_each_populated_zone(zone) low += zone->watermark[WMARK_LOW];
    return free + cached - min(free, low) - min(cached / 2, low);
}

void meminfo_show(struct seq_file *m)
{
    const unsigned long *owners = nr_owned_pages;
    unsigned long managed = nr_managed_pages(), buffers = nr_blockdev_pages();
    const struct zone *high = &contig_page_data.node_zones[ZONE_HIGHMEM];
    row(m, "MemTotal:", managed);
    row(m, "MemFree:", nr_free_pages());
    row(m, "MemAvailable:", si_mem_available());
    row(m, "Buffers:", buffers);
    row(m, "Cached:", owners[PAGE_OWNER_PAGE_CACHE] - buffers);
    row(m, "SwapCached:", total_swapcache_pages);
    for (unsigned int i = 0; i < 2; i++) {
        static const char *const names[2][3] = {
            {"Active:", "Active(anon):", "Active(file):"},
            {"Inactive:", "Inactive(anon):", "Inactive(file):"},
        };
        unsigned long anon = nr_lru_pages(i ? LRU_INACTIVE_ANON : LRU_ACTIVE_ANON),
                      file = nr_lru_pages(i ? LRU_INACTIVE_FILE : LRU_ACTIVE_FILE);
        row(m, names[i][0], anon + file);
        row(m, names[i][1], anon);
        row(m, names[i][2], file);
    }
    row(m, "Unevictable:", nr_lru_pages(LRU_UNEVICTABLE));
    row(m, "HighTotal:", high->managed_pages);
    row(m, "HighFree:", high->nr_free_pages);
    row(m, "LowTotal:", managed - high->managed_pages);
    row(m, "LowFree:", nr_free_pages() - high->nr_free_pages);
    row(m, "SwapTotal:", total_swap_pages);
    row(m, "SwapFree:", nr_swap_pages);
    row(m, "Dirty:", page_cache_stat.nr_dirty);
    row(m, "Writeback:", page_cache_stat.nr_writeback);
    row(m, "AnonPages:", owners[PAGE_OWNER_ANON]);
    row(m, "Slab:", owners[PAGE_OWNER_SLAB]);
    row(m, "KernelStack:", nr_threads * (THREAD_SIZE / PAGE_SIZE));
    row(m, "PageTables:", owners[PAGE_OWNER_PAGE_TABLE]);
    row(m, "VmallocTotal:", (VMALLOC_END - VMALLOC_START) >> PAGE_SHIFT);
    row(m, "VmallocUsed:", vmalloc_pages());
    row(m, "CmaTotal:", cma_total_pages());
    row(m, "CmaFree:", nr_free_cma_pages());
}
