/*
 * Signals: what may be sent, what a process wants done when one comes, and what has come. Numbers, flags and
 * layouts are those of Linux on i386 (signal(7), sigaction(2)).
 */
#pragma once

#include "list.h"
#include "types.h"

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGSTKFLT 16
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGIO 29
#define SIGPWR 30
#define SIGSYS 31
#define SIGRTMIN 32 /* from here on they queue */
#define NR_SIGNALS 64

/* A set: bit sig - 1. The same 64 bits as the user's sigset_t. */
typedef u64 sigset_t;

static inline sigset_t sigmask(int sig)
{
    return 1ull << (sig - 1);
}

#define SIG_DFL 0u
#define SIG_IGN 1u

#define SA_NOCLDSTOP 0x00000001u
#define SA_NOCLDWAIT 0x00000002u
#define SA_SIGINFO 0x00000004u
#define SA_RESTORER 0x04000000u
#define SA_ONSTACK 0x08000000u
#define SA_RESTART 0x10000000u
#define SA_NODEFER 0x40000000u
#define SA_RESETHAND 0x80000000u

/* rt_sigaction()'s structure, too. */
struct k_sigaction {
    u32 sa_handler; /* user address, SIG_DFL or SIG_IGN */
    u32 sa_flags;
    u32 sa_restorer;
    sigset_t sa_mask;
};

/* Who sent it, or why: si_code. */
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_TKILL (-6)
#define ILL_ILLOPN 2
#define FPE_INTDIV 1
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_STOPPED 5
#define CLD_CONTINUED 6

/* The used part of the user's 128 bytes. */
struct siginfo {
    s32 si_signo, si_errno, si_code;
    union {
        struct {
            u32 si_pid, si_uid;
            union {
                u32 si_value;  /* sigqueue() */
                s32 si_status; /* SIGCHLD */
            };
            u32 si_utime, si_stime;
        };
        u32 si_addr; /* faults */
    };
};

#define SIGINFO_USER_BYTES 128u

struct sigqueue {
    struct list_head list;
    struct siginfo info;
};

/* What has come: a set, and for each signal that has more to tell, an entry in the order of arrival. */
struct sigpending {
    struct list_head list;
    sigset_t signal;
};

/* The handlers, which threads share (CLONE_SIGHAND). */
struct sighand_struct {
    u32 count; /* tasks */
    struct k_sigaction action[NR_SIGNALS];
};

/* The stack for handlers with SA_ONSTACK (sigaltstack(2)); also the user's layout. */
#define SS_ONSTACK 1u
#define SS_DISABLE 2u
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ 2048u
struct sigaltstack {
    u32 ss_sp, ss_flags, ss_size;
};

struct task_struct;
struct signal_struct;
struct pt_regs;

/* ---- signal.c: sending and taking ---- */

void signals_init(void);
const char *signal_name(int sig);

/* Whom a signal, or a wait, is about. */
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };

/*
 * Makes a signal pending for a thread (PIDTYPE_PID) or its process (PIDTYPE_TGID), and wakes who should see
 * it. info NULL: from the kernel, and nothing more to tell. From any context. 0, or -EAGAIN: a real-time
 * signal found no memory.
 */
int send_signal(int sig, const struct siginfo *info, struct task_struct *task, enum pid_type type);
/*
 * To the current thread, past its mask and SIG_IGN: where it cannot be caught, it has the default action.
 */
void force_sig_info(const struct siginfo *info);
void force_sig(int sig);
void force_sig_fault(int sig, int code, u32 address);
/* What it has of its own (the thread, or the process), and what is queued, is forgotten. */
void flush_sigqueue(struct sigpending *pending);
/* Forgets the signals of the set. */
void discard_signals(sigset_t set, struct sigpending *pending);
/* Whether the task, if it does not block the signal, would do nothing about it. */
bool sig_is_ignored(const struct task_struct *task, int sig);
/* Whether the current process has no handler for it: worth a line on the console. */
bool sig_is_unhandled(int sig);
/* A signal that nobody blocks is there, or a stop: the task has to go through get_signal(). */
void recalc_sigpending(void);
void signal_wake_up(struct task_struct *task, bool is_fatal);
/*
 * The next signal that is not in blocked, with what is known about it; 0: none.
 */
int dequeue_signal(sigset_t blocked, struct siginfo *info);
/*
 * The next signal for which the process has a handler, its action and what is known about it; 0: none. Others
 * have been dealt with: the process may have stopped and gone on, or this does not return.
 */
int get_signal(struct k_sigaction *action, struct siginfo *info);

/* ---- sigmask.c: masks and handlers ---- */

void set_current_blocked(sigset_t blocked);
/* The handler of sig begins: signals are blocked as it asks for. */
void signal_delivered(int sig, const struct k_sigaction *action);
/* execve(): handlers are gone; what is ignored stays ignored. */
void flush_signal_handlers(void);
/*
 * A mask for the time of one system call (ppoll, pselect6, sigsuspend): taken from the user (NULL: none), of
 * bytes that must be 8. restore_saved_sigmask_unless(): the call ends; if it was interrupted, the old mask
 * comes back when the handler has run. 0, -EFAULT or -EINVAL.
 */
int set_user_sigmask(const sigset_t *user_mask, u32 bytes);
void restore_saved_sigmask_unless(bool interrupted);

/* ---- jobctl.c: stopping and going on ---- */

/* Before a signal is sent: SIGCONT ends a stop, and each kind of signal forgets the other. */
void prepare_stop_signal(int sig, struct task_struct *task);
/* All threads are to stop, this one here and now. */
void do_signal_stop(int sig);
/* This one is to stop because another thread said so, or has gone on and the parent is to know. */
bool handle_jobctl(void);
/* A thread ends while its process stops. */
void exit_jobctl(struct task_struct *task);
/* Whether nobody in its session, but outside the group, is a parent of one in it: who would let it go on? */
bool is_orphaned_pgrp(u32 pgrp, const struct task_struct *ignored);
/* The process that parent had children in is about to go, or to lose its parent: stopped orphans are told. */
void kill_orphaned_pgrp(const struct task_struct *task, const struct task_struct *parent);

/* ---- kill.c ---- */

/* To every process of a group, from the kernel; 0 or -ESRCH. Not from interrupts. */
int kill_pgrp(u32 pgrp, int sig);
/* kill(2): the process, the caller's group (0), all (-1) or a group (-pid). sig 0 only asks. */
long do_kill(s32 pid, int sig);

/* ---- arch/x86/kernel/signal.c ---- */

/* On the way to user mode: runs handlers, lets interrupted system calls go on. */
void do_signal(struct pt_regs *regs);
