/* Kernel threads: functions of the kernel's that run as tasks of their own. */
#pragma once

#include "types.h"

struct task_struct;

/*
 * Starts fn(arg) as a child of kthreadd; it ends when fn returns. For tasks, and for the boot once kthreadd
 * runs. NULL: no memory.
 */
struct task_struct *kthread_run(int (*fn)(void *), void *arg, const char *name);
/* Asks a thread of kthread_run() to end, which it must not have done yet, and waits until it has. */
void kthread_stop(struct task_struct *task);
/* For the thread itself: it was asked to. It has been woken for this. */
bool kthread_should_stop(void);
