/* System calls about the time of day and clocks. */
#include "sys_time.h"
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "jiffies.h"
#include "math64.h"
#include "rusage.h"
#include "sched.h"
#include "timekeeping.h"

#define NS_A_SECOND ((u32)NSEC_PER_SEC)
#define NS_A_MICROSECOND 1000u
/* times(2) counts in these, whatever the tick is. */
#define CLOCKS_A_SECOND 100u

enum {
    CLOCK_REALTIME,
    CLOCK_MONOTONIC,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_THREAD_CPUTIME_ID,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_BOOTTIME,
};
#define TIMER_ABSTIME 1u

static u64 process_ns(void)
{
    struct task_struct *thread = current;
    u64 ns = current->signal->sum_exec_runtime;
    do
        ns += thread->se.sum_exec_runtime;
    while_each_thread(current, thread);
    return ns;
}

static int read_clock(u32 clock, u64 *ns)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        *ns = ktime_get_real_ns();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *ns = ktime_get_ns();
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        update_current_runtime();
        *ns = process_ns();
        return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        update_current_runtime();
        *ns = current->se.sum_exec_runtime;
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_time(const struct pt_regs *regs)
{
    u32 seconds = (u32)div_u64(ktime_get_real_ns(), NS_A_SECOND);
    if (regs->bx && put_user_u32(seconds, (u32 *)regs->bx))
        return -EFAULT;
    return (long)seconds;
}

static long set_real_time(u64 ns)
{
    if (!capable_root())
        return -EPERM;
    ktime_set_real_ns(ns);
    return 0;
}

long sys_stime(const struct pt_regs *regs)
{
    u32 seconds;
    if (get_user_u32(&seconds, (const u32 *)regs->bx))
        return -EFAULT;
    return set_real_time((u64)seconds * NS_A_SECOND);
}

/* The second argument of both, a time zone, has no meaning to the kernel. */
long sys_gettimeofday(const struct pt_regs *regs)
{
    u32 words[2], no_zone[2] = {0, 0};
    words[0] = (u32)div_u64_rem(ktime_get_real_ns(), NS_A_SECOND, &words[1]);
    words[1] /= NS_A_MICROSECOND;
    if (regs->bx && copy_to_user((void *)regs->bx, words, sizeof(words)))
        return -EFAULT;
    return regs->cx && copy_to_user((void *)regs->cx, no_zone, sizeof(no_zone)) ? -EFAULT : 0;
}

long sys_settimeofday(const struct pt_regs *regs)
{
    u32 words[2];
    if (regs->bx == 0)
        return 0;
    if (copy_from_user(words, (const void *)regs->bx, sizeof(words)))
        return -EFAULT;
    if (words[1] >= NS_A_SECOND / NS_A_MICROSECOND)
        return -EINVAL;
    return set_real_time((u64)words[0] * NS_A_SECOND + words[1] * NS_A_MICROSECOND);
}

static long clock_gettime(const struct pt_regs *regs, int (*put_time)(u64 ns, u32 user_time))
{
    u64 ns;
    int error = read_clock(regs->bx, &ns);
    return error ? error : put_time(ns, regs->cx);
}

long sys_clock_gettime(const struct pt_regs *regs)
{
    return clock_gettime(regs, put_timespec32);
}

long sys_clock_gettime64(const struct pt_regs *regs)
{
    return clock_gettime(regs, put_timespec64);
}

static long clock_settime(const struct pt_regs *regs, int (*get_time)(u64 *ns, u32 user_time))
{
    u64 ns;
    int error = get_time(&ns, regs->cx);
    if (error)
        return error;
    return regs->bx == CLOCK_REALTIME ? set_real_time(ns) : -EINVAL;
}

long sys_clock_settime(const struct pt_regs *regs)
{
    return clock_settime(regs, get_timespec32);
}

long sys_clock_settime64(const struct pt_regs *regs)
{
    return clock_settime(regs, get_timespec64);
}

/* Clocks are read to the nanosecond; the coarse ones claim no more than a tick. */
static long clock_getres(const struct pt_regs *regs, int (*put_time)(u64 ns, u32 user_time))
{
    u64 ns;
    int error = read_clock(regs->bx, &ns);
    if (error || regs->cx == 0)
        return error;
    bool is_coarse = regs->bx == CLOCK_REALTIME_COARSE || regs->bx == CLOCK_MONOTONIC_COARSE;
    return put_time(is_coarse ? NSEC_PER_TICK : 1, regs->cx);
}

long sys_clock_getres(const struct pt_regs *regs)
{
    return clock_getres(regs, put_timespec32);
}

long sys_clock_getres_time64(const struct pt_regs *regs)
{
    return clock_getres(regs, put_timespec64);
}

static int put_left(const struct restart_block *sleep)
{
    u64 now = ktime_get_ns(), left = sleep->expires > now ? sleep->expires - now : 0;
    return sleep->flags ? put_timespec64(left, sleep->user_address)
                        : put_timespec32(left, sleep->user_address);
}

/* A sleep that a stop interrupted goes on for the rest; what a handler interrupts tells what was left. */
static long sleep_until(struct restart_block *sleep)
{
    while (ktime_get_ns() < sleep->expires) {
        if (signal_pending(current)) {
            if (sleep->user_address && put_left(sleep))
                return -EFAULT;
            current->restart_block = *sleep;
            return -ERESTART_RESTARTBLOCK;
        }
        schedule_timeout_interruptible(ticks_until(sleep->expires));
    }
    return 0;
}

static long sleep_for(u64 ns, u32 user_left, bool is_64)
{
    u64 now = ktime_get_ns();
    struct restart_block sleep = {.fn = sleep_until,
                                  .user_address = user_left,
                                  .flags = is_64,
                                  .expires = ns + now < now ? ~0ull : ns + now};
    return sleep_until(&sleep);
}

long sys_nanosleep(const struct pt_regs *regs)
{
    u64 ns;
    int error = get_timespec32(&ns, regs->bx);
    return error ? error : sleep_for(ns, regs->cx, false);
}

static long clock_nanosleep(const struct pt_regs *regs, bool is_64)
{
    u64 ns, now;
    u32 clock = regs->bx;
    int error = is_64 ? get_timespec64(&ns, regs->dx) : get_timespec32(&ns, regs->dx);
    if (error)
        return error;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
        return clock == CLOCK_PROCESS_CPUTIME_ID ? -EOPNOTSUPP : -EINVAL;
    if (!(regs->cx & TIMER_ABSTIME))
        return sleep_for(ns, regs->si, is_64);
    error = read_clock(clock, &now);
    if (error || ns <= now)
        return error;
    long result = sleep_for(ns - now, 0, is_64);
    /* A point in time stays the same: the call can begin anew. */
    return result == -ERESTART_RESTARTBLOCK ? -ERESTARTNOHAND : result;
}

long sys_clock_nanosleep(const struct pt_regs *regs)
{
    return clock_nanosleep(regs, false);
}

long sys_clock_nanosleep_time64(const struct pt_regs *regs)
{
    return clock_nanosleep(regs, true);
}

static u32 ticks_to_clocks(unsigned long ticks)
{
    return (u32)(ticks * CLOCKS_A_SECOND / HZ);
}

long sys_times(const struct pt_regs *regs)
{
    unsigned long utime, stime;
    const struct signal_struct *signal = current->signal;
    thread_group_cputime(current, &utime, &stime);
    const u32 words[4] = {ticks_to_clocks(utime), ticks_to_clocks(stime), ticks_to_clocks(signal->cutime),
                          ticks_to_clocks(signal->cstime)};
    if (regs->bx && copy_to_user((void *)regs->bx, words, sizeof(words)))
        return -EFAULT;
    /* Never one of the last 4095 numbers, which would be errors. */
    return (long)(ticks_to_clocks(jiffies) & 0x7FFFFFFF);
}
