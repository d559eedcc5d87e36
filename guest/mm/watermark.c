/* Watermarks and lowmem reserves, by Linux's formulas. */
#include "compiler.h"
#include "internal.h"
#include "lookaside.h"
#include "math64.h"
#include "mm.h"

unsigned long min_free_kbytes;

#define MIN_FREE_KBYTES_LEAST 128ul
#define MIN_FREE_KBYTES_MOST 65536ul
/* Highmem serves nobody in an emergency, so it keeps little: between these, or a 1024th. */
#define HIGHMEM_MIN_LEAST 32ul
#define HIGHMEM_MIN_MOST 128ul

/* A zone keeps 1/ratio of the pages above it from requests that could have been served there. */
static const unsigned long lowmem_reserve_ratio[MAX_NR_ZONES] = {256, 32, 0};

static unsigned long lowmem_pages(void)
{
    unsigned long sum = 0;
    for (unsigned int i = 0; i < ZONE_HIGHMEM; i++)
        sum += contig_page_data.node_zones[i].managed_pages;
    return sum;
}

/* 4 * sqrt(lowmem in KiB): reserves grow with memory, but more slowly. */
static unsigned long default_min_free_kbytes(void)
{
    u32 lowmem_kbytes = (u32)lowmem_pages() << (PAGE_SHIFT - 10);
    unsigned long kbytes = int_sqrt(lowmem_kbytes * 16);
    return min(max(kbytes, MIN_FREE_KBYTES_LEAST), MIN_FREE_KBYTES_MOST);
}

static void setup_lowmem_reserve(void)
{
    struct zone *zones = contig_page_data.node_zones;
    for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
        unsigned long pages_above = 0;
        for (unsigned int j = i + 1; j < MAX_NR_ZONES; j++) {
            pages_above += zones[j].managed_pages;
            zones[i].lowmem_reserve[j] = lowmem_reserve_ratio[i] ? pages_above / lowmem_reserve_ratio[i] : 0;
        }
    }
}

void setup_per_zone_wmarks(void)
{
    if (min_free_kbytes == 0)
        min_free_kbytes = default_min_free_kbytes();
    u32 min_free_pages = (u32)(min_free_kbytes >> (PAGE_SHIFT - 10));
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        /* The zone's share of the reserve: as large as its share of lowmem. */
        unsigned long share =
            (unsigned long)div_u64((u64)min_free_pages * zone->managed_pages, (u32)lowmem_pages());
        unsigned long least = share;
        if (zone_idx(zone) == ZONE_HIGHMEM)
            least = min(max(zone->managed_pages / 1024, HIGHMEM_MIN_LEAST), HIGHMEM_MIN_MOST);
        zone->watermark[WMARK_MIN] = least;
        zone->watermark[WMARK_LOW] = least + share / 4;
        zone->watermark[WMARK_HIGH] = least + share / 2;
        for (unsigned int mark = WMARK_MIN; mark < NR_WMARK; mark++)
            lk_mm_watermark(zone_idx(zone), mark, zone->watermark[mark]);
    }
    setup_lowmem_reserve();
}
