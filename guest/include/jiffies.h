/* The tick. */
#pragma once

#define HZ 100

extern volatile unsigned long jiffies;

#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)

/* Called by the timer interrupt. */
void do_timer(void);
