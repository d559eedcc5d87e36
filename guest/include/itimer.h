/* Interval timers (setitimer(2)). */
#pragma once

#include "types.h"

struct task_struct;
struct signal_struct;

/* Called at every tick: ITIMER_VIRTUAL and ITIMER_PROF count what the running process uses. */
void account_itimers(bool was_user);
/* A new process has none; one that ends has none left. */
void itimers_init(struct signal_struct *signal);
void exit_itimers(struct signal_struct *signal);
