/* System calls that make, move and take away names. */
#include "err.h"
#include "fs_calls.h"
#include "fs_struct.h"
#include "nameidata.h"
#include "uaccess.h"

/* A name that is to be made, with the names of its file system locked. */
struct new_name {
    struct nameidata nd; /* nd.path is the folder */
    char *name;
    struct dentry *dentry; /* negative */
};

static struct mutex *names_mutex(const struct path *dir)
{
    return &dir->dentry->d_sb->s_names_mutex;
}

/* Walks to the folder in which a name is, or is to be. */
static int begin_parent(struct nameidata *nd, char **name, int dfd, const char __user *user_name)
{
    *name = getname(user_name);
    if (IS_ERR(*name))
        return (int)PTR_ERR(*name);
    int error = nameidata_begin(nd, dfd, *name, LOOKUP_PARENT);
    if (error) {
        putname(*name);
        return error;
    }
    error = path_walk(nd);
    if (error) {
        nameidata_end(nd);
        putname(*name);
    }
    return error;
}

static void end_parent(struct nameidata *nd, char *name)
{
    nameidata_end(nd);
    putname(name);
}

/* The last name, with the names locked by the caller. */
static struct dentry *lookup_last(struct nameidata *nd)
{
    struct qstr *last = &nd->last;
    last->hash = full_name_hash(nd->path.dentry, last->name, last->len);
    return lookup_locked(nd->path.dentry, last);
}

/* The dentry of a name that is not there yet: -EEXIST, -ENOENT (a file that is called "name/"), -EROFS. */
static struct dentry *lookup_new(struct nameidata *nd, bool is_dir)
{
    if (nd->last_type != LAST_NORM)
        return ERR_PTR(-EEXIST);
    struct dentry *dentry = lookup_last(nd);
    if (IS_ERR(dentry))
        return dentry;
    int error = 0;
    if (!d_is_negative(dentry))
        error = -EEXIST;
    else if (!is_dir && nd->has_trailing_slash)
        error = -ENOENT;
    else
        error = mnt_want_write(&nd->path);
    if (error == 0)
        return dentry;
    dput(dentry);
    return ERR_PTR(error);
}

static int begin_new_name(struct new_name *new, int dfd, const char __user *user_name, bool is_dir)
{
    int error = begin_parent(&new->nd, &new->name, dfd, user_name);
    if (error)
        return error;
    mutex_lock(names_mutex(&new->nd.path));
    new->dentry = lookup_new(&new->nd, is_dir);
    if (!IS_ERR(new->dentry))
        return 0;
    mutex_unlock(names_mutex(&new->nd.path));
    end_parent(&new->nd, new->name);
    return (int)PTR_ERR(new->dentry);
}

static void end_new_name(struct new_name *new)
{
    mutex_unlock(names_mutex(&new->nd.path));
    dput(new->dentry);
    end_parent(&new->nd, new->name);
}

static struct inode *dir_of(const struct new_name *new)
{
    return new->nd.path.dentry->d_inode;
}

static umode_t masked(u32 mode)
{
    return (umode_t)(mode & ~current_umask());
}

long do_mkdirat(int dfd, const char __user *name, u32 mode)
{
    struct new_name new;
    int error = begin_new_name(&new, dfd, name, true);
    if (error)
        return error;
    error = vfs_mkdir(dir_of(&new), new.dentry, masked(mode));
    end_new_name(&new);
    return error;
}

static int make_node(struct new_name *new, umode_t mode, u32 dev)
{
    switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
        return vfs_create(dir_of(new), new->dentry, mode);
    case S_IFCHR:
    case S_IFBLK:
        return vfs_mknod(dir_of(new), new->dentry, mode, new_decode_dev(dev));
    case S_IFIFO:
    case S_IFSOCK:
        return vfs_mknod(dir_of(new), new->dentry, mode, 0);
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
}

long do_mknodat(int dfd, const char __user *name, u32 mode, u32 dev)
{
    struct new_name new;
    int error = begin_new_name(&new, dfd, name, false);
    if (error)
        return error;
    error = make_node(&new, masked(mode), dev);
    end_new_name(&new);
    return error;
}

int kern_mknod(const char *name, umode_t mode)
{
    bool before = set_fs_kernel(true);
    int error = (int)do_mknodat(AT_FDCWD, name, mode, 0);
    set_fs_kernel(before);
    return error;
}

long do_symlinkat(const char __user *user_target, int dfd, const char __user *name)
{
    struct new_name new;
    char *target = getname(user_target);
    if (IS_ERR(target))
        return PTR_ERR(target);
    int error = begin_new_name(&new, dfd, name, false);
    if (error == 0) {
        error = vfs_symlink(dir_of(&new), new.dentry, target);
        end_new_name(&new);
    }
    putname(target);
    return error;
}

long do_linkat(int old_dfd, const char __user *old_name, int new_dfd, const char __user *new_name, u32 flags)
{
    struct path old;
    struct new_name new;
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    u32 lookup_flags =
        ((flags & AT_SYMLINK_FOLLOW) ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) ? LOOKUP_EMPTY : 0);
    int error = user_path_at(old_dfd, old_name, lookup_flags, &old);
    if (error)
        return error;
    error = begin_new_name(&new, new_dfd, new_name, false);
    if (error == 0) {
        error = old.mnt == new.nd.path.mnt ? vfs_link(old.dentry, dir_of(&new), new.dentry) : -EXDEV;
        end_new_name(&new);
    }
    path_put(&old);
    return error;
}

/* With the names locked. *inode: what had the name, to be dropped when they no longer are. */
static int unlink_last(struct nameidata *nd, struct inode **inode)
{
    struct dentry *dentry = lookup_last(nd);
    if (IS_ERR(dentry))
        return (int)PTR_ERR(dentry);
    int error;
    if (nd->has_trailing_slash)
        error = d_is_negative(dentry) ? -ENOENT : S_ISDIR(dentry->d_inode->i_mode) ? -EISDIR : -ENOTDIR;
    else
        error = mnt_want_write(&nd->path);
    if (error == 0 && dentry->d_inode) {
        *inode = igrab(dentry->d_inode);
        error = vfs_unlink(nd->path.dentry->d_inode, dentry);
    } else if (error == 0) {
        error = -ENOENT;
    }
    dput(dentry);
    return error;
}

static int rmdir_last(struct nameidata *nd)
{
    struct dentry *dentry = lookup_last(nd);
    if (IS_ERR(dentry))
        return (int)PTR_ERR(dentry);
    int error = d_is_negative(dentry) ? -ENOENT : mnt_want_write(&nd->path);
    if (error == 0)
        error = vfs_rmdir(nd->path.dentry->d_inode, dentry);
    dput(dentry);
    return error;
}

static int unlink_error(enum last_type type, bool is_dir)
{
    if (!is_dir)
        return type == LAST_NORM ? 0 : -EISDIR;
    switch (type) {
    case LAST_DOTDOT:
        return -ENOTEMPTY;
    case LAST_DOT:
        return -EINVAL;
    case LAST_ROOT:
        return -EBUSY;
    default:
        return 0;
    }
}

long do_unlinkat(int dfd, const char __user *user_name, u32 flags)
{
    struct nameidata nd;
    char *name;
    struct inode *inode = NULL;
    bool is_dir = flags & AT_REMOVEDIR;
    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    int error = begin_parent(&nd, &name, dfd, user_name);
    if (error)
        return error;
    error = unlink_error(nd.last_type, is_dir);
    if (error == 0) {
        mutex_lock(names_mutex(&nd.path));
        error = is_dir ? rmdir_last(&nd) : unlink_last(&nd, &inode);
        mutex_unlock(names_mutex(&nd.path));
    }
    iput(inode);
    end_parent(&nd, name);
    return error;
}

/* What Linux asks about the two names before it looks at permissions. */
static int check_rename(const struct nameidata *old_nd, const struct dentry *old_dentry,
                        const struct nameidata *new_nd, const struct dentry *new_dentry, u32 flags)
{
    if (d_is_negative(old_dentry))
        return -ENOENT;
    if ((flags & RENAME_NOREPLACE) && !d_is_negative(new_dentry))
        return -EEXIST;
    bool has_slash = old_nd->has_trailing_slash || new_nd->has_trailing_slash;
    if (!S_ISDIR(old_dentry->d_inode->i_mode) && has_slash)
        return -ENOTDIR;
    if (is_subdir(new_nd->path.dentry, old_dentry))
        return -EINVAL;
    if (is_subdir(old_nd->path.dentry, new_dentry))
        return -ENOTEMPTY;
    return 0;
}

/* With the names locked. *replaced: what had the new name until now. */
static int rename_last(struct nameidata *old_nd, struct nameidata *new_nd, u32 flags, struct inode **replaced)
{
    struct dentry *old_dentry = lookup_last(old_nd);
    if (IS_ERR(old_dentry))
        return (int)PTR_ERR(old_dentry);
    if (d_is_negative(old_dentry)) {
        dput(old_dentry);
        return -ENOENT;
    }
    struct dentry *new_dentry = lookup_last(new_nd);
    int error = IS_ERR(new_dentry) ? (int)PTR_ERR(new_dentry)
                                   : check_rename(old_nd, old_dentry, new_nd, new_dentry, flags);
    if (error == 0) {
        *replaced = new_dentry->d_inode ? igrab(new_dentry->d_inode) : NULL;
        error = vfs_rename(old_nd->path.dentry->d_inode, old_dentry, new_nd->path.dentry->d_inode, new_dentry,
                           flags);
    }
    if (!IS_ERR(new_dentry))
        dput(new_dentry);
    dput(old_dentry);
    return error;
}

static int rename_between(struct nameidata *old_nd, struct nameidata *new_nd, u32 flags)
{
    struct inode *replaced = NULL;
    if (old_nd->path.mnt != new_nd->path.mnt)
        return -EXDEV;
    if (old_nd->last_type != LAST_NORM)
        return -EBUSY;
    if (new_nd->last_type != LAST_NORM)
        return (flags & RENAME_NOREPLACE) ? -EEXIST : -EBUSY;
    int error = mnt_want_write(&old_nd->path);
    if (error)
        return error;
    mutex_lock(names_mutex(&old_nd->path));
    error = rename_last(old_nd, new_nd, flags, &replaced);
    mutex_unlock(names_mutex(&old_nd->path));
    iput(replaced);
    return error;
}

long do_renameat2(int old_dfd, const char __user *old_user_name, int new_dfd,
                  const char __user *new_user_name, u32 flags)
{
    struct nameidata old_nd, new_nd;
    char *old_name, *new_name;
    /* The other flags of Linux are for file systems that know them. */
    if (flags & ~RENAME_NOREPLACE)
        return -EINVAL;
    int error = begin_parent(&old_nd, &old_name, old_dfd, old_user_name);
    if (error)
        return error;
    error = begin_parent(&new_nd, &new_name, new_dfd, new_user_name);
    if (error == 0) {
        error = rename_between(&old_nd, &new_nd, flags);
        end_parent(&new_nd, new_name);
    }
    end_parent(&old_nd, old_name);
    return error;
}
