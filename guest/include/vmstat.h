/* Counts of what memory management does, for /proc/vmstat and /proc/meminfo. */
#pragma once

#include "lookaside_note.h"

/* Since the boot; in the order of the zones where there is one for each. */
enum vm_event_item {
    PGPGIN,  /* sectors read from disks */
    PGPGOUT, /* and written */
    PSWPIN,  /* pages read from swap */
    PSWPOUT, /* and written */
    PGALLOC_DMA,
    PGALLOC_NORMAL,
    PGALLOC_HIGH,
    PGFREE,
    PGFAULT,
    PGMAJFAULT,        /* of these, those that waited for a disk */
    FILEMAP_TO_USER,   /* bytes that read() copied from the page cache */
    FILEMAP_FROM_USER, /* and write() to it */
    PGACTIVATE,
    PGDEACTIVATE,
    OOM_KILL,      /* processes that were ended for want of memory */
    PGSCAN_KSWAPD, /* pages that reclaim has looked at */
    PGSCAN_DIRECT,
    PGSTEAL_KSWAPD, /* of these, freed */
    PGSTEAL_DIRECT,
    PGSTEAL_ANON,
    PGSTEAL_FILE,
    SLABS_SCANNED, /* objects freed by shrinkers */
    PAGEOUTRUN,    /* how often kswapd woke */
    ALLOCSTALL,    /* how often somebody had to reclaim himself */
    PGMIGRATE_SUCCESS,
    PGMIGRATE_FAIL,
    COMPACTMIGRATE_SCANNED, /* frames that compaction's scanners looked at */
    COMPACTFREE_SCANNED,
    COMPACTSTALL, /* how often somebody had to compact himself */
    COMPACTFAIL,  /* of these: there was no block then */
    COMPACTSUCCESS,
    NR_VM_EVENT_ITEMS,
};

extern unsigned long vm_events[NR_VM_EVENT_ITEMS];

static inline void count_vm_events(enum vm_event_item item, unsigned long delta)
{
    vm_events[item] += delta;
}

static inline void count_vm_event(enum vm_event_item item)
{
    count_vm_events(item, 1);
}

/* Pages by owner at this moment, as set_page_owner() and the boot left them. */
extern unsigned long nr_owned_pages[NR_PAGE_OWNERS];

/* /proc/vmstat. */
struct seq_file;
void vmstat_show(struct seq_file *m);
