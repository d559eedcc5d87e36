/* What ending and waiting share. */
#pragma once

#include "sched.h"

/* The process has no thread but this one. */
static inline bool is_alone(const struct task_struct *leader)
{
    return list_empty(&leader->thread_node);
}

/*
 * wait.c: the parent gets its signal and wakes if it waits. True: the parent does not want to know how the
 * process ended, and it can be released.
 */
bool do_notify_parent(struct task_struct *task);
/* Takes the task off all lists; it is still there for who runs on its stack. */
void unhash_task(struct task_struct *task);

/* fork.c: a user less. */
void put_signal(struct signal_struct *signal);
void put_sighand(struct sighand_struct *sighand);
/* execve(): handlers of its own. 0 or -ENOMEM. */
int unshare_sighand(void);
