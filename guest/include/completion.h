/* An event that a task sleeps for, until an interrupt handler says that it has come. */
#pragma once

#include "types.h"

struct task_struct;

struct completion {
    volatile bool done;
    struct task_struct *waiter; /* NULL: nobody sleeps */
};

/* Before what will complete it is started. */
static inline void reinit_completion(struct completion *x)
{
    x->done = false;
}

/* From an interrupt handler. */
void complete(struct completion *x);
/* Sleeps until it is complete. False: it did not come in so many ticks, or before a signal did. */
bool wait_for_completion_timeout(struct completion *x, unsigned long ticks);
