/* How tasks end. */
#include "asm/fpu.h"
#include "asm/irqflags.h"
#include "asm/tls.h"
#include "asm/uaccess.h"
#include "bug.h"
#include "completion.h"
#include "errno.h"
#include "exit_internal.h"
#include "fdtable.h"
#include "fs_struct.h"
#include "futex.h"
#include "itimer.h"
#include "printk.h"
#include "sched.h"
#include "string.h"
#include "tty.h"

/* How the first process ended, and what memory it took; of others, when a signal ended them. */
static void show_exit(int exit_code, const struct mm_struct *mm)
{
    if (current->tgid != 1 && !(exit_code & 0x7F))
        return;
    if (exit_code & 0x7F)
        pr_notice("%s[%u]: killed by signal %d (%s)\n", current->comm, current->tgid, exit_code & 0x7F,
                  signal_name(exit_code & 0x7F));
    else
        pr_notice("%s[%u]: exited with status %d\n", current->comm, current->tgid, exit_code >> 8);
    if (mm == NULL || current->tgid != 1)
        return;
    const unsigned long *faults = mm->nr_faults;
    pr_notice("%s[%u]: %lu demand faults: %lu text, %lu data, %lu bss, %lu heap, %lu mmap, %lu stack (%lu of "
              "them reads of the zero page)\n",
              current->comm, current->tgid, current->min_flt + current->maj_flt, faults[FAULT_TEXT],
              faults[FAULT_DATA], faults[FAULT_BSS], faults[FAULT_HEAP], faults[FAULT_MMAP],
              faults[FAULT_STACK], mm->nr_zero_page_faults);
    if (current->maj_flt)
        pr_notice("%s[%u]: %lu of them waited for a disk\n", current->comm, current->tgid, current->maj_flt);
    pr_notice("%s[%u]: %lu pages in areas, at most %lu present, %lu page tables and a page directory\n",
              current->comm, current->tgid, mm->total_vm, mm->hiwater_rss, mm->nr_ptes);
}

/* The first task's end is the end of all others, too. */
static void end_all_others(void)
{
    current->blocked = ~0ull;
    recalc_sigpending();
    while (do_kill(-1, SIGKILL) == 0) {
        struct wait_opts wait = {.type = PIDTYPE_SID, .options = WEXITED | __WALL};
        if (do_wait(&wait) < 0)
            break;
    }
    struct wait_opts wait = {.type = PIDTYPE_SID, .options = WEXITED | WNOHANG | __WALL};
    while (do_wait(&wait) > 0)
        ;
}

/* Pid 1 becomes the parent of the children of a process that ends, and waits for them. */
static void forget_original_parent(void)
{
    struct task_struct *father = current->group_leader, *reaper = find_process(1);
    if (reaper == NULL || reaper == father)
        reaper = &init_task;
    while (!list_empty(&father->children)) {
        struct task_struct *child = list_first_entry(&father->children, struct task_struct, sibling);
        struct task_struct *thread = child;
        list_del_init(&child->sibling);
        list_add_tail(&child->sibling, &reaper->children);
        do {
            thread->parent = reaper;
            if (thread->pdeath_signal)
                send_signal(thread->pdeath_signal, NULL, thread, PIDTYPE_TGID);
        }
        while_each_thread(child, thread);
        child->exit_signal = SIGCHLD;
        if (child->state == EXIT_ZOMBIE && is_alone(child) && do_notify_parent(child))
            release_task(child);
        else
            kill_orphaned_pgrp(child, father);
    }
}

void mm_release(struct task_struct *task)
{
    /* A thread that joins this one waits at the address; nobody does when nobody shares the memory. */
    if (task->clear_child_tid && task->mm && task->mm->mm_users > 1) {
        put_user_u32(0, (u32 *)task->clear_child_tid);
        futex_wake_address(task->clear_child_tid);
    }
    task->clear_child_tid = 0;
    if (task->vfork_done)
        complete(task->vfork_done);
    task->vfork_done = NULL;
}

static void exit_mm(void)
{
    struct mm_struct *mm = current->mm;
    exit_robust_list();
    mm_release(current);
    if (mm == NULL)
        return;
    current->signal->maxrss = max(current->signal->maxrss, mm->hiwater_rss);
    current->mm = NULL;
    switch_mm(NULL);
    mmput(mm);
}

/* What a thread has used stays on the process's account. */
static void account_thread(const struct task_struct *task)
{
    struct signal_struct *signal = task->signal;
    signal->sum_exec_runtime += task->se.sum_exec_runtime;
    signal->utime += task->utime;
    signal->stime += task->stime;
    signal->min_flt += task->min_flt;
    signal->maj_flt += task->maj_flt;
    signal->nvcsw += task->nvcsw;
    signal->nivcsw += task->nivcsw;
    delayacct_add_thread(signal, task);
}

/* The last thread of a process tells the parent; the first one's number lasts until then. */
static void exit_notify(bool is_last)
{
    struct task_struct *leader = current->group_leader;
    bool autoreap = true;
    if (is_last) {
        forget_original_parent();
        kill_orphaned_pgrp(leader, NULL);
    }
    if (current == leader) {
        autoreap = is_alone(leader) && do_notify_parent(leader);
        current->state = autoreap ? EXIT_DEAD : EXIT_ZOMBIE;
    } else {
        account_thread(current);
        current->state = EXIT_DEAD;
    }
    if (autoreap)
        unhash_task(current);
    struct task_struct *in_exec = current->signal->group_exec_task;
    if (in_exec)
        wake_up_process(in_exec);
    else if (current != leader && leader->state == EXIT_ZOMBIE && is_alone(leader) &&
             do_notify_parent(leader))
        release_task(leader);
}

void do_exit(int exit_code)
{
    struct signal_struct *signal = current->signal;
    if (current->tgid == 1 && signal->live == 1)
        end_all_others();
    current->is_exiting = true;
    exit_jobctl(current);
    bool is_last = --signal->live == 0;
    if (is_last) {
        exit_itimers(signal);
        show_exit(signal->is_group_exit ? signal->group_exit_code : exit_code, current->mm);
    }
    exit_mm();
    exit_files(current);
    if (is_last)
        signal->memcg = NULL;
    if (is_last && signal->is_leader)
        disassociate_ctty(true);
    exit_fs(current);
    fpu_clear(&current->thread.fpu);
    current->exit_code = exit_code;
    exit_notify(is_last);
    schedule();
    BUG();
}

void zap_other_threads(void)
{
    struct task_struct *thread = current;
    while ((thread = next_thread(thread)) != current) {
        if (thread->is_exiting)
            continue;
        unsigned long flags = local_irq_save();
        thread->jobctl_stop = false;
        thread->pending.signal |= sigmask(SIGKILL);
        signal_wake_up(thread, true);
        local_irq_restore(flags);
    }
}

void do_group_exit(int exit_code)
{
    struct signal_struct *signal = current->signal;
    if (signal->is_group_exit) {
        exit_code = signal->group_exit_code;
    } else if (signal->group_exec_task) {
        exit_code = 0;
    } else {
        signal->is_group_exit = true;
        signal->group_exit_code = exit_code;
        zap_other_threads();
    }
    do_exit(exit_code);
}

void force_fatal_sig(int sig)
{
    do_group_exit(sig);
}

void end_first_process(void)
{
    struct task_struct *first = find_process(1);
    unsigned long flags = local_irq_save();
    first->signal->is_group_exit = true;
    first->signal->group_exit_code = 0;
    struct task_struct *thread = first;
    do {
        thread->pending.signal |= sigmask(SIGKILL);
        signal_wake_up(thread, true);
    }
    while_each_thread(first, thread);
    local_irq_restore(flags);
}

void unhash_task(struct task_struct *task)
{
    list_del_init(&task->sibling);
    detach_pid(task);
    flush_sigqueue(&task->pending);
    nr_threads--;
}

void release_task(struct task_struct *task)
{
    if (thread_group_leader(task))
        flush_sigqueue(&task->signal->shared_pending);
    unhash_task(task);
    free_task(task);
}

/* The thread that calls execve() becomes the process's first one. */
static void take_leadership(void)
{
    struct task_struct *old = current->group_leader;
    unsigned long flags = local_irq_save();
    detach_pid(current);
    detach_pid(old);
    current->pid = old->pid;
    current->group_leader = current;
    current->exit_signal = SIGCHLD;
    current->start_jiffies = old->start_jiffies;
    current->signal->leader = current;
    attach_pid(current);
    local_irq_restore(flags);
    list_del_init(&old->sibling);
    list_add_tail(&current->sibling, &current->parent->children);
    while (!list_empty(&old->children)) {
        struct task_struct *child = list_first_entry(&old->children, struct task_struct, sibling);
        struct task_struct *thread = child;
        list_del_init(&child->sibling);
        list_add_tail(&child->sibling, &current->children);
        do
            thread->parent = current;
        while_each_thread(child, thread);
    }
    account_thread(old);
    old->state = EXIT_DEAD;
    flush_sigqueue(&old->pending);
    nr_threads--;
    free_task(old);
}

static bool others_are_gone(void)
{
    const struct task_struct *thread = current;
    while ((thread = next_thread(thread)) != current)
        if (thread != current->group_leader || thread->state != EXIT_ZOMBIE)
            return false;
    return true;
}

int de_thread(void)
{
    struct signal_struct *signal = current->signal;
    if (signal->is_group_exit || signal->group_exec_task)
        return -EAGAIN;
    if (!others_are_gone() || current != current->group_leader) {
        signal->group_exec_task = current;
        zap_other_threads();
        for (;;) {
            set_current_state(TASK_UNINTERRUPTIBLE);
            if (others_are_gone())
                break;
            schedule();
        }
        set_current_state(TASK_RUNNING);
        if (current != current->group_leader)
            take_leadership();
        signal->group_exec_task = NULL;
    }
    return unshare_sighand();
}

int begin_new_exec(struct mm_struct *mm, const char *name)
{
    int error = de_thread();
    if (error)
        return error;
    struct mm_struct *old = current->mm;
    exit_robust_list();
    mm_release(current);
    current->mm = mm;
    switch_mm(mm);
    mm->stack_limit_bytes = rlimit(RLIMIT_STACK);
    if (old) {
        current->signal->maxrss = max(current->signal->maxrss, old->hiwater_rss);
        mmput(old);
    }
    flush_signal_handlers();
    current->sas = (struct sigaltstack){.ss_flags = SS_DISABLE};
    current->pdeath_signal = 0;
    current->did_exec = true;
    clear_tls();
    fpu_clear(&current->thread.fpu);
    strlcpy(current->comm, name, TASK_COMM_LEN);
    return 0;
}
