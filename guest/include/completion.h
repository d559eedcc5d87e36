/* An event that a task sleeps for, until an interrupt handler or another task says that it has come. */
#pragma once

#include "wait.h"

struct completion {
    volatile bool done;
    struct wait_queue_head wait;
};

void init_completion(struct completion *x);
/* Before what will complete it is started. */
static inline void reinit_completion(struct completion *x)
{
    x->done = false;
}

/* From any context. */
void complete(struct completion *x);
/* Both sleep until it is complete, whatever signals come. False: it did not come in so many ticks. */
void wait_for_completion(struct completion *x);
bool wait_for_completion_timeout(struct completion *x, unsigned long ticks);
