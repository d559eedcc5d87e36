/* What the files of reclaim share (include/swap.h). */
#pragma once

#include "swap.h"

/* What a round of reclaim is to do, and what it has done. */
struct scan_control {
    unsigned long nr_to_reclaim; /* stop at so many pages */
    gfp_t gfp;                   /* of who waits for them */
    unsigned int order;
    unsigned int priority; /* 1 in (1 << priority) of the pages is looked at: falls from DEF_PRIORITY to 0 */
    struct mem_cgroup *memcg; /* only its pages; NULL: all */
    unsigned long swappiness; /* of whom the lists are: shrink_zone() */
    bool may_writepage; /* dirty pages of files may be written: sleeps, and takes a file system's locks */
    bool may_swap;      /* anonymous pages may be written to swap: sleeps */
    bool may_unmap;     /* pages that processes map may be taken */

    unsigned long nr_scanned, nr_reclaimed;
    unsigned long nr_activated; /* of those scanned, found in use */
    unsigned long nr_dirty;     /* pages of files that would have to be written first */
};

#define DEF_PRIORITY 12u

/* Frees pages of one lruvec (vmscan.c); adds to sc's results. */
void shrink_lruvec(struct lruvec *lruvec, struct scan_control *sc);
/*
 * Tries to free the pages of a list of isolated ones, through page->lru; those that stay are put back.
 * Returns how many were freed.
 */
unsigned long shrink_page_list(struct list_head *page_list, struct scan_control *sc);

/* direct_reclaim.c: a pass at sc's priority over the lists of a zone, or of a memory cgroup in it. */
void shrink_zone(struct zone *zone, struct scan_control *sc);
/* What there is to look at. */
unsigned long nr_evictable_pages(struct zone *zone, const struct mem_cgroup *memcg);

/* ---- Tasks in reclaim (kswapd.c) ---- */

bool current_is_kswapd(void);
/* Whether the current task may have what lies below the watermarks. */
bool current_may_have_reserves(void);
/*
 * The current task gets memory back: what it allocates for that comes from the reserves. False: it is at it
 * already, and the request was one of reclaim's own.
 */
bool begin_reclaim(void);
void end_reclaim(unsigned long nr_freed);
/* Sleeps for a moment, in which kswapd writes pages. */
void wait_for_kswapd(void);
