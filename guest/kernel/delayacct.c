#include "delayacct.h"
#include "lookaside.h"
#include "sched.h"
#include "timekeeping.h"

void delayacct_start(enum delay_kind kind)
{
    struct task_delay_info *delays = &current->delays;
    if (delays->depth++)
        return;
    delays->kind = kind;
    delays->start_run_delay = current->sched_info.run_delay;
    delays->start_ns = sched_clock();
    if (kind == DELAY_BLKIO)
        lk_mm_block_io_begin(current->pid);
}

void delayacct_end(void)
{
    struct task_delay_info *delays = &current->delays;
    if (--delays->depth)
        return;
    struct delay_sum *sum = &delays->sum[delays->kind];
    u64 run_delay = current->sched_info.run_delay - delays->start_run_delay;
    sum->ns += sched_clock() - delays->start_ns - run_delay;
    sum->count++;
    if (delays->kind == DELAY_BLKIO)
        lk_mm_block_io_end(current->pid);
}

void delayacct_add_thread(struct signal_struct *signal, const struct task_struct *task)
{
    for (u32 kind = 0; kind < NR_DELAY_KINDS; kind++) {
        signal->delays[kind].ns += task->delays.sum[kind].ns;
        signal->delays[kind].count += task->delays.sum[kind].count;
    }
    signal->sched_info.run_delay += task->sched_info.run_delay;
    signal->sched_info.pcount += task->sched_info.pcount;
}
