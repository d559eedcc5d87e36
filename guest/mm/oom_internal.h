/* What the files of running out of memory share. */
#pragma once

#include "oom.h"

struct mm_struct;

/* The address space of a process, whose first thread may have ended; NULL: a kernel thread, or it is gone. */
struct mm_struct *oom_process_mm(struct task_struct *process);
