/* Timers: functions that the tick calls when their time has come. */
#pragma once

#include "rbtree.h"
#include "types.h"

struct timer_list {
    struct rb_node node;                        /* by expiry */
    unsigned long expires;                      /* in jiffies */
    void (*function)(struct timer_list *timer); /* in the timer interrupt */
    bool is_pending;
};

static inline void timer_setup(struct timer_list *timer, void (*function)(struct timer_list *timer))
{
    *timer = (struct timer_list){.function = function};
}

/* Starts it, or moves it if it runs already. */
void mod_timer(struct timer_list *timer, unsigned long expires);
/* Stops it; whether it had been running. */
bool del_timer(struct timer_list *timer);
/* Called at every tick. */
void run_timers(void);
