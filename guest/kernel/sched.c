/* Who runs. So far: whoever can, in turn; the idle task when nobody can. */
#include "sched.h"
#include "asm/irqflags.h"
#include "asm/switch_to.h"
#include "jiffies.h"
#include "task_pid.h"

/* As long as the others can wait, and longer than a switch costs. */
#define TIME_SLICE_TICKS 10

extern char init_stack[];

/* Pid 0: what runs since the first instruction, and becomes the idle task. */
struct task_struct init_task = {
    .comm = "swapper",
    .stack = init_stack,
    .tasks = LIST_HEAD_INIT(task_list),
};
char init_stack[8192] __aligned(8192);

/* Pid 0 is on no list: it is what runs when nobody on the list can. */
struct list_head task_list = LIST_HEAD_INIT(task_list);
struct task_struct *current_task = &init_task;
volatile bool need_resched;
static u64 nr_switches;

u32 current_pid(void)
{
    return current->pid;
}

/* The next task after the running one that can run. */
static struct task_struct *pick_next_task(void)
{
    struct list_head *start = current == &init_task ? &task_list : &current->tasks;
    struct list_head *at = start;
    do {
        at = at->next;
        if (at == &task_list)
            continue;
        struct task_struct *task = list_entry(at, struct task_struct, tasks);
        if (task->state == TASK_RUNNING)
            return task;
    } while (at != start);
    return &init_task;
}

u64 nr_context_switches(void)
{
    return nr_switches;
}

void schedule(void)
{
    unsigned long flags = local_irq_save();
    struct task_struct *prev = current, *next = pick_next_task();
    need_resched = false;
    next->time_slice = TIME_SLICE_TICKS;
    if (next != prev) {
        nr_switches++;
        current_task = next;
        switch_to(prev, next);
    }
    local_irq_restore(flags);
}

/* The first thing a new task does: schedule() left interrupts off. */
void finish_task_switch(void);

void finish_task_switch(void)
{
    local_irq_enable();
}

void wake_up_process(struct task_struct *task)
{
    if (task->state != TASK_INTERRUPTIBLE && task->state != TASK_UNINTERRUPTIBLE)
        return;
    task->state = TASK_RUNNING;
    task->has_timeout = false;
    need_resched = true;
}

void schedule_timeout(unsigned long ticks)
{
    current->wake_jiffies = jiffies + ticks;
    current->has_timeout = true;
    current->state = TASK_INTERRUPTIBLE;
    schedule();
    current->has_timeout = false;
}

void scheduler_tick(void)
{
    struct task_struct *task;
    list_for_each_entry(task, &task_list, tasks)
    {
        if (task->has_timeout && time_after_eq(jiffies, task->wake_jiffies))
            wake_up_process(task);
    }
    if (current->time_slice && --current->time_slice == 0)
        need_resched = true;
}

void cpu_idle_until_exit(const struct task_struct *task)
{
    while (READ_ONCE(task->state) != EXIT_ZOMBIE) {
        local_irq_disable();
        if (need_resched) {
            local_irq_enable();
            schedule();
        } else {
            safe_halt();
        }
    }
}
