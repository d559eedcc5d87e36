#include "completion.h"
#include "asm/irqflags.h"
#include "asm/processor.h"
#include "jiffies.h"
#include "sched.h"

void complete(struct completion *x)
{
    x->done = true;
    if (x->waiter) {
        wake_up_process(x->waiter);
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
    /* One task is woken; others, who may be any number of readers of one terminal, look at every tick. */
    bool is_first = x->waiter == NULL;
    if (is_first && current != &init_task)
        x->waiter = current;
    while (!x->done && !time_after_eq(jiffies, until) && !signal_pending(current))
        sleep_until(is_first ? until : jiffies + 1);
    if (is_first)
        x->waiter = NULL;
    local_irq_restore(flags);
    return x->done;
}
