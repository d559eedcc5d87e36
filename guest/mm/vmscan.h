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
    unsigned long swappiness;
    bool may_writepage; /* dirty pages may be written, anonymous ones swapped: both sleep */
    bool may_unmap;     /* pages that processes map */

    unsigned long nr_scanned, nr_reclaimed;
};

#define DEF_PRIORITY 12u

/* Frees pages of one lruvec; adds to sc's results. */
void shrink_lruvec(struct lruvec *lruvec, struct scan_control *sc);
/*
 * Tries to free the pages of a list of isolated ones, through page->lru; those that stay are put back.
 * Returns how many were freed.
 */
unsigned long shrink_page_list(struct list_head *page_list, struct scan_control *sc);
