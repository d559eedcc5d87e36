/* The time, finer than ticks. */
#pragma once

#include "types.h"

/* Finds out what the CPU's time stamp counter counts, if it has one. Takes two ticks. */
void timekeeping_init(void);
/* Called at every tick. */
void timekeeping_tick(void);
/* Nanoseconds since the boot (CLOCK_MONOTONIC); by the TSC, or on a CPU without one by the 8254's count. */
u64 ktime_get_ns(void);
/* Nanoseconds since 1970 (CLOCK_REALTIME); by the real-time clock, which the first call reads. */
u64 ktime_get_real_ns(void);
/* Sets the latter (settimeofday(2)). */
void ktime_set_real_ns(u64 ns);
static inline u64 sched_clock(void)
{
    return ktime_get_ns();
}
