/* Who runs: real-time tasks first, then the fair scheduler's; the idle task when nobody can. */
#include "asm/irqflags.h"
#include "asm/switch_to.h"
#include "jiffies.h"
#include "psi.h"
#include "rq.h"
#include "task_pid.h"
#include "timekeeping.h"

extern char init_stack[];

static struct signal_struct init_signals;
static struct sighand_struct init_sighand = {.count = 1};

/* Pid 0: what runs since the first instruction, and becomes the idle task. */
struct task_struct init_task = {
    .comm = "swapper",
    .stack = init_stack,
    .parent = &init_task,
    .group_leader = &init_task,
    .children = LIST_HEAD_INIT(init_task.children),
    .sibling = LIST_HEAD_INIT(init_task.sibling),
    .tasks = LIST_HEAD_INIT(task_list),
    .thread_node = LIST_HEAD_INIT(init_task.thread_node),
    .signal = &init_signals,
    .sighand = &init_sighand,
    .pending = {.list = LIST_HEAD_INIT(init_task.pending.list)},
    .static_prio = MAX_RT_PRIO + 20,
    .se = {.weight = 3},
};
char init_stack[8192] __aligned(8192);

/* Pid 0 is on no list: it is what runs when nobody on the list can. */
struct list_head task_list = LIST_HEAD_INIT(task_list);
struct task_struct *current_task = &init_task;
volatile bool need_resched;
struct rq runqueue;
static u64 nr_switches;

/* Who ran before the last switch, if it will never run again. */
static struct task_struct *dead_task;

void __init sched_init(void)
{
    INIT_LIST_HEAD(&runqueue.rt_queue);
    INIT_LIST_HEAD(&init_signals.shared_pending.list);
    init_waitqueue_head(&init_signals.wait_chldexit);
    for (u32 i = 0; i < RLIM_NLIMITS; i++)
        init_signals.rlim[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    init_signals.count = init_signals.live = 1;
    init_signals.leader = &init_task;
}

u32 current_pid(void)
{
    return current->pid;
}

u32 nr_running(void)
{
    return runqueue.nr_fair + runqueue.nr_rt;
}

u64 nr_context_switches(void)
{
    return nr_switches;
}

static void enqueue_task(struct task_struct *task, bool is_new)
{
    if (is_rt(task)) {
        runqueue.nr_rt++;
        rt_enqueue(task, false);
    } else {
        fair_enqueue(task, is_new);
    }
    task->se.on_rq = true;
}

static void dequeue_task(struct task_struct *task)
{
    if (is_rt(task)) {
        runqueue.nr_rt--;
        if (task != current)
            rt_dequeue(task);
    } else {
        fair_dequeue(task);
    }
    task->se.on_rq = false;
}

/* Off the queue while it runs, and back on it. */
static void set_next_task(struct task_struct *task)
{
    if (is_rt(task))
        rt_dequeue(task);
    else
        fair_set_next(task);
}

static void put_prev_task(struct task_struct *task)
{
    if (task == &init_task)
        return;
    task->sched_info.last_queued = task->se.exec_start;
    if (is_rt(task))
        /* One that was pushed aside goes on before its equals; one whose turn is over does not. */
        rt_enqueue(task, task->rt.time_slice != 0 && rt_pick() && rt_pick()->rt_priority > task->rt_priority);
    else
        fair_put_prev(task);
}

static struct task_struct *pick_next_task(void)
{
    struct task_struct *next = rt_pick();
    if (next == NULL)
        next = fair_pick();
    return next ? next : &init_task;
}

static void context_switch(struct task_struct *prev, struct task_struct *next)
{
    nr_switches++;
    if (prev->state == TASK_RUNNING)
        prev->nivcsw++;
    else
        prev->nvcsw++;
    if (prev->state == EXIT_DEAD)
        dead_task = prev;
    current_task = next;
    switch_to(prev, next);
    /* Here prev runs again, and somebody else before it. */
    if (dead_task) {
        struct task_struct *dead = dead_task;
        dead_task = NULL;
        free_task(dead);
    }
}

static void put_to_sleep(struct task_struct *task)
{
    dequeue_task(task);
    psi_task_change(task, TSK_RUNNING, task->delays.io_depth ? TSK_IOWAIT : 0, task->se.exec_start);
}

/* It can run now, and waits for the CPU. */
static void make_runnable(struct task_struct *task, bool is_new, u64 now_ns)
{
    task->sched_info.last_queued = now_ns;
    psi_task_change(task, TSK_IOWAIT, TSK_RUNNING, now_ns);
    enqueue_task(task, is_new);
}

void schedule(void)
{
    unsigned long flags = local_irq_save();
    struct task_struct *prev = current;
    /* Who has a signal to see to does not go to sleep. */
    if (prev->state == TASK_INTERRUPTIBLE && signal_pending(prev))
        prev->state = TASK_RUNNING;
    fair_update_curr();
    if (prev->state != TASK_RUNNING && prev->se.on_rq)
        put_to_sleep(prev);
    else if (prev->se.on_rq)
        put_prev_task(prev);
    struct task_struct *next = pick_next_task();
    need_resched = false;
    if (next != &init_task) {
        set_next_task(next);
        next->se.prev_sum_exec_runtime = next->se.sum_exec_runtime;
    }
    if (next != prev) {
        next->se.exec_start = prev->se.exec_start;
        if (next != &init_task)
            next->sched_info.run_delay += next->se.exec_start - next->sched_info.last_queued;
        next->sched_info.pcount++;
        context_switch(prev, next);
    } else if (prev == &init_task && prev->state != TASK_RUNNING) {
        /* The boot waits for something, and nobody else has anything to do. */
        safe_halt();
    }
    local_irq_restore(flags);
}

/* The first thing a new task does: schedule() left interrupts off. */
void finish_task_switch(void)
{
    struct task_struct *dead = dead_task;
    dead_task = NULL;
    local_irq_enable();
    if (dead)
        free_task(dead);
}

static void check_preempt(const struct task_struct *woken)
{
    if (current == &init_task)
        need_resched = true;
    else if (is_rt(woken))
        need_resched |= !is_rt(current) || woken->rt_priority > current->rt_priority;
    else if (!is_rt(current) && current->se.on_rq) {
        fair_update_curr();
        need_resched |= fair_should_preempt(woken);
    }
}

bool wake_up_state(struct task_struct *task, u32 states)
{
    unsigned long flags = local_irq_save();
    bool is_asleep = task->state & states;
    if (is_asleep) {
        task->state = TASK_RUNNING;
        /* One that is still on its way into schedule() is on the queue, and so is the running one. */
        if (task != &init_task && !task->se.on_rq) {
            make_runnable(task, false, sched_clock());
            check_preempt(task);
        }
    }
    local_irq_restore(flags);
    return is_asleep;
}

bool wake_up_process(struct task_struct *task)
{
    return wake_up_state(task, TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE);
}

void sched_fork(struct task_struct *task)
{
    task->se = (struct sched_entity){.weight = current->se.weight, .vruntime = current->se.vruntime};
    task->rt.time_slice = 0;
    INIT_LIST_HEAD(&task->rt.run_list);
    if (current == &init_task) {
        task->static_prio = MAX_RT_PRIO + 20;
        task->se.weight = sched_prio_to_weight[20];
    }
}

void wake_up_new_task(struct task_struct *task)
{
    unsigned long flags = local_irq_save();
    fair_update_curr();
    task->state = TASK_RUNNING;
    make_runnable(task, true, current->se.exec_start);
    check_preempt(task);
    local_irq_restore(flags);
}

void yield(void)
{
    unsigned long flags = local_irq_save();
    fair_update_curr();
    /* Behind all others that can run now. */
    struct rb_node *last = rb_last(&runqueue.tasks_timeline);
    if (!is_rt(current) && last)
        current->se.vruntime = rb_entry(last, struct task_struct, se.run_node)->se.vruntime;
    schedule();
    local_irq_restore(flags);
}

/* Time slices, and the ticks' account. */
void scheduler_tick(bool was_user)
{
    bool is_idle = current == &init_task;
    if (is_idle) {
        (*(nr_iowait() ? &kernel_cpustat.iowait : &kernel_cpustat.idle))++;
    } else if (was_user) {
        current->utime++;
        (*(current->static_prio > MAX_RT_PRIO + 20 ? &kernel_cpustat.nice : &kernel_cpustat.user))++;
    } else {
        current->stime++;
        kernel_cpustat.system++;
    }
    fair_update_curr();
    psi_tick(current->se.exec_start);
    if (is_idle) {
        need_resched |= nr_running() != 0;
        return;
    }
    if (current->se.on_rq && (is_rt(current) ? rt_should_resched() : rt_pick() || fair_should_resched()))
        need_resched = true;
}

void update_current_runtime(void)
{
    unsigned long flags = local_irq_save();
    fair_update_curr();
    local_irq_restore(flags);
}

int task_nice(const struct task_struct *task)
{
    return (int)task->static_prio - (int)MAX_RT_PRIO - 20;
}

void set_user_nice(struct task_struct *task, int nice)
{
    unsigned long flags = local_irq_save();
    task->static_prio = (u32)((int)MAX_RT_PRIO + 20 + nice);
    fair_reweight(task, sched_prio_to_weight[nice - NICE_MIN]);
    need_resched = true;
    local_irq_restore(flags);
}

int sched_set_policy(struct task_struct *task, u32 policy, u32 rt_priority)
{
    bool wants_rt = policy == SCHED_FIFO || policy == SCHED_RR;
    bool is_known = wants_rt || policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE;
    if (!is_known || (wants_rt ? rt_priority < 1 || rt_priority >= MAX_RT_PRIO : rt_priority != 0))
        return -EINVAL;
    unsigned long flags = local_irq_save();
    bool was_queued = task->se.on_rq;
    fair_update_curr();
    if (was_queued)
        dequeue_task(task);
    task->policy = policy;
    task->rt_priority = rt_priority;
    task->se.weight = policy == SCHED_IDLE ? 3 : sched_prio_to_weight[task_nice(task) - NICE_MIN];
    if (was_queued) {
        enqueue_task(task, false);
        /* Who runs is on no queue. */
        if (task == current)
            set_next_task(task);
        need_resched = true;
    }
    local_irq_restore(flags);
    return 0;
}

void cpu_idle_until_exit(const struct task_struct *task)
{
    while (READ_ONCE(task->state) != EXIT_ZOMBIE) {
        local_irq_disable();
        if (need_resched || nr_running()) {
            local_irq_enable();
            schedule();
        } else {
            safe_halt();
        }
    }
}
