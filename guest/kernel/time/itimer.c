/* Interval timers: ITIMER_REAL by the clock, the other two by what the process uses of the CPU. */
#include "itimer.h"
#include "asm/irqflags.h"
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "jiffies.h"
#include "sched.h"
#include "sys_time.h"

enum { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

#define USEC_PER_SEC 1000000u
#define USEC_PER_TICK (USEC_PER_SEC / HZ)
#define MOST_SECONDS (0x7FFFFFFFu / HZ - 1)

/* In the timer's interrupt. */
static void real_timer_fired(struct timer_list *timer)
{
    struct signal_struct *signal = container_of(timer, struct signal_struct, real_timer);
    if (signal->it_real_incr)
        mod_timer(timer, timer->expires + signal->it_real_incr);
    send_signal(SIGALRM, NULL, signal->leader, PIDTYPE_TGID);
}

void itimers_init(struct signal_struct *signal)
{
    timer_setup(&signal->real_timer, real_timer_fired);
}

void exit_itimers(struct signal_struct *signal)
{
    del_timer(&signal->real_timer);
    signal->it_virtual = signal->it_prof = (struct cpu_itimer){0};
}

static void count_down(struct cpu_itimer *timer, int sig)
{
    if (timer->value == 0 || --timer->value)
        return;
    timer->value = timer->incr;
    send_signal(sig, NULL, current->signal->leader, PIDTYPE_TGID);
}

void account_itimers(bool was_user)
{
    struct signal_struct *signal = current->signal;
    if (current == &init_task)
        return;
    if (was_user)
        count_down(&signal->it_virtual, SIGVTALRM);
    count_down(&signal->it_prof, SIGPROF);
}

struct itimer_ticks {
    unsigned long value, incr;
};

static struct itimer_ticks get_itimer(u32 which)
{
    const struct signal_struct *signal = current->signal;
    if (which == ITIMER_REAL) {
        /* One that is about to fire has something left. */
        long left = (long)(signal->real_timer.expires - jiffies);
        return (struct itimer_ticks){signal->real_timer.is_pending ? (unsigned long)max(left, 1l) : 0,
                                     signal->it_real_incr};
    }
    const struct cpu_itimer *timer = which == ITIMER_VIRTUAL ? &signal->it_virtual : &signal->it_prof;
    return (struct itimer_ticks){timer->value, timer->incr};
}

static void set_itimer(u32 which, const struct itimer_ticks *ticks)
{
    struct signal_struct *signal = current->signal;
    unsigned long flags = local_irq_save();
    if (which == ITIMER_REAL) {
        signal->it_real_incr = ticks->incr;
        /* The running tick is partly over. */
        if (ticks->value)
            mod_timer(&signal->real_timer, jiffies + ticks->value + 1);
        else
            del_timer(&signal->real_timer);
    } else {
        *(which == ITIMER_VIRTUAL ? &signal->it_virtual : &signal->it_prof) =
            (struct cpu_itimer){ticks->value, ticks->incr};
    }
    local_irq_restore(flags);
}

static bool timeval_to_ticks(const u32 timeval[2], unsigned long *ticks)
{
    if ((s32)timeval[0] < 0 || timeval[1] >= USEC_PER_SEC)
        return false;
    u32 seconds = min(timeval[0], MOST_SECONDS);
    *ticks = seconds * HZ + (timeval[1] + USEC_PER_TICK - 1) / USEC_PER_TICK;
    return true;
}

static void ticks_to_timeval(unsigned long ticks, u32 timeval[2])
{
    timeval[0] = (u32)(ticks / HZ);
    timeval[1] = (u32)(ticks % HZ * USEC_PER_TICK);
}

/* struct itimerval: the interval, then what is left. */
static long put_itimer(const struct itimer_ticks *ticks, u32 user_value)
{
    u32 words[4];
    ticks_to_timeval(ticks->incr, words);
    ticks_to_timeval(ticks->value, words + 2);
    return copy_to_user((void *)user_value, words, sizeof(words)) ? -EFAULT : 0;
}

long sys_getitimer(const struct pt_regs *regs)
{
    if (regs->bx > ITIMER_PROF)
        return -EINVAL;
    const struct itimer_ticks ticks = get_itimer(regs->bx);
    return put_itimer(&ticks, regs->cx);
}

long sys_setitimer(const struct pt_regs *regs)
{
    u32 words[4] = {0};
    struct itimer_ticks new;
    if (regs->bx > ITIMER_PROF)
        return -EINVAL;
    if (regs->cx && copy_from_user(words, (const void *)regs->cx, sizeof(words)))
        return -EFAULT;
    if (!timeval_to_ticks(words, &new.incr) || !timeval_to_ticks(words + 2, &new.value))
        return -EINVAL;
    const struct itimer_ticks old = get_itimer(regs->bx);
    set_itimer(regs->bx, &new);
    return regs->dx ? put_itimer(&old, regs->dx) : 0;
}

/* Whole seconds; 0 would mean that there was no alarm. */
long sys_alarm(const struct pt_regs *regs)
{
    const struct itimer_ticks old = get_itimer(ITIMER_REAL);
    const struct itimer_ticks new = {.value = min(regs->bx, MOST_SECONDS) * HZ};
    set_itimer(ITIMER_REAL, &new);
    return (long)(old.value && old.value < HZ ? 1 : (old.value + HZ / 2) / HZ);
}
