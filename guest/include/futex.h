/* Futexes (futex(2)): user memory whose value the kernel compares before it puts a task to sleep. */
#pragma once

#include "types.h"

/* Wakes one that waits at the address in the current address space. */
void futex_wake_address(u32 address);
/* The task ends: the locks on its list (set_robust_list(2)) are told that their owner has died. */
void exit_robust_list(void);
