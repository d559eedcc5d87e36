/* System calls about signals. */
#include "sys_signal.h"
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "jiffies.h"
#include "sched.h"
#include "sys_time.h"
#include "timekeeping.h"

static bool is_signal(u32 sig)
{
    return sig >= 1 && sig <= NR_SIGNALS;
}

long sys_kill(const struct pt_regs *regs)
{
    return do_kill((s32)regs->bx, (int)regs->cx);
}

static long send_to_thread(u32 tgid, u32 pid, u32 sig, const struct siginfo *info)
{
    if ((s32)pid <= 0 || sig > NR_SIGNALS)
        return -EINVAL;
    struct task_struct *task = find_task(pid);
    if (task == NULL || (tgid && task->tgid != tgid))
        return -ESRCH;
    if (task->mm == NULL && !task->is_exiting)
        return -EPERM;
    if (!capable_root() && current_euid() != task->cred.uid && current_uid() != task->cred.uid)
        return -EPERM;
    return sig ? send_signal((int)sig, info, task, PIDTYPE_PID) : 0;
}

static struct siginfo tkill_info(u32 sig)
{
    return (struct siginfo){
        .si_signo = (s32)sig, .si_code = SI_TKILL, .si_pid = current->tgid, .si_uid = current_uid()};
}

long sys_tkill(const struct pt_regs *regs)
{
    const struct siginfo info = tkill_info(regs->cx);
    return send_to_thread(0, regs->bx, regs->cx, &info);
}

long sys_tgkill(const struct pt_regs *regs)
{
    const struct siginfo info = tkill_info(regs->dx);
    if ((s32)regs->bx <= 0)
        return -EINVAL;
    return send_to_thread(regs->bx, regs->cx, regs->dx, &info);
}

/* Signals of one's own making may claim anything but to come from kill() or the kernel. */
static long get_queued_info(struct siginfo *info, u32 user_info, u32 sig, u32 pid)
{
    if (copy_from_user(info, (const void *)user_info, sizeof(*info)))
        return -EFAULT;
    info->si_signo = (s32)sig;
    if ((info->si_code >= 0 || info->si_code == SI_TKILL) && pid != current->tgid)
        return -EPERM;
    return 0;
}

long sys_rt_sigqueueinfo(const struct pt_regs *regs)
{
    struct siginfo info;
    u32 pid = regs->bx, sig = regs->cx;
    long error = get_queued_info(&info, regs->dx, sig, pid);
    if (error)
        return error;
    if (sig > NR_SIGNALS)
        return -EINVAL;
    struct task_struct *task = find_process(pid);
    if (task == NULL)
        return -ESRCH;
    if (!capable_root() && current_euid() != task->cred.uid)
        return -EPERM;
    return sig ? send_signal((int)sig, &info, task, PIDTYPE_TGID) : 0;
}

long sys_rt_tgsigqueueinfo(const struct pt_regs *regs)
{
    struct siginfo info;
    long error = get_queued_info(&info, regs->si, regs->dx, regs->bx);
    return error ? error : send_to_thread(regs->bx, regs->cx, regs->dx, &info);
}

static long set_action(u32 sig, const struct k_sigaction *new, struct k_sigaction *old)
{
    if (!is_signal(sig) || (new && (sig == SIGKILL || sig == SIGSTOP)))
        return -EINVAL;
    struct k_sigaction *action = &current->sighand->action[sig - 1];
    *old = *action;
    if (new == NULL)
        return 0;
    *action = *new;
    action->sa_mask &= ~(sigmask(SIGKILL) | sigmask(SIGSTOP));
    /* What came already and is now ignored is forgotten, even if it is blocked (POSIX.1, 3.3.1.3). */
    if (sig_is_ignored(current, (int)sig)) {
        struct task_struct *thread = current;
        discard_signals(sigmask((int)sig), &current->signal->shared_pending);
        do
            discard_signals(sigmask((int)sig), &thread->pending);
        while_each_thread(current, thread);
        recalc_sigpending();
    }
    return 0;
}

long sys_rt_sigaction(const struct pt_regs *regs)
{
    struct k_sigaction new, old;
    if (regs->si != sizeof(sigset_t))
        return -EINVAL;
    if (regs->cx && copy_from_user(&new, (const void *)regs->cx, sizeof(new)))
        return -EFAULT;
    long error = set_action(regs->bx, regs->cx ? &new : NULL, &old);
    if (error == 0 && regs->dx && copy_to_user((void *)regs->dx, &old, sizeof(old)))
        return -EFAULT;
    return error;
}

/* The structure from before real-time signals. */
struct old_sigaction {
    u32 sa_handler, sa_mask, sa_flags, sa_restorer;
};

long sys_sigaction(const struct pt_regs *regs)
{
    struct old_sigaction user;
    struct k_sigaction new, old;
    if (regs->cx) {
        if (copy_from_user(&user, (const void *)regs->cx, sizeof(user)))
            return -EFAULT;
        new = (struct k_sigaction){.sa_handler = user.sa_handler,
                                   .sa_flags = user.sa_flags,
                                   .sa_restorer = user.sa_restorer,
                                   .sa_mask = user.sa_mask};
    }
    long error = set_action(regs->bx, regs->cx ? &new : NULL, &old);
    if (error || regs->dx == 0)
        return error;
    user = (struct old_sigaction){.sa_handler = old.sa_handler,
                                  .sa_mask = (u32)old.sa_mask,
                                  .sa_flags = old.sa_flags,
                                  .sa_restorer = old.sa_restorer};
    return copy_to_user((void *)regs->dx, &user, sizeof(user)) ? -EFAULT : 0;
}

long sys_signal(const struct pt_regs *regs)
{
    const struct k_sigaction new = {.sa_handler = regs->cx, .sa_flags = SA_RESETHAND | SA_NODEFER};
    struct k_sigaction old;
    long error = set_action(regs->bx, &new, &old);
    return error ? error : (long)old.sa_handler;
}

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

static long change_mask(u32 how, sigset_t set)
{
    switch (how) {
    case SIG_BLOCK:
        set_current_blocked(current->blocked | set);
        return 0;
    case SIG_UNBLOCK:
        set_current_blocked(current->blocked & ~set);
        return 0;
    case SIG_SETMASK:
        set_current_blocked(set);
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_rt_sigprocmask(const struct pt_regs *regs)
{
    sigset_t set, old = current->blocked;
    if (regs->si != sizeof(set))
        return -EINVAL;
    if (regs->cx) {
        if (copy_from_user(&set, (const void *)regs->cx, sizeof(set)))
            return -EFAULT;
        long error = change_mask(regs->bx, set);
        if (error)
            return error;
    }
    return regs->dx && copy_to_user((void *)regs->dx, &old, sizeof(old)) ? -EFAULT : 0;
}

/* Of the old mask, only the first 32 signals. */
long sys_sigprocmask(const struct pt_regs *regs)
{
    u32 set, old = (u32)current->blocked;
    if (regs->cx) {
        if (get_user_u32(&set, (const u32 *)regs->cx))
            return -EFAULT;
        sigset_t upper = regs->bx == SIG_SETMASK ? current->blocked & ~0xFFFFFFFFull : 0;
        long error = change_mask(regs->bx, upper | set);
        if (error)
            return error;
    }
    return regs->dx && put_user_u32(old, (u32 *)regs->dx) ? -EFAULT : 0;
}

static sigset_t blocked_pending(void)
{
    return (current->pending.signal | current->signal->shared_pending.signal) & current->blocked;
}

long sys_rt_sigpending(const struct pt_regs *regs)
{
    const sigset_t set = blocked_pending();
    if (regs->cx > sizeof(set))
        return -EINVAL;
    return copy_to_user((void *)regs->bx, &set, regs->cx) ? -EFAULT : 0;
}

long sys_sigpending(const struct pt_regs *regs)
{
    return put_user_u32((u32)blocked_pending(), (u32 *)regs->bx);
}

static long suspend(sigset_t set)
{
    current->saved_sigmask = current->blocked;
    current->restores_sigmask = true;
    set_current_blocked(set);
    while (!signal_pending(current)) {
        set_current_state(TASK_INTERRUPTIBLE);
        schedule();
    }
    return -ERESTARTNOHAND;
}

long sys_rt_sigsuspend(const struct pt_regs *regs)
{
    sigset_t set;
    if (regs->cx != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, (const void *)regs->bx, sizeof(set)))
        return -EFAULT;
    return suspend(set);
}

/* The mask is the third argument. */
long sys_sigsuspend(const struct pt_regs *regs)
{
    return suspend((current->blocked & ~0xFFFFFFFFull) | regs->dx);
}

long sys_pause(const struct pt_regs *regs)
{
    (void)regs;
    while (!signal_pending(current)) {
        set_current_state(TASK_INTERRUPTIBLE);
        schedule();
    }
    return -ERESTARTNOHAND;
}

static long sigtimedwait(const struct pt_regs *regs, int (*get_time)(u64 *ns, u32 user_time))
{
    sigset_t wanted;
    struct siginfo info;
    u64 timeout_ns = ~0ull, now = ktime_get_ns();
    if (regs->si != sizeof(wanted))
        return -EINVAL;
    if (copy_from_user(&wanted, (const void *)regs->bx, sizeof(wanted)))
        return -EFAULT;
    int error = regs->dx ? get_time(&timeout_ns, regs->dx) : 0;
    if (error)
        return error;
    u64 until_ns = timeout_ns + now < now ? ~0ull : timeout_ns + now;
    wanted &= ~(sigmask(SIGKILL) | sigmask(SIGSTOP));
    /* While it waits, those that are wanted wake it even if they are blocked. */
    sigset_t old = current->blocked;
    current->real_blocked = old;
    set_current_blocked(old & ~wanted);
    int sig;
    while ((sig = dequeue_signal(~wanted, &info)) == 0 && !signal_pending(current) &&
           ktime_get_ns() < until_ns) {
        set_current_state(TASK_INTERRUPTIBLE);
        schedule_timeout(until_ns == ~0ull ? MAX_SCHEDULE_TIMEOUT : ticks_until(until_ns));
    }
    bool is_interrupted = sig == 0 && signal_pending(current);
    current->real_blocked = 0;
    set_current_blocked(old);
    if (sig == 0)
        return is_interrupted ? -EINTR : -EAGAIN;
    return regs->cx && copy_to_user((void *)regs->cx, &info, sizeof(info)) ? -EFAULT : sig;
}

long sys_rt_sigtimedwait(const struct pt_regs *regs)
{
    return sigtimedwait(regs, get_timespec32);
}

long sys_rt_sigtimedwait_time64(const struct pt_regs *regs)
{
    return sigtimedwait(regs, get_timespec64);
}

int set_sigaltstack(const struct sigaltstack *stack, u32 sp)
{
    u32 mode = stack->ss_flags & ~SS_AUTODISARM;
    if (sas_flags(sp) & SS_ONSTACK)
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        current->sas = (struct sigaltstack){.ss_flags = stack->ss_flags};
        return 0;
    }
    if (stack->ss_size < MINSIGSTKSZ)
        return -ENOMEM;
    current->sas = *stack;
    return 0;
}

long sys_sigaltstack(const struct pt_regs *regs)
{
    struct sigaltstack new, old = current->sas;
    old.ss_flags = sas_flags(regs->sp);
    if (regs->bx) {
        if (copy_from_user(&new, (const void *)regs->bx, sizeof(new)))
            return -EFAULT;
        int error = set_sigaltstack(&new, regs->sp);
        if (error)
            return error;
    }
    return regs->cx && copy_to_user((void *)regs->cx, &old, sizeof(old)) ? -EFAULT : 0;
}

long sys_restart_syscall(const struct pt_regs *regs)
{
    struct restart_block *restart = &current->restart_block;
    (void)regs;
    return restart->fn ? restart->fn(restart) : -EINTR;
}
