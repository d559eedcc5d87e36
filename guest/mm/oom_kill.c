/* When a page fault finds no memory: the process that has most of it ends. */
#include "oom.h"
#include "printk.h"
#include "sched.h"

/* Never the first process, without which there is no other. */
static struct task_struct *select_bad_process(void)
{
    struct task_struct *task, *worst = NULL;
    list_for_each_entry(task, &task_list, tasks)
    {
        if (task->mm && task->pid != 1 && (worst == NULL || task->mm->rss > worst->mm->rss))
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
