/* Zones as text, in the formats of Linux's /proc. */
#include "compiler.h"
#include "mm.h"
#include "printk.h"

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

void show_buddyinfo(void)
{
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        char counts[MAX_ORDER * 8];
        size_t used = 0;
        for (unsigned int order = 0; order < MAX_ORDER; order++)
            used += (size_t)snprintf(counts + used, sizeof(counts) - used, "%6lu ",
                                     zone->free_area[order].nr_free);
        pr_info("Node %d, zone %8s %s\n", contig_page_data.node_id, zone->name, counts);
    }
}

void show_zoneinfo(void)
{
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        pr_info("Node %d, zone %8s\n", contig_page_data.node_id, zone->name);
        pr_info("  pages free     %lu\n", zone->nr_free_pages);
        pr_info("        min      %lu\n", zone->watermark[WMARK_MIN]);
        pr_info("        low      %lu\n", zone->watermark[WMARK_LOW]);
        pr_info("        high     %lu\n", zone->watermark[WMARK_HIGH]);
        pr_info("        spanned  %lu\n", zone->spanned_pages);
        pr_info("        present  %lu\n", zone->present_pages);
        pr_info("        managed  %lu\n", zone->managed_pages);
        pr_info("        protection: (%lu, %lu, %lu)\n", zone->lowmem_reserve[0], zone->lowmem_reserve[1],
                zone->lowmem_reserve[2]);
        pr_info("  start_pfn:           %lu\n", zone->zone_start_pfn);
    }
}
