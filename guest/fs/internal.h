/* What the files of fs/ share among themselves. */
#pragma once

#include "fs.h"
#include "mount.h"
#include "namei.h"

extern const struct file_operations def_chr_fops;
extern const struct file_operations pipefifo_fops;

/* inode.c: tasks that wait for an inode to be read, written, or gone. */
extern struct wait_queue_head inode_wait;
/* A reference to one that may have no user until now. */
struct inode *igrab_unused(struct inode *inode);
/* fs-writeback.c: writes out all inodes of a super block and their pages. 0 or -EIO. */
int write_inodes(struct super_block *sb);
/* The medium does not have the inode or its pages as they are, or somebody is writing them. */
bool inode_is_dirty(const struct inode *inode);
void inode_wait_for_writeback(struct inode *inode);
/* super.c: every super block. */
extern struct list_head super_blocks;

/* namespace.c: at the end of everything; takes over the reference to the root of the tree. */
void unmount_all(struct vfsmount *root);

static inline int timespec64_compare(const struct timespec64 *a, const struct timespec64 *b)
{
    if (a->tv_sec != b->tv_sec)
        return a->tv_sec < b->tv_sec ? -1 : 1;
    return a->tv_nsec - b->tv_nsec;
}

/* file_table.c */
extern unsigned long nr_files; /* open */
void files_init(void);
