/* The tick, and sleeping for a number of them. */
#include "asm/irq.h"
#include "asm/ptrace.h"
#include "itimer.h"
#include "jiffies.h"
#include "loadavg.h"
#include "sched.h"
#include "timekeeping.h"

volatile unsigned long jiffies;

void do_timer(void)
{
    const struct pt_regs *regs = get_irq_regs();
    bool was_user = regs && user_mode(regs);
    jiffies++;
    timekeeping_tick();
    scheduler_tick(was_user);
    account_itimers(was_user);
    calc_global_load();
    run_timers();
}

struct sleeper {
    struct timer_list timer;
    struct task_struct *task;
};

static void process_timeout(struct timer_list *timer)
{
    wake_up_process(container_of(timer, struct sleeper, timer)->task);
}

long schedule_timeout(long ticks)
{
    if (ticks == MAX_SCHEDULE_TIMEOUT) {
        schedule();
        return ticks;
    }
    struct sleeper sleeper = {.task = current};
    unsigned long until = jiffies + (unsigned long)max(ticks, 0l);
    timer_setup(&sleeper.timer, process_timeout);
    mod_timer(&sleeper.timer, until);
    schedule();
    del_timer(&sleeper.timer);
    return max((long)(until - jiffies), 0l);
}

long schedule_timeout_interruptible(long ticks)
{
    set_current_state(TASK_INTERRUPTIBLE);
    return schedule_timeout(ticks);
}

long schedule_timeout_uninterruptible(long ticks)
{
    set_current_state(TASK_UNINTERRUPTIBLE);
    return schedule_timeout(ticks);
}
