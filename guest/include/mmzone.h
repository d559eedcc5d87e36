/* Zones: ranges of frames that serve the same uses, each with its own buddy lists and watermarks. */
#pragma once

#include "list.h"
#include "smp.h"
#include "types.h"

/* Free lists for blocks of 1 << 0 up to 1 << 10 pages (4 KiB to 4 MiB). */
#define MAX_ORDER 11

/*
 * What can become of a page while it is in use. Each pageblock (an aligned stretch of as many frames as the
 * largest free block has) has such a type, and its free blocks lie on that type's lists: so pages that can
 * never move do not end up scattered between those that can.
 */
enum migratetype {
    MIGRATE_UNMOVABLE,
    MIGRATE_MOVABLE,
    MIGRATE_RECLAIMABLE,
    MIGRATE_PCPTYPES,               /* the types above have per-CPU lists */
    MIGRATE_CMA = MIGRATE_PCPTYPES, /* movable requests only: see mm/cma.c */
    MIGRATE_ISOLATE,                /* nobody gets these: the block is being emptied */
    MIGRATE_TYPES,
};

#define pageblock_order (MAX_ORDER - 1)
#define pageblock_nr_pages (1ul << pageblock_order)

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
    struct list_head free_list[MIGRATE_TYPES]; /* through page->lru of each block's first page */
    unsigned long nr_free;                     /* blocks */
};

/* Single pages that a CPU has at hand: the one freed last, whose lines the cache still holds, goes first. */
struct per_cpu_pages {
    unsigned int count; /* pages on the lists */
    unsigned int high;  /* at so many, batch of them go back to the buddy system */
    unsigned int batch; /* fetched at once when a list is empty */
    struct list_head lists[MIGRATE_PCPTYPES];
};

/*
 * Pages that can be taken from who has them, in lists by what they are and how much they are used. They enter
 * at the head of a list; reclaim looks at its tail.
 */
enum lru_list {
    LRU_INACTIVE_ANON,
    LRU_ACTIVE_ANON,
    LRU_INACTIVE_FILE,
    LRU_ACTIVE_FILE,
    LRU_UNEVICTABLE, /* locked in memory, or without a place on any disk */
    NR_LRU_LISTS,
};
#define LRU_ACTIVE 1u /* from an inactive list to the active one */
#define LRU_FILE 2u   /* from a list of anonymous pages to that of file pages */

#define for_each_evictable_lru(lru) for (lru = 0; lru <= LRU_ACTIVE_FILE; lru++)

static inline bool is_file_lru(unsigned int lru)
{
    return lru == LRU_INACTIVE_FILE || lru == LRU_ACTIVE_FILE;
}

static inline bool is_active_lru(unsigned int lru)
{
    return lru == LRU_ACTIVE_ANON || lru == LRU_ACTIVE_FILE;
}

/*
 * Of anonymous pages [0] and file pages [1]: how many reclaim has found in use lately, for which it got
 * nothing.
 */
struct zone_reclaim_stat {
    unsigned long recent_rotated[2];
};

/* The pages of a zone, or of a memory cgroup in it, that reclaim may look at. */
struct mem_cgroup;
struct lruvec {
    struct mem_cgroup *memcg;             /* whose they are; NULL: of pages that are charged to nobody */
    struct list_head lists[NR_LRU_LISTS]; /* through page->lru */
    unsigned long nr_pages[NR_LRU_LISTS];
    struct zone_reclaim_stat reclaim_stat;
};

struct zone {
    unsigned long watermark[NR_WMARK]; /* pages */
    /*
     * Pages an allocation that could have come from zone [i] must leave here for those that cannot go
     * higher.
     */
    unsigned long lowmem_reserve[MAX_NR_ZONES];
    unsigned long nr_free_pages;     /* in free_area; those in pageset are in use, as it were */
    unsigned long nr_free_cma_pages; /* of them, in CMA pageblocks */
    struct free_area free_area[MAX_ORDER];
    struct per_cpu_pages pageset[NR_CPUS];
    struct lruvec lruvec;

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

/* One enum migratetype for each pageblock from frame 0 on. */
extern u8 *pageblock_types;

static inline enum migratetype get_pageblock_migratetype(unsigned long pfn)
{
    return (enum migratetype)pageblock_types[pfn >> pageblock_order];
}

static inline void set_pageblock_migratetype(unsigned long pfn, enum migratetype type)
{
    pageblock_types[pfn >> pageblock_order] = (u8)type;
}

#define for_each_populated_zone(zone)                                                                        \
    for (zone = contig_page_data.node_zones; zone < contig_page_data.node_zones + MAX_NR_ZONES; zone++)      \
        if (zone->present_pages)

/* All pages that the buddy system got. */
static inline unsigned long nr_managed_pages(void)
{
    unsigned long pages = 0;
    const struct zone *zone;
    for_each_populated_zone(zone) pages += zone->managed_pages;
    return pages;
}

static inline unsigned long nr_free_cma_pages(void)
{
    unsigned long pages = 0;
    const struct zone *zone;
    for_each_populated_zone(zone) pages += zone->nr_free_cma_pages;
    return pages;
}

static inline unsigned int zone_idx(const struct zone *zone)
{
    return (unsigned int)(zone - contig_page_data.node_zones);
}

static inline unsigned long zone_end_pfn(const struct zone *zone)
{
    return zone->zone_start_pfn + zone->spanned_pages;
}
