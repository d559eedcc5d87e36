/* Opening files. */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "fs_struct.h"
#include "nameidata.h"

#define O_TMPFILE_BIT 020000000u

/* With O_ACCMODE 3, which Linux has for ioctl() alone, a file is neither to be read nor to be written. */
static u32 f_mode_of(u32 flags)
{
    switch (flags & O_ACCMODE) {
    case O_RDONLY:
        return FMODE_READ;
    case O_WRONLY:
        return FMODE_WRITE;
    case O_RDWR:
        return FMODE_READ | FMODE_WRITE;
    default:
        return 0;
    }
}

static u32 access_of(u32 flags)
{
    u32 f_mode = f_mode_of(flags);
    u32 mask = ((f_mode & FMODE_READ) ? MAY_READ : 0) | ((f_mode & FMODE_WRITE) ? MAY_WRITE : 0);
    if ((flags & O_ACCMODE) == O_ACCMODE)
        mask = MAY_READ | MAY_WRITE;
    return (flags & O_TRUNC) ? mask | MAY_WRITE : mask;
}

int get_write_access(struct inode *inode)
{
    if (inode->i_writecount < 0)
        return -ETXTBSY;
    inode->i_writecount++;
    return 0;
}

int deny_write_access(struct file *file)
{
    struct inode *inode = file_inode(file);
    if (inode->i_writecount > 0)
        return -ETXTBSY;
    inode->i_writecount--;
    return 0;
}

void allow_write_access(struct file *file)
{
    file_inode(file)->i_writecount++;
}

static const struct file_operations place_fops;

struct file *dentry_open(const struct path *path, u32 flags)
{
    struct inode *inode = path->dentry->d_inode;
    bool is_place = flags & O_PATH;
    u32 f_mode = is_place ? FMODE_PATH : f_mode_of(flags) | FMODE_LSEEK;
    bool counts_as_writer = (f_mode & FMODE_WRITE) && S_ISREG(inode->i_mode);
    int error = counts_as_writer ? get_write_access(inode) : 0;
    if (error)
        return ERR_PTR(error);
    struct file *file = alloc_file(path, f_mode, is_place ? &place_fops : inode->i_fop);
    if (IS_ERR(file)) {
        inode->i_writecount -= counts_as_writer;
        return file;
    }
    file->f_flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
    error = file->f_op->open ? file->f_op->open(inode, file) : 0;
    if (error == 0)
        return file;
    /* ->release() is for what was opened. */
    file->f_op = &place_fops;
    fput(file);
    return ERR_PTR(error);
}

static int may_open(const struct path *path, u32 flags)
{
    struct inode *inode = path->dentry->d_inode;
    u32 mask = access_of(flags);
    if (S_ISLNK(inode->i_mode))
        return -ELOOP;
    if (S_ISDIR(inode->i_mode) && (mask & MAY_WRITE))
        return -EISDIR;
    if ((S_ISCHR(inode->i_mode) || S_ISBLK(inode->i_mode)) && (path->mnt->mnt_flags & MNT_NODEV))
        return -EACCES;
    int error = inode_permission(inode, mask);
    bool is_on_medium = S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode);
    if (error == 0 && (mask & MAY_WRITE) && is_on_medium)
        error = mnt_want_write(path);
    if (error == 0 && (flags & O_NOATIME) && !is_owner_or_root(inode))
        error = -EPERM;
    return error;
}

static struct file *open_place(const struct path *path, u32 flags, bool is_new)
{
    if (flags & O_PATH)
        return dentry_open(path, flags);
    /* Who makes a file may write it, whatever its mode says from then on. */
    int error = is_new ? 0 : may_open(path, flags);
    if (error)
        return ERR_PTR(error);
    struct file *file = dentry_open(path, flags);
    if (IS_ERR(file) || !(flags & O_TRUNC) || is_new || !S_ISREG(path->dentry->d_inode->i_mode))
        return file;
    error = vfs_truncate(path, 0);
    if (error == 0)
        return file;
    fput(file);
    return ERR_PTR(error);
}

/* The last name of open(O_CREAT), with the names locked: made if it is not there. */
static struct dentry *lookup_or_create(struct nameidata *nd, umode_t mode, bool *is_new)
{
    struct qstr *last = &nd->last;
    last->hash = full_name_hash(nd->path.dentry, last->name, last->len);
    struct dentry *dentry = lookup_locked(nd->path.dentry, last);
    if (IS_ERR(dentry) || !d_is_negative(dentry))
        return dentry;
    int error = mnt_want_write(&nd->path);
    if (error == 0)
        error = vfs_create(nd->path.dentry->d_inode, dentry, mode);
    *is_new = error == 0;
    if (error == 0)
        return dentry;
    dput(dentry);
    return ERR_PTR(error);
}

/* The next place of an O_CREAT walk that has stopped before its last name, which may be a link to another. */
static int open_last(struct nameidata *nd, u32 flags, umode_t mode, struct path *path, bool *is_new)
{
    struct mutex *names = &nd->path.dentry->d_sb->s_names_mutex;
    if (nd->last_type != LAST_NORM || nd->has_trailing_slash)
        return (flags & O_EXCL) && nd->last_type != LAST_NORM ? -EEXIST : -EISDIR;
    mutex_lock(names);
    struct dentry *dentry = lookup_or_create(nd, mode, is_new);
    mutex_unlock(names);
    if (IS_ERR(dentry))
        return (int)PTR_ERR(dentry);
    *path = (struct path){.mnt = mntget(nd->path.mnt), .dentry = dentry};
    follow_mounts(path);
    const struct inode *inode = path->dentry->d_inode;
    int error = 0;
    if ((flags & O_EXCL) && !*is_new)
        error = -EEXIST;
    else if (S_ISDIR(inode->i_mode))
        error = -EISDIR;
    if (error)
        path_put(path);
    return error;
}

static struct file *open_or_create(struct nameidata *nd, u32 flags, umode_t mode)
{
    for (;;) {
        struct path path;
        bool is_new = false;
        int error = path_walk(nd);
        if (error == 0)
            error = open_last(nd, flags, mode, &path, &is_new);
        if (error)
            return ERR_PTR(error);
        if (!S_ISLNK(path.dentry->d_inode->i_mode) || (flags & O_NOFOLLOW)) {
            struct file *file = open_place(&path, flags, is_new);
            path_put(&path);
            return file;
        }
        bool leads_to_place = path.dentry->d_inode->i_op->get_path != NULL;
        error = follow_link(nd, &path, nd->name);
        if (error)
            return ERR_PTR(error);
        if (leads_to_place)
            return open_place(&nd->path, flags, false);
    }
}

static struct file *path_openat(int dfd, const char *name, u32 flags, umode_t mode)
{
    struct nameidata nd;
    bool may_create_it = (flags & O_CREAT) && !(flags & O_PATH);
    u32 lookup_flags = may_create_it ? LOOKUP_PARENT : (flags & O_NOFOLLOW) ? 0 : LOOKUP_FOLLOW;
    if ((flags & O_DIRECTORY) && !may_create_it)
        lookup_flags |= LOOKUP_DIRECTORY;
    int error = nameidata_begin(&nd, dfd, name, lookup_flags);
    if (error)
        return ERR_PTR(error);
    struct file *file;
    if (may_create_it) {
        file = open_or_create(&nd, flags, mode);
    } else {
        error = path_walk(&nd);
        file = error ? ERR_PTR(error) : open_place(&nd.path, flags, false);
    }
    nameidata_end(&nd);
    return file;
}

/* Files without a name (O_TMPFILE) are for file systems that can make them. */
static int check_flags(u32 flags)
{
    if (flags & O_TMPFILE_BIT)
        return -EOPNOTSUPP;
    return !(flags & O_PATH) && (flags & O_CREAT) && (flags & O_DIRECTORY) ? -EINVAL : 0;
}

static struct file *open_at(int dfd, const char *name, u32 flags, umode_t mode)
{
    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    mode = (flags & O_CREAT) ? (umode_t)(mode & S_IALLUGO) : 0;
    return path_openat(dfd, name, flags, mode);
}

struct file *filp_open(const char *name, u32 flags, umode_t mode)
{
    return open_at(AT_FDCWD, name, flags, mode);
}

struct file *open_exec(const char *name)
{
    struct path path;
    int error = kern_path(name, LOOKUP_FOLLOW, &path);
    if (error)
        return ERR_PTR(error);
    struct inode *inode = path.dentry->d_inode;
    if (!S_ISREG(inode->i_mode) || (path.mnt->mnt_flags & MNT_NOEXEC))
        error = -EACCES;
    else
        error = inode_permission(inode, MAY_EXEC);
    struct file *file = error ? ERR_PTR(error) : dentry_open(&path, O_RDONLY);
    path_put(&path);
    return file;
}

int nonseekable_open(struct inode *inode, struct file *file)
{
    (void)inode;
    file->f_mode &= ~FMODE_LSEEK;
    return 0;
}

long do_openat(int dfd, const char __user *user_name, u32 flags, u32 mode)
{
    int error = check_flags(flags);
    if (error)
        return error;
    char *name = getname(user_name);
    if (IS_ERR(name))
        return PTR_ERR(name);
    int fd = get_unused_fd_flags(flags);
    if (fd >= 0) {
        struct file *file = open_at(dfd, name, flags, (umode_t)(mode & ~current_umask()));
        if (IS_ERR(file)) {
            put_unused_fd((u32)fd);
            fd = (int)PTR_ERR(file);
        } else {
            fd_install((u32)fd, file);
        }
    }
    putname(name);
    return fd;
}
