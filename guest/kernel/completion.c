#include "completion.h"
#include "asm/irqflags.h"
#include "asm/processor.h"
#include "bug.h"
#include "jiffies.h"
#include "sched.h"

void complete(struct completion *x)
{
    x->done = true;
    if (x->waiter) {
        x->waiter->state = TASK_RUNNING;
        need_resched = true;
    }
}

/* The boot task is what runs when nobody can: it waits where it stands. */
static void sleep_until(unsigned long until)
{
    if (current == &init_task) {
        safe_halt();
        local_irq_disable();
    } else {
        schedule_timeout(until - jiffies);
    }
}

bool wait_for_completion_timeout(struct completion *x, unsigned long ticks)
{
    unsigned long flags = local_irq_save(), until = jiffies + ticks;
    BUG_ON(x->waiter);
    x->waiter = current == &init_task ? NULL : current;
    while (!x->done && !time_after_eq(jiffies, until))
        sleep_until(until);
    x->waiter = NULL;
    local_irq_restore(flags);
    return x->done;
}
