/* Who may do what with a file. Root may do everything but run what nobody may run. */
#include "cred.h"
#include "errno.h"
#include "nameidata.h"
#include "sched.h"

int generic_permission(const struct inode *inode, u32 mask)
{
    u32 mode = inode->i_mode;
    if (current_fsuid() == inode->i_uid)
        mode >>= 6;
    else if (in_group_p(inode->i_gid))
        mode >>= 3;
    if ((mask & ~mode & (MAY_READ | MAY_WRITE | MAY_EXEC)) == 0)
        return 0;
    if (current_fsuid() != 0)
        return -EACCES;
    bool nobody_runs_it = !S_ISDIR(inode->i_mode) && !(inode->i_mode & S_IXUGO);
    return (mask & MAY_EXEC) && nobody_runs_it ? -EACCES : 0;
}

int inode_permission(struct inode *inode, u32 mask)
{
    if (mask & MAY_WRITE) {
        bool is_on_medium = S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode) || S_ISLNK(inode->i_mode);
        if (IS_RDONLY(inode) && is_on_medium)
            return -EROFS;
        if (inode->i_flags & S_IMMUTABLE)
            return -EPERM;
    }
    return inode->i_op->permission ? inode->i_op->permission(inode, mask) : generic_permission(inode, mask);
}

bool is_owner_or_root(const struct inode *inode)
{
    return current_fsuid() == 0 || current_fsuid() == inode->i_uid;
}

/* In a folder with the sticky bit, names go only at the wish of the file's owner or the folder's. */
static bool is_sticky(const struct inode *dir, const struct inode *inode)
{
    return (dir->i_mode & S_ISVTX) && current_fsuid() != dir->i_uid && !is_owner_or_root(inode);
}

int may_create(struct inode *dir)
{
    if (dir->i_flags & S_DEAD)
        return -ENOENT;
    return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

int may_delete(struct inode *dir, const struct dentry *victim, bool is_dir)
{
    const struct inode *inode = victim->d_inode;
    if (inode == NULL)
        return -ENOENT;
    int error = inode_permission(dir, MAY_WRITE | MAY_EXEC);
    if (error)
        return error;
    if (is_sticky(dir, inode) || (inode->i_flags & S_IMMUTABLE))
        return -EPERM;
    if (is_dir && !S_ISDIR(inode->i_mode))
        return -ENOTDIR;
    if (!is_dir && S_ISDIR(inode->i_mode))
        return -EISDIR;
    return (dir->i_flags & S_DEAD) ? -ENOENT : 0;
}
