/* When a page fault finds no memory: the process that has most of it ends. */
#include "mm.h"
#include "oom.h"
#include "printk.h"
#include "sched.h"

unsigned long total_pages(void)
{
    unsigned long pages = 0;
    const struct zone *zone;
    for_each_populated_zone(zone) pages += zone->managed_pages;
    return pages;
}

bool oom_is_killable(const struct task_struct *task)
{
    return task->mm && task->pid != 1 && task->signal->oom_score_adj != OOM_SCORE_ADJ_MIN;
}

long oom_badness(const struct task_struct *task)
{
    long points = task->mm ? (long)(task->mm->rss + task->mm->nr_ptes) : 0;
    return points + task->signal->oom_score_adj * (long)(total_pages() / 1000);
}

/* Never the first process, without which there is no other. */
static struct task_struct *select_bad_process(void)
{
    struct task_struct *task, *worst = NULL;
    for_each_process(task)
    {
        if (oom_is_killable(task) && (worst == NULL || oom_badness(task) > oom_badness(worst)))
            worst = task;
    }
    return worst;
}

void out_of_memory(void)
{
    struct task_struct *victim = select_bad_process();
    if (victim == NULL || victim == current) {
        pr_err("Out of memory: killed process %u (%s), %lu pages\n", current->pid, current->comm,
               current->mm->rss);
        force_fatal_sig(SIGKILL);
    }
    if (!signal_pending(victim)) {
        pr_err("Out of memory: killed process %u (%s), %lu pages\n", victim->pid, victim->comm,
               victim->mm->rss);
        do_kill((s32)victim->pid, SIGKILL);
    }
    /* It gives its pages back when it runs. */
    schedule_timeout_uninterruptible(1);
}
