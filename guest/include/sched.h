/* Tasks, and who runs. */
#pragma once

#include "asm/processor.h"
#include "list.h"
#include "mm_types.h"

#define TASK_RUNNING 0u
#define TASK_INTERRUPTIBLE 1u
#define EXIT_ZOMBIE 16u

#define TASK_COMM_LEN 16

struct task_struct {
    u32 pid;
    u32 state;
    struct mm_struct *mm; /* NULL: a kernel thread */
    void *stack;          /* THREAD_SIZE bytes */
    struct thread_struct thread;
    struct list_head tasks;
    unsigned long wake_jiffies; /* when TASK_INTERRUPTIBLE */
    int exit_code;              /* exit status << 8, or the signal that killed it */
    unsigned long min_flt;      /* page faults served without a disk */
    char comm[TASK_COMM_LEN];
};

extern struct task_struct init_task;
extern struct task_struct *current_task;
extern struct list_head task_list;
extern volatile bool need_resched;

#define current current_task

/* fork.c: the cache of tasks. */
void fork_init(void);
/*
 * Starts fn(arg) as a new task; when fn returns, the task goes to user mode as start_thread() set it up.
 * NULL: no memory.
 */
struct task_struct *kernel_thread(int (*fn)(void *), void *arg, const char *name);
__noreturn void do_exit(int exit_code);
/* Frees what a zombie still holds. */
void release_task(struct task_struct *task);

void schedule(void);
/* Sleeps for at least this many ticks. */
void schedule_timeout(unsigned long ticks);
/* Called at every tick: makes tasks runnable whose time has come. */
void wake_up_sleepers(void);
/* The idle loop of pid 0; returns once task is a zombie. */
void cpu_idle_until_exit(const struct task_struct *task);

/* Kills the current task as an unhandled signal would. */
__noreturn void force_fatal_sig(int sig);
const char *signal_name(int sig);

#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGSEGV 11

/* Makes mm the active address space of this CPU (NULL: the kernel's own). */
void switch_mm(struct mm_struct *mm);
