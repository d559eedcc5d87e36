/*
 * kswapd: the thread that gets memory back before anybody has to wait for it. A request that finds its zones
 * below their low watermarks wakes it; it goes on until all zones are above the high ones, and sleeps. And
 * what else tells a task that reclaims from another.
 */
#include "bug.h"
#include "compaction.h"
#include "internal.h"
#include "kthread.h"
#include "lookaside.h"
#include "sched.h"
#include "shrinker.h"
#include "vmscan.h"
#include "wait.h"

/*
 * So often in a row it tries in vain; then it sleeps until direct reclaim, or who frees memory, gets further.
 */
#define MAX_RECLAIM_RETRIES 16u

static struct {
    struct task_struct *task;
    unsigned int order;    /* of the largest request since it went to sleep */
    unsigned int failures; /* rounds in a row that freed nothing */
    bool is_woken;
} kswapd;
static DECLARE_WAIT_QUEUE_HEAD(kswapd_wait);

bool current_is_kswapd(void)
{
    return current == kswapd.task;
}

bool kswapd_is_awake(void)
{
    return kswapd.is_woken;
}

void wakeup_kswapd(const struct zone *zone, unsigned int order)
{
    if (kswapd.task == NULL || kswapd.failures >= MAX_RECLAIM_RETRIES)
        return;
    kswapd.order = max(kswapd.order, order);
    if (kswapd.is_woken)
        return;
    lk_mm_kswapd_wake(zone_idx(zone), order);
    count_vm_event(PAGEOUTRUN);
    kswapd.is_woken = true;
    wake_up(&kswapd_wait);
}

static bool is_balanced(const struct zone *zone)
{
    return zone->nr_free_pages >= zone->watermark[WMARK_HIGH];
}

/* A zone keeps no more in its lists than what it lacks. */
static bool shrink_low_zones(struct scan_control *sc)
{
    bool all_balanced = true;
    unsigned long nr_pages = 0, nr_scanned = sc->nr_scanned;
    struct zone *zone;
    for_each_populated_zone(zone)
    {
        nr_pages += nr_evictable_pages(zone, NULL);
        if (is_balanced(zone))
            continue;
        all_balanced = false;
        sc->nr_to_reclaim = sc->nr_reclaimed + max(zone->watermark[WMARK_HIGH], SWAP_CLUSTER_MAX);
        shrink_zone(zone, sc);
    }
    if (!all_balanced)
        sc->nr_reclaimed += shrink_slab(sc->nr_scanned - nr_scanned, nr_pages);
    return all_balanced;
}

/*
 * Looks at a larger and larger part of the lists as long as zones are below their high watermarks. Returns
 * how many pages were freed; 0: all was looked at in vain.
 */
static unsigned long balance_pgdat(unsigned int order)
{
    struct scan_control sc = {
        .gfp = GFP_HIGHUSER_MOVABLE,
        .order = order,
        .may_writepage = true,
        .may_swap = true,
        .may_unmap = true,
    };
    for (sc.priority = DEF_PRIORITY;; sc.priority--) {
        unsigned long nr_before = sc.nr_reclaimed;
        if (shrink_low_zones(&sc) || sc.priority == 0)
            return sc.nr_reclaimed;
        /* Where that much was to be had there is more. */
        if (sc.nr_reclaimed - nr_before >= SWAP_CLUSTER_MAX)
            sc.priority++;
        if (need_resched)
            schedule();
    }
}

static int kswapd_main(void *unused)
{
    (void)unused;
    current->is_memalloc = true;
    for (;;) {
        (void)wait_event_interruptible(kswapd_wait, kswapd.is_woken);
        unsigned int order = kswapd.order;
        kswapd.order = 0;
        unsigned long nr_freed = balance_pgdat(order);
        if (order)
            compact_zones(order);
        kswapd.failures = nr_freed ? 0 : kswapd.failures + 1;
        kswapd.is_woken = false;
        lk_mm_kswapd_sleep(nr_freed);
    }
    return 0;
}

void kswapd_run(void)
{
    kswapd.task = kthread_run(kswapd_main, NULL, "kswapd0");
    BUG_ON(kswapd.task == NULL);
    /* There is one CPU: whoever uses memory up must not get further than kswapd can follow. */
    set_user_nice(kswapd.task, NICE_MIN);
}

/* ---- Tasks in reclaim ---- */

bool memory_is_short;

/* Below the watermarks lies what getting memory back takes, and what a process needs in order to end. */
bool current_may_have_reserves(void)
{
    return current->is_memalloc || fatal_signal_pending(current);
}

bool begin_reclaim(void)
{
    if (current->is_memalloc)
        return false;
    current->is_memalloc = true;
    return true;
}

void end_reclaim(unsigned long nr_freed)
{
    current->is_memalloc = false;
    if (nr_freed)
        kswapd.failures = 0;
}

void wait_for_kswapd(void)
{
    schedule_timeout_uninterruptible(1);
}

void reclaim_before_system_call(void)
{
    memory_is_short = false;
    if (!fatal_signal_pending(current) && !zones_are_above_min(ZONE_NORMAL))
        (void)try_to_free_pages(GFP_KERNEL | __GFP_IO, 0);
}
