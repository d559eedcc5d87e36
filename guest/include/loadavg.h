/* The load: how many tasks run or wait for a disk, on average over 1, 5 and 15 minutes. */
#pragma once

#include "jiffies.h"

#define LOAD_SHIFT 11 /* bits behind the point */
#define LOAD_TICKS (5 * HZ)

extern unsigned long avenrun[3];

/* Called at every tick; looks at the tasks at every LOAD_TICKSth. */
void calc_global_load(void);
