/* What is known about a file, in the shapes in which programs want it. */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "internal.h"
#include "string.h"
#include "uaccess.h"

void generic_fillattr(const struct inode *inode, struct kstat *stat)
{
    *stat = (struct kstat){.dev = inode->i_sb->s_dev,
                           .rdev = inode->i_rdev,
                           .ino = inode->i_ino,
                           .mode = inode->i_mode,
                           .nlink = inode->i_nlink,
                           .uid = inode->i_uid,
                           .gid = inode->i_gid,
                           .size = i_size_read(inode),
                           .blksize = inode->i_sb->s_blocksize,
                           .blocks = inode->i_blocks,
                           .atime = inode->i_atime,
                           .mtime = inode->i_mtime,
                           .ctime = inode->i_ctime};
}

int vfs_getattr(const struct path *path, struct kstat *stat)
{
    const struct inode *inode = path->dentry->d_inode;
    if (inode->i_op->getattr)
        return inode->i_op->getattr(path, stat);
    generic_fillattr(inode, stat);
    return 0;
}

int vfs_fstat(u32 fd, struct kstat *stat)
{
    struct file *file = fget_raw(fd);
    if (file == NULL)
        return -EBADF;
    int error = vfs_getattr(&file->f_path, stat);
    fput(file);
    return error;
}

int vfs_statx(int dfd, const char __user *name, u32 flags, struct kstat *stat)
{
    struct path path;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return -EINVAL;
    u32 lookup_flags =
        ((flags & AT_SYMLINK_NOFOLLOW) ? 0 : LOOKUP_FOLLOW) | ((flags & AT_EMPTY_PATH) ? LOOKUP_EMPTY : 0);
    int error = user_path_at(dfd, name, lookup_flags, &path);
    if (error)
        return error;
    error = vfs_getattr(&path, stat);
    path_put(&path);
    return error;
}

/* struct stat64 of Linux on i386. */
struct stat64 {
    u64 st_dev;
    u32 pad0;
    u32 st_ino_low;
    u32 st_mode, st_nlink, st_uid, st_gid;
    u64 st_rdev;
    u32 pad3;
    s64 st_size;
    u32 st_blksize;
    u64 st_blocks;
    u32 st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
    u64 st_ino;
} __packed;
_Static_assert(sizeof(struct stat64) == 96, "Linux's ABI");

long put_stat64(const struct kstat *stat, void __user *to)
{
    const struct stat64 out = {.st_dev = new_encode_dev(stat->dev),
                               .st_ino_low = (u32)stat->ino,
                               .st_mode = stat->mode,
                               .st_nlink = stat->nlink,
                               .st_uid = stat->uid,
                               .st_gid = stat->gid,
                               .st_rdev = new_encode_dev(stat->rdev),
                               .st_size = stat->size,
                               .st_blksize = stat->blksize,
                               .st_blocks = stat->blocks,
                               .st_atime = (u32)stat->atime.tv_sec,
                               .st_atime_nsec = (u32)stat->atime.tv_nsec,
                               .st_mtime = (u32)stat->mtime.tv_sec,
                               .st_mtime_nsec = (u32)stat->mtime.tv_nsec,
                               .st_ctime = (u32)stat->ctime.tv_sec,
                               .st_ctime_nsec = (u32)stat->ctime.tv_nsec,
                               .st_ino = stat->ino};
    return copy_to_user(to, &out, sizeof(out)) ? -EFAULT : 0;
}

/* struct stat of Linux on i386, in which large files have no room. */
struct stat32 {
    u32 st_dev, st_ino;
    u16 st_mode, st_nlink, st_uid, st_gid;
    u32 st_rdev, st_size, st_blksize, st_blocks;
    u32 st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
    u32 unused[2];
};
_Static_assert(sizeof(struct stat32) == 64, "Linux's ABI");

long put_stat32(const struct kstat *stat, void __user *to)
{
    if (stat->size > 0x7FFFFFFF)
        return -EOVERFLOW;
    const struct stat32 out = {.st_dev = new_encode_dev(stat->dev),
                               .st_ino = (u32)stat->ino,
                               .st_mode = stat->mode,
                               .st_nlink = (u16)stat->nlink,
                               .st_uid = (u16)stat->uid,
                               .st_gid = (u16)stat->gid,
                               .st_rdev = new_encode_dev(stat->rdev),
                               .st_size = (u32)stat->size,
                               .st_blksize = stat->blksize,
                               .st_blocks = (u32)stat->blocks,
                               .st_atime = (u32)stat->atime.tv_sec,
                               .st_atime_nsec = (u32)stat->atime.tv_nsec,
                               .st_mtime = (u32)stat->mtime.tv_sec,
                               .st_mtime_nsec = (u32)stat->mtime.tv_nsec,
                               .st_ctime = (u32)stat->ctime.tv_sec,
                               .st_ctime_nsec = (u32)stat->ctime.tv_nsec};
    return copy_to_user(to, &out, sizeof(out)) ? -EFAULT : 0;
}

struct statx_timestamp {
    s64 tv_sec;
    u32 tv_nsec;
    s32 reserved;
};

struct statx {
    u32 stx_mask, stx_blksize;
    u64 stx_attributes;
    u32 stx_nlink, stx_uid, stx_gid;
    u16 stx_mode, spare0;
    u64 stx_ino, stx_size, stx_blocks, stx_attributes_mask;
    struct statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
    u32 stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
    u64 spare2[14];
};
_Static_assert(sizeof(struct statx) == 256, "Linux's ABI");
#define STATX_BASIC_STATS 0x7FFu

static struct statx_timestamp timestamp_of(const struct timespec64 *time)
{
    return (struct statx_timestamp){.tv_sec = time->tv_sec, .tv_nsec = (u32)time->tv_nsec};
}

static long put_statx(const struct kstat *stat, void __user *to)
{
    const struct statx out = {.stx_mask = STATX_BASIC_STATS,
                              .stx_blksize = stat->blksize,
                              .stx_nlink = stat->nlink,
                              .stx_uid = stat->uid,
                              .stx_gid = stat->gid,
                              .stx_mode = stat->mode,
                              .stx_ino = stat->ino,
                              .stx_size = (u64)stat->size,
                              .stx_blocks = stat->blocks,
                              .stx_atime = timestamp_of(&stat->atime),
                              .stx_ctime = timestamp_of(&stat->ctime),
                              .stx_mtime = timestamp_of(&stat->mtime),
                              .stx_rdev_major = MAJOR(stat->rdev),
                              .stx_rdev_minor = MINOR(stat->rdev),
                              .stx_dev_major = MAJOR(stat->dev),
                              .stx_dev_minor = MINOR(stat->dev)};
    return copy_to_user(to, &out, sizeof(out)) ? -EFAULT : 0;
}

/* How fresh the answer has to be (AT_STATX_SYNC_TYPE): here it always is. */
#define AT_STATX_SYNC_TYPE 0x6000u

long do_statx(int dfd, const char __user *name, u32 flags, u32 mask, void __user *to)
{
    struct kstat stat;
    if ((mask & 0x80000000u) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    int error = vfs_statx(dfd, name, flags & ~AT_STATX_SYNC_TYPE, &stat);
    return error ? error : put_statx(&stat, to);
}

static long read_link(const struct path *path, char __user *to, u32 bytes)
{
    char *text = __getname();
    if (text == NULL)
        return -ENOMEM;
    touch_atime(path);
    long result = path->dentry->d_inode->i_op->readlink(path->dentry, text, min(bytes, (u32)PATH_MAX));
    if (result > 0 && copy_to_user(to, text, (u32)result))
        result = -EFAULT;
    putname(text);
    return result;
}

/* The empty name is a link that is open as dfd. */
long do_readlinkat(int dfd, const char __user *user_name, char __user *to, u32 bytes)
{
    struct path path;
    if ((s32)bytes <= 0)
        return -EINVAL;
    char *name = getname_flags(user_name, LOOKUP_EMPTY);
    if (IS_ERR(name))
        return PTR_ERR(name);
    long result = kern_path_at(dfd, name, LOOKUP_EMPTY, &path);
    if (result == 0) {
        if (S_ISLNK(path.dentry->d_inode->i_mode))
            result = read_link(&path, to, bytes);
        else
            result = *name ? -EINVAL : -ENOENT;
        path_put(&path);
    }
    putname(name);
    return result;
}
