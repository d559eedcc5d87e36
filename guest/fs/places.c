/* System calls about where a task is in the tree, and about what it may do there. */
#include "cred.h"
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "fs_struct.h"
#include "internal.h"
#include "sched.h"
#include "string.h"
#include "uaccess.h"

static int enter(const struct path *path, void (*set)(const struct path *path))
{
    struct inode *inode = path->dentry->d_inode;
    int error = S_ISDIR(inode->i_mode) ? inode_permission(inode, MAY_EXEC) : -ENOTDIR;
    if (error == 0)
        set(path);
    return error;
}

long do_chdir(const char __user *name)
{
    struct path path;
    int error = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
    if (error)
        return error;
    error = enter(&path, set_fs_pwd);
    path_put(&path);
    return error;
}

long do_fchdir(u32 fd)
{
    struct file *file = fget_raw(fd);
    if (file == NULL)
        return -EBADF;
    int error = enter(&file->f_path, set_fs_pwd);
    fput(file);
    return error;
}

long do_chroot(const char __user *name)
{
    struct path path;
    int error = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
    if (error)
        return error;
    error = capable_root() ? enter(&path, set_fs_root) : -EPERM;
    path_put(&path);
    return error;
}

long do_getcwd(char __user *to, u32 bytes)
{
    struct path pwd;
    char *buf = __getname();
    if (buf == NULL)
        return -ENOMEM;
    get_fs_pwd(&pwd);
    long result = -ENOENT;
    if (IS_ROOT(pwd.dentry) || !d_unhashed(pwd.dentry)) {
        const char *text = d_path(&pwd, buf, PATH_MAX);
        result = IS_ERR(text) ? PTR_ERR(text) : (long)strlen(text) + 1;
        if (result > (long)bytes)
            result = -ERANGE;
        else if (result > 0 && copy_to_user(to, text, (u32)result))
            result = -EFAULT;
    }
    path_put(&pwd);
    putname(buf);
    return result;
}

/* Asks for the real user, unless AT_EACCESS says otherwise. */
static int check_access(const struct path *path, u32 mode, bool as_effective)
{
    struct inode *inode = path->dentry->d_inode;
    struct cred *cred = &current->cred;
    u32 fsuid = cred->fsuid, fsgid = cred->fsgid;
    if (!as_effective) {
        cred->fsuid = cred->uid;
        cred->fsgid = cred->gid;
    }
    int error = (mode & MAY_EXEC) && S_ISREG(inode->i_mode) && (path->mnt->mnt_flags & MNT_NOEXEC)
                    ? -EACCES
                    : inode_permission(inode, mode);
    cred->fsuid = fsuid;
    cred->fsgid = fsgid;
    bool is_on_medium = S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode);
    return error == 0 && (mode & MAY_WRITE) && is_on_medium ? mnt_want_write(path) : error;
}

long do_faccessat(int dfd, const char __user *name, u32 mode, u32 flags)
{
    struct path path;
    if ((mode & ~7u) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return -EINVAL;
    int error = user_path_at(dfd, name,
                             ((flags & AT_SYMLINK_NOFOLLOW) ? 0 : LOOKUP_FOLLOW) |
                                 ((flags & AT_EMPTY_PATH) ? LOOKUP_EMPTY : 0),
                             &path);
    if (error)
        return error;
    error = check_access(&path, mode, flags & AT_EACCESS);
    path_put(&path);
    return error;
}
