/* Running out of memory (mm/oom_kill.c). */
#pragma once

#include "gfp.h"

/*
 * How much sooner or later than its size says a process is to go, in thousandths of the memory there is
 * (/proc/PID/oom_score_adj).
 */
#define OOM_SCORE_ADJ_MIN (-1000) /* never */
#define OOM_SCORE_ADJ_MAX 1000
/* The older scale of /proc/PID/oom_adj: -16 to 15, or this one: never. */
#define OOM_DISABLE (-17)
#define OOM_ADJUST_MIN (-16)
#define OOM_ADJUST_MAX 15

#define OOM_NEVER (-(long)(~0ul >> 1) - 1) /* points of who is never to go */

struct task_struct;

/* Who needs what, and what came of it. */
struct oom_control {
    struct mem_cgroup *memcg; /* whose limit it is; NULL: there is no memory at all */
    gfp_t gfp_mask;
    unsigned int order;
    struct task_struct *chosen;
    long chosen_points;
};

/* Memory and swap, in pages. */
unsigned long oom_totalpages(void);
/*
 * Pages that the process has in memory, in swap and as page tables, and its adjustment in pages: who has most
 * goes first. OOM_NEVER: never.
 */
long oom_badness(struct task_struct *task, unsigned long totalpages);

/*
 * There is no memory for the current task. The worst process gets SIGKILL, unless one has it already and is
 * on its way; then waits for a tick, in which it can end. True: try again (or end, if the current one was
 * chosen). May sleep. Without anybody to end, the machine stops; or false, if it is a group's limit.
 */
bool out_of_memory(struct oom_control *oc);
/* The same for a page fault. */
void pagefault_out_of_memory(void);

/* oom_report.c: why, where memory is, and who has it, on the console. */
void oom_dump_header(const struct oom_control *oc);

/* /proc/sys/vm */
extern unsigned long sysctl_panic_on_oom;             /* stop the machine instead */
extern unsigned long sysctl_oom_kill_allocating_task; /* end who asked, not who has most */
extern unsigned long sysctl_oom_dump_tasks;           /* the report has a table of processes */
