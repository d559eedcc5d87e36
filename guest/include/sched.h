/* Tasks, and who runs. */
#pragma once

#include "asm/processor.h"
#include "cred.h"
#include "delayacct.h"
#include "list.h"
#include "mm_types.h"
#include "resource.h"
#include "signal.h"
#include "timer.h"
#include "wait.h"

/* task->state. A task that is not TASK_RUNNING is on no run queue. */
#define TASK_RUNNING 0u
#define TASK_INTERRUPTIBLE 1u
#define TASK_UNINTERRUPTIBLE 2u
#define TASK_STOPPED 4u
#define EXIT_DEAD 16u   /* nobody will ask for its exit code */
#define EXIT_ZOMBIE 32u /* its exit code waits for the parent */

#define TASK_COMM_LEN 16

/* clone(2). The low byte is the signal that the parent gets when the child ends. */
#define CSIGNAL 0x000000FFu
#define CLONE_VM 0x00000100u
#define CLONE_FS 0x00000200u
#define CLONE_FILES 0x00000400u
#define CLONE_SIGHAND 0x00000800u
#define CLONE_VFORK 0x00004000u
#define CLONE_PARENT 0x00008000u
#define CLONE_THREAD 0x00010000u
#define CLONE_SETTLS 0x00080000u
#define CLONE_PARENT_SETTID 0x00100000u
#define CLONE_CHILD_CLEARTID 0x00200000u
#define CLONE_CHILD_SETTID 0x01000000u

/* sched_setscheduler(2). */
#define SCHED_NORMAL 0u
#define SCHED_FIFO 1u
#define SCHED_RR 2u
#define SCHED_BATCH 3u
#define SCHED_IDLE 5u
#define MAX_RT_PRIO 100u /* priorities below are real-time ones */
#define NICE_MIN (-20)
#define NICE_MAX 19

/* What the fair scheduler knows of a task (kernel/sched/fair.c). */
struct sched_entity {
    struct rb_node run_node;   /* by vruntime, unless it runs or cannot run */
    u64 vruntime;              /* ns it has run, weighted: those with weight count less */
    u64 exec_start;            /* when it was last accounted for */
    u64 sum_exec_runtime;      /* ns it has run */
    u64 prev_sum_exec_runtime; /* of these, before its turn */
    u32 weight;
    bool on_rq;
};

struct sched_rt_entity {
    struct list_head run_list;
    u32 time_slice; /* ticks */
};

/* ITIMER_VIRTUAL, ITIMER_PROF: ticks that are left, and that it starts with again. */
struct cpu_itimer {
    unsigned long value, incr;
};

/* What all threads of a process have in common. */
struct signal_struct {
    u32 count; /* tasks that point here */
    u32 live;  /* of these, not yet in do_exit() */
    u32 pgrp, session;
    int oom_score_adj;         /* oom.h */
    int oom_score_adj_min;     /* who is not root may not go below */
    struct mem_cgroup *memcg;  /* NULL: the root (memcontrol.h) */
    bool is_oom_victim;        /* was told to end for want of memory */
    unsigned long oom_expires; /* in jiffies: by then it should have ended */
    bool is_leader;            /* of its session */
    struct tty_struct *tty;    /* the controlling terminal, or NULL */
    struct sigpending shared_pending;
    wait_queue_head_t wait_chldexit;

    /* The end, or a stop, of all threads. */
    bool is_group_exit;
    bool is_unkillable; /* the first process: signals without handlers do nothing */
    int group_exit_code;
    struct task_struct *group_exec_task; /* the thread in execve() that waits for the others to be gone */
    u32 group_stop_count;                /* threads that have still to stop */
    bool is_stopped, is_stop_reported;
    bool was_continued;    /* and no wait has told the parent */
    bool notify_continued; /* the parent is still to be told by SIGCHLD */
    int stop_code;

    struct timer_list real_timer; /* ITIMER_REAL, alarm() */
    struct task_struct *leader;
    unsigned long it_real_incr; /* jiffies; 0: once */
    struct cpu_itimer it_virtual, it_prof;

    struct rlimit rlim[RLIM_NLIMITS];
    /* Of threads that are gone, and of children that were waited for (c...). */
    u64 sum_exec_runtime; /* ns */
    struct sched_info sched_info;
    struct delay_sum delays[NR_DELAY_KINDS];
    unsigned long utime, stime, cutime, cstime;
    unsigned long min_flt, maj_flt, cmin_flt, cmaj_flt;
    unsigned long nvcsw, nivcsw, cnvcsw, cnivcsw;
    unsigned long maxrss, cmaxrss; /* pages */
};

/* How an interrupted system call goes on (sys_restart_syscall). */
struct restart_block {
    long (*fn)(struct restart_block *restart);
    u32 user_address, user_address2;
    u32 val, flags, bitset;
    u64 expires; /* ns of the monotonic clock */
};

struct task_struct {
    u32 pid;  /* of the thread */
    u32 tgid; /* of the process: the pid of its first thread */
    u32 state;
    struct mm_struct *mm; /* NULL: a kernel thread */
    void *stack;          /* THREAD_SIZE bytes */
    struct thread_struct thread;

    /* Relatives. Children belong to the process's first thread. */
    struct task_struct *parent, *group_leader;
    struct list_head children, sibling;
    struct list_head tasks;       /* first threads only */
    struct list_head thread_node; /* of one process: a ring */
    struct list_head pid_node;    /* pid.c's hash */

    /* Who runs. */
    u32 policy;
    u32 rt_priority; /* 1..99 for real-time policies */
    u32 static_prio; /* 120 + nice */
    struct sched_entity se;
    struct sched_rt_entity rt;
    struct sched_info sched_info;
    struct task_delay_info delays;
    u32 psi_flags;               /* psi.h */
    unsigned long nvcsw, nivcsw; /* switches because it slept; because others had their turn */
    unsigned long utime, stime;  /* ticks */
    unsigned long start_jiffies;

    /* Signals. */
    struct signal_struct *signal;
    struct sighand_struct *sighand;
    struct sigpending pending;
    sigset_t blocked;
    sigset_t real_blocked;  /* blocked outside of sigtimedwait(), which takes these itself */
    sigset_t saved_sigmask; /* if restores_sigmask */
    bool has_sigpending;    /* see recalc_sigpending() */
    bool restores_sigmask;
    bool jobctl_stop; /* is to stop with its process */
    struct sigaltstack sas;
    struct restart_block restart_block;

    /* Files (fs/). */
    struct files_struct *files;
    struct fs_struct *fs;
    bool is_memalloc;        /* gets memory back, and may have what is below the watermarks meanwhile */
    bool has_kernel_buffers; /* what it takes for user pointers are the kernel's: set_fs_kernel() */

    struct cred cred;

    u32 set_child_tid, clear_child_tid; /* user addresses, or 0 */
    u32 robust_list;
    struct completion *vfork_done; /* the parent waits until the address space is free again */

    struct kthread *kthread; /* kthread.c's, of its threads */

    int exit_code;   /* exit status << 8, or the signal that killed it */
    int exit_signal; /* to the parent; -1: a thread, whose end nobody is told */
    int pdeath_signal;
    bool did_exec;
    bool is_exiting;                /* in do_exit() */
    unsigned long min_flt, maj_flt; /* page faults served without, and with a disk */
    char comm[TASK_COMM_LEN];
};

extern struct task_struct init_task;
extern struct task_struct *current_task;
extern struct list_head task_list;
extern struct task_struct *kthreadd_task;
extern volatile bool need_resched;

#define current current_task

#define for_each_process(task) list_for_each_entry(task, &task_list, tasks)
/* All threads of a process: task = start; do ... while_each_thread(start, task); */
#define next_thread(task) list_entry((task)->thread_node.next, struct task_struct, thread_node)
#define while_each_thread(start, task) while (((task) = next_thread(task)) != (start))

static inline bool thread_group_leader(const struct task_struct *task)
{
    return task->exit_signal >= 0;
}

static inline bool signal_pending(const struct task_struct *task)
{
    return task->has_sigpending;
}

/* A signal came that will end the task. */
static inline bool fatal_signal_pending(const struct task_struct *task)
{
    return task->has_sigpending && (task->pending.signal & sigmask(SIGKILL));
}

/* ---- pid.c ---- */

#define PID_MAX 32768u

void pid_init(void);
/* The thread with this number, or NULL. */
struct task_struct *find_task(u32 pid);
/* The process with this number (its first thread), or NULL. */
struct task_struct *find_process(u32 pid);
/* The next number that no task, group or session has. */
u32 alloc_pid(void);
extern u32 last_pid; /* that it gave */
/*
 * The highest free one of those that are the system's: what kernel threads get, so that programs have the
 * same numbers however many of those there are.
 */
u32 alloc_system_pid(void);
void attach_pid(struct task_struct *task);
void detach_pid(struct task_struct *task);

/* ---- fork.c ---- */

void fork_init(void);
struct clone_args {
    u32 flags;
    u32 stack;      /* user stack pointer; 0: the parent's */
    u32 parent_tid; /* user addresses */
    u32 child_tid;
    u32 tls;           /* struct user_desc */
    int (*fn)(void *); /* a kernel thread's function, or NULL */
    void *fn_arg;
    const char *name;
};
/*
 * Number of the new task, in which the system call returns 0; -ENOMEM, -EINVAL, -EFAULT, or -EAGAIN: there
 * are too many.
 */
long do_fork(const struct clone_args *args);
/*
 * Starts fn(arg) as a new task; when fn returns, the task goes to user mode as start_thread() set it up.
 * kernel_thread_pid(): with this number. NULL: no memory.
 */
struct task_struct *kernel_thread_pid(u32 pid, int (*fn)(void *), void *arg, const char *name);
struct task_struct *kernel_thread(int (*fn)(void *), void *arg, const char *name);
int kthreadd(void *unused); /* see kthread.h */
/* execve() and exit: who waits for the address space to be given up, need not any more. */
void mm_release(struct task_struct *task);
extern unsigned long total_forks;
extern u32 nr_threads, max_threads; /* tasks; at most (/proc/sys/kernel/threads-max) */

/* ---- exit.c ---- */

__noreturn void do_exit(int exit_code);
/* Ends all threads of the process. */
__noreturn void do_group_exit(int exit_code);
/* reboot(2): the first process ends as if by itself, and the machine with it. */
void end_first_process(void);
/* Frees what a zombie still holds. */
void release_task(struct task_struct *task);
/* Frees the stack and the rest, when it does not run any more. */
void free_task(struct task_struct *task);
/* All other threads are told to end. */
void zap_other_threads(void);
/*
 * execve(): all other threads are gone when it returns, and this one has the process's number. -EAGAIN:
 * another one was faster, or the process is about to end.
 */
int de_thread(void);
/*
 * The rest of what execve() does to a task: other threads, handlers, alternate stack, TLS and FPU are gone,
 * and its address space is mm. 0, or an error of de_thread()'s, and then nothing has changed.
 */
int begin_new_exec(struct mm_struct *mm, const char *name);

#define WNOHANG 0x1u
#define WUNTRACED 0x2u /* waitid() calls it WSTOPPED */
#define WEXITED 0x4u
#define WCONTINUED 0x8u
#define WNOWAIT 0x01000000u
#define __WNOTHREAD 0x20000000u
#define __WALL 0x40000000u
#define __WCLONE 0x80000000u
struct rusage;
struct wait_opts {
    enum pid_type type; /* PIDTYPE_PID, PIDTYPE_PGID; PIDTYPE_SID: all children */
    u32 pid;
    u32 options;
    /* What was found. */
    int status; /* as wait4() gives it */
    int code;   /* CLD_ */
    u32 uid;
    struct rusage *rusage; /* NULL: not wanted */
};
/*
 * Waits for a child to change its state. Returns its number, 0 (WNOHANG, and none has), -ECHILD (there is
 * none) or -ERESTARTSYS.
 */
long do_wait(struct wait_opts *wait);
/* For the kernel's own tasks: waits for a child to end; its exit code goes to *status. As do_wait(). */
long kernel_wait(u32 pid, int *status);

/* ---- sched/ ---- */

void sched_init(void);
void sched_fork(struct task_struct *task);
void wake_up_new_task(struct task_struct *task);
void schedule(void);
/* Makes a task runnable that sleeps in one of the states; whether it did. From any context. */
bool wake_up_state(struct task_struct *task, u32 states);
bool wake_up_process(struct task_struct *task);
#define MAX_SCHEDULE_TIMEOUT ((long)(~0ul >> 1))
/*
 * Sleeps in the state that the caller set, for so many ticks at most; returns what is left of them. The other
 * two set the state.
 */
long schedule_timeout(long ticks);
long schedule_timeout_interruptible(long ticks);
long schedule_timeout_uninterruptible(long ticks);
#define set_current_state(new_state) WRITE_ONCE(current->state, new_state)
void yield(void);
/* Called at every tick. */
void scheduler_tick(bool was_user);
/* The idle loop of pid 0; returns once task is a zombie. */
void cpu_idle_until_exit(const struct task_struct *task);
/* entry.S, and after each switch: the task that ran before is off its stack. */
void finish_task_switch(void);
/* The running task's sum_exec_runtime, up to now. */
void update_current_runtime(void);
int task_nice(const struct task_struct *task);
void set_user_nice(struct task_struct *task, int nice);
/* 0 or -EINVAL. */
int sched_set_policy(struct task_struct *task, u32 policy, u32 rt_priority);
u32 nr_running(void);
/* How often another task than before got the CPU. */
u64 nr_context_switches(void);

/* Ticks since the boot by what they were spent on (/proc/stat). */
struct kernel_cpustat {
    u64 user, nice, system, idle, iowait; /* iowait: idle, while a task sleeps until a disk is done */
};
extern struct kernel_cpustat kernel_cpustat;

/* Makes mm the active address space of this CPU (NULL: the kernel's own). */
void switch_mm(struct mm_struct *mm);

/* Kills the current process as an unhandled signal would. */
__noreturn void force_fatal_sig(int sig);
