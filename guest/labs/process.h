/* A process for a kernel thread to look at: a program that computes until it is ended. */
#pragma once

#include "asm/ptrace.h"
#include "asm/switch_to.h"
#include "binfmts.h"
#include "bug.h"
#include "fdtable.h"
#include "fs_struct.h"
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

/* Sleeps until it holds, and says whether it does: after so many ticks nobody waits for it any more. */
#define MOST_TICKS 1000u
#define sleep_until(condition)                                                                               \
    ({                                                                                                       \
        for (u32 ticks_ = 0; !(condition) && ticks_ < MOST_TICKS; ticks_++)                                  \
            schedule_timeout_uninterruptible(1);                                                             \
        (condition);                                                                                         \
    })

/* Whether the program has begun, and has been interrupted since. */
static inline bool is_computing(const struct task_struct *task)
{
    const struct pt_regs *regs = task_pt_regs(task);
    return task->mm && user_mode(regs) && regs->orig_ax != 0;
}

static inline struct task_struct *start_process(void)
{
    struct task_struct *task = kernel_thread(compute, NULL, "compute");
    BUG_ON(task == NULL);
    /* The kernel's threads have no files and no root; a program is found by its path. */
    BUG_ON(copy_files(0, task) || copy_fs(0, task));
    sleep_until(is_computing(task));
    return task;
}

static inline void end_process(const struct task_struct *task)
{
    int exit_code;
    u32 pid = task->pid;
    do_kill((s32)pid, SIGKILL);
    kernel_wait(pid, &exit_code);
}
