/* System calls about process groups and sessions (credentials(7), setpgid(2)). */
#include "asm/ptrace.h"
#include "errno.h"
#include "sched.h"
#include "sys_task.h"

static struct task_struct *process_of(u32 pid)
{
    return pid ? find_process(pid) : current->group_leader;
}

long sys_getpgrp(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->signal->pgrp;
}

long sys_getpgid(const struct pt_regs *regs)
{
    const struct task_struct *task = process_of(regs->bx);
    return task ? (long)task->signal->pgrp : -ESRCH;
}

long sys_getsid(const struct pt_regs *regs)
{
    const struct task_struct *task = process_of(regs->bx);
    return task ? (long)task->signal->session : -ESRCH;
}

static bool has_group(u32 pgrp, u32 session)
{
    struct task_struct *task;
    for_each_process(task)
    {
        if (task->signal->pgrp == pgrp && task->signal->session == session)
            return true;
    }
    return false;
}

/* Oneself or a child that has not called execve() goes into a group of the same session, or founds one. */
long sys_setpgid(const struct pt_regs *regs)
{
    u32 pid = regs->bx ? regs->bx : current->tgid, pgrp = regs->cx ? regs->cx : pid;
    const struct task_struct *self = current->group_leader;
    struct task_struct *task = find_process(pid);
    if ((s32)pgrp < 0)
        return -EINVAL;
    if (task == NULL || (task != self && task->parent != self))
        return -ESRCH;
    if (task != self) {
        if (task->signal->session != current->signal->session)
            return -EPERM;
        if (task->did_exec)
            return -EACCES;
    }
    if (task->signal->is_leader)
        return -EPERM;
    if (pgrp != pid && !has_group(pgrp, current->signal->session))
        return -EPERM;
    task->signal->pgrp = pgrp;
    return 0;
}

long sys_setsid(const struct pt_regs *regs)
{
    struct signal_struct *signal = current->signal;
    struct task_struct *task;
    (void)regs;
    if (signal->is_leader)
        return -EPERM;
    /* The new group would have the name of another one. */
    for_each_process(task)
    {
        if (task->signal->pgrp == current->tgid)
            return -EPERM;
    }
    signal->is_leader = true;
    signal->session = signal->pgrp = current->tgid;
    signal->tty = NULL;
    return (long)current->tgid;
}
