/* What the files of the scheduler share. */
#pragma once

#include "sched.h"

/* The tasks that could run. The one that does is on no queue. */
struct rq {
    struct rb_root tasks_timeline; /* fair tasks by vruntime */
    struct list_head rt_queue;     /* real-time tasks, the highest priority first */
    u64 min_vruntime;              /* never goes back; where new and woken tasks begin */
    u64 load_weight;               /* of all fair tasks that can run, the running one too */
    u32 nr_fair, nr_rt;            /* that can run, the running one too */
};

extern struct rq runqueue;

static inline bool is_rt(const struct task_struct *task)
{
    return task->policy == SCHED_FIFO || task->policy == SCHED_RR;
}

/* fair.c: the completely fair scheduler. Interrupts are off in all of them. */
extern const u32 sched_prio_to_weight[NICE_MAX - NICE_MIN + 1];
void fair_enqueue(struct task_struct *task, bool is_new);
void fair_dequeue(struct task_struct *task);
/* The task is about to run; has run, and could go on. */
void fair_set_next(struct task_struct *task);
void fair_put_prev(struct task_struct *task);
struct task_struct *fair_pick(void);
/* Accounts for the time that the running task had. */
void fair_update_curr(void);
/* Whether the running task has had its turn; whether a woken one should go first. */
bool fair_should_resched(void);
bool fair_should_preempt(const struct task_struct *woken);
void fair_reweight(struct task_struct *task, u32 weight);

/* rt.c: real-time tasks, which go before all fair ones. */
void rt_enqueue(struct task_struct *task, bool at_head);
void rt_dequeue(struct task_struct *task);
struct task_struct *rt_pick(void);
bool rt_should_resched(void);
