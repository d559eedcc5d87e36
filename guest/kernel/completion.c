#include "completion.h"
#include "asm/irqflags.h"
#include "sched.h"

void init_completion(struct completion *x)
{
    x->done = false;
    init_waitqueue_head(&x->wait);
}

void complete(struct completion *x)
{
    x->done = true;
    wake_up_all(&x->wait);
}

void wait_for_completion(struct completion *x)
{
    wait_event(x->wait, x->done);
}

bool wait_for_completion_timeout(struct completion *x, unsigned long ticks)
{
    return wait_event_timeout(x->wait, x->done, ticks) != 0;
}
