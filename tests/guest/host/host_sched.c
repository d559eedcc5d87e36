#include "host_sched.h"
#include "rq.h"
#include "timekeeping.h"

#define TICK_NS 10000000ull

struct rq runqueue;
struct task_struct init_task, *current_task = &init_task;
static struct task_struct tasks[HOST_TASKS_MOST];
static u32 nr_tasks;
static u64 now_ns;

u64 ktime_get_ns(void)
{
    return now_ns;
}

void host_sched_begin(void)
{
    runqueue = (struct rq){.rt_queue = LIST_HEAD_INIT(runqueue.rt_queue)};
    current_task = &init_task;
    nr_tasks = 0;
    now_ns = 0;
}

unsigned int host_sched_weight(int nice)
{
    return sched_prio_to_weight[nice - NICE_MIN];
}

static void enqueue(struct task_struct *task, bool is_new)
{
    fair_update_curr();
    fair_enqueue(task, is_new);
    task->se.on_rq = true;
}

unsigned int host_sched_add(int nice)
{
    struct task_struct *task = &tasks[nr_tasks];
    *task = (struct task_struct){.se = {.weight = host_sched_weight(nice)}};
    enqueue(task, true);
    return nr_tasks++;
}

/* As schedule() does it. */
static void switch_tasks(void)
{
    fair_update_curr();
    if (current->se.on_rq)
        fair_put_prev(current);
    struct task_struct *next = fair_pick();
    if (next == NULL) {
        current_task = &init_task;
        return;
    }
    fair_set_next(next);
    next->se.prev_sum_exec_runtime = next->se.sum_exec_runtime;
    next->se.exec_start = now_ns;
    current_task = next;
}

void host_sched_run(unsigned int nr_ticks)
{
    for (; nr_ticks; nr_ticks--) {
        if (current == &init_task)
            switch_tasks();
        now_ns += TICK_NS;
        fair_update_curr();
        if (current->se.on_rq && fair_should_resched())
            switch_tasks();
    }
}

void host_sched_sleep(unsigned int number)
{
    struct task_struct *task = &tasks[number];
    fair_update_curr();
    fair_dequeue(task);
    task->se.on_rq = false;
    if (task == current)
        switch_tasks();
}

int host_sched_wake(unsigned int number)
{
    enqueue(&tasks[number], false);
    return fair_should_preempt(&tasks[number]);
}

void host_sched_renice(unsigned int number, int nice)
{
    fair_reweight(&tasks[number], host_sched_weight(nice));
}

unsigned long long host_sched_runtime_ns(unsigned int number)
{
    return tasks[number].se.sum_exec_runtime;
}
