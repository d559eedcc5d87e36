/* The path walk: from a name to the place that it means. */
#include "bug.h"
#include "err.h"
#include "fdtable.h"
#include "fs_struct.h"
#include "nameidata.h"
#include "slab.h"
#include "string.h"

/* Asks the file system, with the names locked. */
struct dentry *lookup_locked(struct dentry *parent, const struct qstr *name)
{
    struct inode *dir = parent->d_inode;
    struct dentry *dentry = d_lookup(parent, name);
    if (dentry)
        return dentry;
    if (dir->i_flags & S_DEAD)
        return ERR_PTR(-ENOENT);
    if (name->len > NAME_MAX)
        return ERR_PTR(-ENAMETOOLONG);
    if (dir->i_op->lookup == NULL)
        return ERR_PTR(-ENOTDIR);
    dentry = d_alloc(parent, name);
    if (dentry == NULL)
        return ERR_PTR(-ENOMEM);
    struct dentry *other = dir->i_op->lookup(dir, dentry);
    if (other == NULL)
        return dentry;
    dput(dentry);
    return other;
}

static struct dentry *lookup_cached(struct dentry *parent, const struct qstr *name)
{
    struct dentry *dentry = d_lookup(parent, name);
    if (dentry == NULL || dentry->d_op == NULL || dentry->d_op->d_revalidate == NULL)
        return dentry;
    if (dentry->d_op->d_revalidate(dentry))
        return dentry;
    d_drop(dentry);
    dput(dentry);
    return NULL;
}

static struct dentry *lookup_name(struct dentry *parent, const struct qstr *name)
{
    struct dentry *dentry = lookup_cached(parent, name);
    if (dentry)
        return dentry;
    mutex_lock(&parent->d_sb->s_names_mutex);
    dentry = lookup_locked(parent, name);
    mutex_unlock(&parent->d_sb->s_names_mutex);
    return dentry;
}

struct dentry *lookup_one_len(const char *name, struct dentry *parent, u32 len)
{
    const struct qstr of = {.name = name, .len = len, .hash = full_name_hash(parent, name, len)};
    return lookup_name(parent, &of);
}

/* Replaces the place; takes over the references of what it becomes. */
static void move_to(struct nameidata *nd, const struct path *path)
{
    path_put(&nd->path);
    nd->path = *path;
}

void follow_mounts(struct path *path)
{
    struct vfsmount *mnt;
    while ((mnt = lookup_mnt(path))) {
        const struct path top = {.mnt = mnt, .dentry = mnt->mnt_root};
        path_get(&top);
        path_put(path);
        *path = top;
    }
}

static void follow_dotdot(struct nameidata *nd)
{
    struct path path = nd->path;
    while (!path_equal(&path, &nd->root)) {
        if (path.dentry != path.mnt->mnt_root) {
            path.dentry = path.dentry->d_parent;
            break;
        }
        if (path.mnt->mnt_parent == path.mnt)
            break;
        path.dentry = path.mnt->mnt_mountpoint;
        path.mnt = path.mnt->mnt_parent;
    }
    path_get(&path);
    follow_mounts(&path);
    move_to(nd, &path);
}

/* What is still to be walked becomes the link's text and the rest of the name behind it. */
static int expand_link(struct nameidata *nd, struct dentry *link, const char *rest)
{
    size_t rest_bytes = strlen(rest) + 1;
    char *text = kmalloc(PATH_MAX + rest_bytes, GFP_KERNEL);
    if (text == NULL)
        return -ENOMEM;
    int length = link->d_inode->i_op->readlink(link, text, PATH_MAX - 1);
    if (length <= 0) {
        kfree(text);
        return length ? length : -ENOENT;
    }
    memcpy(text + length, rest, rest_bytes);
    kfree(nd->buffer);
    nd->buffer = text;
    nd->name = text;
    if (*text == '/') {
        path_get(&nd->root);
        move_to(nd, &nd->root);
    }
    return 0;
}

int follow_link(struct nameidata *nd, struct path *link, const char *rest)
{
    struct inode *inode = link->dentry->d_inode;
    int error = -ELOOP;
    if (++nd->nr_links > MAXSYMLINKS) {
        path_put(link);
        return error;
    }
    touch_atime(link);
    if (inode->i_op->get_path) {
        struct path target;
        error = inode->i_op->get_path(link->dentry, &target);
        if (error == 0)
            move_to(nd, &target);
        nd->name = rest;
    } else {
        error = expand_link(nd, link->dentry, rest);
    }
    path_put(link);
    return error;
}

static bool is_link(const struct dentry *dentry)
{
    return S_ISLNK(dentry->d_inode->i_mode);
}

/* Goes on to a name in the folder where the walk is. rest: what comes behind it. */
static int walk_component(struct nameidata *nd, struct qstr *name, const char *rest, bool follows_link)
{
    name->hash = full_name_hash(nd->path.dentry, name->name, name->len);
    struct dentry *dentry = lookup_name(nd->path.dentry, name);
    if (IS_ERR(dentry))
        return (int)PTR_ERR(dentry);
    if (d_is_negative(dentry)) {
        dput(dentry);
        return -ENOENT;
    }
    struct path path = {.mnt = mntget(nd->path.mnt), .dentry = dentry};
    follow_mounts(&path);
    if (is_link(path.dentry) && follows_link)
        return follow_link(nd, &path, rest);
    move_to(nd, &path);
    nd->name = rest;
    return 0;
}

static enum last_type type_of(const struct qstr *name)
{
    if (name->len == 1 && name->name[0] == '.')
        return LAST_DOT;
    if (name->len == 2 && name->name[0] == '.' && name->name[1] == '.')
        return LAST_DOTDOT;
    return LAST_NORM;
}

static bool is_dir(const struct path *path)
{
    return path->dentry->d_inode && S_ISDIR(path->dentry->d_inode->i_mode);
}

/* The next name: from nd->name up to a slash or the end. Returns where the rest begins, slashes and all. */
static const char *next_name(const struct nameidata *nd, struct qstr *name)
{
    const char *end = nd->name;
    while (*end && *end != '/')
        end++;
    *name = (struct qstr){.name = nd->name, .len = (u32)(end - nd->name)};
    return end;
}

static bool has_only_slashes(const char *s)
{
    while (*s == '/')
        s++;
    return *s == '\0';
}

int path_walk(struct nameidata *nd)
{
    nd->last_type = LAST_ROOT;
    nd->has_trailing_slash = false;
    for (;;) {
        while (*nd->name == '/') {
            nd->has_trailing_slash = true;
            nd->name++;
        }
        if (*nd->name == '\0')
            break;
        if (!is_dir(&nd->path))
            return -ENOTDIR;
        int error = inode_permission(nd->path.dentry->d_inode, MAY_EXEC);
        if (error)
            return error;
        const char *rest = next_name(nd, &nd->last);
        bool is_last = has_only_slashes(rest);
        nd->has_trailing_slash = *rest == '/';
        nd->last_type = type_of(&nd->last);
        if (is_last && (nd->flags & LOOKUP_PARENT)) {
            nd->name = rest;
            return 0;
        }
        if (nd->last_type == LAST_NORM)
            error = walk_component(nd, &nd->last, rest,
                                   !is_last || (nd->flags & LOOKUP_FOLLOW) || nd->has_trailing_slash);
        else if (nd->last_type == LAST_DOTDOT)
            follow_dotdot(nd);
        if (nd->last_type != LAST_NORM)
            nd->name = rest;
        if (error)
            return error;
    }
    bool wants_dir = nd->has_trailing_slash || (nd->flags & LOOKUP_DIRECTORY);
    return wants_dir && !is_dir(&nd->path) ? -ENOTDIR : 0;
}

/* Where a walk that does not begin at the root begins. */
static int start_at(int dfd, struct path *path)
{
    if (dfd == AT_FDCWD) {
        get_fs_pwd(path);
        return 0;
    }
    struct file *file = fget_raw((u32)dfd);
    if (file == NULL)
        return -EBADF;
    *path = file->f_path;
    path_get(path);
    fput(file);
    return 0;
}

int nameidata_begin(struct nameidata *nd, int dfd, const char *name, u32 flags)
{
    *nd = (struct nameidata){.name = name, .flags = flags};
    if (*name == '\0' && !(flags & LOOKUP_EMPTY))
        return -ENOENT;
    get_fs_root(&nd->root);
    if (*name == '/') {
        nd->path = nd->root;
        path_get(&nd->path);
        return 0;
    }
    int error = start_at(dfd, &nd->path);
    if (error == 0 && *name && !is_dir(&nd->path)) {
        path_put(&nd->path);
        error = -ENOTDIR;
    }
    if (error)
        path_put(&nd->root);
    return error;
}

void nameidata_end(struct nameidata *nd)
{
    path_put(&nd->path);
    path_put(&nd->root);
    kfree(nd->buffer);
}

int kern_path_at(int dfd, const char *name, u32 flags, struct path *path)
{
    struct nameidata nd;
    int error = nameidata_begin(&nd, dfd, name, flags);
    if (error)
        return error;
    error = path_walk(&nd);
    if (error == 0) {
        *path = nd.path;
        path_get(path);
    }
    nameidata_end(&nd);
    return error;
}

int kern_path(const char *name, u32 flags, struct path *path)
{
    return kern_path_at(AT_FDCWD, name, flags, path);
}

int user_path_at(int dfd, const char __user *user_name, u32 flags, struct path *path)
{
    char *name = getname_flags(user_name, flags);
    if (IS_ERR(name))
        return (int)PTR_ERR(name);
    int error = kern_path_at(dfd, name, flags, path);
    putname(name);
    return error;
}
