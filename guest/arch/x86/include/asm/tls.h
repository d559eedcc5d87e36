/* Thread-local storage: three descriptors of each task's own in the GDT (set_thread_area(2)). */
#pragma once

#include "sched.h"

/*
 * Gives the task the descriptor that a struct user_desc of the user's describes. Its entry_number -1 means a
 * free one, whose number is written back if may_choose. 0, -EFAULT, -EINVAL, or -ESRCH: none is free.
 */
int set_thread_area_of(struct task_struct *task, u32 user_desc, bool may_choose);
/* Makes the task's descriptors those in the GDT. */
void load_tls(const struct task_struct *task);
/* execve(): it has none. */
void clear_tls(void);
