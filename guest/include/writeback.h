/*
 * Write-back: pages that were written to go to the disk later, those of the file first that has waited the
 * longest. The flusher, a thread, does it; so does who wants to be sure of it (fsync()), and who frees
 * memory. Who writes faster than the disk does is stopped meanwhile (balance_dirty_pages()).
 */
#pragma once

#include "fs.h"

enum writeback_sync_modes {
    WB_SYNC_NONE, /* a page that somebody works with is left out */
    WB_SYNC_ALL,  /* everything that was dirty is on the disk in the end */
};

struct writeback_control {
    enum writeback_sync_modes sync_mode;
    unsigned long range_start, range_end; /* numbers of pages; the last one belongs to it */
    unsigned long nr_to_write;            /* pages: counted down, and at 0 it is enough */
    bool for_background;                  /* enough, too, when no more are dirty than may be */
    bool has_more;                        /* set when it was enough before the end of the range */
};
#define WRITE_ALL(mode)                                                                                      \
    {                                                                                                        \
        .sync_mode = (mode), .range_end = ~0ul, .nr_to_write = ~0ul                                          \
    }

/* ---- mm/page-writeback.c: the pages of one file ---- */

/* 0 or the first error, which the address space keeps, too (filemap_check_errors()). */
int do_writepages(struct address_space *mapping, struct writeback_control *wbc);
/* Waits until pages of that range that somebody else is writing are written. */
void filemap_fdatawait_range(struct address_space *mapping, unsigned long range_start,
                             unsigned long range_end);

/* ---- mm/balance_dirty.c: how many pages may be dirty ---- */

/*
 * /proc/sys/vm/dirty_*: in percent of the memory that could be dirty, free or in the page cache; or, if not
 * 0, in bytes; and in hundredths of a second.
 */
extern unsigned long vm_dirty_ratio, vm_dirty_bytes;
extern unsigned long dirty_background_ratio, dirty_background_bytes;
extern unsigned long dirty_writeback_interval, dirty_expire_interval;

/* In pages: above the first the flusher writes, above the second it is waited for. */
void global_dirty_limits(unsigned long *background, unsigned long *dirty);
bool over_bground_thresh(void);
/* The current task gives so many pages to the disk; so many are written: for the time line. */
void writeback_begins(unsigned long nr_pages);
void writeback_ends(unsigned long nr_written);
/* Some dirty pages less: tasks that wait for that look again. */
void dirty_pages_written(void);

/* ---- fs/fs-writeback.c: one file, and all of them ---- */

/* An inode has pages that are dirty. */
void mark_inode_dirty_pages(struct inode *inode);
/* Writes pages of an inode and then, if it has changed, the inode. 0 or -EIO. */
int writeback_single_inode(struct inode *inode, struct writeback_control *wbc);
/* Of the files that are dirty since before that jiffy, those first that are so the longest; pages written. */
unsigned long writeback_inodes(struct writeback_control *wbc, unsigned long dirtied_before);

/* ---- fs/flusher.c ---- */

/* The flusher writes so many pages, oldest files first, and the caller goes on; from any context. */
void wakeup_flusher_threads(unsigned long nr_pages);
/* One of dirty_writeback_interval and the like has changed. */
void flusher_settings_changed(void);
/* False: there is none, who wants pages written does it himself. */
bool flusher_is_running(void);
/* When the first disk is opened, and when all are closed for good. The first: 0 or -ENOMEM. */
int flusher_start(void);
void flusher_stop(void);
