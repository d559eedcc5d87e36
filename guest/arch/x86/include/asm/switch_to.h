/* Leaving one task for another. */
#pragma once

#include "sched.h"

/* Returns when prev runs again. */
void switch_to(struct task_struct *prev, struct task_struct *next);
void switch_stacks(unsigned long *prev_sp, unsigned long next_sp);
/* Lays out a new task's stack so that its first run calls fn(arg) and then returns to user mode. */
void copy_thread(struct task_struct *task, int (*fn)(void *), void *arg);
/* The registers with which the task returns to user mode. */
struct pt_regs *task_pt_regs(const struct task_struct *task);
