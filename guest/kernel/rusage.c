#include "rusage.h"
#include "jiffies.h"
#include "sched.h"
#include "string.h"

static struct timeval32 ticks_to_timeval(unsigned long ticks)
{
    return (struct timeval32){.tv_sec = (s32)(ticks / HZ), .tv_usec = (s32)(ticks % HZ * (1000000 / HZ))};
}

void thread_group_cputime(struct task_struct *task, unsigned long *utime, unsigned long *stime)
{
    struct task_struct *thread = task;
    *utime = task->signal->utime;
    *stime = task->signal->stime;
    do {
        *utime += thread->utime;
        *stime += thread->stime;
    }
    while_each_thread(task, thread);
}

struct usage {
    unsigned long utime, stime, min_flt, maj_flt, nvcsw, nivcsw, maxrss;
};

static void add_thread(struct usage *sum, const struct task_struct *task)
{
    sum->utime += task->utime;
    sum->stime += task->stime;
    sum->min_flt += task->min_flt;
    sum->maj_flt += task->maj_flt;
    sum->nvcsw += task->nvcsw;
    sum->nivcsw += task->nivcsw;
}

static void add_process(struct usage *sum, struct task_struct *task)
{
    const struct signal_struct *signal = task->signal;
    struct task_struct *thread = task;
    sum->utime += signal->utime;
    sum->stime += signal->stime;
    sum->min_flt += signal->min_flt;
    sum->maj_flt += signal->maj_flt;
    sum->nvcsw += signal->nvcsw;
    sum->nivcsw += signal->nivcsw;
    do
        add_thread(sum, thread);
    while_each_thread(task, thread);
    sum->maxrss = max(sum->maxrss, signal->maxrss);
    if (task->mm)
        sum->maxrss = max(sum->maxrss, task->mm->hiwater_rss);
}

static void add_children(struct usage *sum, const struct signal_struct *signal)
{
    sum->utime += signal->cutime;
    sum->stime += signal->cstime;
    sum->min_flt += signal->cmin_flt;
    sum->maj_flt += signal->cmaj_flt;
    sum->nvcsw += signal->cnvcsw;
    sum->nivcsw += signal->cnivcsw;
    sum->maxrss = max(sum->maxrss, signal->cmaxrss);
}

void get_rusage(struct task_struct *task, int who, struct rusage *usage)
{
    struct usage sum = {0};
    if (who == RUSAGE_THREAD) {
        add_thread(&sum, task);
        sum.maxrss = task->mm ? task->mm->hiwater_rss : 0;
    }
    if (who == RUSAGE_SELF || who == RUSAGE_BOTH)
        add_process(&sum, task);
    if (who == RUSAGE_CHILDREN || who == RUSAGE_BOTH)
        add_children(&sum, task->signal);
    memset(usage, 0, sizeof(*usage));
    usage->ru_utime = ticks_to_timeval(sum.utime);
    usage->ru_stime = ticks_to_timeval(sum.stime);
    usage->ru_maxrss = (u32)sum.maxrss << (PAGE_SHIFT - 10);
    usage->ru_minflt = (u32)sum.min_flt;
    usage->ru_majflt = (u32)sum.maj_flt;
    usage->ru_nvcsw = (u32)sum.nvcsw;
    usage->ru_nivcsw = (u32)sum.nivcsw;
}
