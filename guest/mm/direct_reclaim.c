/*
 * Direct reclaim: who finds no memory gets some back himself, and is delayed by that. First a small part of
 * the lists is looked at, then twice as much, and so on, until enough is free or all was looked at in vain.
 */
#include "compiler.h"
#include "delayacct.h"
#include "internal.h"
#include "lookaside.h"
#include "memcontrol.h"
#include "pagemap.h"
#include "shrinker.h"
#include "task_pid.h"
#include "vmscan.h"

unsigned long nr_evictable_pages(struct zone *zone, const struct mem_cgroup *memcg)
{
    unsigned long sum = 0;
    u32 cursor = 0;
    const struct lruvec *lruvec;
    while ((lruvec = mem_cgroup_next_lruvec(zone, memcg, &cursor))) {
        unsigned int lru;
        for_each_evictable_lru(lru) sum += lruvec->nr_pages[lru];
    }
    return sum;
}

void shrink_zone(struct zone *zone, struct scan_control *sc)
{
    u32 cursor = 0;
    struct lruvec *lruvec;
    while (sc->nr_reclaimed < sc->nr_to_reclaim &&
           (lruvec = mem_cgroup_next_lruvec(zone, sc->memcg, &cursor))) {
        struct mem_cgroup *memcg = lruvec->memcg;
        sc->swappiness = memcg ? memcg->swappiness : vm_swappiness;
        /* It may sleep, and the group may be removed meanwhile. */
        mem_cgroup_get(memcg);
        shrink_lruvec(lruvec, sc);
        mem_cgroup_put(memcg);
    }
}

/* Objects of the kernel's are nobody's in particular: a memory cgroup that is full does not take them. */
static void shrink_zones(struct scan_control *sc)
{
    unsigned long nr_pages = 0, nr_scanned = sc->nr_scanned;
    struct zone *const *next = contig_page_data.node_zonelists[gfp_zone(sc->gfp)].zones;
    for (; *next && sc->nr_reclaimed < sc->nr_to_reclaim; next++) {
        nr_pages += nr_evictable_pages(*next, sc->memcg);
        shrink_zone(*next, sc);
    }
    if (sc->memcg == NULL)
        sc->nr_reclaimed += shrink_slab(sc->nr_scanned - nr_scanned, nr_pages);
}

/*
 * Dirty pages of files are not for somebody to write who holds locks of file systems. kswapd does it, and if
 * there is nothing else to be had, is waited for.
 */
static void wait_for_writers(const struct scan_control *sc)
{
    const struct zone *zone = contig_page_data.node_zonelists[gfp_zone(sc->gfp)].zones[0];
    wakeup_kswapd(zone, sc->order);
    if (sc->nr_dirty && (sc->gfp & __GFP_IO) && sc->priority < DEF_PRIORITY - 2)
        wait_for_kswapd();
}

static unsigned long do_try_to_free_pages(struct scan_control *sc)
{
    for (sc->priority = DEF_PRIORITY;; sc->priority--) {
        sc->nr_dirty = 0;
        shrink_zones(sc);
        if (sc->nr_reclaimed >= sc->nr_to_reclaim || sc->priority == 0)
            return sc->nr_reclaimed;
        wait_for_writers(sc);
    }
}

/* What reclaim itself allocates comes from the reserves, and does not begin another round. */
static unsigned long reclaim_marked(struct scan_control *sc)
{
    if (!begin_reclaim())
        return 0;
    delayacct_freepages_start();
    lk_mm_direct_reclaim_begin(current_pid(), sc->order);
    unsigned long nr_freed = do_try_to_free_pages(sc);
    lk_mm_direct_reclaim_end(current_pid(), nr_freed);
    delayacct_freepages_end();
    end_reclaim(nr_freed);
    return nr_freed;
}

unsigned long try_to_free_pages(gfp_t gfp, unsigned int order)
{
    struct scan_control sc = {
        .nr_to_reclaim = SWAP_CLUSTER_MAX << order,
        .gfp = gfp,
        .order = order,
        .may_swap = gfp & __GFP_IO,
        .may_unmap = true,
    };
    count_vm_event(ALLOCSTALL);
    return reclaim_marked(&sc);
}

unsigned long try_to_free_mem_cgroup_pages(struct mem_cgroup *memcg, unsigned long nr_pages, gfp_t gfp)
{
    struct scan_control sc = {
        .nr_to_reclaim = max(nr_pages, SWAP_CLUSTER_MAX),
        .gfp = gfp | __GFP_HIGHMEM,
        .memcg = memcg,
        .may_swap = gfp & __GFP_IO,
        .may_unmap = true,
    };
    return reclaim_marked(&sc);
}

unsigned long shrink_page_cache(unsigned long nr)
{
    struct scan_control sc = {.nr_to_reclaim = nr, .gfp = GFP_HIGHUSER, .may_unmap = true};
    for (sc.priority = DEF_PRIORITY; sc.nr_reclaimed < nr; sc.priority--) {
        struct zone *zone;
        for_each_populated_zone(zone) shrink_zone(zone, &sc);
        if (sc.priority == 0)
            break;
    }
    return sc.nr_reclaimed;
}
