/* A process for a kernel thread to look at: a program that computes until it is ended. */
#pragma once

#include "binfmts.h"
#include "bug.h"
#include "sched.h"

static inline int compute(void *unused)
{
    /* guest/user/privilege.c */
    static const char *const argv[] = {"privilege", "compute", NULL}, *const envp[] = {NULL};
    (void)unused;
    int error = do_execve(argv[0], argv, envp);
    if (error)
        do_exit(1 << 8);
    return 0;
}

/* It runs when this thread sleeps. */
static inline struct task_struct *start_process(void)
{
    struct task_struct *task = kernel_thread(compute, NULL, "compute");
    BUG_ON(task == NULL);
    return task;
}

static inline void end_process(const struct task_struct *task)
{
    int exit_code;
    u32 pid = task->pid;
    do_kill((s32)pid, SIGKILL);
    kernel_wait(pid, &exit_code);
}
