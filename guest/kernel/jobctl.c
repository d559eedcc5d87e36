/* Job control: processes that stop and go on, and process groups that nobody could let go on. */
#include "asm/irqflags.h"
#include "sched.h"

#define STOPPING (sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))

static void discard_of_all_threads(sigset_t set, struct task_struct *task)
{
    struct task_struct *thread = task;
    discard_signals(set, &task->signal->shared_pending);
    do
        discard_signals(set, &thread->pending);
    while_each_thread(task, thread);
}

/* Whatever has stopped, or is about to, goes on. */
static void end_stop(struct task_struct *task)
{
    struct signal_struct *signal = task->signal;
    bool was_stopping = signal->is_stopped || signal->group_stop_count;
    struct task_struct *thread = task;
    signal->group_stop_count = 0;
    signal->is_stopped = false;
    do {
        thread->jobctl_stop = false;
        wake_up_state(thread, TASK_STOPPED);
    }
    while_each_thread(task, thread);
    if (!was_stopping)
        return;
    signal->was_continued = signal->notify_continued = true;
    task->has_sigpending = true;
}

void prepare_stop_signal(int sig, struct task_struct *task)
{
    if (sigmask(sig) & STOPPING) {
        discard_of_all_threads(sigmask(SIGCONT), task);
    } else if (sig == SIGCONT) {
        discard_of_all_threads(STOPPING, task);
        end_stop(task);
    }
}

/* SIGCHLD about a stop, or its end; who waits for the child looks in any case. */
static void notify_parent(int code, int status)
{
    struct task_struct *leader = current->group_leader, *parent = leader->parent;
    const struct siginfo info = {.si_signo = SIGCHLD,
                                 .si_code = code,
                                 .si_pid = leader->pid,
                                 .si_uid = leader->cred.uid,
                                 .si_status = status,
                                 .si_utime = (u32)leader->utime,
                                 .si_stime = (u32)leader->stime};
    const struct k_sigaction *action = &parent->sighand->action[SIGCHLD - 1];
    if (action->sa_handler != SIG_IGN && !(action->sa_flags & SA_NOCLDSTOP))
        send_signal(SIGCHLD, &info, parent, PIDTYPE_TGID);
    wake_up_all(&parent->signal->wait_chldexit);
}

/* One of the threads that were to stop has, or is no more. */
static void count_stopped(struct signal_struct *signal)
{
    if (signal->group_stop_count == 0 || --signal->group_stop_count)
        return;
    signal->is_stopped = true;
    signal->is_stop_reported = signal->was_continued = signal->notify_continued = false;
    notify_parent(CLD_STOPPED, signal->stop_code);
}

static void stop_here(void)
{
    current->jobctl_stop = false;
    set_current_state(TASK_STOPPED);
    count_stopped(current->signal);
    /* Unless the news has made somebody send the signal that ends the stop. */
    if (current->state == TASK_STOPPED)
        schedule();
    set_current_state(TASK_RUNNING);
    recalc_sigpending();
}

void do_signal_stop(int sig)
{
    struct signal_struct *signal = current->signal;
    struct task_struct *thread = current;
    signal->stop_code = sig;
    signal->group_stop_count = 0;
    do {
        if (thread->is_exiting)
            continue;
        signal->group_stop_count++;
        thread->jobctl_stop = true;
        if (thread != current)
            signal_wake_up(thread, false);
    }
    while_each_thread(current, thread);
    stop_here();
}

bool handle_jobctl(void)
{
    struct signal_struct *signal = current->signal;
    if (signal->notify_continued) {
        signal->notify_continued = false;
        notify_parent(CLD_CONTINUED, SIGCONT);
        return true;
    }
    if (!current->jobctl_stop)
        return false;
    stop_here();
    return true;
}

void exit_jobctl(struct task_struct *task)
{
    if (!task->jobctl_stop)
        return;
    task->jobctl_stop = false;
    count_stopped(task->signal);
}

bool is_orphaned_pgrp(u32 pgrp, const struct task_struct *ignored)
{
    struct task_struct *task;
    for_each_process(task)
    {
        const struct task_struct *parent = task->parent;
        if (task == ignored || task->signal->pgrp != pgrp || task->signal->live == 0 || parent->pid <= 1)
            continue;
        if (parent->signal->pgrp != pgrp && parent->signal->session == task->signal->session)
            return false;
    }
    return true;
}

static bool has_stopped_jobs(u32 pgrp)
{
    struct task_struct *task;
    for_each_process(task)
    {
        if (task->signal->pgrp == pgrp && task->signal->is_stopped)
            return true;
    }
    return false;
}

void kill_orphaned_pgrp(const struct task_struct *task, const struct task_struct *parent)
{
    const struct task_struct *ignored = task;
    /* Of a child that goes to init, the old parent is what held its group. */
    if (parent == NULL)
        parent = task->parent;
    else
        ignored = NULL;
    u32 pgrp = task->signal->pgrp;
    if (parent->signal->pgrp == pgrp || parent->signal->session != task->signal->session)
        return;
    if (!is_orphaned_pgrp(pgrp, ignored) || !has_stopped_jobs(pgrp))
        return;
    kill_pgrp(pgrp, SIGHUP);
    kill_pgrp(pgrp, SIGCONT);
}
