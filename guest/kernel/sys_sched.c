/* System calls about scheduling policies (sched(7)). */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "jiffies.h"
#include "sched.h"
#include "sys_task.h"
#include "sys_time.h"

#define SCHED_RESET_ON_FORK 0x40000000u
#define RR_INTERVAL_NS (NSEC_PER_SEC / 10)
#define CPU_MASK_BYTES 4u

static struct task_struct *task_of(u32 pid)
{
    return pid ? find_task(pid) : current;
}

long sys_sched_yield(const struct pt_regs *regs)
{
    (void)regs;
    yield();
    return 0;
}

static long set_policy(u32 pid, u32 policy, u32 user_param)
{
    u32 priority;
    if ((s32)pid < 0 || user_param == 0)
        return -EINVAL;
    if (get_user_u32(&priority, (const u32 *)user_param))
        return -EFAULT;
    struct task_struct *task = task_of(pid);
    if (task == NULL)
        return -ESRCH;
    bool is_same_user = task->cred.uid == current_euid();
    bool is_allowed = priority == 0 || priority <= task->signal->rlim[RLIMIT_RTPRIO].rlim_cur;
    if (!capable_root() && !(is_same_user && is_allowed))
        return -EPERM;
    return sched_set_policy(task, policy == ~0u ? task->policy : policy, priority);
}

long sys_sched_setscheduler(const struct pt_regs *regs)
{
    if ((s32)regs->cx < 0)
        return -EINVAL;
    return set_policy(regs->bx, regs->cx & ~SCHED_RESET_ON_FORK, regs->dx);
}

long sys_sched_setparam(const struct pt_regs *regs)
{
    return set_policy(regs->bx, ~0u, regs->cx);
}

long sys_sched_getscheduler(const struct pt_regs *regs)
{
    const struct task_struct *task = task_of(regs->bx);
    return task ? (long)task->policy : -ESRCH;
}

long sys_sched_getparam(const struct pt_regs *regs)
{
    const struct task_struct *task = task_of(regs->bx);
    return task ? put_user_u32(task->rt_priority, (u32 *)regs->cx) : -ESRCH;
}

static long priority_limit(u32 policy, long for_rt)
{
    if (policy == SCHED_FIFO || policy == SCHED_RR)
        return for_rt;
    return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ? 0 : -EINVAL;
}

long sys_sched_get_priority_max(const struct pt_regs *regs)
{
    return priority_limit(regs->bx, (long)MAX_RT_PRIO - 1);
}

long sys_sched_get_priority_min(const struct pt_regs *regs)
{
    return priority_limit(regs->bx, 1);
}

static long rr_interval(const struct pt_regs *regs, int (*put_time)(u64 ns, u32 user_time))
{
    const struct task_struct *task = task_of(regs->bx);
    if (task == NULL)
        return -ESRCH;
    return put_time(task->policy == SCHED_RR ? RR_INTERVAL_NS : 0, regs->cx);
}

long sys_sched_rr_get_interval(const struct pt_regs *regs)
{
    return rr_interval(regs, put_timespec32);
}

long sys_sched_rr_get_interval_time64(const struct pt_regs *regs)
{
    return rr_interval(regs, put_timespec64);
}

/* There is one CPU, and every task runs on it. */
long sys_sched_setaffinity(const struct pt_regs *regs)
{
    u32 mask;
    if (task_of(regs->bx) == NULL)
        return -ESRCH;
    if (regs->cx < CPU_MASK_BYTES || !(regs->dx))
        return -EINVAL;
    if (get_user_u32(&mask, (const u32 *)regs->dx))
        return -EFAULT;
    return mask & 1 ? 0 : -EINVAL;
}

long sys_sched_getaffinity(const struct pt_regs *regs)
{
    if (task_of(regs->bx) == NULL)
        return -ESRCH;
    if (regs->cx < CPU_MASK_BYTES || regs->cx % CPU_MASK_BYTES)
        return -EINVAL;
    return put_user_u32(1, (u32 *)regs->dx) ? -EFAULT : (long)CPU_MASK_BYTES;
}

long sys_getcpu(const struct pt_regs *regs)
{
    if (regs->bx && put_user_u32(0, (u32 *)regs->bx))
        return -EFAULT;
    return regs->cx ? put_user_u32(0, (u32 *)regs->cx) : 0;
}
