/* What tasks have used (getrusage(2)). */
#pragma once

#include "types.h"

struct task_struct;

#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_BOTH (-2) /* for wait4() */
#define RUSAGE_THREAD 1

struct timeval32 {
    s32 tv_sec, tv_usec;
};

/* The user's layout. */
struct rusage {
    struct timeval32 ru_utime, ru_stime;
    u32 ru_maxrss; /* KiB */
    u32 ru_ixrss, ru_idrss, ru_isrss;
    u32 ru_minflt, ru_majflt;
    u32 ru_nswap, ru_inblock, ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals;
    u32 ru_nvcsw, ru_nivcsw;
};

void get_rusage(struct task_struct *task, int who, struct rusage *usage);
/* User and system time of all threads of a process, those that are gone too; in ticks. */
void thread_group_cputime(struct task_struct *task, unsigned long *utime, unsigned long *stime);
