/* The files of a memory cgroup, with Linux's names and formats (its documentation: cgroup-v1/memory). */
#include "cgroup.h"
#include "errno.h"
#include "memcontrol.h"
#include "oom.h"
#include "pagemap.h"
#include "sched.h"
#include "seq_file.h"
#include "string.h"

/* The largest number of bytes, which is no limit, as Linux shows it. */
#define NO_LIMIT_BYTES 9223372036854771712ull

static u64 bytes_of(unsigned long pages)
{
    return pages == MEMCG_NO_LIMIT ? NO_LIMIT_BYTES : (u64)pages << PAGE_SHIFT;
}

/* ---- Numbers ---- */

/* The digits at the beginning of *text, which moves behind them. -EINVAL: there is none, or too many. */
static int parse_digits(const char **text, u64 *number)
{
    if (**text < '0' || **text > '9')
        return -EINVAL;
    for (*number = 0; **text >= '0' && **text <= '9'; (*text)++) {
        if (*number > NO_LIMIT_BYTES / 10)
            return -EINVAL;
        *number = *number * 10 + (u64)(**text - '0');
    }
    return 0;
}

static u32 shift_of_suffix(char suffix)
{
    switch (suffix | 0x20) {
    case 'k':
        return 10;
    case 'm':
        return 20;
    case 'g':
        return 30;
    default:
        return 0;
    }
}

/* Bytes, with K, M or G behind them or not; -1: no limit. In whole pages. */
static int parse_limit(const char *text, unsigned long *pages)
{
    u64 bytes;
    *pages = MEMCG_NO_LIMIT;
    if (strcmp(text, "-1") == 0)
        return 0;
    int error = parse_digits(&text, &bytes);
    if (error)
        return error;
    u32 shift = shift_of_suffix(*text);
    if (text[shift != 0] != '\0' || bytes > NO_LIMIT_BYTES >> shift)
        return -EINVAL;
    u64 limit = (bytes << shift) >> PAGE_SHIFT;
    *pages = limit < MEMCG_NO_LIMIT ? (unsigned long)limit : MEMCG_NO_LIMIT;
    return 0;
}

static int parse_number(const char *text, u64 most, u64 *number)
{
    int error = parse_digits(&text, number);
    return error || *text || *number > most ? -EINVAL : 0;
}

/* ---- Processes ---- */

static int procs_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    const struct task_struct *process;
    for_each_process(process)
    {
        if (process->signal->memcg == memcg && process->signal->live)
            seq_printf(m, "%u\n", process->tgid);
    }
    return 0;
}

static int tasks_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    struct task_struct *process;
    for_each_process(process)
    {
        const struct task_struct *thread = process;
        if (process->signal->memcg != memcg || process->signal->live == 0)
            continue;
        do
            seq_printf(m, "%u\n", thread->pid);
        while_each_thread(process, thread);
    }
    return 0;
}

/* Of any of its threads; 0: of who writes it. A process is in a group as a whole, as its memory is. */
static int procs_write(struct mem_cgroup *memcg, const char *text)
{
    u64 number;
    int error = parse_number(text, PID_MAX, &number);
    if (error)
        return error;
    struct task_struct *task = number ? find_task((u32)number) : current;
    if (task == NULL)
        return -ESRCH;
    /* Threads of the kernel's are nobody's. */
    if (task->mm == NULL)
        return -EINVAL;
    mem_cgroup_move_process(task, memcg);
    return 0;
}

/* ---- What it has, and may have ---- */

/* Of the root, whose pages nobody counts one by one: what processes and files have, all groups together. */
static unsigned long usage_of(const struct mem_cgroup *memcg)
{
    return memcg ? memcg->usage : nr_owned_pages[PAGE_OWNER_ANON] + nr_owned_pages[PAGE_OWNER_PAGE_CACHE];
}

static int usage_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    seq_printf(m, "%llu\n", bytes_of(usage_of(memcg)));
    return 0;
}

static int max_usage_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    seq_printf(m, "%llu\n", bytes_of(memcg->max_usage));
    return 0;
}

/* Whatever is written: it begins again. */
static int max_usage_write(struct mem_cgroup *memcg, const char *text)
{
    (void)text;
    memcg->max_usage = memcg->usage;
    return 0;
}

static int limit_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    seq_printf(m, "%llu\n", bytes_of(memcg->limit));
    return 0;
}

static int limit_write(struct mem_cgroup *memcg, const char *text)
{
    unsigned long pages;
    int error = parse_limit(text, &pages);
    return error ? error : mem_cgroup_resize(memcg, pages);
}

static int failcnt_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    seq_printf(m, "%lu\n", memcg->failcnt);
    return 0;
}

static int failcnt_write(struct mem_cgroup *memcg, const char *text)
{
    (void)text;
    memcg->failcnt = 0;
    return 0;
}

static int swappiness_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    seq_printf(m, "%lu\n", memcg ? memcg->swappiness : vm_swappiness);
    return 0;
}

static int swappiness_write(struct mem_cgroup *memcg, const char *text)
{
    u64 number;
    int error = parse_number(text, SWAPPINESS_MOST, &number);
    if (error == 0)
        *(memcg ? &memcg->swappiness : &vm_swappiness) = (unsigned long)number;
    return error;
}

static int force_empty_write(struct mem_cgroup *memcg, const char *text)
{
    (void)text;
    mem_cgroup_force_empty(memcg);
    return 0;
}

/* The limit that holds: the least of its own and those above. */
static unsigned long hierarchical_limit(const struct mem_cgroup *memcg)
{
    unsigned long limit = MEMCG_NO_LIMIT;
    for (; memcg; memcg = memcg->parent)
        limit = min(limit, memcg->limit);
    return limit;
}

static int stat_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    unsigned long anon = mem_cgroup_nr_anon(memcg);
    const struct {
        const char *name;
        u64 value;
    } rows[] = {
        {"cache", bytes_of(memcg->nr_own - anon)},
        {"rss", bytes_of(anon)},
        {"pgpgin", memcg->nr_charged},
        {"pgpgout", memcg->nr_uncharged},
        {"inactive_anon", bytes_of(mem_cgroup_nr_lru(memcg, LRU_INACTIVE_ANON))},
        {"active_anon", bytes_of(mem_cgroup_nr_lru(memcg, LRU_ACTIVE_ANON))},
        {"inactive_file", bytes_of(mem_cgroup_nr_lru(memcg, LRU_INACTIVE_FILE))},
        {"active_file", bytes_of(mem_cgroup_nr_lru(memcg, LRU_ACTIVE_FILE))},
        {"unevictable", bytes_of(mem_cgroup_nr_lru(memcg, LRU_UNEVICTABLE))},
        {"hierarchical_memory_limit", bytes_of(hierarchical_limit(memcg))},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        seq_printf(m, "%s %llu\n", rows[i].name, rows[i].value);
    return 0;
}

/* Limits hold for all that is below a group; it cannot be otherwise. */
static int use_hierarchy_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    (void)memcg;
    seq_printf(m, "1\n");
    return 0;
}

/* ---- Without memory ---- */

static int oom_control_show(struct seq_file *m, struct mem_cgroup *memcg)
{
    seq_printf(m, "oom_kill_disable %d\nunder_oom %d\noom_kill %lu\n", memcg->oom_kill_disable,
               memcg->nr_under_oom != 0, memcg->nr_oom_kills);
    return 0;
}

static int oom_control_write(struct mem_cgroup *memcg, const char *text)
{
    u64 number;
    int error = parse_number(text, 1, &number);
    if (error == 0)
        memcg->oom_kill_disable = number != 0;
    return error;
}

const struct cftype cgroup_memory_files[] = {
    {.name = "cgroup.procs", .show = procs_show, .write = procs_write},
    {.name = "memory.failcnt", .is_not_of_root = true, .show = failcnt_show, .write = failcnt_write},
    {.name = "memory.force_empty", .is_not_of_root = true, .write = force_empty_write},
    {.name = "memory.limit_in_bytes", .is_not_of_root = true, .show = limit_show, .write = limit_write},
    {.name = "memory.max_usage_in_bytes",
     .is_not_of_root = true,
     .show = max_usage_show,
     .write = max_usage_write},
    {.name = "memory.oom_control",
     .is_not_of_root = true,
     .show = oom_control_show,
     .write = oom_control_write},
    {.name = "memory.stat", .is_not_of_root = true, .show = stat_show},
    {.name = "memory.swappiness", .show = swappiness_show, .write = swappiness_write},
    {.name = "memory.usage_in_bytes", .show = usage_show},
    {.name = "memory.use_hierarchy", .show = use_hierarchy_show},
    {.name = "tasks", .show = tasks_show, .write = procs_write},
    {.name = NULL},
};
