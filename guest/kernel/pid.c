/* Tasks by number. */
#include "asm/irqflags.h"
#include "sched.h"

#define NR_BUCKETS 256u
/* The first two numbers are init's and kthreadd's. After a wrap, the low ones stay the system's. */
#define FIRST_PID 3u
#define RESERVED_PIDS 300u

static struct list_head pid_hash[NR_BUCKETS];
u32 last_pid = FIRST_PID - 1;

static struct list_head *bucket(u32 pid)
{
    return &pid_hash[pid % NR_BUCKETS];
}

void __init pid_init(void)
{
    for (u32 i = 0; i < NR_BUCKETS; i++)
        INIT_LIST_HEAD(&pid_hash[i]);
}

struct task_struct *find_task(u32 pid)
{
    struct task_struct *task;
    list_for_each_entry(task, bucket(pid), pid_node)
    {
        if (task->pid == pid)
            return task;
    }
    return NULL;
}

struct task_struct *find_process(u32 pid)
{
    struct task_struct *task = find_task(pid);
    return task && thread_group_leader(task) ? task : NULL;
}

/* A group or session lives on when the process that it is named after is gone. */
static bool is_taken(u32 pid)
{
    struct task_struct *task;
    if (find_task(pid))
        return true;
    for_each_process(task)
    {
        if (task->signal->pgrp == pid || task->signal->session == pid)
            return true;
    }
    return false;
}

u32 alloc_pid(void)
{
    do
        last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : RESERVED_PIDS;
    while (is_taken(last_pid));
    return last_pid;
}

u32 alloc_system_pid(void)
{
    u32 pid = RESERVED_PIDS - 1;
    while (is_taken(pid))
        pid--;
    return pid;
}

/* Timers look for tasks: the lists never change under them. */
void attach_pid(struct task_struct *task)
{
    unsigned long flags = local_irq_save();
    list_add_tail(&task->pid_node, bucket(task->pid));
    if (thread_group_leader(task))
        list_add_tail(&task->tasks, &task_list);
    else
        list_add_tail(&task->thread_node, &task->group_leader->thread_node);
    local_irq_restore(flags);
}

void detach_pid(struct task_struct *task)
{
    unsigned long flags = local_irq_save();
    list_del_init(&task->pid_node);
    list_del_init(&task->tasks);
    list_del_init(&task->thread_node);
    local_irq_restore(flags);
}
