/* The guest's fair scheduler on a clock of the test's own. */
#pragma once

#define HOST_TASKS_MOST 16u

/* Nobody there, and the clock at 0. */
void host_sched_begin(void);
/* Another task that always can run, of this niceness: its number. */
unsigned int host_sched_add(int nice);
/* Time goes on by so many ticks of 10 ms; who runs is chosen as at the guest's ticks. */
void host_sched_run(unsigned int nr_ticks);
/* Puts a task to sleep; wakes it, and returns whether it is to run at once. */
void host_sched_sleep(unsigned int number);
int host_sched_wake(unsigned int number);
void host_sched_renice(unsigned int number, int nice);
unsigned long long host_sched_runtime_ns(unsigned int number);
unsigned int host_sched_weight(int nice);
