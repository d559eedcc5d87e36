/* Zones as text, in the formats of Linux's /proc. */
#include "compiler.h"
#include "mm.h"
#include "pagemap.h"
#include "printk.h"
#include "seq_file.h"
#include "swap.h"
#include "writeback.h"

void show_zones(void)
{
    struct zone *zone;
    pr_info("Zones (pages of %lu bytes; min_free_kbytes %lu):\n", PAGE_SIZE, min_free_kbytes);
    pr_info("  %-8s %9s %8s %8s %8s %8s %6s %6s %6s\n", "name", "start_pfn", "spanned", "present", "managed",
            "free", "min", "low", "high");
    for_each_populated_zone(zone)
    {
        pr_info("  %-8s %9lu %8lu %8lu %8lu %8lu %6lu %6lu %6lu\n", zone->name, zone->zone_start_pfn,
                zone->spanned_pages, zone->present_pages, zone->managed_pages, zone->nr_free_pages,
                zone->watermark[WMARK_MIN], zone->watermark[WMARK_LOW], zone->watermark[WMARK_HIGH]);
    }
}

void buddyinfo_show(struct seq_file *m)
{
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        seq_printf(m, "Node %d, zone %8s ", contig_page_data.node_id, zone->name);
        for (unsigned int order = 0; order < MAX_ORDER; order++)
            seq_printf(m, "%6lu ", zone->free_area[order].nr_free);
        seq_printf(m, "\n");
    }
}

static const char *const migratetype_names[MIGRATE_TYPES] = {
    [MIGRATE_UNMOVABLE] = "Unmovable",     [MIGRATE_MOVABLE] = "Movable",
    [MIGRATE_RECLAIMABLE] = "Reclaimable", [MIGRATE_CMA] = "CMA",
    [MIGRATE_ISOLATE] = "Isolate",
};

static unsigned long count_list(const struct list_head *list)
{
    unsigned long count = 0;
    for (const struct list_head *at = list->next; at != list; at = at->next)
        count++;
    return count;
}

static void pagetypeinfo_showfree(struct seq_file *m, const struct zone *zone)
{
    for (unsigned int type = 0; type < MIGRATE_TYPES; type++) {
        seq_printf(m, "Node %4d, zone %8s, type %12s ", contig_page_data.node_id, zone->name,
                   migratetype_names[type]);
        for (unsigned int order = 0; order < MAX_ORDER; order++)
            seq_printf(m, "%6lu ", count_list(&zone->free_area[order].free_list[type]));
        seq_printf(m, "\n");
    }
}

static void pagetypeinfo_showblockcount(struct seq_file *m, const struct zone *zone)
{
    unsigned long counts[MIGRATE_TYPES] = {0};
    for (unsigned long pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn += pageblock_nr_pages)
        counts[get_pageblock_migratetype(pfn)]++;
    seq_printf(m, "Node %d, zone %8s ", contig_page_data.node_id, zone->name);
    for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
        seq_printf(m, "%12lu ", counts[type]);
    seq_printf(m, "\n");
}

void pagetypeinfo_show(struct seq_file *m)
{
    struct zone *zone;
    seq_printf(m, "Page block order: %d\n", pageblock_order);
    seq_printf(m, "Pages per block:  %lu\n\n", pageblock_nr_pages);
    seq_printf(m, "%-43s ", "Free pages count per migrate type at order");
    for (unsigned int order = 0; order < MAX_ORDER; order++)
        seq_printf(m, "%6u ", order);
    seq_printf(m, "\n");
    for_each_populated_zone(zone) pagetypeinfo_showfree(m, zone);
    seq_printf(m, "\n%-23s", "Number of blocks type ");
    for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
        seq_printf(m, "%12s ", migratetype_names[type]);
    seq_printf(m, "\n");
    for_each_populated_zone(zone) pagetypeinfo_showblockcount(m, zone);
}

static void pagesets_show(struct seq_file *m, const struct zone *zone)
{
    seq_printf(m, "  pagesets\n");
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        const struct per_cpu_pages *pcp = &zone->pageset[cpu];
        seq_printf(m, "    cpu: %u\n", cpu);
        seq_printf(m, "              count: %u\n", pcp->count);
        seq_printf(m, "              high:  %u\n", pcp->high);
        seq_printf(m, "              batch: %u\n", pcp->batch);
    }
}

static const char *const lru_names[NR_LRU_LISTS] = {
    [LRU_INACTIVE_ANON] = "inactive_anon", [LRU_ACTIVE_ANON] = "active_anon",
    [LRU_INACTIVE_FILE] = "inactive_file", [LRU_ACTIVE_FILE] = "active_file",
    [LRU_UNEVICTABLE] = "unevictable",
};

static void lists_show(struct seq_file *m, struct zone *zone)
{
    for (unsigned int lru = 0; lru < NR_LRU_LISTS; lru++)
        seq_printf(m, "      nr_zone_%s %lu\n", lru_names[lru], zone_nr_lru_pages(zone, lru));
}

static void zones_show(struct seq_file *m, bool with_lists)
{
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        seq_printf(m, "Node %d, zone %8s\n", contig_page_data.node_id, zone->name);
        seq_printf(m, "  pages free     %lu\n", zone->nr_free_pages);
        seq_printf(m, "        min      %lu\n", zone->watermark[WMARK_MIN]);
        seq_printf(m, "        low      %lu\n", zone->watermark[WMARK_LOW]);
        seq_printf(m, "        high     %lu\n", zone->watermark[WMARK_HIGH]);
        seq_printf(m, "        spanned  %lu\n", zone->spanned_pages);
        seq_printf(m, "        present  %lu\n", zone->present_pages);
        seq_printf(m, "        managed  %lu\n", zone->managed_pages);
        seq_printf(m, "        protection: (%lu, %lu, %lu)\n", zone->lowmem_reserve[0],
                   zone->lowmem_reserve[1], zone->lowmem_reserve[2]);
        seq_printf(m, "      nr_free_pages %lu\n", zone->nr_free_pages);
        seq_printf(m, "      nr_free_cma  %lu\n", zone->nr_free_cma_pages);
        if (with_lists)
            lists_show(m, zone);
        pagesets_show(m, zone);
        seq_printf(m, "  start_pfn:           %lu\n", zone->zone_start_pfn);
    }
}

void zoneinfo_show(struct seq_file *m)
{
    zones_show(m, true);
}

/* The lists are empty yet. */
static void first_zoneinfo_show(struct seq_file *m)
{
    zones_show(m, false);
}

unsigned long vm_events[NR_VM_EVENT_ITEMS];
unsigned long nr_owned_pages[NR_PAGE_OWNERS];

/* Sectors are shown in KiB. */
void vmstat_show(struct seq_file *m)
{
    unsigned long background, dirty;
    global_dirty_limits(&background, &dirty);
    const struct {
        const char *name;
        unsigned long value;
    } rows[] = {
        {"nr_free_pages", nr_free_pages()},
        {"nr_inactive_anon", nr_lru_pages(LRU_INACTIVE_ANON)},
        {"nr_active_anon", nr_lru_pages(LRU_ACTIVE_ANON)},
        {"nr_inactive_file", nr_lru_pages(LRU_INACTIVE_FILE)},
        {"nr_active_file", nr_lru_pages(LRU_ACTIVE_FILE)},
        {"nr_unevictable", nr_lru_pages(LRU_UNEVICTABLE)},
        {"nr_anon_pages", nr_owned_pages[PAGE_OWNER_ANON]},
        {"nr_file_pages", nr_owned_pages[PAGE_OWNER_PAGE_CACHE]},
        {"nr_dirty", page_cache_stat.nr_dirty},
        {"nr_writeback", page_cache_stat.nr_writeback},
        {"nr_dirtied", page_cache_stat.nr_dirtied},
        {"nr_written", page_cache_stat.nr_written},
        {"nr_dirty_threshold", dirty},
        {"nr_dirty_background_threshold", background},
        {"nr_slab_unreclaimable", nr_owned_pages[PAGE_OWNER_SLAB]},
        {"nr_page_table_pages", nr_owned_pages[PAGE_OWNER_PAGE_TABLE]},
        {"nr_free_cma", nr_free_cma_pages()},
        {"pgpgin", vm_events[PGPGIN] / 2},
        {"pgpgout", vm_events[PGPGOUT] / 2},
        {"pswpin", vm_events[PSWPIN]},
        {"pswpout", vm_events[PSWPOUT]},
        {"pgalloc_dma", vm_events[PGALLOC_DMA]},
        {"pgalloc_normal", vm_events[PGALLOC_NORMAL]},
        {"pgalloc_high", vm_events[PGALLOC_HIGH]},
        {"pgfree", vm_events[PGFREE]},
        {"pgactivate", vm_events[PGACTIVATE]},
        {"pgdeactivate", vm_events[PGDEACTIVATE]},
        {"pgfault", vm_events[PGFAULT]},
        {"pgmajfault", vm_events[PGMAJFAULT]},
        {"filemap_bytes_to_user", vm_events[FILEMAP_TO_USER]},
        {"filemap_bytes_from_user", vm_events[FILEMAP_FROM_USER]},
        {"oom_kill", vm_events[OOM_KILL]},
        {"pgsteal_kswapd", vm_events[PGSTEAL_KSWAPD]},
        {"pgsteal_direct", vm_events[PGSTEAL_DIRECT]},
        {"pgscan_kswapd", vm_events[PGSCAN_KSWAPD]},
        {"pgscan_direct", vm_events[PGSCAN_DIRECT]},
        {"pgsteal_anon", vm_events[PGSTEAL_ANON]},
        {"pgsteal_file", vm_events[PGSTEAL_FILE]},
        {"slabs_scanned", vm_events[SLABS_SCANNED]},
        {"pageoutrun", vm_events[PAGEOUTRUN]},
        {"allocstall", vm_events[ALLOCSTALL]},
        {"pgmigrate_success", vm_events[PGMIGRATE_SUCCESS]},
        {"pgmigrate_fail", vm_events[PGMIGRATE_FAIL]},
        {"compact_migrate_scanned", vm_events[COMPACTMIGRATE_SCANNED]},
        {"compact_free_scanned", vm_events[COMPACTFREE_SCANNED]},
        {"compact_stall", vm_events[COMPACTSTALL]},
        {"compact_fail", vm_events[COMPACTFAIL]},
        {"compact_success", vm_events[COMPACTSUCCESS]},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        seq_printf(m, "%s %lu\n", rows[i].name, rows[i].value);
}

void show_buddyinfo(void)
{
    seq_print(buddyinfo_show);
}

void show_zoneinfo(void)
{
    seq_print(first_zoneinfo_show);
}
