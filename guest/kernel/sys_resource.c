/* System calls about limits, use of resources, and priorities. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "rusage.h"
#include "sched.h"
#include "sys_task.h"

/* What getrlimit(2) said before limits had 32 bits. */
#define OLD_RLIM_INFINITY 0x7FFFFFFFu

u32 rlimit(unsigned int limit)
{
    return current->signal->rlim[limit].rlim_cur;
}

static struct task_struct *process_of(u32 pid)
{
    return pid ? find_task(pid) : current;
}

static bool may_change(const struct task_struct *task)
{
    return capable_root() || task->cred.uid == current_uid();
}

static long set_rlimit(struct task_struct *task, u32 limit, const struct rlimit *new)
{
    struct rlimit *rlim = &task->signal->rlim[limit];
    if (new->rlim_cur > new->rlim_max)
        return -EINVAL;
    if (new->rlim_max > rlim->rlim_max && !capable_root())
        return -EPERM;
    *rlim = *new;
    /* Where the stack may grow to is looked up in the address space. */
    if (limit == RLIMIT_STACK && task->mm)
        task->mm->stack_limit_bytes = new->rlim_cur;
    return 0;
}

long sys_ugetrlimit(const struct pt_regs *regs)
{
    if (regs->bx >= RLIM_NLIMITS)
        return -EINVAL;
    return copy_to_user((void *)regs->cx, &current->signal->rlim[regs->bx], sizeof(struct rlimit)) ? -EFAULT
                                                                                                   : 0;
}

long sys_getrlimit(const struct pt_regs *regs)
{
    if (regs->bx >= RLIM_NLIMITS)
        return -EINVAL;
    struct rlimit rlim = current->signal->rlim[regs->bx];
    rlim.rlim_cur = min(rlim.rlim_cur, OLD_RLIM_INFINITY);
    rlim.rlim_max = min(rlim.rlim_max, OLD_RLIM_INFINITY);
    return copy_to_user((void *)regs->cx, &rlim, sizeof(rlim)) ? -EFAULT : 0;
}

long sys_setrlimit(const struct pt_regs *regs)
{
    struct rlimit new;
    if (regs->bx >= RLIM_NLIMITS)
        return -EINVAL;
    if (copy_from_user(&new, (const void *)regs->cx, sizeof(new)))
        return -EFAULT;
    return set_rlimit(current, regs->bx, &new);
}

static u32 clamp_limit(u64 value)
{
    return value > RLIM_INFINITY ? RLIM_INFINITY : (u32)value;
}

static u64 widen_limit(u32 value)
{
    return value == RLIM_INFINITY ? ~0ull : value;
}

/* Limits of 64 bits, of any process. */
long sys_prlimit64(const struct pt_regs *regs)
{
    u64 user[2];
    struct task_struct *task = process_of(regs->bx);
    u32 limit = regs->cx;
    if (limit >= RLIM_NLIMITS)
        return -EINVAL;
    if (task == NULL)
        return -ESRCH;
    if (!may_change(task))
        return -EPERM;
    const struct rlimit old = task->signal->rlim[limit];
    if (regs->dx) {
        if (copy_from_user(user, (const void *)regs->dx, sizeof(user)))
            return -EFAULT;
        const struct rlimit new = {clamp_limit(user[0]), clamp_limit(user[1])};
        long error = set_rlimit(task, limit, &new);
        if (error)
            return error;
    }
    user[0] = widen_limit(old.rlim_cur);
    user[1] = widen_limit(old.rlim_max);
    return regs->si && copy_to_user((void *)regs->si, user, sizeof(user)) ? -EFAULT : 0;
}

long sys_getrusage(const struct pt_regs *regs)
{
    struct rusage usage;
    int who = (int)regs->bx;
    if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
        return -EINVAL;
    get_rusage(current, who, &usage);
    return copy_to_user((void *)regs->cx, &usage, sizeof(usage)) ? -EFAULT : 0;
}

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

/* Does fn to all tasks that are meant, each with what the one before returned. */
static long for_each_meant(u32 which, u32 who, long (*fn)(struct task_struct *task, long so_far, int nice),
                           int nice)
{
    struct task_struct *process, *thread;
    long so_far = -ESRCH;
    if (which > PRIO_USER)
        return -EINVAL;
    if (which == PRIO_PROCESS) {
        struct task_struct *task = process_of(who);
        return task ? fn(task, so_far, nice) : -ESRCH;
    }
    for_each_process(process)
    {
        bool is_meant = which == PRIO_PGRP ? process->signal->pgrp == (who ? who : current->signal->pgrp)
                                           : process->cred.uid == (who ? who : current_uid());
        thread = process;
        do
            if (is_meant)
                so_far = fn(thread, so_far, nice);
        while_each_thread(process, thread);
    }
    return so_far;
}

static long highest_priority(struct task_struct *task, long so_far, int nice)
{
    (void)nice;
    /* 1 to 40, so that none is an error number. */
    return max(so_far, (long)(20 - task_nice(task)));
}

long sys_getpriority(const struct pt_regs *regs)
{
    return for_each_meant(regs->bx, regs->cx, highest_priority, 0);
}

/* Raising the priority is root's privilege, unless RLIMIT_NICE allows it. */
static bool can_nice(const struct task_struct *task, int nice)
{
    return nice >= task_nice(task) || capable_root() || 20 - nice <= (int)rlimit(RLIMIT_NICE);
}

static long set_priority(struct task_struct *task, long so_far, int nice)
{
    if (!may_change(task))
        return -EPERM;
    if (!can_nice(task, nice))
        return -EACCES;
    set_user_nice(task, nice);
    return so_far == -ESRCH ? 0 : so_far;
}

static int clamp_nice(int nice)
{
    return max(NICE_MIN, min(NICE_MAX, nice));
}

long sys_setpriority(const struct pt_regs *regs)
{
    return for_each_meant(regs->bx, regs->cx, set_priority, clamp_nice((int)regs->dx));
}

long sys_nice(const struct pt_regs *regs)
{
    int change = max(-40, min(40, (int)regs->bx));
    int nice = clamp_nice(task_nice(current) + change);
    if (!can_nice(current, nice))
        return -EPERM;
    set_user_nice(current, nice);
    return 0;
}
