/*
 * Memory cgroups: groups of processes that may have so much memory together (mm/memcontrol.c; fs/cgroup.c has
 * them as folders). A page is charged to the group of the process that brought it in, until it is free again,
 * and to all groups above; a page that is charged is on its group's LRU lists. Where a group is at its limit,
 * memory is taken from it and those below it alone, and if there is none to take, one of their processes
 * ends.
 *
 * Processes that were never put into a group are in the root, whose pages are charged to nobody: NULL.
 */
#pragma once

#include "mm.h"
#include "swap.h"

#define MEMCG_NAME_MOST 63u
#define MEMCG_NO_LIMIT (~0ul) /* pages */

struct mem_cgroup {
    u8 id; /* page->memcg of its pages; never 0 */
    char name[MEMCG_NAME_MOST + 1];
    struct mem_cgroup *parent; /* NULL: the root is */
    u32 nr_children;
    u32 refcount; /* its folder, the groups below it, its pages, and who works with it */

    unsigned long usage, max_usage, limit; /* pages, those of groups below it among them */
    unsigned long nr_own;                  /* of these, its own */
    unsigned long failcnt;                 /* how often the limit was hit */
    unsigned long nr_charged, nr_uncharged, nr_oom_kills;
    unsigned long swappiness;
    bool oom_kill_disable; /* who needs memory waits until there is some */
    u32 nr_under_oom;      /* tasks that wait so */
    struct lruvec lruvecs[MAX_NR_ZONES];
};

struct task_struct;
struct seq_file;

/* ---- Groups (mm/memcg_groups.c) ---- */

#define NR_MEM_CGROUPS 256u
extern struct mem_cgroup *mem_cgroups[NR_MEM_CGROUPS]; /* by id */

/* NULL is allowed. With the last reference the group is gone. */
void mem_cgroup_get(struct mem_cgroup *memcg);
void mem_cgroup_put(struct mem_cgroup *memcg);
/* A new group below parent. 0, -ENOMEM, -ENOSPC: there are too many, or -ENAMETOOLONG. */
int mem_cgroup_create(struct mem_cgroup *parent, const char *name, struct mem_cgroup **result);
/* Its pages become its parent's. -EBUSY: it has processes, or groups below it. */
int mem_cgroup_remove(struct mem_cgroup *memcg);
/* The same at the end of its file system: its processes are in the root from now on. */
void mem_cgroup_abandon(struct mem_cgroup *memcg);
/* Whether it is `above`, or below it. */
bool mem_cgroup_is_below(const struct mem_cgroup *memcg, const struct mem_cgroup *above);
/* The process, with all its threads, belongs there from now on; its pages stay where they are charged. */
void mem_cgroup_move_process(struct task_struct *task, struct mem_cgroup *memcg);
/* "/above/name" */
void mem_cgroup_show_path(struct seq_file *m, const struct mem_cgroup *memcg);
/* Its own pages on that list; its anonymous pages, on whatever list. */
unsigned long mem_cgroup_nr_lru(const struct mem_cgroup *memcg, enum lru_list lru);
unsigned long mem_cgroup_nr_anon(const struct mem_cgroup *memcg);
/*
 * The lists of a group in this zone, and those of the groups below it, one by one; NULL: all of the zone's.
 * *cursor begins at 0. NULL at the end.
 */
struct lruvec *mem_cgroup_next_lruvec(struct zone *zone, const struct mem_cgroup *memcg, u32 *cursor);

/* ---- Pages (mm/memcontrol.c) ---- */

/* NULL: the page is charged to nobody. */
static inline struct mem_cgroup *page_memcg(const struct page *page)
{
    return (page->flags & PG_charged) ? mem_cgroups[page->memcg] : NULL;
}

/*
 * Charges a page, which is on no list yet, to the current process's group. gfp as for allocating it: takes
 * memory from the group if it is full, and with __GFP_IO may sleep, or end a process. 0, or -ENOMEM.
 */
int mem_cgroup_charge(struct page *page, gfp_t gfp);
/* The page is about to be free, and on no list any more. */
void mem_cgroup_uncharge(struct page *page);
/* Another frame takes over what a page held; neither is on a list. */
void mem_cgroup_migrate(struct page *from, struct page *to);
/* 0, or -EBUSY: the group needs more, and it cannot be taken from it. */
int mem_cgroup_resize(struct mem_cgroup *memcg, unsigned long limit);
/* Takes from it what can be taken. */
void mem_cgroup_force_empty(struct mem_cgroup *memcg);
