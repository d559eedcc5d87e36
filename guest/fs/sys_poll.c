/* poll(2) and select(2): from registers to arguments. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "fs_calls.h"
#include "jiffies.h"
#include "math64.h"
#include "sched.h"
#include "sys_fs.h"
#include "sys_time.h"

#define NS_PER_TICK (1000000000u / HZ)
#define MS_PER_TICK (1000u / HZ)
#define TICKS_MOST 0x3FFFFFFF
#define FOR_EVER (-1l)

/* At least so long: the tick that runs is partly over. */
static long ticks_of(u64 ns)
{
    u64 ticks = ns ? div_u64(ns - 1, NS_PER_TICK) + 2 : 0;
    return (long)min(ticks, (u64)TICKS_MOST);
}

long sys_poll(const struct pt_regs *regs)
{
    s32 ms = (s32)regs->dx;
    long ticks = ms < 0 ? FOR_EVER : ticks_of((u64)ms * 1000000u);
    return do_poll(user_ptr(regs->bx), regs->cx, ticks);
}

typedef int (*get_timespec_t)(u64 *ns, u32 user_time);

static int get_ticks(long *ticks, u32 user_time, get_timespec_t get_timespec)
{
    u64 ns;
    *ticks = FOR_EVER;
    if (user_time == 0)
        return 0;
    int error = get_timespec(&ns, user_time);
    if (error == 0)
        *ticks = ticks_of(ns);
    return error;
}

/* The mask of signals that held for the call: a handler that is to run gets it from the frame. */
static long end_with_sigmask(long result)
{
    restore_saved_sigmask_unless(result == -ERESTARTNOHAND);
    return result;
}

static long ppoll(const struct pt_regs *regs, get_timespec_t get_timespec)
{
    long ticks;
    int error = get_ticks(&ticks, regs->dx, get_timespec);
    if (error == 0)
        error = set_user_sigmask(user_ptr(regs->si), regs->di);
    return error ? error : end_with_sigmask(do_poll(user_ptr(regs->bx), regs->cx, ticks));
}

long sys_ppoll(const struct pt_regs *regs)
{
    return ppoll(regs, get_timespec64);
}

long sys_ppoll_time32(const struct pt_regs *regs)
{
    return ppoll(regs, get_timespec32);
}

static long select(const struct pt_regs *regs, long ticks)
{
    return do_select(regs->bx, user_ptr(regs->cx), user_ptr(regs->dx), user_ptr(regs->si), ticks);
}

/* The time that is left is not told. */
long sys_select(const struct pt_regs *regs)
{
    struct {
        s32 seconds, microseconds;
    } time;
    if (regs->di == 0)
        return select(regs, FOR_EVER);
    if (copy_from_user(&time, user_ptr(regs->di), sizeof(time)))
        return -EFAULT;
    if (time.seconds < 0 || time.microseconds < 0)
        return -EINVAL;
    return select(regs, ticks_of((u64)time.seconds * 1000000000u + (u64)time.microseconds * 1000u));
}

/* The last argument is the address of the mask's address and size. */
static long pselect(const struct pt_regs *regs, get_timespec_t get_timespec)
{
    struct {
        u32 address, bytes;
    } mask = {0};
    long ticks;
    int error = get_ticks(&ticks, regs->di, get_timespec);
    if (error == 0 && regs->bp && copy_from_user(&mask, user_ptr(regs->bp), sizeof(mask)))
        error = -EFAULT;
    if (error == 0)
        error = set_user_sigmask(user_ptr(mask.address), mask.bytes);
    return error ? error : end_with_sigmask(select(regs, ticks));
}

long sys_pselect6(const struct pt_regs *regs)
{
    return pselect(regs, get_timespec64);
}

long sys_pselect6_time32(const struct pt_regs *regs)
{
    return pselect(regs, get_timespec32);
}
