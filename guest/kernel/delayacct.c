#include "delayacct.h"
#include "asm/irqflags.h"
#include "lookaside.h"
#include "psi.h"
#include "sched.h"

static bool is_for_disk(enum delay_kind kind)
{
    return kind == DELAY_BLKIO || kind == DELAY_SWAPIN || kind == DELAY_THROTTLE;
}

static bool is_for_memory(enum delay_kind kind)
{
    return kind == DELAY_SWAPIN || kind == DELAY_FREEPAGES || kind == DELAY_COMPACT;
}

/*
 * A clock that goes on while the task is not delayed: while it waits for the CPU, and, where a delay is
 * sleep, while it has it.
 */
static u64 not_delayed_ns(enum delay_kind kind)
{
    return current->sched_info.run_delay + (is_for_disk(kind) ? current->se.sum_exec_runtime : 0);
}

/* How many waits of the kind the task is in, for pressure. */
static void change_depth(enum delay_kind kind, u32 delta, u64 now_ns)
{
    struct task_delay_info *delays = &current->delays;
    delays->io_depth += is_for_disk(kind) ? delta : 0;
    if (!is_for_memory(kind))
        return;
    delays->memory_depth += delta;
    u32 set = delays->memory_depth ? TSK_MEMSTALL : 0;
    psi_task_change(current, TSK_MEMSTALL, set, now_ns);
}

void delayacct_start(enum delay_kind kind)
{
    struct task_delay_info *delays = &current->delays;
    unsigned long flags = local_irq_save();
    update_current_runtime();
    u64 now_ns = current->se.exec_start;
    change_depth(kind, 1, now_ns);
    if (delays->depth++ == 0) {
        delays->kind = kind;
        delays->start_ns = now_ns - not_delayed_ns(kind);
    }
    local_irq_restore(flags);
    if (kind == DELAY_BLKIO && delays->depth == 1)
        lk_mm_block_io_begin(current->pid);
}

void delayacct_end(enum delay_kind kind)
{
    struct task_delay_info *delays = &current->delays;
    unsigned long flags = local_irq_save();
    update_current_runtime();
    u64 now_ns = current->se.exec_start;
    change_depth(kind, -1u, now_ns);
    if (--delays->depth == 0) {
        struct delay_sum *sum = &delays->sum[delays->kind];
        sum->ns += now_ns - not_delayed_ns(delays->kind) - delays->start_ns;
        sum->count++;
    }
    local_irq_restore(flags);
    if (kind == DELAY_BLKIO && delays->depth == 0)
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
