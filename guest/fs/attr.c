/* Changing what is known about a file. */
#include "cred.h"
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "nameidata.h"
#include "sched.h"

int inode_newsize_ok(const struct inode *inode, loff_t size)
{
    if (size < 0)
        return -EINVAL;
    return size > inode->i_sb->s_maxbytes ? -EFBIG : 0;
}

void setattr_copy(struct inode *inode, const struct iattr *attr)
{
    if (attr->ia_valid & ATTR_UID)
        inode->i_uid = attr->ia_uid;
    if (attr->ia_valid & ATTR_GID)
        inode->i_gid = attr->ia_gid;
    if (attr->ia_valid & ATTR_ATIME)
        inode->i_atime = attr->ia_atime;
    if (attr->ia_valid & ATTR_MTIME)
        inode->i_mtime = attr->ia_mtime;
    if (attr->ia_valid & ATTR_CTIME)
        inode->i_ctime = attr->ia_ctime;
    if (attr->ia_valid & ATTR_MODE)
        inode->i_mode = (umode_t)((inode->i_mode & S_IFMT) | (attr->ia_mode & S_IALLUGO));
    mark_inode_dirty(inode);
}

int simple_setattr(struct dentry *dentry, struct iattr *attr)
{
    struct inode *inode = dentry->d_inode;
    if (attr->ia_valid & ATTR_SIZE) {
        i_size_write(inode, attr->ia_size);
        int error = truncate_pagecache(inode, attr->ia_size);
        if (error)
            return error;
    }
    setattr_copy(inode, attr);
    return 0;
}

/* Who may do this (POSIX: the owner, or root; times to now also who may write). */
static int may_setattr(struct inode *inode, const struct iattr *attr)
{
    u32 valid = attr->ia_valid;
    if (inode->i_flags & S_IMMUTABLE)
        return -EPERM;
    if ((valid & ATTR_UID) && current_fsuid() != 0 && attr->ia_uid != inode->i_uid)
        return -EPERM;
    bool is_owners_wish = valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME_SET | ATTR_MTIME_SET);
    if (is_owners_wish && !is_owner_or_root(inode))
        return -EPERM;
    if ((valid & ATTR_GID) && current_fsuid() != 0 && !in_group_p(attr->ia_gid))
        return -EPERM;
    if ((valid & (ATTR_ATIME | ATTR_MTIME)) && !(valid & ATTR_SIZE) && !is_owner_or_root(inode))
        return inode_permission(inode, MAY_WRITE);
    return 0;
}

/* A file that changes hands no longer lends its owner's rights. */
static void drop_set_id(const struct inode *inode, struct iattr *attr)
{
    u32 mode = (attr->ia_valid & ATTR_MODE) ? attr->ia_mode : inode->i_mode;
    if (!(attr->ia_valid & (ATTR_UID | ATTR_GID)) || S_ISDIR(inode->i_mode))
        return;
    u32 bits = mode & (S_ISUID | ((mode & 0010) ? S_ISGID : 0));
    if (bits == 0)
        return;
    attr->ia_mode = (umode_t)(mode & ~bits);
    attr->ia_valid |= ATTR_MODE;
}

int notify_change(struct dentry *dentry, struct iattr *attr)
{
    struct inode *inode = dentry->d_inode;
    const struct timespec64 now = current_time();
    int error = may_setattr(inode, attr);
    if (error)
        return error;
    attr->ia_ctime = now;
    attr->ia_valid |= ATTR_CTIME;
    if (!(attr->ia_valid & ATTR_ATIME_SET))
        attr->ia_atime = now;
    if (!(attr->ia_valid & ATTR_MTIME_SET))
        attr->ia_mtime = now;
    drop_set_id(inode, attr);
    mutex_lock(&inode->i_mutex);
    error = inode->i_op->setattr ? inode->i_op->setattr(dentry, attr) : simple_setattr(dentry, attr);
    mutex_unlock(&inode->i_mutex);
    return error;
}

static int change(const struct path *path, struct iattr *attr)
{
    int error = mnt_want_write(path);
    return error ? error : notify_change(path->dentry, attr);
}

static int set_size(struct dentry *dentry, loff_t size)
{
    struct iattr attr = {.ia_valid = ATTR_SIZE | ATTR_MTIME, .ia_size = size};
    int error = inode_newsize_ok(dentry->d_inode, size);
    return error ? error : notify_change(dentry, &attr);
}

int vfs_truncate(const struct path *path, loff_t size)
{
    struct inode *inode = path->dentry->d_inode;
    if (S_ISDIR(inode->i_mode))
        return -EISDIR;
    if (!S_ISREG(inode->i_mode))
        return -EINVAL;
    int error = inode_permission(inode, MAY_WRITE);
    if (error == 0)
        error = mnt_want_write(path);
    if (error == 0)
        error = get_write_access(inode);
    if (error)
        return error;
    error = set_size(path->dentry, size);
    inode->i_writecount--;
    return error;
}

long do_truncate(const char __user *name, loff_t size)
{
    struct path path;
    if (size < 0)
        return -EINVAL;
    int error = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW, &path);
    if (error)
        return error;
    error = vfs_truncate(&path, size);
    path_put(&path);
    return error;
}

long do_ftruncate(u32 fd, loff_t size)
{
    if (size < 0)
        return -EINVAL;
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    int error = -EINVAL;
    if (S_ISREG(file_inode(file)->i_mode) && (file->f_mode & FMODE_WRITE))
        error = set_size(file->f_path.dentry, size);
    fput(file);
    return error;
}

static int change_at(int dfd, const char __user *name, u32 lookup_flags, struct iattr *attr)
{
    struct path path;
    int error = user_path_at(dfd, name, lookup_flags, &path);
    if (error)
        return error;
    error = change(&path, attr);
    path_put(&path);
    return error;
}

static int change_fd(u32 fd, struct iattr *attr)
{
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    int error = change(&file->f_path, attr);
    fput(file);
    return error;
}

long do_fchmodat(int dfd, const char __user *name, u32 mode)
{
    struct iattr attr = {.ia_valid = ATTR_MODE, .ia_mode = (umode_t)(mode & S_IALLUGO)};
    return change_at(dfd, name, LOOKUP_FOLLOW, &attr);
}

long do_fchmod(u32 fd, u32 mode)
{
    struct iattr attr = {.ia_valid = ATTR_MODE, .ia_mode = (umode_t)(mode & S_IALLUGO)};
    return change_fd(fd, &attr);
}

/* -1 leaves it as it is. */
static struct iattr owner_attr(u32 uid, u32 gid)
{
    return (struct iattr){
        .ia_valid = (uid == ~0u ? 0 : ATTR_UID) | (gid == ~0u ? 0 : ATTR_GID), .ia_uid = uid, .ia_gid = gid};
}

long do_fchownat(int dfd, const char __user *name, u32 uid, u32 gid, u32 flags)
{
    struct iattr attr = owner_attr(uid, gid);
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_at(dfd, name,
                     ((flags & AT_SYMLINK_NOFOLLOW) ? 0 : LOOKUP_FOLLOW) |
                         ((flags & AT_EMPTY_PATH) ? LOOKUP_EMPTY : 0),
                     &attr);
}

long do_fchown(u32 fd, u32 uid, u32 gid)
{
    struct iattr attr = owner_attr(uid, gid);
    return change_fd(fd, &attr);
}

static int set_time(struct iattr *attr, const struct timespec64 *time, u32 valid, u32 valid_set,
                    struct timespec64 *to)
{
    if (time->tv_nsec == UTIME_OMIT)
        return 0;
    attr->ia_valid |= valid;
    if (time->tv_nsec == UTIME_NOW)
        return 0;
    if (time->tv_nsec < 0 || time->tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    attr->ia_valid |= valid_set;
    *to = *time;
    return 0;
}

long do_utimensat(int dfd, const char __user *name, const struct timespec64 times[2], u32 flags)
{
    struct iattr attr = {.ia_valid = times ? 0 : ATTR_ATIME | ATTR_MTIME};
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (times) {
        int error = set_time(&attr, &times[0], ATTR_ATIME, ATTR_ATIME_SET, &attr.ia_atime);
        if (error == 0)
            error = set_time(&attr, &times[1], ATTR_MTIME, ATTR_MTIME_SET, &attr.ia_mtime);
        if (error)
            return error;
        if (attr.ia_valid == 0)
            return 0;
    }
    /* futimens(3). */
    if (name == NULL)
        return dfd == AT_FDCWD ? -EFAULT : change_fd((u32)dfd, &attr);
    return change_at(dfd, name,
                     ((flags & AT_SYMLINK_NOFOLLOW) ? 0 : LOOKUP_FOLLOW) |
                         ((flags & AT_EMPTY_PATH) ? LOOKUP_EMPTY : 0),
                     &attr);
}
