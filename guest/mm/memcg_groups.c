/* Memory cgroups: the groups themselves, who belongs to which, and their lists (include/memcontrol.h). */
#include "bug.h"
#include "errno.h"
#include "memcontrol.h"
#include "sched.h"
#include "seq_file.h"
#include "slab.h"
#include "string.h"

struct mem_cgroup *mem_cgroups[NR_MEM_CGROUPS];

void mem_cgroup_get(struct mem_cgroup *memcg)
{
    if (memcg)
        memcg->refcount++;
}

void mem_cgroup_put(struct mem_cgroup *memcg)
{
    while (memcg && --memcg->refcount == 0) {
        struct mem_cgroup *parent = memcg->parent;
        mem_cgroups[memcg->id] = NULL;
        kfree(memcg);
        memcg = parent;
    }
}

bool mem_cgroup_is_below(const struct mem_cgroup *memcg, const struct mem_cgroup *above)
{
    while (memcg && memcg != above)
        memcg = memcg->parent;
    return memcg == above;
}

/* 0: none. */
static u8 free_id(void)
{
    for (u32 id = 1; id < NR_MEM_CGROUPS; id++)
        if (mem_cgroups[id] == NULL)
            return (u8)id;
    return 0;
}

int mem_cgroup_create(struct mem_cgroup *parent, const char *name, struct mem_cgroup **result)
{
    u8 id = free_id();
    if (id == 0)
        return -ENOSPC;
    if (strlen(name) > MEMCG_NAME_MOST)
        return -ENAMETOOLONG;
    struct mem_cgroup *memcg = kzalloc(sizeof(*memcg), GFP_KERNEL);
    if (memcg == NULL)
        return -ENOMEM;
    memcg->id = id;
    strlcpy(memcg->name, name, sizeof(memcg->name));
    memcg->refcount = 1;
    memcg->limit = MEMCG_NO_LIMIT;
    memcg->swappiness = parent ? parent->swappiness : vm_swappiness;
    memcg->oom_kill_disable = parent && parent->oom_kill_disable;
    for (u32 i = 0; i < MAX_NR_ZONES; i++) {
        lruvec_init(&memcg->lruvecs[i]);
        memcg->lruvecs[i].memcg = memcg;
    }
    memcg->parent = parent;
    if (parent) {
        parent->nr_children++;
        mem_cgroup_get(parent);
    }
    mem_cgroups[id] = *result = memcg;
    return 0;
}

/* ---- Processes ---- */

static bool has_processes(const struct mem_cgroup *memcg)
{
    const struct task_struct *process;
    for_each_process(process)
    {
        if (process->signal->memcg == memcg)
            return true;
    }
    return false;
}

void mem_cgroup_move_process(struct task_struct *task, struct mem_cgroup *memcg)
{
    task->signal->memcg = memcg;
}

void mem_cgroup_show_path(struct seq_file *m, const struct mem_cgroup *memcg)
{
    const struct mem_cgroup *path[16];
    u32 depth = 0;
    for (; memcg && depth < ARRAY_SIZE(path); memcg = memcg->parent)
        path[depth++] = memcg;
    if (depth == 0)
        seq_printf(m, "/");
    while (depth > 0)
        seq_printf(m, "/%s", path[--depth]->name);
}

/* ---- Lists ---- */

struct lruvec *mem_cgroup_next_lruvec(struct zone *zone, const struct mem_cgroup *memcg, u32 *cursor)
{
    if ((*cursor)++ == 0 && memcg == NULL)
        return &zone->lruvec;
    for (; *cursor <= NR_MEM_CGROUPS; (*cursor)++) {
        struct mem_cgroup *group = *cursor > 1 ? mem_cgroups[*cursor - 1] : NULL;
        if (group && mem_cgroup_is_below(group, memcg))
            return &group->lruvecs[zone_idx(zone)];
    }
    return NULL;
}

unsigned long mem_cgroup_nr_lru(const struct mem_cgroup *memcg, enum lru_list lru)
{
    unsigned long sum = 0;
    for (u32 i = 0; i < MAX_NR_ZONES; i++)
        sum += memcg->lruvecs[i].nr_pages[lru];
    return sum;
}

unsigned long mem_cgroup_nr_anon(const struct mem_cgroup *memcg)
{
    unsigned long sum =
        mem_cgroup_nr_lru(memcg, LRU_INACTIVE_ANON) + mem_cgroup_nr_lru(memcg, LRU_ACTIVE_ANON);
    const struct page *page;
    for (u32 i = 0; i < MAX_NR_ZONES; i++)
        list_for_each_entry(page, &memcg->lruvecs[i].lists[LRU_UNEVICTABLE], lru) sum +=
            (page->flags & PG_anon) != 0;
    return sum;
}

/* The groups above have it on their accounts already. */
static void give_to_parent(struct page *page, struct mem_cgroup *memcg)
{
    struct mem_cgroup *parent = memcg->parent;
    /* With a reference to the page; who was on a list can be isolated. */
    BUG_ON(isolate_lru_page(page));
    memcg->nr_own--;
    memcg->usage--;
    if (parent) {
        page->memcg = parent->id;
        parent->nr_own++;
        mem_cgroup_get(parent);
    } else {
        page->flags &= ~PG_charged;
    }
    putback_lru_page(page);
    mem_cgroup_put(memcg);
}

/* What is on no list is on its way to be freed, or to a list, and keeps the group as long. */
int mem_cgroup_remove(struct mem_cgroup *memcg)
{
    if (memcg->nr_children || has_processes(memcg))
        return -EBUSY;
    for (u32 i = 0; i < MAX_NR_ZONES; i++)
        for (u32 lru = 0; lru < NR_LRU_LISTS; lru++)
            while (!list_empty(&memcg->lruvecs[i].lists[lru]))
                give_to_parent(list_first_entry(&memcg->lruvecs[i].lists[lru], struct page, lru), memcg);
    if (memcg->parent)
        memcg->parent->nr_children--;
    mem_cgroup_put(memcg);
    return 0;
}

void mem_cgroup_abandon(struct mem_cgroup *memcg)
{
    const struct task_struct *process;
    for_each_process(process)
    {
        if (process->signal->memcg == memcg)
            process->signal->memcg = NULL;
    }
    BUG_ON(mem_cgroup_remove(memcg));
}
