/*
 * What a task has waited for. /proc/PID/delays (of this kernel's own; getdelays shows it) and
 * /proc/PID/task/TID/delays have a line for each kind: its name, how often, and nanoseconds.
 *
 *     cpu COUNT WAITED RAN       got the CPU so often; could run, and others did; had it
 *     blkio COUNT WAITED         sleeps until a disk has done what it wants
 *     swapin COUNT WAITED        page faults for its own pages that had to come back from swap
 *     freepages COUNT WAITED     direct reclaim, compact: direct compaction; with the time that they run
 *     throttle COUNT WAITED      wrote more than may be dirty
 *
 * /proc/PID/schedstat is Linux's: ran, waited, count.
 */
#include "delayacct.h"
#include "internal.h"
#include "sched.h"

static const char *const kind_names[NR_DELAY_KINDS] = {
    [DELAY_BLKIO] = "blkio",     [DELAY_SWAPIN] = "swapin",     [DELAY_FREEPAGES] = "freepages",
    [DELAY_COMPACT] = "compact", [DELAY_THROTTLE] = "throttle",
};

struct delay_sums {
    u64 ran_ns, waited_ns, count;
    struct delay_sum kinds[NR_DELAY_KINDS];
};

static void add(struct delay_sums *sums, const struct sched_info *info, u64 ran_ns,
                const struct delay_sum kinds[NR_DELAY_KINDS])
{
    sums->ran_ns += ran_ns;
    sums->waited_ns += info->run_delay;
    sums->count += info->pcount;
    for (u32 kind = 0; kind < NR_DELAY_KINDS; kind++) {
        sums->kinds[kind].ns += kinds[kind].ns;
        sums->kinds[kind].count += kinds[kind].count;
    }
}

static int show(struct seq_file *m, const struct delay_sums *sums)
{
    seq_printf(m, "cpu %llu %llu %llu\n", sums->count, sums->waited_ns, sums->ran_ns);
    for (u32 kind = 0; kind < NR_DELAY_KINDS; kind++)
        seq_printf(m, "%s %llu %llu\n", kind_names[kind], sums->kinds[kind].count, sums->kinds[kind].ns);
    return 0;
}

int proc_tid_delays(struct seq_file *m, struct task_struct *task)
{
    struct delay_sums sums = {0};
    update_current_runtime();
    add(&sums, &task->sched_info, task->se.sum_exec_runtime, task->delays.sum);
    return show(m, &sums);
}

int proc_tgid_delays(struct seq_file *m, struct task_struct *task)
{
    const struct signal_struct *signal = task->signal;
    struct task_struct *thread = task;
    struct delay_sums sums = {0};
    update_current_runtime();
    add(&sums, &signal->sched_info, signal->sum_exec_runtime, signal->delays);
    do
        add(&sums, &thread->sched_info, thread->se.sum_exec_runtime, thread->delays.sum);
    while_each_thread(task, thread);
    return show(m, &sums);
}

int proc_pid_schedstat(struct seq_file *m, struct task_struct *task)
{
    update_current_runtime();
    seq_printf(m, "%llu %llu %llu\n", task->se.sum_exec_runtime, task->sched_info.run_delay,
               task->sched_info.pcount);
    return 0;
}
