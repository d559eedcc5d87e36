/* R4. Between the watermarks: who gets memory back when, and who is delayed by it. */
#include "asm/irqflags.h"
#include "lab.h"
#include "number_file.h"
#include "sched.h"
#include "vmstat.h"

/* ---- What they are ---- */

/* The kernel's own computation for 1 GiB of lowmem, 800 MiB of it in zone Normal. */
static void check_numbers(void)
{
    struct zone *dma = &contig_page_data.node_zones[ZONE_DMA],
                *normal = &contig_page_data.node_zones[ZONE_NORMAL];
    const unsigned long dma_pages = dma->managed_pages, normal_pages = normal->managed_pages,
                        kbytes_before = min_free_kbytes;
    unsigned long mark[NR_WMARK];
    unsigned long flags = local_irq_save();
    dma->managed_pages = (224ul << 20) >> PAGE_SHIFT;
    normal->managed_pages = (800ul << 20) >> PAGE_SHIFT;
    min_free_kbytes = 30720;
    setup_per_zone_wmarks();
    for (u32 i = 0; i < NR_WMARK; i++)
        mark[i] = pages_to_kbytes(normal->watermark[i]);
    dma->managed_pages = dma_pages;
    normal->managed_pages = normal_pages;
    min_free_kbytes = kbytes_before;
    setup_per_zone_wmarks();
    local_irq_restore(flags);
    lab_check(mark[WMARK_MIN] == 24000, "min_free_kbytes 30720, a zone of 800 MiB of 1 GiB: min is %lu KiB",
              mark[WMARK_MIN]);
    lab_check(mark[WMARK_LOW] == 30000 && mark[WMARK_HIGH] == 36000,
              "low is min x 5/4, %lu KiB; high is min x 3/2, %lu KiB", mark[WMARK_LOW], mark[WMARK_HIGH]);
}

static void show_marks(void)
{
    const struct zone *zone;
    for_each_populated_zone(zone)
    {
        lab_say("zone %s: %lu pages; min %lu, low %lu, high %lu", zone->name, zone->managed_pages,
                zone->watermark[WMARK_MIN], zone->watermark[WMARK_LOW], zone->watermark[WMARK_HIGH]);
    }
}

/* ---- What they do ---- */

#define PAGES_IN_A_ROW 16u

/* With pages that the CPU has fetched, which are free as well. */
static bool all_zones_above(enum zone_watermarks mark)
{
    bool is_above = true;
    const struct zone *zone;
    for_each_populated_zone(zone) is_above &=
        zone->nr_free_pages + zone->pageset[0].count >= zone->watermark[mark];
    return is_above;
}

/* By more than what comes at a time: kswapd is woken by a request that no zone serves above its mark. */
static bool any_zone_above(enum zone_watermarks mark)
{
    bool is_above = false;
    const struct zone *zone;
    for_each_populated_zone(zone) is_above |=
        zone->nr_free_pages > zone->watermark[mark] + zone->lowmem_reserve[ZONE_HIGHMEM] + SWAP_CLUSTER_MAX;
    return is_above;
}

struct readings {
    u32 nr_wakes, nr_early; /* kswapd woke; while a zone was above low */
    u32 nr_sleeps, nr_low;  /* it went to sleep; while a zone was below high */
    u32 nr_below_min;       /* pages that came when a zone was below min */
    bool is_awake;
};

static void look(struct readings *readings)
{
    bool is_awake = kswapd_is_awake();
    if (is_awake && !readings->is_awake) {
        readings->nr_wakes++;
        readings->nr_early += any_zone_above(WMARK_LOW);
    } else if (!is_awake && readings->is_awake) {
        readings->nr_sleeps++;
        readings->nr_low += !all_zones_above(WMARK_HIGH);
    }
    readings->is_awake = is_awake;
    readings->nr_below_min += !all_zones_above(WMARK_MIN);
}

/*
 * A pass over a file that is larger than memory, in which others have their turn after every few pages, or
 * not.
 */
static void read_file(u32 nr, bool gives_way, struct readings *readings)
{
    struct inode inode;
    number_file_open(&inode);
    u32 nr_right = 0;
    for (u32 i = 0; i < nr; i++) {
        nr_right += number_file_read(&inode, i, NULL);
        look(readings);
        if (gives_way && i % PAGES_IN_A_ROW == 0) {
            schedule();
            look(readings);
        }
    }
    lab_check(nr_right == nr, "a file of %u pages is read", nr);
    inode_free_mapping(&inode);
    drain_all_pages();
}

static void check_kswapd(u32 nr)
{
    struct readings readings = {.nr_wakes = 0};
    unsigned long nr_stalls = vm_events[ALLOCSTALL], nr_freed = vm_events[PGSTEAL_KSWAPD];
    lab_say("a reader that gives way after every %u pages", PAGES_IN_A_ROW);
    /* sim/lab_memory.c knows the regions' names. */
    struct lab_region region;
    lab_region_begin(&region, "a reader that gives way");
    read_file(nr, true, &readings);
    lab_region_end(&region);
    lab_figure("kswapd woke", readings.nr_wakes, 1, "times");
    lab_check(readings.nr_wakes > 1 && readings.nr_early == 0, "kswapd wakes when free pages fall below low");
    lab_check(readings.nr_sleeps > 0 && readings.nr_low == 0, "it sleeps when all zones are above high");
    lab_check(readings.nr_below_min == 0 && vm_events[ALLOCSTALL] == nr_stalls,
              "no zone falls below min, and nobody waits");
    lab_figure("pages that kswapd freed", vm_events[PGSTEAL_KSWAPD] - nr_freed, 1, "pages");
}

static void check_direct_reclaim(u32 nr)
{
    struct readings readings = {.nr_wakes = 0};
    unsigned long nr_stalls = vm_events[ALLOCSTALL], nr_freed = vm_events[PGSTEAL_DIRECT];
    u64 ns = current->delays.sum[DELAY_FREEPAGES].ns;
    lab_say("a reader that never gives way: kswapd is awake, and does not get to run");
    struct lab_region region;
    lab_region_begin(&region, "a reader that does not");
    read_file(nr, false, &readings);
    lab_region_end(&region);
    nr_stalls = vm_events[ALLOCSTALL] - nr_stalls;
    nr_freed = vm_events[PGSTEAL_DIRECT] - nr_freed;
    ns = current->delays.sum[DELAY_FREEPAGES].ns - ns;
    lab_figure("direct reclaim", nr_stalls, 1, "times");
    lab_check(nr_stalls > 0 && nr_freed >= nr_stalls * SWAP_CLUSTER_MAX / 2,
              "at min, who asks gets memory back himself: %lu pages", nr_freed);
    lab_check(ns > 0, "that has delayed him");
    if (lab_counts_cycles())
        lab_figure("his delay", ns, (u32)nr_stalls, "ns each time");
}

static void watermarks(void)
{
    check_numbers();
    show_marks();
    u32 nr = (u32)nr_free_pages() * 3 / 2;
    check_kswapd(nr);
    check_direct_reclaim(nr);
}
LAB("watermarks", watermarks);
