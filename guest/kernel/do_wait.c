/* How parents learn what has become of their children. */
#include "errno.h"
#include "exit_internal.h"
#include "rusage.h"
#include "sched.h"

static int process_exit_code(const struct task_struct *task)
{
    return task->signal->is_group_exit ? task->signal->group_exit_code : task->exit_code;
}

bool do_notify_parent(struct task_struct *task)
{
    int sig = task->exit_signal, exit_code = process_exit_code(task);
    struct task_struct *parent = task->parent;
    const struct siginfo info = {.si_signo = sig,
                                 .si_code = exit_code & 0x7F ? CLD_KILLED : CLD_EXITED,
                                 .si_pid = task->pid,
                                 .si_uid = task->cred.uid,
                                 .si_status = exit_code & 0x7F ? exit_code & 0x7F : exit_code >> 8,
                                 .si_utime = (u32)(task->signal->utime + task->utime),
                                 .si_stime = (u32)(task->signal->stime + task->stime)};
    const struct k_sigaction *action = &parent->sighand->action[SIGCHLD - 1];
    bool autoreap = false;
    if (sig == SIGCHLD && (action->sa_handler == SIG_IGN || (action->sa_flags & SA_NOCLDWAIT))) {
        autoreap = true;
        if (action->sa_handler == SIG_IGN)
            sig = 0;
    }
    if (sig)
        send_signal(sig, &info, parent, PIDTYPE_TGID);
    wake_up_all(&parent->signal->wait_chldexit);
    return autoreap;
}

static bool is_meant(const struct wait_opts *wait, const struct task_struct *child)
{
    if (wait->type == PIDTYPE_PID && child->pid != wait->pid)
        return false;
    if (wait->type == PIDTYPE_PGID && child->signal->pgrp != wait->pid)
        return false;
    /* Children that end with another signal than SIGCHLD are a kind of their own. */
    bool is_clone = child->exit_signal != SIGCHLD;
    return (wait->options & __WALL) || is_clone == ((wait->options & __WCLONE) != 0);
}

/* The child's account, and its children's, become part of the parent's. */
static void account_child(const struct task_struct *child)
{
    struct signal_struct *signal = current->signal;
    const struct signal_struct *from = child->signal;
    signal->cutime += from->utime + from->cutime + child->utime;
    signal->cstime += from->stime + from->cstime + child->stime;
    signal->cmin_flt += from->min_flt + from->cmin_flt + child->min_flt;
    signal->cmaj_flt += from->maj_flt + from->cmaj_flt + child->maj_flt;
    signal->cnvcsw += from->nvcsw + from->cnvcsw + child->nvcsw;
    signal->cnivcsw += from->nivcsw + from->cnivcsw + child->nivcsw;
    signal->cmaxrss = max(signal->cmaxrss, max(from->maxrss, from->cmaxrss));
}

static bool wait_zombie(struct wait_opts *wait, struct task_struct *child)
{
    if (!(wait->options & WEXITED) || child->state != EXIT_ZOMBIE || !is_alone(child))
        return false;
    wait->status = process_exit_code(child);
    wait->code = wait->status & 0x7F ? CLD_KILLED : CLD_EXITED;
    wait->uid = child->cred.uid;
    if (wait->rusage)
        get_rusage(child, RUSAGE_BOTH, wait->rusage);
    if (!(wait->options & WNOWAIT)) {
        account_child(child);
        release_task(child);
    }
    return true;
}

static bool wait_stopped(struct wait_opts *wait, struct task_struct *child)
{
    struct signal_struct *signal = child->signal;
    if (!(wait->options & WUNTRACED) || !signal->is_stopped || signal->is_stop_reported)
        return false;
    signal->is_stop_reported = !(wait->options & WNOWAIT);
    wait->status = signal->stop_code << 8 | 0x7F;
    wait->code = CLD_STOPPED;
    return true;
}

static bool wait_continued(struct wait_opts *wait, struct task_struct *child)
{
    struct signal_struct *signal = child->signal;
    if (!(wait->options & WCONTINUED) || !signal->was_continued)
        return false;
    signal->was_continued = (wait->options & WNOWAIT) != 0;
    wait->status = 0xFFFF;
    wait->code = CLD_CONTINUED;
    return true;
}

/* A child with news: its number. 0: there are children, but no news; -ECHILD. */
static long look_at_children(struct wait_opts *wait)
{
    long result = -ECHILD;
    struct task_struct *child;
    list_for_each_entry(child, &current->group_leader->children, sibling)
    {
        if (!is_meant(wait, child))
            continue;
        u32 pid = child->pid;
        wait->uid = child->cred.uid;
        if (wait_zombie(wait, child))
            return (long)pid;
        if (wait_stopped(wait, child) || wait_continued(wait, child)) {
            if (wait->rusage)
                get_rusage(child, RUSAGE_BOTH, wait->rusage);
            return (long)pid;
        }
        result = 0;
    }
    return result;
}

long do_wait(struct wait_opts *wait)
{
    long result = 0;
    int error = wait_event_interruptible(current->signal->wait_chldexit,
                                         (result = look_at_children(wait)) != 0 || (wait->options & WNOHANG));
    return error ? error : result;
}

long kernel_wait(u32 pid, int *status)
{
    struct wait_opts wait = {.type = PIDTYPE_PID, .pid = pid, .options = WEXITED | __WALL};
    long child = do_wait(&wait);
    *status = wait.status;
    return child;
}
