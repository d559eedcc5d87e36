/* What the console says before a process is ended for want of memory, in Linux's words. */
#include "memcontrol.h"
#include "mm.h"
#include "oom_internal.h"
#include "pagemap.h"
#include "printk.h"
#include "sched.h"
#include "swapops.h"

static const char *gfp_name(gfp_t gfp)
{
    if ((gfp & GFP_HIGHUSER_MOVABLE) == GFP_HIGHUSER_MOVABLE)
        return "GFP_HIGHUSER_MOVABLE";
    return (gfp & GFP_HIGHUSER) == GFP_HIGHUSER ? "GFP_HIGHUSER" : "GFP_KERNEL";
}

static void show_zone(const struct zone *zone)
{
    unsigned long free_pcp = 0;
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
        free_pcp += zone->pageset[cpu].count;
    pr_warn("%s free:%lukB min:%lukB low:%lukB high:%lukB present:%lukB managed:%lukB free_pcp:%lukB "
            "free_cma:%lukB\n",
            zone->name, pages_to_kbytes(zone->nr_free_pages), pages_to_kbytes(zone->watermark[WMARK_MIN]),
            pages_to_kbytes(zone->watermark[WMARK_LOW]), pages_to_kbytes(zone->watermark[WMARK_HIGH]),
            pages_to_kbytes(zone->present_pages), pages_to_kbytes(zone->managed_pages),
            pages_to_kbytes(free_pcp), pages_to_kbytes(zone->nr_free_cma_pages));
    pr_warn("lowmem_reserve[]: %lu %lu %lu\n", zone->lowmem_reserve[0], zone->lowmem_reserve[1],
            zone->lowmem_reserve[2]);
}

/* How large the blocks are that are free. */
static void show_blocks(const struct zone *zone)
{
    char line[256];
    int at = 0;
    unsigned long pages = 0;
    for (unsigned int order = 0; order < MAX_ORDER; order++) {
        unsigned long nr_free = zone->free_area[order].nr_free;
        pages += nr_free << order;
        at += snprintf(line + at, sizeof(line) - (size_t)at, "%lu*%lukB ", nr_free,
                       pages_to_kbytes(1ul << order));
    }
    pr_warn("%s: %s= %lukB\n", zone->name, line, pages_to_kbytes(pages));
}

static void show_mem_info(void)
{
    const struct zone *zone;
    unsigned long present = 0;
    const unsigned long *owners = nr_owned_pages;
    pr_warn("Mem-Info:\n");
    pr_warn("active_anon:%lu inactive_anon:%lu\n", nr_lru_pages(LRU_ACTIVE_ANON),
            nr_lru_pages(LRU_INACTIVE_ANON));
    pr_warn(" active_file:%lu inactive_file:%lu\n", nr_lru_pages(LRU_ACTIVE_FILE),
            nr_lru_pages(LRU_INACTIVE_FILE));
    pr_warn(" unevictable:%lu dirty:%lu\n", nr_lru_pages(LRU_UNEVICTABLE), page_cache_stat.nr_dirty);
    pr_warn(" slab:%lu pagetables:%lu\n", owners[PAGE_OWNER_SLAB], owners[PAGE_OWNER_PAGE_TABLE]);
    pr_warn(" free:%lu free_cma:%lu\n", nr_free_pages(), nr_free_cma_pages());
    for_each_populated_zone(zone)
    {
        show_zone(zone);
        present += zone->present_pages;
    }
    for_each_populated_zone(zone) show_blocks(zone);
    pr_warn("%lu total pagecache pages\n", owners[PAGE_OWNER_PAGE_CACHE]);
    pr_warn("%lu pages in swap cache\n", total_swapcache_pages);
    pr_warn("Free swap  = %lukB\n", pages_to_kbytes(nr_swap_pages));
    pr_warn("Total swap = %lukB\n", pages_to_kbytes(total_swap_pages));
    pr_warn("%lu pages RAM\n", present);
    pr_warn("%lu pages HighMem/MovableOnly\n", contig_page_data.node_zones[ZONE_HIGHMEM].managed_pages);
    pr_warn("%lu pages reserved\n", present - nr_managed_pages());
}

/* Linux's words for the group's own account. */
static void show_group(const struct mem_cgroup *memcg)
{
    unsigned long anon = mem_cgroup_nr_anon(memcg);
    pr_warn("memory: usage %lukB, limit %lukB, failcnt %lu\n", pages_to_kbytes(memcg->usage),
            pages_to_kbytes(memcg->limit), memcg->failcnt);
    pr_warn("Memory cgroup stats for %s: cache:%luKB rss:%luKB inactive_anon:%luKB active_anon:%luKB "
            "inactive_file:%luKB active_file:%luKB unevictable:%luKB\n",
            memcg->name, pages_to_kbytes(memcg->nr_own - anon), pages_to_kbytes(anon),
            pages_to_kbytes(mem_cgroup_nr_lru(memcg, LRU_INACTIVE_ANON)),
            pages_to_kbytes(mem_cgroup_nr_lru(memcg, LRU_ACTIVE_ANON)),
            pages_to_kbytes(mem_cgroup_nr_lru(memcg, LRU_INACTIVE_FILE)),
            pages_to_kbytes(mem_cgroup_nr_lru(memcg, LRU_ACTIVE_FILE)),
            pages_to_kbytes(mem_cgroup_nr_lru(memcg, LRU_UNEVICTABLE)));
}

static void dump_tasks(const struct mem_cgroup *memcg)
{
    struct task_struct *process;
    pr_warn("Tasks state (memory values in pages):\n");
    pr_warn("[  pid  ]   uid  tgid total_vm      rss nr_ptes oom_score_adj name\n");
    for_each_process(process)
    {
        const struct mm_struct *mm = oom_process_mm(process);
        if (mm == NULL || !mem_cgroup_is_below(process->signal->memcg, memcg))
            continue;
        pr_warn("[%7u] %5u %5u %8lu %8lu %7lu %13d %s\n", process->pid, process->cred.uid, process->tgid,
                mm->total_vm, mm->rss, mm->nr_ptes, process->signal->oom_score_adj, process->comm);
    }
}

void oom_dump_header(const struct oom_control *oc)
{
    pr_warn("%s invoked oom-killer: gfp_mask=%#x(%s), order=%u, oom_score_adj=%d\n", current->comm,
            oc->gfp_mask, gfp_name(oc->gfp_mask), oc->order, current->signal->oom_score_adj);
    if (oc->memcg)
        show_group(oc->memcg);
    else
        show_mem_info();
    if (sysctl_oom_dump_tasks)
        dump_tasks(oc->memcg);
}
