/* Signals: sending, and taking. */
#include "signal.h"
#include "asm/irqflags.h"
#include "errno.h"
#include "sched.h"
#include "slab.h"

static struct kmem_cache *sigqueue_cachep;
static u32 nr_queued;

/* By default. */
#define IGNORED (sigmask(SIGCONT) | sigmask(SIGCHLD) | sigmask(SIGWINCH) | sigmask(SIGURG))
#define STOPPING (sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))
/* What an instruction of the thread's own did goes first. */
#define SYNCHRONOUS                                                                                          \
    (sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | sigmask(SIGTRAP) | sigmask(SIGFPE) |             \
     sigmask(SIGSYS))

void __init signals_init(void)
{
    sigqueue_cachep = KMEM_CACHE(sigqueue, SLAB_PANIC);
}

const char *signal_name(int sig)
{
    static const char *const names[] = {
        [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT",     [SIGILL] = "SIGILL",
        [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",       [SIGFPE] = "SIGFPE",
        [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
        [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",     [SIGSTKFLT] = "SIGSTKFLT",
        [SIGCHLD] = "SIGCHLD", [SIGCONT] = "SIGCONT", [SIGSTOP] = "SIGSTOP",     [SIGTSTP] = "SIGTSTP",
        [SIGTTIN] = "SIGTTIN", [SIGTTOU] = "SIGTTOU", [SIGURG] = "SIGURG",       [SIGXCPU] = "SIGXCPU",
        [SIGXFSZ] = "SIGXFSZ", [SIGPROF] = "SIGPROF", [SIGVTALRM] = "SIGVTALRM", [SIGWINCH] = "SIGWINCH",
        [SIGIO] = "SIGIO",     [SIGPWR] = "SIGPWR",   [SIGSYS] = "SIGSYS",
    };
    if (sig >= SIGRTMIN && sig <= NR_SIGNALS)
        return "real-time signal";
    return sig > 0 && sig < (int)ARRAY_SIZE(names) ? names[sig] : "?";
}

static const struct k_sigaction *action_of(const struct task_struct *task, int sig)
{
    return &task->sighand->action[sig - 1];
}

bool sig_is_ignored(const struct task_struct *task, int sig)
{
    u32 handler = action_of(task, sig)->sa_handler;
    if (handler == SIG_DFL)
        return (sigmask(sig) & IGNORED) || task->signal->is_unkillable;
    return handler == SIG_IGN;
}

bool sig_is_unhandled(int sig)
{
    return action_of(current, sig)->sa_handler <= SIG_IGN;
}

static sigset_t all_pending(const struct task_struct *task)
{
    return task->pending.signal | task->signal->shared_pending.signal;
}

static bool needs_get_signal(const struct task_struct *task)
{
    return (all_pending(task) & ~task->blocked) || task->jobctl_stop || task->signal->notify_continued;
}

void recalc_sigpending(void)
{
    unsigned long flags = local_irq_save();
    current->has_sigpending = needs_get_signal(current);
    local_irq_restore(flags);
}

void signal_wake_up(struct task_struct *task, bool is_fatal)
{
    task->has_sigpending = true;
    /* Who runs sees to it on the way to user mode, as soon as the interrupt is over. */
    if (!wake_up_state(task, is_fatal ? TASK_INTERRUPTIBLE | TASK_STOPPED : TASK_INTERRUPTIBLE))
        need_resched |= task == current;
}

static void free_sigqueue(struct sigqueue *entry)
{
    list_del_init(&entry->list);
    kmem_cache_free(sigqueue_cachep, entry);
    nr_queued--;
}

void discard_signals(sigset_t set, struct sigpending *pending)
{
    unsigned long flags = local_irq_save();
    struct list_head *at = pending->list.next;
    pending->signal &= ~set;
    while (at != &pending->list) {
        struct sigqueue *entry = list_entry(at, struct sigqueue, list);
        at = at->next;
        if (set & sigmask(entry->info.si_signo))
            free_sigqueue(entry);
    }
    local_irq_restore(flags);
}

void flush_sigqueue(struct sigpending *pending)
{
    discard_signals(~0ull, pending);
}

/* Whether the signal is one that the thread would see to at once. */
static bool wants_signal(const struct task_struct *task, int sig)
{
    if ((task->blocked & sigmask(sig)) || task->is_exiting)
        return false;
    if (sig == SIGKILL)
        return true;
    return task->state != TASK_STOPPED && (task == current || !task->has_sigpending);
}

/* The thread of the process that is to see to a signal; NULL: nobody can now. */
static struct task_struct *choose_thread(struct task_struct *task, int sig, enum pid_type type)
{
    struct task_struct *thread = task;
    if (type == PIDTYPE_PID)
        return wants_signal(task, sig) ? task : NULL;
    do
        if (wants_signal(thread, sig))
            return thread;
    while_each_thread(task, thread);
    return NULL;
}

static bool is_fatal(const struct task_struct *task, int sig)
{
    return action_of(task, sig)->sa_handler == SIG_DFL && !(sigmask(sig) & (IGNORED | STOPPING)) &&
           !task->signal->is_unkillable;
}

static void wake_for_signal(struct task_struct *task, int sig, enum pid_type type)
{
    struct task_struct *thread = choose_thread(task, sig, type);
    if (thread == NULL)
        return;
    if (!is_fatal(task, sig) || task->signal->is_group_exit || (thread->real_blocked & sigmask(sig))) {
        signal_wake_up(thread, sig == SIGKILL);
        return;
    }
    /* It is the end of them all: no use in waiting until the one has run. */
    task->signal->is_group_exit = true;
    task->signal->group_exit_code = sig;
    thread = task;
    do {
        thread->pending.signal |= sigmask(SIGKILL);
        thread->jobctl_stop = false;
        signal_wake_up(thread, true);
    }
    while_each_thread(task, thread);
}

/* What there is to tell about the signal is kept if there is memory, and must be for real-time signals. */
static int queue_signal(int sig, const struct siginfo *info, struct sigpending *pending,
                        const struct task_struct *task)
{
    if (info == NULL)
        return 0;
    struct sigqueue *entry = NULL;
    if (nr_queued < task->signal->rlim[RLIMIT_SIGPENDING].rlim_cur)
        entry = kmem_cache_alloc(sigqueue_cachep, GFP_ATOMIC);
    if (entry == NULL)
        return sig >= SIGRTMIN && info->si_code != SI_USER ? -EAGAIN : 0;
    nr_queued++;
    entry->info = *info;
    entry->info.si_signo = sig;
    list_add_tail(&entry->list, &pending->list);
    return 0;
}

static int do_send_signal(int sig, const struct siginfo *info, struct task_struct *task, enum pid_type type)
{
    struct sigpending *pending = type == PIDTYPE_PID ? &task->pending : &task->signal->shared_pending;
    prepare_stop_signal(sig, task);
    if (task->signal->is_group_exit && sig != SIGKILL)
        return 0;
    /* One that is blocked stays: the process may change its mind about ignoring it. */
    if (!((task->blocked | task->real_blocked) & sigmask(sig)) && sig_is_ignored(task, sig))
        return 0;
    if (sig < SIGRTMIN && (pending->signal & sigmask(sig)))
        return 0;
    int error = queue_signal(sig, info, pending, task);
    if (error)
        return error;
    pending->signal |= sigmask(sig);
    wake_for_signal(task, sig, type);
    return 0;
}

int send_signal(int sig, const struct siginfo *info, struct task_struct *task, enum pid_type type)
{
    unsigned long flags = local_irq_save();
    int error = task->state & (EXIT_ZOMBIE | EXIT_DEAD) && task->signal->live == 0
                    ? 0
                    : do_send_signal(sig, info, task, type);
    local_irq_restore(flags);
    return error;
}

void force_sig_info(const struct siginfo *info)
{
    int sig = info->si_signo;
    struct k_sigaction *action = &current->sighand->action[sig - 1];
    unsigned long flags = local_irq_save();
    if (action->sa_handler == SIG_IGN || (current->blocked & sigmask(sig))) {
        action->sa_handler = SIG_DFL;
        current->blocked &= ~sigmask(sig);
    }
    /* Not even the first process goes on after a fault that it does not handle. */
    if (action->sa_handler == SIG_DFL)
        current->signal->is_unkillable = false;
    send_signal(sig, info, current, PIDTYPE_PID);
    recalc_sigpending();
    local_irq_restore(flags);
}

void force_sig(int sig)
{
    force_sig_info(&(struct siginfo){.si_signo = sig, .si_code = SI_KERNEL});
}

void force_sig_fault(int sig, int code, u32 address)
{
    force_sig_info(&(struct siginfo){.si_signo = sig, .si_code = code, .si_addr = address});
}

static int next_signal(sigset_t ready)
{
    if (ready & SYNCHRONOUS)
        ready &= SYNCHRONOUS;
    u32 low = (u32)ready;
    return low ? __builtin_ctz(low) + 1 : __builtin_ctz((u32)(ready >> 32)) + 33;
}

/* Takes the oldest entry of the signal; the signal stays pending while there are others. */
static void collect_signal(int sig, struct sigpending *pending, struct siginfo *info)
{
    struct sigqueue *entry, *first = NULL;
    bool has_more = false;
    list_for_each_entry(entry, &pending->list, list)
    {
        if (entry->info.si_signo != sig)
            continue;
        if (first) {
            has_more = true;
            break;
        }
        first = entry;
    }
    *info = (struct siginfo){.si_signo = sig, .si_code = SI_KERNEL};
    if (first) {
        *info = first->info;
        free_sigqueue(first);
    }
    if (!has_more)
        pending->signal &= ~sigmask(sig);
}

int dequeue_signal(sigset_t blocked, struct siginfo *info)
{
    int sig = 0;
    unsigned long flags = local_irq_save();
    struct sigpending *pending = &current->pending;
    if (!(pending->signal & ~blocked))
        pending = &current->signal->shared_pending;
    if (pending->signal & ~blocked) {
        sig = next_signal(pending->signal & ~blocked);
        collect_signal(sig, pending, info);
    }
    recalc_sigpending();
    local_irq_restore(flags);
    return sig;
}

/* No handler: what Linux does by default. */
static void do_default_action(int sig)
{
    if (sigmask(sig) & IGNORED)
        return;
    if (sigmask(sig) & STOPPING) {
        /* Who would let orphans go on? Only SIGSTOP stops them. */
        if (sig == SIGSTOP || !is_orphaned_pgrp(current->signal->pgrp, NULL))
            do_signal_stop(sig);
        return;
    }
    if (!current->signal->is_unkillable)
        do_group_exit(sig);
}

int get_signal(struct k_sigaction *action, struct siginfo *info)
{
    for (;;) {
        const struct task_struct *in_exec = current->signal->group_exec_task;
        if (current->signal->is_group_exit || (in_exec && in_exec != current))
            do_group_exit(current->signal->group_exit_code);
        if (handle_jobctl())
            continue;
        int sig = dequeue_signal(current->blocked, info);
        if (sig == 0)
            return 0;
        struct k_sigaction *wanted = &current->sighand->action[sig - 1];
        if (wanted->sa_handler == SIG_IGN)
            continue;
        if (wanted->sa_handler == SIG_DFL) {
            do_default_action(sig);
            continue;
        }
        *action = *wanted;
        if (wanted->sa_flags & SA_RESETHAND)
            wanted->sa_handler = SIG_DFL;
        return sig;
    }
}
