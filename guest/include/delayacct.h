/*
 * What tasks wait for, and how long (kernel/delayacct.c): delay accounting, and pressure from the same marks.
 * Who makes a task wait, says so around the wait:
 *
 *     delayacct_blkio_start();
 *     ... sleeps until the disk is done ...
 *     delayacct_blkio_end();
 *
 * A wait inside another one is part of the outer one, and the time in which the task could run but others did
 * is a delay of the CPU's (struct sched_info). Of waits for disks only the sleep counts. So no nanosecond
 * counts twice, but for those in which a task reclaims or compacts memory itself: there it runs as well.
 */
#pragma once

#include "types.h"

enum delay_kind {
    DELAY_BLKIO,     /* a request of its own, or somebody else's that reads the page it wants */
    DELAY_SWAPIN,    /* a page of its own comes back from swap */
    DELAY_FREEPAGES, /* direct reclaim; what it does itself counts as well */
    DELAY_COMPACT,   /* direct compaction, in the same way */
    DELAY_THROTTLE,  /* it writes faster than the disk: balance_dirty_pages() */
    NR_DELAY_KINDS
};

/* Of a task, or of a process: its threads that are gone. */
struct delay_sum {
    u64 ns;
    u64 count;
};

struct task_delay_info {
    struct delay_sum sum[NR_DELAY_KINDS];
    u32 depth;            /* waits that it is in */
    u32 io_depth;         /* of these, for a disk */
    u32 memory_depth;     /* and for memory: psi.h */
    enum delay_kind kind; /* the outer one's, if depth */
    u64 start_ns;         /* less what does not count */
};

/* When a task could run, and did not (/proc/PID/schedstat). */
struct sched_info {
    u64 last_queued; /* ns; since then it waits, if it is on a run queue and does not run */
    u64 run_delay;   /* ns in all */
    u64 pcount;      /* how often it got the CPU */
};

void delayacct_start(enum delay_kind kind);
void delayacct_end(enum delay_kind kind);

static inline void delayacct_blkio_start(void)
{
    delayacct_start(DELAY_BLKIO);
}

static inline void delayacct_blkio_end(void)
{
    delayacct_end(DELAY_BLKIO);
}

static inline void delayacct_swapin_start(void)
{
    delayacct_start(DELAY_SWAPIN);
}

static inline void delayacct_swapin_end(void)
{
    delayacct_end(DELAY_SWAPIN);
}

static inline void delayacct_freepages_start(void)
{
    delayacct_start(DELAY_FREEPAGES);
}

static inline void delayacct_freepages_end(void)
{
    delayacct_end(DELAY_FREEPAGES);
}

static inline void delayacct_compact_start(void)
{
    delayacct_start(DELAY_COMPACT);
}

static inline void delayacct_compact_end(void)
{
    delayacct_end(DELAY_COMPACT);
}

static inline void delayacct_throttle_start(void)
{
    delayacct_start(DELAY_THROTTLE);
}

static inline void delayacct_throttle_end(void)
{
    delayacct_end(DELAY_THROTTLE);
}

struct task_struct;
struct signal_struct;
/* A thread ends: what it waited for stays on its process's account. */
void delayacct_add_thread(struct signal_struct *signal, const struct task_struct *task);
