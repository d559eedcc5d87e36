/* What the CPU's time goes to: the account of ticks, and the load. */
#include "loadavg.h"
#include "jiffies.h"
#include "sched.h"

struct kernel_cpustat kernel_cpustat;
unsigned long avenrun[3];

/* e^(-5 s / 1, 5 and 15 min), with LOAD_SHIFT bits behind the point. */
static const u32 decay[3] = {1884, 2014, 2037};

static unsigned long nr_active(void)
{
    struct task_struct *process, *thread;
    unsigned long nr = 0;
    for_each_process(process)
    {
        thread = process;
        do
            nr += thread->state == TASK_RUNNING || thread->state == TASK_UNINTERRUPTIBLE;
        while_each_thread(process, thread);
    }
    return nr;
}

void calc_global_load(void)
{
    if (jiffies % LOAD_TICKS)
        return;
    unsigned long active = nr_active() << LOAD_SHIFT;
    for (u32 i = 0; i < 3; i++) {
        unsigned long load = avenrun[i] * decay[i] + active * ((1u << LOAD_SHIFT) - decay[i]);
        /* On the way up it is rounded up, so that it reaches what it goes to. */
        if (active >= avenrun[i])
            load += (1u << LOAD_SHIFT) - 1;
        avenrun[i] = load >> LOAD_SHIFT;
    }
}
