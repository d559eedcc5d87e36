/* How full a file system is. */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "internal.h"
#include "uaccess.h"

/* f_flags: that they are valid, and those of mount(2) that are in force. */
#define ST_RDONLY 0x1u
#define ST_NOSUID 0x2u
#define ST_NODEV 0x4u
#define ST_NOEXEC 0x8u
#define ST_VALID 0x20u
#define ST_NOATIME 0x400u
#define ST_RELATIME 0x1000u

static u32 flags_of(const struct path *path)
{
    u32 mnt_flags = path->mnt->mnt_flags;
    return ST_VALID | (mnt_want_write(path) ? ST_RDONLY : 0) | ((mnt_flags & MNT_NOSUID) ? ST_NOSUID : 0) |
           ((mnt_flags & MNT_NODEV) ? ST_NODEV : 0) | ((mnt_flags & MNT_NOEXEC) ? ST_NOEXEC : 0) |
           ((mnt_flags & MNT_NOATIME) ? ST_NOATIME : ST_RELATIME);
}

struct statfs_answer {
    struct kstatfs stat;
    u32 dev, flags;
};

static int vfs_statfs(const struct path *path, struct statfs_answer *answer)
{
    const struct super_block *sb = path->dentry->d_sb;
    answer->stat = (struct kstatfs){.f_type = sb->s_magic, .f_bsize = sb->s_blocksize, .f_namelen = NAME_MAX};
    answer->dev = new_encode_dev(sb->s_dev);
    answer->flags = flags_of(path);
    return sb->s_op->statfs ? sb->s_op->statfs(path->dentry, &answer->stat) : -ENOSYS;
}

/* struct statfs64 and struct statfs of Linux on i386. */
struct statfs64 {
    u32 f_type, f_bsize;
    u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
    u32 f_fsid[2];
    u32 f_namelen, f_frsize, f_flags, f_spare[4];
} __packed;
_Static_assert(sizeof(struct statfs64) == 84, "Linux's ABI");

static long put_statfs64(const struct statfs_answer *answer, void __user *to)
{
    const struct kstatfs *stat = &answer->stat;
    const struct statfs64 out = {.f_type = stat->f_type,
                                 .f_bsize = stat->f_bsize,
                                 .f_blocks = stat->f_blocks,
                                 .f_bfree = stat->f_bfree,
                                 .f_bavail = stat->f_bavail,
                                 .f_files = stat->f_files,
                                 .f_ffree = stat->f_ffree,
                                 .f_fsid = {answer->dev, 0},
                                 .f_namelen = stat->f_namelen,
                                 .f_frsize = stat->f_bsize,
                                 .f_flags = answer->flags};
    return copy_to_user(to, &out, sizeof(out)) ? -EFAULT : 0;
}

struct statfs32 {
    u32 f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_fsid[2], f_namelen, f_frsize,
        f_flags, f_spare[4];
};
_Static_assert(sizeof(struct statfs32) == 64, "Linux's ABI");

static long put_statfs32(const struct statfs_answer *answer, void __user *to)
{
    const struct kstatfs *stat = &answer->stat;
    if ((stat->f_blocks | stat->f_files) >> 32)
        return -EOVERFLOW;
    const struct statfs32 out = {.f_type = stat->f_type,
                                 .f_bsize = stat->f_bsize,
                                 .f_blocks = (u32)stat->f_blocks,
                                 .f_bfree = (u32)stat->f_bfree,
                                 .f_bavail = (u32)stat->f_bavail,
                                 .f_files = (u32)stat->f_files,
                                 .f_ffree = (u32)stat->f_ffree,
                                 .f_fsid = {answer->dev, 0},
                                 .f_namelen = stat->f_namelen,
                                 .f_frsize = stat->f_bsize,
                                 .f_flags = answer->flags};
    return copy_to_user(to, &out, sizeof(out)) ? -EFAULT : 0;
}

static long put_statfs(const struct path *path, void __user *to, bool is_64)
{
    struct statfs_answer answer;
    int error = vfs_statfs(path, &answer);
    if (error)
        return error;
    return is_64 ? put_statfs64(&answer, to) : put_statfs32(&answer, to);
}

/* bytes: what the caller takes the structure's size to be. */
long do_statfs(const char __user *name, u32 bytes, void __user *to)
{
    struct path path;
    if (bytes != sizeof(struct statfs64) && bytes != sizeof(struct statfs32))
        return -EINVAL;
    int error = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW, &path);
    if (error)
        return error;
    long result = put_statfs(&path, to, bytes == sizeof(struct statfs64));
    path_put(&path);
    return result;
}

long do_fstatfs(u32 fd, u32 bytes, void __user *to)
{
    if (bytes != sizeof(struct statfs64) && bytes != sizeof(struct statfs32))
        return -EINVAL;
    struct file *file = fget_raw(fd);
    if (file == NULL)
        return -EBADF;
    long result = put_statfs(&file->f_path, to, bytes == sizeof(struct statfs64));
    fput(file);
    return result;
}
