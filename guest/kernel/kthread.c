/* Kernel threads. kthreadd, pid 2, makes them all, so that they have nothing of who asked for them. */
#include "kthread.h"
#include "completion.h"
#include "sched.h"
#include "slab.h"

struct task_struct *kthreadd_task;

/* What a kernel thread and those who started it know of each other. */
struct kthread {
    struct list_head request;
    int (*fn)(void *);
    void *arg;
    const char *name;
    struct task_struct *task;
    struct completion started, exited;
    bool should_stop;
    bool stopper_waits;
};

static struct list_head requests = LIST_HEAD_INIT(requests);

static int kthread_main(void *arg)
{
    struct kthread *self = arg;
    current->kthread = self;
    int result = self->fn(self->arg);
    current->kthread = NULL;
    if (self->stopper_waits)
        complete(&self->exited);
    else
        kfree(self);
    do_exit(result << 8);
}

static void make_requested(void)
{
    while (!list_empty(&requests)) {
        struct kthread *thread = list_first_entry(&requests, struct kthread, request);
        list_del_init(&thread->request);
        thread->task = kernel_thread_pid(alloc_system_pid(), kthread_main, thread, thread->name);
        complete(&thread->started);
    }
}

int kthreadd(void *unused)
{
    (void)unused;
    /* Children that end leave nothing behind. */
    current->sighand->action[SIGCHLD - 1].sa_handler = SIG_IGN;
    for (;;) {
        set_current_state(TASK_INTERRUPTIBLE);
        if (list_empty(&requests))
            schedule();
        set_current_state(TASK_RUNNING);
        make_requested();
    }
    return 0;
}

struct task_struct *kthread_run(int (*fn)(void *), void *arg, const char *name)
{
    struct kthread *thread = kzalloc(sizeof(*thread), GFP_KERNEL);
    if (thread == NULL)
        return NULL;
    thread->fn = fn;
    thread->arg = arg;
    thread->name = name;
    init_completion(&thread->started);
    init_completion(&thread->exited);
    list_add_tail(&thread->request, &requests);
    wake_up_process(kthreadd_task);
    wait_for_completion(&thread->started);
    struct task_struct *task = thread->task;
    if (task == NULL)
        kfree(thread);
    return task;
}

void kthread_stop(struct task_struct *task)
{
    struct kthread *thread = task->kthread;
    /* One that has not run yet does not know its own struct. */
    while (thread == NULL) {
        schedule_timeout_uninterruptible(1);
        thread = task->kthread;
    }
    thread->should_stop = thread->stopper_waits = true;
    wake_up_process(task);
    wait_for_completion(&thread->exited);
    kfree(thread);
}

bool kthread_should_stop(void)
{
    return current->kthread->should_stop;
}
