/* Tasks, and who runs. */
#pragma once

#include "asm/processor.h"
#include "list.h"
#include "mm_types.h"

#define TASK_RUNNING 0u
#define TASK_INTERRUPTIBLE 1u
#define TASK_UNINTERRUPTIBLE 2u
#define EXIT_ZOMBIE 16u

#define TASK_COMM_LEN 16

struct task_struct {
    u32 pid;
    u32 state;
    struct mm_struct *mm; /* NULL: a kernel thread */
    struct task_struct *parent;
    u32 pending;          /* signals that came, a bit for each: 1 << (number - 1) */
    u32 time_slice;       /* ticks that it may run before the others have their turn */
    bool has_timeout;     /* wake_jiffies counts */
    bool waits_for_child; /* in do_wait() */
    void *stack;          /* THREAD_SIZE bytes */
    struct thread_struct thread;
    struct list_head tasks;
    unsigned long wake_jiffies; /* when TASK_INTERRUPTIBLE and has_timeout */
    int exit_code;              /* exit status << 8, or the signal that killed it */
    unsigned long min_flt;      /* page faults served without a disk */
    unsigned long maj_flt;      /* those for which one was read */
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

/* fork.c: a task without anything but a stack and a number, on no list; NULL: no memory. */
struct task_struct *alloc_task(const char *name);
void start_task(struct task_struct *task);
/* The task with this number, or NULL. */
struct task_struct *find_task(u32 pid);
/* Number of the new process, in which the system call returns 0; -ENOMEM, or -EAGAIN: there are too many. */
long do_fork(void);

/*
 * exit.c: waits for a child (pid, or any if -1) to end; its exit code goes to *exit_code. Returns its number,
 * 0 (WNOHANG, and none has ended), -ECHILD (there is none) or -EINTR.
 */
#define WNOHANG 1u
long do_wait(s32 pid, u32 options, int *exit_code);

void schedule(void);
/* How often another task than before got the CPU. */
u64 nr_context_switches(void);
/* Makes a sleeping task runnable. */
void wake_up_process(struct task_struct *task);
/* Sleeps for at least this many ticks. */
void schedule_timeout(unsigned long ticks);
/* Called at every tick: makes tasks runnable whose time has come, and gives each its turn. */
void scheduler_tick(void);
/* The idle loop of pid 0; returns once task is a zombie. */
void cpu_idle_until_exit(const struct task_struct *task);

/* Kills the current task as an unhandled signal would. */
__noreturn void force_fatal_sig(int sig);
const char *signal_name(int sig);
/*
 * Sends a signal. There are no handlers: what Linux ignores by default is ignored, all others end the task
 * when it is about to return to user mode. sig 0: only asks. 0, -ESRCH or -EINVAL.
 */
long do_kill(s32 pid, int sig);
/* Ends the current task if a signal came for it. */
void do_signal(void);

static inline bool signal_pending(const struct task_struct *task)
{
    return task->pending != 0;
}

#define SIGHUP 1
#define SIGINT 2
#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGSEGV 11
#define SIGTERM 15
#define SIGCHLD 17
#define SIGCONT 18
#define SIGURG 23
#define SIGWINCH 28
#define NR_SIGNALS 31 /* the standard ones */

#define PID_MAX 32768u

/* Makes mm the active address space of this CPU (NULL: the kernel's own). */
void switch_mm(struct mm_struct *mm);
