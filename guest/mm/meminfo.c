/* /proc/meminfo. */
#include "asm/pgtable.h"
#include "cma.h"
#include "mm.h"
#include "seq_file.h"
#include "vmalloc.h"

static unsigned long kbytes(unsigned long pages)
{
    return pages << (PAGE_SHIFT - 10);
}

static void row(struct seq_file *m, const char *name, unsigned long pages)
{
    seq_printf(m, "%-16s%8lu kB\n", name, kbytes(pages));
}

/* Every frame knows its owner, so that nobody has to keep count. */
static void count_owners(unsigned long counts[NR_PAGE_OWNERS])
{
    for (unsigned long pfn = 0; pfn < max_pfn; pfn++)
        counts[pfn_to_page(pfn)->owner]++;
}

static unsigned long vmalloc_pages(void)
{
    unsigned long bytes = 0;
    for (const struct vm_struct *area = first_vm_area(); area; area = next_vm_area(area))
        bytes += area->size;
    return bytes >> PAGE_SHIFT;
}

void meminfo_show(struct seq_file *m)
{
    unsigned long owners[NR_PAGE_OWNERS] = {0}, managed = 0, free_cma = 0;
    const struct zone *high = &contig_page_data.node_zones[ZONE_HIGHMEM];
    struct zone *zone;
    count_owners(owners);
    for_each_populated_zone(zone)
    {
        managed += zone->managed_pages;
        free_cma += zone->nr_free_cma_pages;
    }
    row(m, "MemTotal:", managed);
    row(m, "MemFree:", nr_free_pages());
    row(m, "HighTotal:", high->managed_pages);
    row(m, "HighFree:", high->nr_free_pages);
    row(m, "LowTotal:", managed - high->managed_pages);
    row(m, "LowFree:", nr_free_pages() - high->nr_free_pages);
    row(m, "Cached:", owners[PAGE_OWNER_PAGE_CACHE]);
    row(m, "AnonPages:", owners[PAGE_OWNER_ANON]);
    row(m, "Slab:", owners[PAGE_OWNER_SLAB]);
    row(m, "PageTables:", owners[PAGE_OWNER_PAGE_TABLE]);
    row(m, "VmallocTotal:", (VMALLOC_END - VMALLOC_START) >> PAGE_SHIFT);
    row(m, "VmallocUsed:", vmalloc_pages());
    row(m, "CmaTotal:", cma_total_pages());
    row(m, "CmaFree:", free_cma);
}
