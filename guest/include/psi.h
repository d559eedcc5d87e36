/*
 * Pressure: for how much of the time tasks could not go on for want of the CPU, a disk or memory
 * (/proc/pressure). "some": at least one waited; "full": one did, and nobody used the CPU for anything else.
 */
#pragma once

#include "types.h"

/* What a task is, as far as pressure goes: bits of task->psi_flags. */
#define TSK_RUNNING (1u << 0)  /* on a run queue */
#define TSK_IOWAIT (1u << 1)   /* asleep until a disk is done */
#define TSK_MEMSTALL (1u << 2) /* without memory: it reclaims some, or waits for a page of its own */

enum psi_states {
    PSI_IO_SOME,
    PSI_IO_FULL,
    PSI_MEM_SOME,
    PSI_MEM_FULL,
    PSI_CPU_SOME,
    NR_PSI_STATES,
};

struct task_struct;
struct seq_file;
/* At this time (ns, never less than the last one) the task stops being the one and begins to be the other. */
void psi_task_change(struct task_struct *task, u32 clear, u32 set, u64 now_ns);
/* Called at every tick: every two seconds the averages are taken. */
void psi_tick(u64 now_ns);
/* Tasks that are asleep until a disk is done. */
u32 nr_iowait(void);

/* Nanoseconds so far in that state. */
u64 psi_total_ns(enum psi_states state, u64 now_ns);
/* /proc/pressure/{io,memory,cpu} */
void psi_io_show(struct seq_file *m);
void psi_memory_show(struct seq_file *m);
void psi_cpu_show(struct seq_file *m);
