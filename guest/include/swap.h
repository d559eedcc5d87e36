/*
 * Getting memory back: which pages are used least (the LRU lists, mm/swap.c), and taking those from who has
 * them (reclaim, mm/vmscan.c).
 *
 * A page of a file enters its inactive list. Read once more while it is there, it moves to the active one:
 * so what is read once, however much of it, leaves through the inactive list and pushes out nothing that is
 * used again and again. Anonymous pages start on their active list, since they are used at once. Pages that
 * processes map are used without the kernel's doing; the accessed bits of the page tables tell.
 */
#pragma once

#include "mm.h"

struct mem_cgroup;

/* Pages that reclaim takes off the lists, and tries to free, at a time. */
#define SWAP_CLUSTER_MAX 32ul

/* ---- The lists (mm/swap.c) ---- */

/* The lists on which the page belongs, or is. */
struct lruvec *page_lruvec(const struct page *page);

void lruvec_init(struct lruvec *lruvec);
/* A page that has just become a process's or a file's: the list where it starts. It must know whose it is. */
void lru_cache_add(struct page *page);
/* The page is nobody's any more; it need not be on a list. */
void lru_cache_del(struct page *page);
/* A file page was read or written: the second time while it is inactive makes it active. */
void mark_page_accessed(struct page *page);
void activate_page(struct page *page);
/* The page will not be needed soon: it is the next that reclaim looks at. */
void deactivate_page(struct page *page);

/*
 * Takes a page off its list, with a reference, so that nobody else reclaims it or moves it meanwhile. 0, or
 * -EBUSY: it is on none.
 */
int isolate_lru_page(struct page *page);
/* Puts it back where its flags say that it belongs, and drops the reference. */
void putback_lru_page(struct page *page);
/* A page that had to stay may go: from the unevictable list to an evictable one, unless it still must. */
void rescue_unevictable_page(struct page *page);

/* Pages on that list of all lruvecs together: of a zone, of all. */
unsigned long zone_nr_lru_pages(struct zone *zone, enum lru_list lru);
unsigned long nr_lru_pages(enum lru_list lru);

/* ---- Reclaim (mm/vmscan.c) ---- */

/* /proc/sys/vm/swappiness: 0, anonymous pages stay as long as there are file pages; 100, both alike. */
#define SWAPPINESS_MOST 100ul
extern unsigned long vm_swappiness;

/*
 * Direct reclaim for a request that found no page: tries to free SWAP_CLUSTER_MAX pages in the zones that it
 * may have. Sleeps for disks only if gfp has __GFP_IO. Returns how many pages were freed.
 */
unsigned long try_to_free_pages(gfp_t gfp, unsigned int order);
/* The same for so many pages of one memory cgroup. */
unsigned long try_to_free_mem_cgroup_pages(struct mem_cgroup *memcg, unsigned long nr_pages, gfp_t gfp);
/* Tries to free isolated pages of any zones, through page->lru; those that stay are put back. Sleeps. */
unsigned long reclaim_pages(struct list_head *page_list);

/*
 * A request that must not sleep has gone below the min watermark. The next system call gets memory back
 * first, before it holds anything that could be in the way.
 */
extern bool memory_is_short;
void reclaim_before_system_call(void);

/* The thread that keeps the zones above their watermarks. */
void kswapd_run(void);
bool kswapd_is_awake(void);
/* A request of this order found a zone below its low watermark. From any context. */
void wakeup_kswapd(const struct zone *zone, unsigned int order);
