/* kill(2): whom it means, and whether the caller may. */
#include "errno.h"
#include "sched.h"

static bool may_kill(const struct task_struct *task, int sig)
{
    const struct cred *cred = current_cred(), *target = &task->cred;
    if (cred->euid == 0 || cred->euid == target->uid || cred->euid == target->suid ||
        cred->uid == target->uid || cred->uid == target->suid)
        return true;
    return sig == SIGCONT && task->signal->session == current->signal->session;
}

static long kill_process(struct task_struct *task, int sig)
{
    const struct siginfo info = {.si_signo = sig, .si_pid = current->tgid, .si_uid = current_uid()};
    /* The kernel's own threads take no orders. */
    if (task->mm == NULL && task->signal->live != 0)
        return -EPERM;
    if (!may_kill(task, sig))
        return -EPERM;
    return sig ? send_signal(sig, &info, task, PIDTYPE_TGID) : 0;
}

static bool is_meant(const struct task_struct *task, s32 pid)
{
    if (pid > 0)
        return task->pid == (u32)pid;
    /* Every process but the caller and the first. */
    if (pid == -1)
        return task->pid != 1 && task != current->group_leader && (task->mm || task->signal->live == 0);
    return task->signal->pgrp == (pid ? (u32)-pid : current->signal->pgrp);
}

long do_kill(s32 pid, int sig)
{
    long result = -ESRCH;
    if (sig < 0 || sig > NR_SIGNALS)
        return -EINVAL;
    struct task_struct *task;
    for_each_process(task)
    {
        if (!is_meant(task, pid))
            continue;
        long error = kill_process(task, sig);
        /* One that could be reached is success. */
        if (result != 0)
            result = error;
    }
    return result;
}

int kill_pgrp(u32 pgrp, int sig)
{
    int result = -ESRCH;
    const struct siginfo info = {.si_signo = sig, .si_code = SI_KERNEL};
    struct task_struct *task;
    for_each_process(task)
    {
        if (task->signal->pgrp != pgrp || task->mm == NULL)
            continue;
        send_signal(sig, &info, task, PIDTYPE_TGID);
        result = 0;
    }
    return result;
}
