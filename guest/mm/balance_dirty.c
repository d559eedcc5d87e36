/* How many pages may wait to be written, and who is stopped when there are too many (include/writeback.h). */
#include "delayacct.h"
#include "jiffies.h"
#include "lookaside.h"
#include "mm.h"
#include "page_cache.h"
#include "sched.h"
#include "writeback.h"

/* A writer looks once in so many pages whether there are too many. */
#define RATELIMIT_PAGES 8
/* How long a writer that was stopped sleeps at most before it looks again. */
#define MAX_PAUSE_TICKS (HZ / 5)

/* Linux's values. */
unsigned long vm_dirty_ratio = 20, vm_dirty_bytes;
unsigned long dirty_background_ratio = 10, dirty_background_bytes;
unsigned long dirty_writeback_interval = 500, dirty_expire_interval = 3000;

static DECLARE_WAIT_QUEUE_HEAD(throttled);

/* Free pages, but for what is kept free, and the page cache. */
static unsigned long global_dirtyable_memory(void)
{
    unsigned long pages = nr_free_pages(), reserve = 0;
    const struct zone *zone;
    for_each_populated_zone(zone) reserve += zone->watermark[WMARK_HIGH];
    return pages - min(pages, reserve) + page_cache_stat.nr_pages;
}

static unsigned long limit(unsigned long bytes, unsigned long ratio, unsigned long dirtyable)
{
    if (bytes)
        return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    return dirtyable / 100 * ratio + dirtyable % 100 * ratio / 100;
}

void global_dirty_limits(unsigned long *background, unsigned long *dirty)
{
    const unsigned long dirtyable = global_dirtyable_memory();
    *dirty = limit(vm_dirty_bytes, vm_dirty_ratio, dirtyable);
    *background = limit(dirty_background_bytes, dirty_background_ratio, dirtyable);
    if (*background >= *dirty)
        *background = *dirty / 2;
}

bool over_bground_thresh(void)
{
    unsigned long background, dirty;
    global_dirty_limits(&background, &dirty);
    return page_cache_stat.nr_dirty > background;
}

static bool over_dirty_thresh(void)
{
    unsigned long background, dirty;
    global_dirty_limits(&background, &dirty);
    return page_cache_stat.nr_dirty + page_cache_stat.nr_writeback > dirty;
}

void writeback_begins(unsigned long nr_pages)
{
    lk_mm_writeback_begin(current->pid, nr_pages);
}

void writeback_ends(unsigned long nr_written)
{
    lk_mm_writeback_end(current->pid, nr_written);
}

void dirty_pages_written(void)
{
    if (waitqueue_active(&throttled) && !over_dirty_thresh())
        wake_up_all(&throttled);
}

/* The flusher, which writes the oldest first, works for all writers that wait here. */
static void wait_until_written(struct address_space *mapping)
{
    while (over_dirty_thresh() && !fatal_signal_pending(current)) {
        if (!flusher_is_running()) {
            (void)filemap_write_and_wait(mapping);
            return;
        }
        wakeup_flusher_threads(0);
        (void)wait_event_timeout(throttled, !over_dirty_thresh(), MAX_PAUSE_TICKS);
    }
}

static void throttle(struct address_space *mapping)
{
    delayacct_throttle_start();
    lk_mm_throttle_begin(current->pid, page_cache_stat.nr_dirty);
    wait_until_written(mapping);
    lk_mm_throttle_end(current->pid, page_cache_stat.nr_dirty);
    delayacct_throttle_end();
}

void balance_dirty_pages(struct address_space *mapping)
{
    static u32 nr_since_look;
    if (!mapping_has_disk(mapping) || ++nr_since_look < RATELIMIT_PAGES)
        return;
    nr_since_look = 0;
    if (over_dirty_thresh())
        throttle(mapping);
    else if (over_bground_thresh())
        wakeup_flusher_threads(0);
}
