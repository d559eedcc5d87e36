/* Mounts: which file system is seen at which place. */
#pragma once

#include "fs.h"

struct vfsmount {
    struct vfsmount *mnt_parent; /* itself: the root of the tree of mounts, or a mount without a place */
    struct dentry *mnt_mountpoint;
    struct dentry *mnt_root;
    struct super_block *mnt_sb;
    u32 mnt_count;             /* paths that lead here, and mounts on it */
    u32 mnt_flags;             /* MNT_ bits */
    struct list_head mnt_list; /* mount_list, in the order in which they were mounted */
    char mnt_devname[];
};

#define MNT_NOSUID 0x01u
#define MNT_NODEV 0x02u
#define MNT_NOEXEC 0x04u
#define MNT_NOATIME 0x08u
#define MNT_READONLY 0x40u

/* Flags of mount(2). */
#define MS_RDONLY 1u
#define MS_NOSUID 2u
#define MS_NODEV 4u
#define MS_NOEXEC 8u
#define MS_REMOUNT 32u
#define MS_NOATIME 1024u
#define MS_BIND 4096u
#define MS_MOVE 8192u
#define MS_REC 16384u
#define MS_SILENT 32768u
#define MS_UNBINDABLE (1u << 17)
#define MS_PRIVATE (1u << 18)
#define MS_SLAVE (1u << 19)
#define MS_SHARED (1u << 20)
#define MNT_FORCE 1u
#define MNT_DETACH 2u
#define UMOUNT_NOFOLLOW 8u

extern struct list_head mount_list;

void mntput(struct vfsmount *mnt);
static inline struct vfsmount *mntget(struct vfsmount *mnt)
{
    if (mnt)
        mnt->mnt_count++;
    return mnt;
}

/* What is mounted at a place, without a reference, or NULL. */
struct vfsmount *lookup_mnt(const struct path *path);
/*
 * Mounts a file system; names in kernel memory. type "ext2", dev_name "/dev/hda", dir "/mnt"; data: the
 * options, or NULL. 0 or an error.
 */
int do_mount(const char *dev_name, const char *dir, const char *type, u32 flags, const char *data);
int do_umount(const char *dir, u32 flags);
/* Mounts a file system without a place; or ERR_PTR. mntput() unmounts it. */
struct vfsmount *kern_mount(const struct file_system_type *type, u32 flags, const char *dev_name,
                            const char *data);
/*
 * Makes the file system on a block device the root of everything that the current task sees: what
 * root=/dev/hda on the command line asks for. /dev is there in it, if it has a folder of that name.
 */
int mount_root(const char *dev_name, const char *type, u32 flags);
void mounts_show(struct seq_file *m); /* /proc/mounts */

/* Write access to what a path leads to: 0 or -EROFS. */
int mnt_want_write(const struct path *path);
