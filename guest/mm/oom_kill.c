/* When there is no memory and nothing can be reclaimed: the process that has most of it ends. */
#include "bug.h"
#include "jiffies.h"
#include "lookaside.h"
#include "memcontrol.h"
#include "memstat.h"
#include "mm.h"
#include "oom.h"
#include "oom_internal.h"
#include "printk.h"
#include "sched.h"
#include "swapops.h"

/* So long a victim may take to give its memory back before another one is chosen as well. */
#define OOM_VICTIM_TICKS HZ
/* No more than so many reports in so many ticks. */
#define REPORT_INTERVAL (5 * HZ)
#define REPORT_BURST 10u

unsigned long sysctl_panic_on_oom, sysctl_oom_kill_allocating_task, sysctl_oom_dump_tasks = 1;

unsigned long oom_totalpages(void)
{
    return total_swap_pages + nr_managed_pages();
}

struct mm_struct *oom_process_mm(struct task_struct *process)
{
    struct task_struct *thread = process;
    do {
        if (thread->mm)
            return thread->mm;
    }
    while_each_thread(process, thread);
    return NULL;
}

long oom_badness(struct task_struct *task, unsigned long totalpages)
{
    const struct mm_struct *mm = oom_process_mm(task);
    long adj = task->signal->oom_score_adj;
    /* The first process never goes: without it there is no other. */
    if (mm == NULL || task->tgid == 1 || adj == OOM_SCORE_ADJ_MIN)
        return OOM_NEVER;
    return (long)(mm->rss + mm->nr_swapents + mm->nr_ptes) + adj * (long)(totalpages / 1000);
}

/* What there is to share among those who come into question. */
static unsigned long oom_constraint_pages(const struct oom_control *oc)
{
    unsigned long all = oom_totalpages();
    return oc->memcg ? min(oc->memcg->limit, all) : all;
}

/*
 * The worst process as oc->chosen; NULL: nobody can go. False: somebody is on its way already. If that one
 * takes too long (it may need what the others have), another one is chosen as well.
 */
static bool select_bad_process(struct oom_control *oc)
{
    const unsigned long totalpages = oom_constraint_pages(oc);
    struct task_struct *process;
    bool is_waiting = false;
    oc->chosen = NULL;
    oc->chosen_points = OOM_NEVER;
    for_each_process(process)
    {
        const struct signal_struct *signal = process->signal;
        if (!mem_cgroup_is_below(signal->memcg, oc->memcg))
            continue;
        if (signal->is_oom_victim && oom_process_mm(process)) {
            if (!time_after_eq(jiffies, signal->oom_expires))
                return false;
            is_waiting = true;
            continue;
        }
        long points = oom_badness(process, totalpages);
        if (points > oc->chosen_points) {
            oc->chosen = process;
            oc->chosen_points = points;
        }
    }
    return oc->chosen || !is_waiting;
}

static void mark_oom_victim(struct task_struct *process)
{
    process->signal->is_oom_victim = true;
    process->signal->oom_expires = jiffies + OOM_VICTIM_TICKS;
}

/* Other processes that share its memory have to go, too, or it would stay. */
static void kill_sharers(const struct task_struct *victim, const struct mm_struct *mm)
{
    struct task_struct *process;
    for_each_process(process)
    {
        if (process == victim || process->tgid == 1 || oom_process_mm(process) != mm)
            continue;
        mark_oom_victim(process);
        do_kill((s32)process->tgid, SIGKILL);
    }
}

static void oom_kill_process(struct oom_control *oc, const char *message)
{
    struct task_struct *victim = oc->chosen;
    struct mm_struct *mm = oom_process_mm(victim);
    struct mem_size_stats stats = {0};
    mm_gather_stats(mm, &stats);
    pr_err("%s: Killed process %u (%s) total-vm:%lukB, anon-rss:%lukB, file-rss:%lukB, shmem-rss:0kB, "
           "UID:%u pgtables:%lukB oom_score_adj:%d\n",
           message, victim->tgid, victim->comm, pages_to_kbytes(mm->total_vm), stats.anonymous >> 10,
           (stats.resident - stats.anonymous) >> 10, victim->cred.uid, pages_to_kbytes(mm->nr_ptes),
           victim->signal->oom_score_adj);
    lk_mm_oom_kill(victim->tgid, (unsigned long)oc->chosen_points);
    count_vm_event(OOM_KILL);
    mark_oom_victim(victim);
    do_kill((s32)victim->tgid, SIGKILL);
    kill_sharers(victim, mm);
}

static bool may_report(void)
{
    static unsigned long begin;
    static u32 nr_reports;
    if (time_after_eq(jiffies, begin + REPORT_INTERVAL)) {
        begin = jiffies;
        nr_reports = 0;
    }
    return nr_reports++ < REPORT_BURST;
}

static void check_panic_on_oom(const struct oom_control *oc)
{
    if (sysctl_panic_on_oom == 0 || (oc->memcg && sysctl_panic_on_oom != 2))
        return;
    oom_dump_header(oc);
    panic("Out of memory: %s panic_on_oom is enabled",
          sysctl_panic_on_oom == 2 ? "compulsory" : "system-wide");
}

/* False: nobody may be ended. */
static bool kill_worst_process(struct oom_control *oc)
{
    if (!select_bad_process(oc))
        return true;
    if (oc->chosen == NULL)
        return false;
    if (may_report())
        oom_dump_header(oc);
    oom_kill_process(oc, oc->memcg ? "Memory cgroup out of memory" : "Out of memory");
    if (oc->memcg)
        oc->memcg->nr_oom_kills++;
    return true;
}

static bool kill_allocating_task(struct oom_control *oc)
{
    oc->chosen = current->group_leader;
    oc->chosen_points = oom_badness(oc->chosen, oom_totalpages());
    if (oc->chosen_points == OOM_NEVER)
        return false;
    oom_dump_header(oc);
    oom_kill_process(oc, "Out of memory (oom_kill_allocating_task)");
    return true;
}

bool out_of_memory(struct oom_control *oc)
{
    /* Who ends anyway need not end anybody else. */
    if (fatal_signal_pending(current) || current->is_exiting) {
        mark_oom_victim(current->group_leader);
        return true;
    }
    check_panic_on_oom(oc);
    if (sysctl_oom_kill_allocating_task && oc->memcg == NULL && kill_allocating_task(oc))
        return true;
    if (!kill_worst_process(oc)) {
        if (oc->memcg)
            return false;
        oom_dump_header(oc);
        pr_warn("Out of memory and no killable processes...\n");
        panic("System is deadlocked on memory");
    }
    /* A victim gives its pages back when it runs. */
    if (!fatal_signal_pending(current))
        schedule_timeout_uninterruptible(1);
    return true;
}

void pagefault_out_of_memory(void)
{
    struct oom_control oc = {.gfp_mask = GFP_HIGHUSER_MOVABLE};
    out_of_memory(&oc);
}
