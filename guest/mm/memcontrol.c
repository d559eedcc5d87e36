/* Memory cgroups: charging pages, and what happens at a limit (include/memcontrol.h). */
#include "memcontrol.h"
#include "bug.h"
#include "errno.h"
#include "oom.h"
#include "printk.h"
#include "sched.h"

#define RECLAIM_RETRIES 5u

/* ---- Charging ---- */

/* The group, of this one and those above it, that may have no more pages; NULL: none. */
static struct mem_cgroup *group_at_limit(struct mem_cgroup *memcg)
{
    while (memcg && memcg->usage < memcg->limit)
        memcg = memcg->parent;
    return memcg;
}

static void commit_charge(struct page *page, struct mem_cgroup *own)
{
    page->flags |= PG_charged;
    page->memcg = own->id;
    own->nr_own++;
    own->nr_charged++;
    mem_cgroup_get(own);
    for (struct mem_cgroup *memcg = own; memcg; memcg = memcg->parent) {
        memcg->usage++;
        memcg->max_usage = max(memcg->max_usage, memcg->usage);
    }
}

/* Sleeps until memory is freed there, or somebody allows that a process ends, or this one has to. */
static void wait_for_memory(struct mem_cgroup *memcg)
{
    memcg->nr_under_oom++;
    while (memcg->usage >= memcg->limit && memcg->oom_kill_disable && !fatal_signal_pending(current))
        schedule_timeout_uninterruptible(1);
    memcg->nr_under_oom--;
}

/* Nothing could be taken from the group. False: nobody in it may be ended either. */
static bool mem_cgroup_oom(struct mem_cgroup *memcg, gfp_t gfp)
{
    struct oom_control oc = {.memcg = memcg, .gfp_mask = gfp};
    if (memcg->oom_kill_disable) {
        wait_for_memory(memcg);
        return true;
    }
    return out_of_memory(&oc);
}

/* Makes room below the limit. 0, -ENOMEM, or -EBUSY: there is none to be made, and the limit has to yield. */
static int make_room(struct mem_cgroup *full, gfp_t gfp, u32 *nr_retries)
{
    full->failcnt++;
    if (try_to_free_mem_cgroup_pages(full, 1, gfp))
        return 0;
    if (!(gfp & __GFP_IO))
        return -ENOMEM;
    if ((*nr_retries)-- > 0)
        return 0;
    *nr_retries = RECLAIM_RETRIES;
    return mem_cgroup_oom(full, gfp) ? 0 : -EBUSY;
}

/* Who has to end is not to be kept from it. */
static bool may_exceed(const struct task_struct *task)
{
    return fatal_signal_pending(task) || task->is_exiting;
}

int mem_cgroup_charge(struct page *page, gfp_t gfp)
{
    struct mem_cgroup *memcg = current->signal->memcg, *full;
    u32 nr_retries = RECLAIM_RETRIES;
    int error = 0;
    if (memcg == NULL)
        return 0;
    mem_cgroup_get(memcg);
    while (error == 0 && (full = group_at_limit(memcg)) && !may_exceed(current))
        error = make_room(full, gfp, &nr_retries);
    if (error == -EBUSY)
        pr_warn("Memory cgroup charge exceeds the limit: nothing to reclaim, nobody to end\n");
    if (error != -ENOMEM)
        commit_charge(page, memcg);
    mem_cgroup_put(memcg);
    return error == -ENOMEM ? error : 0;
}

void mem_cgroup_uncharge(struct page *page)
{
    struct mem_cgroup *own = page_memcg(page);
    BUG_ON(own->nr_own == 0 || (page->flags & PG_lru));
    page->flags &= ~PG_charged;
    own->nr_own--;
    own->nr_uncharged++;
    for (struct mem_cgroup *memcg = own; memcg; memcg = memcg->parent)
        memcg->usage--;
    mem_cgroup_put(own);
}

void mem_cgroup_migrate(struct page *from, struct page *to)
{
    if (!(from->flags & PG_charged))
        return;
    from->flags &= ~PG_charged;
    to->flags |= PG_charged;
    to->memcg = from->memcg;
}

/* ---- Limits ---- */

int mem_cgroup_resize(struct mem_cgroup *memcg, unsigned long limit)
{
    u32 nr_retries = RECLAIM_RETRIES;
    while (memcg->usage > limit) {
        unsigned long nr = memcg->usage - limit;
        if (!try_to_free_mem_cgroup_pages(memcg, nr, GFP_KERNEL | __GFP_IO) && nr_retries-- == 0)
            return -EBUSY;
    }
    memcg->limit = limit;
    return 0;
}

void mem_cgroup_force_empty(struct mem_cgroup *memcg)
{
    u32 nr_retries = RECLAIM_RETRIES;
    while (memcg->usage && nr_retries)
        if (!try_to_free_mem_cgroup_pages(memcg, memcg->usage, GFP_KERNEL | __GFP_IO))
            nr_retries--;
}
