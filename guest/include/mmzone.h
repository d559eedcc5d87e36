/* Zones: ranges of frames that serve the same uses, each with its own buddy lists and watermarks. */
#pragma once

#include "list.h"
#include "types.h"

/* Free lists for blocks of 1 << 0 up to 1 << 10 pages (4 KiB to 4 MiB). */
#define MAX_ORDER 11

enum zone_type {
    ZONE_DMA,     /* below 16 MiB: what ISA devices with 24 address bits can reach */
    ZONE_NORMAL,  /* mapped one to one at PAGE_OFFSET */
    ZONE_HIGHMEM, /* the rest: has no lasting kernel address, see kmap_atomic() */
    MAX_NR_ZONES,
};

enum zone_watermarks {
    WMARK_MIN,  /* below: only urgent allocations; others reclaim memory themselves */
    WMARK_LOW,  /* below: kswapd wakes */
    WMARK_HIGH, /* above: kswapd sleeps */
    NR_WMARK,
};

struct free_area {
    struct list_head free_list; /* through page->lru of each block's first page */
    unsigned long nr_free;      /* blocks */
};

struct zone {
    unsigned long watermark[NR_WMARK]; /* pages */
    /*
     * Pages an allocation that could have come from zone [i] must leave here for those that cannot go
     * higher.
     */
    unsigned long lowmem_reserve[MAX_NR_ZONES];
    unsigned long nr_free_pages;
    struct free_area free_area[MAX_ORDER];

    const char *name;
    unsigned long zone_start_pfn;
    unsigned long spanned_pages; /* end - start, holes included */
    unsigned long present_pages; /* RAM */
    unsigned long managed_pages; /* RAM that the buddy system got */
};

/* The zones to try for a request, best first, ended by NULL. */
struct zonelist {
    struct zone *zones[MAX_NR_ZONES + 1];
};

typedef struct pglist_data {
    struct zone node_zones[MAX_NR_ZONES];
    struct zonelist node_zonelists[MAX_NR_ZONES]; /* by the highest zone allowed */
    int node_id;
} pg_data_t;

extern pg_data_t contig_page_data;

#define for_each_populated_zone(zone)                                                                        \
    for (zone = contig_page_data.node_zones; zone < contig_page_data.node_zones + MAX_NR_ZONES; zone++)      \
        if (zone->present_pages)

static inline unsigned int zone_idx(const struct zone *zone)
{
    return (unsigned int)(zone - contig_page_data.node_zones);
}

static inline unsigned long zone_end_pfn(const struct zone *zone)
{
    return zone->zone_start_pfn + zone->spanned_pages;
}
