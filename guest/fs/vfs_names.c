/* Making, moving and taking away names: what is checked whatever the file system, and its operation. */
#include "errno.h"
#include "nameidata.h"

int vfs_create(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    int error = may_create(dir);
    if (error)
        return error;
    return dir->i_op->create ? dir->i_op->create(dir, dentry, (umode_t)(mode & S_IALLUGO) | S_IFREG)
                             : -EACCES;
}

int vfs_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    int error = may_create(dir);
    if (error)
        return error;
    return dir->i_op->mkdir ? dir->i_op->mkdir(dir, dentry, mode & (S_IRWXUGO | S_ISVTX)) : -EPERM;
}

int vfs_mknod(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t dev)
{
    int error = may_create(dir);
    if (error)
        return error;
    return dir->i_op->mknod ? dir->i_op->mknod(dir, dentry, mode, dev) : -EPERM;
}

int vfs_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
    int error = may_create(dir);
    if (error)
        return error;
    return dir->i_op->symlink ? dir->i_op->symlink(dir, dentry, target) : -EPERM;
}

int vfs_link(struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry)
{
    struct inode *inode = old_dentry->d_inode;
    int error = may_create(dir);
    if (error)
        return error;
    if (inode == NULL || inode->i_nlink == 0)
        return -ENOENT;
    if (dir->i_sb != inode->i_sb)
        return -EXDEV;
    if (S_ISDIR(inode->i_mode) || dir->i_op->link == NULL)
        return -EPERM;
    return dir->i_op->link(old_dentry, dir, new_dentry);
}

static bool is_mountpoint(const struct dentry *dentry)
{
    return dentry->d_flags & DCACHE_MOUNTED;
}

int vfs_unlink(struct inode *dir, struct dentry *dentry)
{
    int error = may_delete(dir, dentry, false);
    if (error)
        return error;
    if (dir->i_op->unlink == NULL)
        return -EPERM;
    if (is_mountpoint(dentry))
        return -EBUSY;
    error = dir->i_op->unlink(dir, dentry);
    if (error == 0)
        d_delete(dentry);
    return error;
}

int vfs_rmdir(struct inode *dir, struct dentry *dentry)
{
    int error = may_delete(dir, dentry, true);
    if (error)
        return error;
    if (dir->i_op->rmdir == NULL)
        return -EPERM;
    if (is_mountpoint(dentry))
        return -EBUSY;
    error = dir->i_op->rmdir(dir, dentry);
    if (error)
        return error;
    dentry->d_inode->i_flags |= S_DEAD;
    shrink_dcache_parent(dentry);
    d_delete(dentry);
    return 0;
}

static int may_rename(struct inode *old_dir, const struct dentry *old_dentry, struct inode *new_dir,
                      const struct dentry *new_dentry)
{
    bool is_dir = S_ISDIR(old_dentry->d_inode->i_mode);
    int error = may_delete(old_dir, old_dentry, is_dir);
    if (error == 0)
        error = new_dentry->d_inode ? may_delete(new_dir, new_dentry, is_dir) : may_create(new_dir);
    /* The folder's ".." is written. */
    if (error == 0 && is_dir && old_dir != new_dir)
        error = inode_permission(old_dentry->d_inode, MAY_WRITE);
    return error;
}

int vfs_rename(struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
               struct dentry *new_dentry, u32 flags)
{
    if (old_dentry->d_inode && old_dentry->d_inode == new_dentry->d_inode)
        return 0;
    if (old_dentry->d_inode == NULL)
        return -ENOENT;
    int error = may_rename(old_dir, old_dentry, new_dir, new_dentry);
    if (error)
        return error;
    if (old_dir->i_op->rename == NULL)
        return -EPERM;
    if (flags & ~RENAME_NOREPLACE)
        return -EINVAL;
    if (is_mountpoint(old_dentry) || is_mountpoint(new_dentry))
        return -EBUSY;
    error = old_dir->i_op->rename(old_dir, old_dentry, new_dir, new_dentry);
    if (error)
        return error;
    if (new_dentry->d_inode && S_ISDIR(new_dentry->d_inode->i_mode)) {
        new_dentry->d_inode->i_flags |= S_DEAD;
        shrink_dcache_parent(new_dentry);
    }
    d_move(old_dentry, new_dentry);
    return 0;
}
