/* The tick. */
#pragma once

#include "time64.h"

#define HZ 100
#define NSEC_PER_TICK (NSEC_PER_SEC / HZ)

extern volatile unsigned long jiffies;

#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)

/* Called by the timer interrupt. */
void do_timer(void);
