/*
 * The completely fair scheduler. Each task's vruntime is the time that it has run, divided by its weight;
 * the task with the smallest one runs next. So each gets a share of the CPU that is its weight's share of
 * the sum of all weights.
 */
#include "math64.h"
#include "rq.h"
#include "timekeeping.h"

#define NICE_0_WEIGHT 1024u
#define SCHED_IDLE_WEIGHT 3u
/* In this time each task runs once; a turn is no shorter than the second; a woken task is this much ahead. */
#define LATENCY_NS 6000000u
#define MIN_GRANULARITY_NS 750000u
#define WAKEUP_GRANULARITY_NS 1000000u

/* Nice -20 to 19: a step is a factor of 1.25, so that it is worth about a tenth of the CPU. */
const u32 sched_prio_to_weight[NICE_MAX - NICE_MIN + 1] = {
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
    3906,  3121,  2501,  1991,  1586,  1277,  1024,  820,   655,   526,   423,  335,  272,  215,
    172,   137,   110,   87,    70,    56,    45,    36,    29,    23,    18,   15,
};

static struct task_struct *task_of(struct rb_node *node)
{
    return rb_entry(node, struct task_struct, se.run_node);
}

/* vruntimes wrap; what is compared is never far apart. */
static bool is_before(u64 a, u64 b)
{
    return (s64)(a - b) < 0;
}

static bool is_fair_running(void)
{
    return current->se.on_rq && !is_rt(current);
}

static u64 weighted(u64 ns, u32 weight)
{
    return weight == NICE_0_WEIGHT ? ns : div_u64(ns * NICE_0_WEIGHT, weight);
}

static void timeline_insert(struct task_struct *task)
{
    struct rb_node **link = &runqueue.tasks_timeline.rb_node, *parent = NULL;
    while (*link) {
        parent = *link;
        /* Of equals, who came first goes first. */
        bool is_left = is_before(task->se.vruntime, task_of(parent)->se.vruntime);
        link = &parent->child[is_left ? RB_LEFT : RB_RIGHT];
    }
    rb_link_node(&task->se.run_node, parent, link);
    rb_insert_color(&task->se.run_node, &runqueue.tasks_timeline);
}

struct task_struct *fair_pick(void)
{
    struct rb_node *first = rb_first(&runqueue.tasks_timeline);
    return first ? task_of(first) : NULL;
}

static void update_min_vruntime(void)
{
    const struct task_struct *first = fair_pick();
    u64 smallest = runqueue.min_vruntime;
    if (is_fair_running()) {
        smallest = current->se.vruntime;
        if (first && is_before(first->se.vruntime, smallest))
            smallest = first->se.vruntime;
    } else if (first) {
        smallest = first->se.vruntime;
    }
    if (is_before(runqueue.min_vruntime, smallest))
        runqueue.min_vruntime = smallest;
}

void fair_update_curr(void)
{
    struct sched_entity *se = &current->se;
    u64 now = sched_clock(), ns = now - se->exec_start;
    se->exec_start = now;
    se->sum_exec_runtime += ns;
    if (!is_fair_running())
        return;
    se->vruntime += weighted(ns, se->weight);
    update_min_vruntime();
}

/* The turn that the task's weight gives it among those that can run. */
static u64 sched_slice(const struct sched_entity *se)
{
    u64 period = LATENCY_NS;
    if (runqueue.nr_fair > LATENCY_NS / MIN_GRANULARITY_NS)
        period = (u64)runqueue.nr_fair * MIN_GRANULARITY_NS;
    return div_u64(period * se->weight, max((u32)runqueue.load_weight, se->weight));
}

/* A new task waits for a turn first. One that slept gets some of that back, but cannot save it up. */
static void place_entity(struct sched_entity *se, bool is_new)
{
    u64 begin = runqueue.min_vruntime;
    if (is_new)
        begin += weighted(sched_slice(se), se->weight);
    else
        begin -= LATENCY_NS / 2;
    if (is_new || is_before(se->vruntime, begin))
        se->vruntime = begin;
}

void fair_enqueue(struct task_struct *task, bool is_new)
{
    runqueue.nr_fair++;
    runqueue.load_weight += task->se.weight;
    place_entity(&task->se, is_new);
    timeline_insert(task);
}

/* Who runs is not in the tree. */
void fair_dequeue(struct task_struct *task)
{
    runqueue.nr_fair--;
    runqueue.load_weight -= task->se.weight;
    if (task != current)
        rb_erase(&task->se.run_node, &runqueue.tasks_timeline);
}

void fair_set_next(struct task_struct *task)
{
    rb_erase(&task->se.run_node, &runqueue.tasks_timeline);
}

void fair_put_prev(struct task_struct *task)
{
    timeline_insert(task);
}

bool fair_should_resched(void)
{
    const struct sched_entity *se = &current->se;
    const struct task_struct *first = fair_pick();
    if (first == NULL)
        return false;
    u64 slice = sched_slice(se);
    if (se->sum_exec_runtime - se->prev_sum_exec_runtime > slice)
        return true;
    return (s64)(se->vruntime - first->se.vruntime) > (s64)slice;
}

bool fair_should_preempt(const struct task_struct *woken)
{
    u64 margin = weighted(WAKEUP_GRANULARITY_NS, woken->se.weight);
    return (s64)(current->se.vruntime - woken->se.vruntime) > (s64)margin;
}

void fair_reweight(struct task_struct *task, u32 weight)
{
    if (task->se.on_rq && !is_rt(task)) {
        if (task == current)
            fair_update_curr();
        runqueue.load_weight += weight - (u64)task->se.weight;
    }
    task->se.weight = weight;
}
