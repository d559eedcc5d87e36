/* What the files of fs/ share among themselves. */
#pragma once

#include "fs.h"
#include "mount.h"
#include "namei.h"

extern const struct file_operations def_chr_fops;
extern const struct file_operations pipefifo_fops;

/* inode.c: writes out all inodes of a super block and their pages. 0 or -EIO. */
int write_inodes(struct super_block *sb);
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
