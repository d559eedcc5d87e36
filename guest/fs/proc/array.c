/* stat, statm and status of a task (proc(5)). Ticks and jiffies are both hundredths of a second here. */
#include "cred.h"
#include "fdtable.h"
#include "fs_struct.h"
#include "internal.h"
#include "jiffies.h"
#include "math64.h"
#include "memstat.h"
#include "mm.h"
#include "sched.h"
#include "signal.h"
#include "tty.h"

#define PF_EXITING 0x4u
#define PF_KTHREAD 0x200000u

static const struct {
    char letter;
    const char *name;
} states[] = {
    {'R', "R (running)"}, {'S', "S (sleeping)"}, {'D', "D (disk sleep)"},
    {'T', "T (stopped)"}, {'Z', "Z (zombie)"},   {'X', "X (dead)"},
};

static unsigned int state_index(const struct task_struct *task)
{
    switch (task->state) {
    case TASK_RUNNING:
        return 0;
    case TASK_INTERRUPTIBLE:
        return 1;
    case TASK_UNINTERRUPTIBLE:
        return 2;
    case TASK_STOPPED:
        return 3;
    case EXIT_ZOMBIE:
        return 4;
    default:
        return 5;
    }
}

static u32 parent_tgid(const struct task_struct *task)
{
    return task->parent ? task->parent->tgid : 0;
}

/* What all threads have used, those that are gone among them; or one thread alone. */
struct task_times {
    unsigned long utime, stime, min_flt, maj_flt;
    u32 nr_threads;
};

static struct task_times sum_times(struct task_struct *task, bool is_whole_process)
{
    struct task_times sum = {task->utime, task->stime, task->min_flt, task->maj_flt, 1};
    struct task_struct *other = task;
    while_each_thread(task, other)
    {
        sum.nr_threads++;
        sum.utime += other->utime;
        sum.stime += other->stime;
        sum.min_flt += other->min_flt;
        sum.maj_flt += other->maj_flt;
    }
    if (!is_whole_process)
        return (struct task_times){task->utime, task->stime, task->min_flt, task->maj_flt, sum.nr_threads};
    sum.utime += task->signal->utime;
    sum.stime += task->signal->stime;
    sum.min_flt += task->signal->min_flt;
    sum.maj_flt += task->signal->maj_flt;
    return sum;
}

/* Bits of signals that are ignored and that have handlers. */
static void collect_handlers(const struct task_struct *task, sigset_t *ignored, sigset_t *caught)
{
    *ignored = *caught = 0;
    for (int sig = 1; task->sighand && sig <= NR_SIGNALS; sig++) {
        u32 handler = task->sighand->action[sig - 1].sa_handler;
        if (handler == SIG_IGN)
            *ignored |= sigmask(sig);
        else if (handler != SIG_DFL)
            *caught |= sigmask(sig);
    }
}

static int task_prio(const struct task_struct *task)
{
    if (task->policy == SCHED_FIFO || task->policy == SCHED_RR)
        return -1 - (int)task->rt_priority;
    return (int)task->static_prio - (int)MAX_RT_PRIO;
}

static bool is_kthread(const struct task_struct *task)
{
    return task == kthreadd_task || task->parent == kthreadd_task;
}

static u32 task_flags(const struct task_struct *task)
{
    return (task->is_exiting ? PF_EXITING : 0) | (is_kthread(task) ? PF_KTHREAD : 0);
}

/* Of this thread alone, as in Linux: what it slept for disks, those of swap among them. */
static u64 delayacct_blkio_ticks(const struct task_struct *task)
{
    const struct delay_sum *sum = task->delays.sum;
    return div_u64(sum[DELAY_BLKIO].ns + sum[DELAY_SWAPIN].ns, 1000000000 / HZ);
}

static int show_stat(struct seq_file *m, struct task_struct *task, bool is_whole_process)
{
    static const struct mm_struct no_mm;
    const struct mm_struct *mm = task->mm ? task->mm : &no_mm;
    const struct signal_struct *signal = task->signal;
    struct task_times times = sum_times(task, is_whole_process);
    sigset_t ignored, caught;
    collect_handlers(task, &ignored, &caught);
    seq_printf(m, "%u (%s) %c %u %u %u %u %d %u", task->pid, task->comm, states[state_index(task)].letter,
               parent_tgid(task), signal->pgrp, signal->session,
               signal->tty ? TTY_MAJOR << 8 | TTY_CONSOLE_MINOR : 0,
               signal->tty ? (int)signal->tty->pgrp : -1, task_flags(task));
    seq_printf(m, " %lu %lu %lu %lu %lu %lu %lu %lu", times.min_flt, signal->cmin_flt, times.maj_flt,
               signal->cmaj_flt, times.utime, times.stime, signal->cutime, signal->cstime);
    seq_printf(m, " %d %d %u 0 %lu %lu %lu %u", task_prio(task), task_nice(task), times.nr_threads,
               task->start_jiffies, mm->total_vm << PAGE_SHIFT, mm->rss, signal->rlim[RLIMIT_RSS].rlim_cur);
    /* Stack and instruction pointer are 0, as Linux has them for tasks that live. */
    seq_printf(m, " %lu %lu %lu 0 0 %u %u %u %u 0 0 0", mm->start_code, mm->end_code, mm->start_stack,
               (u32)(task->pending.signal & 0x7FFFFFFF), (u32)(task->blocked & 0x7FFFFFFF),
               (u32)(ignored & 0x7FFFFFFF), (u32)(caught & 0x7FFFFFFF));
    seq_printf(m, " %d 0 %u %u %llu 0 0 %lu %lu %lu", task->exit_signal, task->rt_priority, task->policy,
               delayacct_blkio_ticks(task), mm->start_data, mm->end_data, mm->start_brk);
    seq_printf(m, " %lu %lu %lu %lu %d\n", mm->arg_start, mm->arg_end, mm->env_start, mm->env_end,
               task->exit_code);
    return 0;
}

int proc_tid_stat(struct seq_file *m, struct task_struct *task)
{
    return show_stat(m, task, false);
}

int proc_tgid_stat(struct seq_file *m, struct task_struct *task)
{
    return show_stat(m, task, true);
}

/* Pages in areas, by what proc(5) calls them. */
struct area_sizes {
    unsigned long data, stack, code, libraries, locked;
};

static struct area_sizes measure_areas(const struct mm_struct *mm)
{
    struct area_sizes sizes = {.code =
                                   (PAGE_ALIGN(mm->end_code) - (mm->start_code & PAGE_MASK)) >> PAGE_SHIFT,
                               .locked = mm->locked_vm};
    unsigned long executable = 0;
    for (const struct vm_area_struct *vma = first_vma(mm); vma; vma = next_vma(vma)) {
        unsigned long pages = vma_pages(vma);
        if (vma->vm_flags & VM_GROWSDOWN)
            sizes.stack += pages;
        else if ((vma->vm_flags & VM_EXEC) && !(vma->vm_flags & VM_WRITE))
            executable += pages;
        else if ((vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
            sizes.data += pages;
    }
    sizes.libraries = executable - min(sizes.code, executable);
    return sizes;
}

int proc_pid_statm(struct seq_file *m, struct task_struct *task)
{
    if (task->mm == NULL) {
        seq_printf(m, "0 0 0 0 0 0 0\n");
        return 0;
    }
    struct area_sizes sizes = measure_areas(task->mm);
    struct mem_size_stats pages = {0};
    mm_gather_stats(task->mm, &pages);
    seq_printf(m, "%lu %lu %lu %lu 0 %lu 0\n", task->mm->total_vm, pages.resident >> PAGE_SHIFT,
               (pages.resident - pages.anonymous) >> PAGE_SHIFT, sizes.code, sizes.data + sizes.stack);
    return 0;
}

static void show_memory(struct seq_file *m, struct mm_struct *mm)
{
    struct area_sizes sizes = measure_areas(mm);
    struct mem_size_stats stats = {0};
    mm_gather_stats(mm, &stats);
    const struct {
        const char *name;
        unsigned long pages;
    } rows[] = {
        {"VmSize", mm->total_vm},
        {"VmLck", sizes.locked},
        {"VmHWM", max(mm->hiwater_rss, mm->rss)},
        {"VmRSS", stats.resident >> PAGE_SHIFT},
        {"RssAnon", stats.anonymous >> PAGE_SHIFT},
        {"RssFile", (stats.resident - stats.anonymous) >> PAGE_SHIFT},
        {"RssShmem", 0},
        {"VmData", sizes.data},
        {"VmStk", sizes.stack},
        {"VmExe", sizes.code},
        {"VmLib", sizes.libraries},
        {"VmPTE", mm->nr_ptes},
        {"VmSwap", mm->nr_swapents},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        seq_printf(m, "%s:\t%8lu kB\n", rows[i].name, rows[i].pages << (PAGE_SHIFT - 10));
}

static void show_credentials(struct seq_file *m, const struct cred *cred)
{
    seq_printf(m, "Uid:\t%u\t%u\t%u\t%u\n", cred->uid, cred->euid, cred->suid, cred->fsuid);
    seq_printf(m, "Gid:\t%u\t%u\t%u\t%u\n", cred->gid, cred->egid, cred->sgid, cred->fsgid);
}

static void show_groups(struct seq_file *m, const struct cred *cred)
{
    seq_printf(m, "Groups:\t");
    for (u32 i = 0; i < cred->ngroups; i++)
        seq_printf(m, "%u ", cred->groups[i]);
    seq_printf(m, "\n");
}

static void show_signals(struct seq_file *m, const struct task_struct *task)
{
    sigset_t ignored, caught;
    collect_handlers(task, &ignored, &caught);
    const struct {
        const char *name;
        sigset_t set;
    } rows[] = {
        {"SigPnd", task->pending.signal},
        {"ShdPnd", task->signal->shared_pending.signal},
        {"SigBlk", task->blocked},
        {"SigIgn", ignored},
        {"SigCgt", caught},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        seq_printf(m, "%s:\t%016llx\n", rows[i].name, rows[i].set);
}

int proc_pid_status(struct seq_file *m, struct task_struct *task)
{
    seq_printf(m, "Name:\t%s\n", task->comm);
    if (task->fs)
        seq_printf(m, "Umask:\t%04o\n", task->fs->umask);
    seq_printf(m, "State:\t%s\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n",
               states[state_index(task)].name, task->tgid, task->pid, parent_tgid(task));
    show_credentials(m, &task->cred);
    seq_printf(m, "FDSize:\t%u\n", task->files ? task->files->max_fds : 0);
    show_groups(m, &task->cred);
    if (task->mm)
        show_memory(m, task->mm);
    seq_printf(m, "Threads:\t%u\n", sum_times(task, false).nr_threads);
    show_signals(m, task);
    seq_printf(m, "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n");
    seq_printf(m, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n", task->nvcsw,
               task->nivcsw);
    return 0;
}
