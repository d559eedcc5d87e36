/* The tick, and waiting for it. */
#include "jiffies.h"
#include "sched.h"

volatile unsigned long jiffies;

void do_timer(void)
{
    jiffies++;
    scheduler_tick();
}
