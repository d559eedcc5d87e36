/* From memblock's ranges to zones, struct pages and free blocks. */
#include "bug.h"
#include "cma.h"
#include "internal.h"
#include "lookaside.h"
#include "memblock.h"
#include "mm.h"
#include "printk.h"
#include "string.h"
#include "swap.h"

struct page *mem_map;
unsigned long max_pfn;
unsigned long max_low_pfn;

pg_data_t contig_page_data;
u8 *pageblock_types;

static const char *const zone_names[MAX_NR_ZONES] = {"DMA", "Normal", "HighMem"};

#define MAX_DMA_PFN ((16ul << 20) >> PAGE_SHIFT)

/* Writes every field: RAM holds anything when a machine starts. */
static void __init init_page(struct page *page, unsigned int zone, enum page_owner owner, u32 flags)
{
    *page = (struct page){.flags = zone << ZONES_PGSHIFT | flags, .owner = (u8)owner};
    INIT_LIST_HEAD(&page->lru);
}

/* Each struct page is written once, with what it will be from here on. */
static void __init memmap_init_zone(struct zone *zone)
{
    unsigned int zone_index = zone_idx(zone);
    unsigned long pfn = zone->zone_start_pfn, end_pfn = zone_end_pfn(zone), next_pfn;
    for (; pfn < end_pfn; pfn = next_pfn) {
        enum memblock_kind kind = memblock_classify(pfn, end_pfn, &next_pfn);
        enum page_owner owner = PAGE_OWNER_RESERVED;
        u32 flags = PG_reserved;
        if (kind != MEMBLOCK_HOLE)
            zone->present_pages += next_pfn - pfn;
        if (kind == MEMBLOCK_RESERVED)
            owner = PAGE_OWNER_KERNEL;
        if (kind == MEMBLOCK_FREE) {
            owner = PAGE_OWNER_FREE;
            flags = 0;
        }
        for (unsigned long i = pfn; i < next_pfn; i++)
            init_page(pfn_to_page(i), zone_index, owner, flags);
        nr_owned_pages[owner] += next_pfn - pfn;
    }
    /* Frame 0 is not the kernel's, nor is it anybody else's to use. */
    if (zone->zone_start_pfn == 0)
        set_page_owner(pfn_to_page(0), 0, PAGE_OWNER_RESERVED);
}

static void __init zone_init(struct zone *zone, unsigned long start_pfn, unsigned long end_pfn)
{
    zone->name = zone_names[zone_idx(zone)];
    zone->zone_start_pfn = start_pfn;
    zone->spanned_pages = end_pfn - start_pfn;
    for (unsigned int order = 0; order < MAX_ORDER; order++)
        for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
            INIT_LIST_HEAD(&zone->free_area[order].free_list[type]);
    lruvec_init(&zone->lruvec);
    pageset_init(zone);
    memmap_init_zone(zone);
}

/* A request that may come from a zone may also be served by those below it. */
static void __init build_zonelists(void)
{
    for (unsigned int highest = 0; highest < MAX_NR_ZONES; highest++) {
        struct zone **next = contig_page_data.node_zonelists[highest].zones;
        for (unsigned int i = highest + 1; i-- > 0;)
            if (contig_page_data.node_zones[i].present_pages)
                *next++ = &contig_page_data.node_zones[i];
    }
}

void __init free_area_init(void)
{
    phys_addr_t bytes = (phys_addr_t)max_pfn * sizeof(struct page);
    mem_map = __va(memblock_phys_alloc(bytes, PAGE_SIZE));
    /* Everything is movable at first; who needs something else steals it, a pageblock at a time. */
    unsigned long nr_pageblocks = (max_pfn + pageblock_nr_pages - 1) >> pageblock_order;
    pageblock_types = __va(memblock_phys_alloc(nr_pageblocks, sizeof(u64)));
    memset(pageblock_types, MIGRATE_MOVABLE, nr_pageblocks);
    memblock_close();
    lk_name_region(mem_map, (size_t)bytes, "mem_map");

    unsigned long start_pfn = 0;
    const unsigned long zone_end_pfns[MAX_NR_ZONES] = {min(MAX_DMA_PFN, max_low_pfn), max_low_pfn, max_pfn};
    for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
        zone_init(&contig_page_data.node_zones[i], start_pfn, zone_end_pfns[i]);
        start_pfn = zone_end_pfns[i];
    }
    build_zonelists();
}

/* Hands [pfn, end_pfn) over in the largest aligned blocks. */
static void __init free_pages_range(struct zone *zone, unsigned long pfn, unsigned long end_pfn)
{
    while (pfn < end_pfn) {
        unsigned int order = MAX_ORDER - 1;
        while ((pfn & ((1ul << order) - 1)) || pfn + (1ul << order) > end_pfn)
            order--;
        free_one_page(zone, pfn, order, MIGRATE_MOVABLE);
        zone->managed_pages += 1ul << order;
        pfn += 1ul << order;
    }
}

void __init mem_init(void)
{
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        unsigned long end_pfn = zone_end_pfn(zone), next_pfn;
        for (unsigned long pfn = zone->zone_start_pfn; pfn < end_pfn; pfn = next_pfn)
            if (memblock_classify(pfn, end_pfn, &next_pfn) == MEMBLOCK_FREE)
                free_pages_range(zone, pfn, next_pfn);
    }
    cma_init_reserved_areas();
    for_each_populated_zone(zone) setup_pageset(zone);
    setup_per_zone_wmarks();
    show_mem();
}

void __init show_mem(void)
{
    unsigned long present = 0, managed = 0;
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        present += zone->present_pages;
        managed += zone->managed_pages;
    }
    pr_info("Memory: %luK/%luK available (%luK reserved, %luK highmem)\n", managed << (PAGE_SHIFT - 10),
            present << (PAGE_SHIFT - 10), (present - managed) << (PAGE_SHIFT - 10),
            contig_page_data.node_zones[ZONE_HIGHMEM].managed_pages << (PAGE_SHIFT - 10));
}
