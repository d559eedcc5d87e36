/* Signals, as far as they need no handlers. */
#include "errno.h"
#include "sched.h"

static u32 mask(int sig)
{
    return 1u << (sig - 1);
}

static bool is_ignored(int sig)
{
    return sig == SIGCHLD || sig == SIGCONT || sig == SIGURG || sig == SIGWINCH;
}

static void send_signal(struct task_struct *task, int sig)
{
    if (sig == 0 || is_ignored(sig))
        return;
    task->pending |= mask(sig);
    if (task->state == TASK_INTERRUPTIBLE)
        wake_up_process(task);
}

/* Whom kill(-1) means: every process but the caller and the first. */
static bool is_in_broadcast(const struct task_struct *task)
{
    return task->mm && task != current && task->pid != 1;
}

long do_kill(s32 pid, int sig)
{
    long result = -ESRCH;
    if (sig < 0 || sig > NR_SIGNALS)
        return -EINVAL;
    struct task_struct *task;
    list_for_each_entry(task, &task_list, tasks)
    {
        if (pid == -1 ? !is_in_broadcast(task) : task->pid != (u32)pid)
            continue;
        /* The kernel's own threads take no orders. */
        if (task->mm == NULL && task->state != EXIT_ZOMBIE)
            return -EPERM;
        send_signal(task, sig);
        result = 0;
    }
    return result;
}

void do_signal(void)
{
    if (!signal_pending(current))
        return;
    int sig = 1;
    while (!(current->pending & mask(sig)))
        sig++;
    /* Nothing but its own will ends the first process. */
    if (current->pid == 1)
        current->pending = 0;
    else
        do_exit(sig);
}
