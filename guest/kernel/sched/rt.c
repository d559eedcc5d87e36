/* Real-time tasks: first come, first served (SCHED_FIFO), or by turns among equals (SCHED_RR). */
#include "asm/irqflags.h"
#include "jiffies.h"
#include "rq.h"

#define RR_TICKS (HZ / 10)

void rt_enqueue(struct task_struct *task, bool at_head)
{
    struct task_struct *at;
    struct list_head *before = &runqueue.rt_queue;
    list_for_each_entry(at, &runqueue.rt_queue, rt.run_list)
    {
        if (at->rt_priority < task->rt_priority || (at_head && at->rt_priority == task->rt_priority)) {
            before = &at->rt.run_list;
            break;
        }
    }
    list_add_tail(&task->rt.run_list, before);
    if (task->rt.time_slice == 0)
        task->rt.time_slice = RR_TICKS;
}

void rt_dequeue(struct task_struct *task)
{
    list_del_init(&task->rt.run_list);
}

struct task_struct *rt_pick(void)
{
    return list_empty(&runqueue.rt_queue)
               ? NULL
               : list_first_entry(&runqueue.rt_queue, struct task_struct, rt.run_list);
}

/* The tick: an RR task's turn ends when another of its priority waits. */
bool rt_should_resched(void)
{
    const struct task_struct *first = rt_pick();
    if (first && first->rt_priority > current->rt_priority)
        return true;
    if (current->policy != SCHED_RR || --current->rt.time_slice)
        return false;
    current->rt.time_slice = RR_TICKS;
    return first && first->rt_priority == current->rt_priority;
}
