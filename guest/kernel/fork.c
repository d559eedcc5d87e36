/* How tasks begin. */
#include "asm/fpu.h"
#include "asm/ptrace.h"
#include "asm/switch_to.h"
#include "asm/tls.h"
#include "asm/uaccess.h"
#include "bug.h"
#include "completion.h"
#include "exit_internal.h"
#include "fdtable.h"
#include "fork_mm.h"
#include "fs_struct.h"
#include "itimer.h"
#include "jiffies.h"
#include "sched.h"
#include "slab.h"
#include "string.h"

static struct kmem_cache *task_struct_cachep, *signal_cachep, *sighand_cachep;
u32 nr_threads, max_threads;
unsigned long total_forks;

/* Stacks may take an eighth of memory at most, and there are always numbers left. */
void fork_init(void)
{
    pid_init();
    signals_init();
    task_struct_cachep = KMEM_CACHE(task_struct, SLAB_PANIC);
    signal_cachep = KMEM_CACHE(signal_struct, SLAB_PANIC);
    sighand_cachep = KMEM_CACHE(sighand_struct, SLAB_PANIC);
    max_threads = min((u32)max_pfn / (8u << THREAD_ORDER), PID_MAX / 2);
    init_task.signal->rlim[RLIMIT_STACK].rlim_cur = STACK_LIMIT_BYTES;
    init_task.signal->rlim[RLIMIT_CORE].rlim_cur = 0;
    init_task.signal->rlim[RLIMIT_NPROC] = (struct rlimit){max_threads / 2, max_threads / 2};
    init_task.signal->rlim[RLIMIT_SIGPENDING] = (struct rlimit){max_threads / 2, max_threads / 2};
    init_task.signal->rlim[RLIMIT_NOFILE] = (struct rlimit){1024, 4096};
    init_task.signal->rlim[RLIMIT_NICE] = init_task.signal->rlim[RLIMIT_RTPRIO] = (struct rlimit){0, 0};
}

/* A task without anything but a stack; NULL: no memory. */
static struct task_struct *dup_task_struct(const struct task_struct *from, const char *name)
{
    struct task_struct *task = kmem_cache_alloc(task_struct_cachep, GFP_KERNEL);
    if (task == NULL)
        return NULL;
    *task = *from;
    task->stack = (void *)__get_free_pages(GFP_KERNEL, THREAD_ORDER);
    if (task->stack == NULL) {
        kmem_cache_free(task_struct_cachep, task);
        return NULL;
    }
    task->pid = 0;
    task->mm = NULL;
    task->files = NULL;
    task->fs = NULL;
    task->signal = NULL;
    task->sighand = NULL;
    task->vfork_done = NULL;
    task->kthread = NULL;
    task->state = TASK_UNINTERRUPTIBLE;
    task->has_sigpending = task->restores_sigmask = task->jobctl_stop = false;
    task->pending.signal = task->real_blocked = 0;
    task->set_child_tid = task->clear_child_tid = task->robust_list = 0;
    task->pdeath_signal = 0;
    task->did_exec = false;
    task->utime = task->stime = task->nvcsw = task->nivcsw = task->min_flt = task->maj_flt = 0;
    task->sched_info = (struct sched_info){0};
    task->delays = (struct task_delay_info){0};
    task->psi_flags = 0;
    task->start_jiffies = jiffies;
    INIT_LIST_HEAD(&task->pending.list);
    INIT_LIST_HEAD(&task->children);
    INIT_LIST_HEAD(&task->sibling);
    INIT_LIST_HEAD(&task->tasks);
    INIT_LIST_HEAD(&task->thread_node);
    INIT_LIST_HEAD(&task->pid_node);
    strlcpy(task->comm, name, TASK_COMM_LEN);
    sched_fork(task);
    return task;
}

static int copy_mm(u32 flags, struct task_struct *task)
{
    if (current->mm == NULL)
        return 0;
    if (flags & CLONE_VM) {
        current->mm->mm_users++;
        task->mm = current->mm;
        return 0;
    }
    task->mm = dup_mm(current->mm);
    if (task->mm == NULL)
        return -ENOMEM;
    task->mm->stack_limit_bytes = current->mm->stack_limit_bytes;
    return 0;
}

static int copy_sighand(u32 flags, struct task_struct *task)
{
    if (flags & CLONE_SIGHAND) {
        task->sighand = current->sighand;
        task->sighand->count++;
        return 0;
    }
    task->sighand = kmem_cache_alloc(sighand_cachep, GFP_KERNEL);
    if (task->sighand == NULL)
        return -ENOMEM;
    *task->sighand = *current->sighand;
    task->sighand->count = 1;
    return 0;
}

static int copy_signal(u32 flags, struct task_struct *task)
{
    if (flags & CLONE_THREAD) {
        task->signal = current->signal;
        task->signal->count++;
        task->signal->live++;
        return 0;
    }
    struct signal_struct *signal = kmem_cache_zalloc(signal_cachep, GFP_KERNEL);
    if (signal == NULL)
        return -ENOMEM;
    const struct signal_struct *from = current->signal;
    signal->count = signal->live = 1;
    signal->pgrp = from->pgrp;
    signal->session = from->session;
    signal->tty = from->tty;
    signal->oom_score_adj = from->oom_score_adj;
    signal->memcg = from->memcg;
    signal->oom_score_adj_min = from->oom_score_adj_min;
    signal->leader = task;
    memcpy(signal->rlim, from->rlim, sizeof(signal->rlim));
    INIT_LIST_HEAD(&signal->shared_pending.list);
    init_waitqueue_head(&signal->wait_chldexit);
    itimers_init(signal);
    task->signal = signal;
    return 0;
}

void put_sighand(struct sighand_struct *sighand)
{
    if (--sighand->count == 0)
        kmem_cache_free(sighand_cachep, sighand);
}

void put_signal(struct signal_struct *signal)
{
    if (--signal->count == 0)
        kmem_cache_free(signal_cachep, signal);
}

int unshare_sighand(void)
{
    struct sighand_struct *old = current->sighand;
    if (old->count == 1)
        return 0;
    int error = copy_sighand(0, current);
    if (error) {
        current->sighand = old;
        return error;
    }
    put_sighand(old);
    return 0;
}

static int return_to_user(void *unused)
{
    (void)unused;
    if (current->set_child_tid)
        put_user_u32(current->pid, (u32 *)current->set_child_tid);
    return 0;
}

static int copy_registers(const struct clone_args *args, struct task_struct *task)
{
    if (args->fn) {
        copy_thread(task, args->fn, args->fn_arg);
        fpu_clear(&task->thread.fpu);
        return 0;
    }
    copy_thread(task, return_to_user, NULL);
    struct pt_regs *regs = task_pt_regs(task);
    *regs = *task_pt_regs(current);
    regs->ax = 0;
    if (args->stack)
        regs->sp = args->stack;
    return args->flags & CLONE_SETTLS ? set_thread_area_of(task, args->tls, false) : 0;
}

/* Threads share handlers, and who shares handlers shares memory: Linux allows nothing else. */
static bool are_flags_sane(u32 flags)
{
    if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
        return false;
    return !(flags & CLONE_SIGHAND) || (flags & CLONE_VM);
}

/* How many tasks the user has. */
static u32 nr_tasks_of(u32 uid)
{
    struct task_struct *process;
    u32 nr = 0;
    for_each_process(process)
    {
        if (process->cred.uid == uid)
            nr += process->signal->count;
    }
    return nr;
}

static bool are_too_many(const struct clone_args *args)
{
    if (nr_threads >= max_threads)
        return true;
    return args->fn == NULL && !capable_root() && nr_tasks_of(current_uid()) >= rlimit(RLIMIT_NPROC);
}

/* Kernel threads begin without. */
static int copy_files_and_places(const struct clone_args *args, struct task_struct *task)
{
    task->files = NULL;
    task->fs = NULL;
    if (args->fn)
        return 0;
    int error = copy_files(args->flags, task);
    return error ? error : copy_fs(args->flags, task);
}

static int copy_parts(const struct clone_args *args, struct task_struct *task)
{
    int error = copy_files_and_places(args, task);
    if (error == 0)
        error = copy_sighand(args->flags, task);
    if (error == 0)
        error = copy_signal(args->flags, task);
    if (error == 0)
        error = copy_mm(args->flags, task);
    return error ? error : copy_registers(args, task);
}

static void set_relatives(const struct clone_args *args, struct task_struct *task)
{
    if (args->flags & CLONE_THREAD) {
        task->group_leader = current->group_leader;
        task->tgid = current->tgid;
        task->exit_signal = -1;
        task->parent = current->group_leader->parent;
        return;
    }
    task->group_leader = task;
    task->tgid = task->pid;
    task->exit_signal = args->flags & CSIGNAL;
    task->parent = args->flags & CLONE_PARENT ? current->group_leader->parent : current->group_leader;
    list_add_tail(&task->sibling, &task->parent->children);
}

/* pid 0: the next one that is free. */
static long copy_process(const struct clone_args *args, u32 pid, struct task_struct **result)
{
    if (!are_flags_sane(args->flags))
        return -EINVAL;
    if (are_too_many(args))
        return -EAGAIN;
    struct task_struct *task = dup_task_struct(current, args->name ? args->name : current->comm);
    if (task == NULL)
        return -ENOMEM;
    fpu_fork(task);
    /* Alternate stacks are for one thread; a child that does not share memory has the parent's. */
    if ((args->flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
        task->sas = (struct sigaltstack){.ss_flags = SS_DISABLE};
    int error = copy_parts(args, task);
    if (error) {
        exit_files(task);
        exit_fs(task);
        if (task->mm)
            mmput(task->mm);
        if (task->signal)
            task->signal->live--;
        free_task(task);
        return error;
    }
    task->pid = pid ? pid : alloc_pid();
    set_relatives(args, task);
    attach_pid(task);
    nr_threads++;
    total_forks++;
    *result = task;
    return 0;
}

long do_fork(const struct clone_args *args)
{
    struct task_struct *task = NULL;
    struct completion vfork_done;
    long error = copy_process(args, 0, &task);
    if (error)
        return error;
    u32 pid = task->pid;
    if (args->flags & CLONE_CHILD_SETTID)
        task->set_child_tid = args->child_tid;
    if (args->flags & CLONE_CHILD_CLEARTID)
        task->clear_child_tid = args->child_tid;
    /* As in Linux, a bad address is the caller's business only. */
    if (args->flags & CLONE_PARENT_SETTID)
        put_user_u32(pid, (u32 *)args->parent_tid);
    if (args->flags & CLONE_VFORK) {
        init_completion(&vfork_done);
        task->vfork_done = &vfork_done;
    }
    wake_up_new_task(task);
    if (args->flags & CLONE_VFORK)
        wait_for_completion(&vfork_done);
    return (long)pid;
}

struct task_struct *kernel_thread_pid(u32 pid, int (*fn)(void *), void *arg, const char *name)
{
    const struct clone_args args = {.fn = fn, .fn_arg = arg, .name = name, .flags = SIGCHLD};
    struct task_struct *task;
    if (copy_process(&args, pid, &task))
        return NULL;
    wake_up_new_task(task);
    return task;
}

struct task_struct *kernel_thread(int (*fn)(void *), void *arg, const char *name)
{
    return kernel_thread_pid(0, fn, arg, name);
}

void free_task(struct task_struct *task)
{
    if (task->signal)
        put_signal(task->signal);
    if (task->sighand)
        put_sighand(task->sighand);
    free_pages((unsigned long)task->stack, THREAD_ORDER);
    kmem_cache_free(task_struct_cachep, task);
}
