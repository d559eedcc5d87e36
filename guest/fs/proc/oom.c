/*
 * Who is ended first when there is no memory: oom_score, oom_score_adj, oom_adj of a task (proc(5));
 * and what of it can be set for all, in /proc/sys/vm.
 */
#include "oom.h"
#include "cred.h"
#include "internal.h"
#include "math64.h"
#include "sched.h"

/* Of a negative number, too, towards 0. */
static long thousandths_of(long pages, unsigned long totalpages)
{
    u64 magnitude = (u64)(pages < 0 ? -pages : pages) * 1000;
    long quotient = (long)div_u64(magnitude, (u32)totalpages);
    return pages < 0 ? -quotient : quotient;
}

/* As Linux shows it: 0 for those that never go, 666 for one that has nothing and no adjustment. */
int proc_oom_score(struct seq_file *m, struct task_struct *task)
{
    unsigned long totalpages = oom_totalpages();
    long badness = oom_badness(task->group_leader, totalpages), score = 0;
    if (badness != OOM_NEVER)
        score = (1000 + thousandths_of(badness, totalpages)) * 2 / 3;
    seq_printf(m, "%ld\n", max(score, 0l));
    return 0;
}

int proc_oom_score_adj(struct seq_file *m, struct task_struct *task)
{
    seq_printf(m, "%d\n", task->signal->oom_score_adj);
    return 0;
}

/* 0, or -EACCES: only root makes a process safer than least. */
static int set_adj(struct task_struct *task, int adj, int least)
{
    struct signal_struct *signal = task->signal;
    if (!capable_root() && adj < least)
        return -EACCES;
    signal->oom_score_adj = adj;
    if (capable_root())
        signal->oom_score_adj_min = adj;
    return 0;
}

static int parse_signed(const char *text, long least, long most, int *value)
{
    unsigned long magnitude;
    bool is_negative = *text == '-';
    int error =
        proc_parse_number(text + is_negative, (unsigned long)(is_negative ? -least : most), &magnitude);
    if (error == 0)
        *value = is_negative ? -(int)magnitude : (int)magnitude;
    return error;
}

int proc_set_oom_score_adj(struct task_struct *task, const char *text)
{
    int adj = 0, error = parse_signed(text, OOM_SCORE_ADJ_MIN, OOM_SCORE_ADJ_MAX, &adj);
    return error ? error : set_adj(task, adj, task->signal->oom_score_adj_min);
}

/* The older scale, where 17 parts are the whole. Its largest number is the other one's largest as well. */
int proc_oom_adj(struct seq_file *m, struct task_struct *task)
{
    int adj = task->signal->oom_score_adj;
    int old = adj == OOM_SCORE_ADJ_MAX ? OOM_ADJUST_MAX : adj * -OOM_DISABLE / OOM_SCORE_ADJ_MAX;
    seq_printf(m, "%d\n", min(old, OOM_ADJUST_MAX));
    return 0;
}

int proc_set_oom_adj(struct task_struct *task, const char *text)
{
    int old = 0, error = parse_signed(text, OOM_DISABLE, OOM_ADJUST_MAX, &old);
    if (error)
        return error;
    int adj = old == OOM_ADJUST_MAX ? OOM_SCORE_ADJ_MAX : old * OOM_SCORE_ADJ_MAX / -OOM_DISABLE;
    return set_adj(task, adj, task->signal->oom_score_adj);
}

/* ---- /proc/sys/vm ---- */

#define SETTING(name, most)                                                                                  \
    void name##_show(struct seq_file *m)                                                                     \
    {                                                                                                        \
        seq_printf(m, "%lu\n", sysctl_##name);                                                               \
    }                                                                                                        \
    int name##_store(const char *text)                                                                       \
    {                                                                                                        \
        return proc_parse_number(text, most, &sysctl_##name);                                                \
    }
SETTING(oom_dump_tasks, 1)
SETTING(oom_kill_allocating_task, 1)
SETTING(panic_on_oom, 2)
