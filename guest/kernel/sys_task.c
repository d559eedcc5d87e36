/* System calls about processes. */
#include "sys_task.h"
#include "asm/ptrace.h"
#include "asm/switch_to.h"
#include "asm/uaccess.h"
#include "rusage.h"
#include "sched.h"
#include "string.h"

long sys_exit(const struct pt_regs *regs)
{
    do_exit((int)(regs->bx & 0xFF) << 8);
}

long sys_exit_group(const struct pt_regs *regs)
{
    do_group_exit((int)(regs->bx & 0xFF) << 8);
}

long sys_fork(const struct pt_regs *regs)
{
    const struct clone_args args = {.flags = SIGCHLD};
    (void)regs;
    return do_fork(&args);
}

long sys_vfork(const struct pt_regs *regs)
{
    const struct clone_args args = {.flags = CLONE_VFORK | CLONE_VM | SIGCHLD};
    (void)regs;
    return do_fork(&args);
}

/* On i386 the arguments are flags, stack, where the parent's copy of the number goes, TLS, the child's. */
long sys_clone(const struct pt_regs *regs)
{
    const struct clone_args args = {
        .flags = regs->bx, .stack = regs->cx, .parent_tid = regs->dx, .tls = regs->si, .child_tid = regs->di};
    return do_fork(&args);
}

long sys_getpid(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->tgid;
}

long sys_getppid(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->group_leader->parent->tgid;
}

long sys_gettid(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->pid;
}

long sys_set_tid_address(const struct pt_regs *regs)
{
    current->clear_child_tid = regs->bx;
    return (long)current->pid;
}

/* wait4()'s pid: a child, any (-1), any of the caller's group (0), or of a group (-pid). */
static bool set_wait_target(struct wait_opts *wait, s32 pid)
{
    wait->type = pid > 0 ? PIDTYPE_PID : pid == -1 ? PIDTYPE_SID : PIDTYPE_PGID;
    wait->pid = pid > 0 ? (u32)pid : pid == 0 ? current->signal->pgrp : 0u - (u32)pid;
    return pid != (s32)0x80000000;
}

static long wait4(s32 pid, u32 *user_status, u32 options, void *user_rusage)
{
    struct rusage rusage;
    struct wait_opts wait = {.options = options | WEXITED, .rusage = user_rusage ? &rusage : NULL};
    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE))
        return -EINVAL;
    if (!set_wait_target(&wait, pid))
        return -ESRCH;
    long child = do_wait(&wait);
    if (child <= 0)
        return child;
    if (user_status && put_user_u32((u32)wait.status, user_status))
        return -EFAULT;
    return user_rusage && copy_to_user(user_rusage, &rusage, sizeof(rusage)) ? -EFAULT : child;
}

long sys_waitpid(const struct pt_regs *regs)
{
    return wait4((s32)regs->bx, (u32 *)regs->cx, regs->dx, NULL);
}

long sys_wait4(const struct pt_regs *regs)
{
    return wait4((s32)regs->bx, (u32 *)regs->cx, regs->dx, (void *)regs->si);
}

enum { P_ALL, P_PID, P_PGID };

static int wait_status_of(const struct wait_opts *wait)
{
    if (wait->code == CLD_CONTINUED)
        return SIGCONT;
    return wait->code == CLD_KILLED ? wait->status & 0x7F : wait->status >> 8;
}

long sys_waitid(const struct pt_regs *regs)
{
    struct rusage rusage;
    u32 options = regs->si;
    void *user_info = (void *)regs->dx, *user_rusage = (void *)regs->di;
    struct wait_opts wait = {.options = options, .rusage = user_rusage ? &rusage : NULL};
    if ((options &
         ~(WNOHANG | WNOWAIT | WEXITED | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE)) ||
        !(options & (WEXITED | WUNTRACED | WCONTINUED)))
        return -EINVAL;
    if (regs->bx > P_PGID || (regs->bx == P_PID && (s32)regs->cx <= 0) || (s32)regs->cx < 0)
        return -EINVAL;
    static const enum pid_type types[] = {
        [P_ALL] = PIDTYPE_SID, [P_PID] = PIDTYPE_PID, [P_PGID] = PIDTYPE_PGID};
    wait.type = types[regs->bx];
    wait.pid = regs->bx == P_PGID && regs->cx == 0 ? current->signal->pgrp : regs->cx;
    long child = do_wait(&wait);
    if (child < 0)
        return child;
    struct siginfo info = {0};
    if (child)
        info = (struct siginfo){.si_signo = SIGCHLD,
                                .si_code = wait.code,
                                .si_pid = (u32)child,
                                .si_uid = wait.uid,
                                .si_status = wait_status_of(&wait)};
    /* What the times would be in is not for waitid() to say. */
    if (user_info && copy_to_user(user_info, &info, offsetof(struct siginfo, si_utime)))
        return -EFAULT;
    return child && user_rusage && copy_to_user(user_rusage, &rusage, sizeof(rusage)) ? -EFAULT : 0;
}
