/* Mounts: the tree of all file systems. There is one for all tasks. */
#include "bug.h"
#include "err.h"
#include "fs_struct.h"
#include "internal.h"
#include "mount.h"
#include "slab.h"
#include "string.h"

LIST_HEAD(mount_list);

static struct vfsmount *alloc_vfsmnt(const char *dev_name)
{
    size_t bytes = strlen(dev_name) + 1;
    struct vfsmount *mnt = kzalloc(sizeof(*mnt) + bytes, GFP_KERNEL);
    if (mnt == NULL)
        return NULL;
    memcpy(mnt->mnt_devname, dev_name, bytes);
    mnt->mnt_count = 1;
    mnt->mnt_parent = mnt;
    INIT_LIST_HEAD(&mnt->mnt_list);
    return mnt;
}

static struct vfsmount *mount_of(struct super_block *sb, struct dentry *root, const char *dev_name)
{
    struct vfsmount *mnt = alloc_vfsmnt(dev_name);
    if (mnt == NULL) {
        deactivate_super(sb);
        return ERR_PTR(-ENOMEM);
    }
    mnt->mnt_sb = sb;
    mnt->mnt_root = dget(root);
    mnt->mnt_mountpoint = mnt->mnt_root;
    return mnt;
}

struct vfsmount *kern_mount(const struct file_system_type *type, u32 flags, const char *dev_name,
                            const char *data)
{
    struct super_block *sb = type->mount(type, flags, dev_name, data);
    if (IS_ERR(sb))
        return ERR_PTR(PTR_ERR(sb));
    return mount_of(sb, sb->s_root, dev_name ? dev_name : "none");
}

void mntput(struct vfsmount *mnt)
{
    if (mnt == NULL)
        return;
    BUG_ON(mnt->mnt_count == 0);
    if (--mnt->mnt_count)
        return;
    BUG_ON(mnt->mnt_parent != mnt);
    struct super_block *sb = mnt->mnt_sb;
    dput(mnt->mnt_root);
    kfree(mnt);
    deactivate_super(sb);
}

static bool is_mounted_on(const struct vfsmount *mnt, const struct path *path)
{
    return mnt->mnt_parent == path->mnt && mnt->mnt_mountpoint == path->dentry && mnt->mnt_parent != mnt;
}

struct vfsmount *lookup_mnt(const struct path *path)
{
    struct vfsmount *mnt;
    if (!(path->dentry->d_flags & DCACHE_MOUNTED))
        return NULL;
    list_for_each_entry(mnt, &mount_list, mnt_list)
    {
        if (is_mounted_on(mnt, path))
            return mnt;
    }
    return NULL;
}

/* Takes over the caller's reference to mnt. */
static void attach_mnt(struct vfsmount *mnt, const struct path *path)
{
    path_get(path);
    mnt->mnt_parent = path->mnt;
    mnt->mnt_mountpoint = path->dentry;
    path->dentry->d_flags |= DCACHE_MOUNTED;
    list_add_tail(&mnt->mnt_list, &mount_list);
}

static bool is_mountpoint(const struct dentry *dentry)
{
    const struct vfsmount *mnt;
    list_for_each_entry(mnt, &mount_list, mnt_list)
    {
        if (mnt->mnt_mountpoint == dentry && mnt->mnt_parent != mnt)
            return true;
    }
    return false;
}

/* Takes it out of the tree; the reference that the tree had is the caller's then. */
static void detach_mnt(struct vfsmount *mnt)
{
    const struct path place = {.mnt = mnt->mnt_parent, .dentry = mnt->mnt_mountpoint};
    list_del_init(&mnt->mnt_list);
    mnt->mnt_parent = mnt;
    mnt->mnt_mountpoint = mnt->mnt_root;
    if (!is_mountpoint(place.dentry))
        place.dentry->d_flags &= ~DCACHE_MOUNTED;
    path_put(&place);
}

static u32 mnt_flags_of(u32 flags)
{
    return (flags & (MS_NOSUID | MS_NODEV | MS_NOEXEC)) >> 1 | ((flags & MS_NOATIME) ? MNT_NOATIME : 0) |
           ((flags & MS_RDONLY) ? MNT_READONLY : 0);
}

static int add_mount(struct vfsmount *mnt, const struct path *path, u32 flags)
{
    int error = 0;
    if (S_ISDIR(path->dentry->d_inode->i_mode) != S_ISDIR(mnt->mnt_root->d_inode->i_mode))
        error = -ENOTDIR;
    else if (path->mnt->mnt_sb == mnt->mnt_sb && path->dentry == mnt->mnt_root)
        error = -EBUSY; /* there already */
    if (error) {
        mntput(mnt);
        return error;
    }
    mnt->mnt_flags = mnt_flags_of(flags);
    attach_mnt(mnt, path);
    return 0;
}

static int do_new_mount(const char *dev_name, const struct path *path, const char *type_name, u32 flags,
                        const char *data)
{
    if (type_name == NULL)
        return -EINVAL;
    const struct file_system_type *type = get_fs_type(type_name);
    if (type == NULL)
        return -ENODEV;
    struct vfsmount *mnt = kern_mount(type, flags & MS_RDONLY, dev_name, data);
    return IS_ERR(mnt) ? (int)PTR_ERR(mnt) : add_mount(mnt, path, flags);
}

static int do_loopback(const char *old_name, const struct path *path, u32 flags)
{
    struct path old;
    if (old_name == NULL)
        return -EINVAL;
    int error = kern_path(old_name, LOOKUP_FOLLOW, &old);
    if (error)
        return error;
    old.mnt->mnt_sb->s_count++;
    struct vfsmount *mnt = mount_of(old.mnt->mnt_sb, old.dentry, old.mnt->mnt_devname);
    u32 inherited = IS_ERR(mnt) ? 0 : old.mnt->mnt_flags;
    path_put(&old);
    if (IS_ERR(mnt))
        return (int)PTR_ERR(mnt);
    error = add_mount(mnt, path, flags);
    if (error == 0)
        mnt->mnt_flags = inherited;
    return error;
}

static bool is_root_of_mount(const struct path *path)
{
    return path->dentry == path->mnt->mnt_root;
}

static int do_remount(const struct path *path, u32 flags, const char *data)
{
    struct super_block *sb = path->mnt->mnt_sb;
    if (!is_root_of_mount(path))
        return -EINVAL;
    if (flags & MS_BIND) {
        path->mnt->mnt_flags = mnt_flags_of(flags);
        return 0;
    }
    u32 sb_flags = (sb->s_flags & ~SB_RDONLY) | (flags & MS_RDONLY);
    if ((flags & MS_RDONLY) && !(sb->s_flags & SB_RDONLY))
        sync_filesystem(sb);
    int error = sb->s_op->remount_fs ? sb->s_op->remount_fs(sb, sb_flags, data) : 0;
    if (error)
        return error;
    sb->s_flags = sb_flags;
    path->mnt->mnt_flags = mnt_flags_of(flags);
    return 0;
}

static bool is_below(const struct vfsmount *mnt, const struct vfsmount *ancestor)
{
    while (mnt != ancestor && mnt->mnt_parent != mnt)
        mnt = mnt->mnt_parent;
    return mnt == ancestor;
}

static int do_move_mount(const char *old_name, const struct path *path)
{
    struct path old;
    if (old_name == NULL)
        return -EINVAL;
    int error = kern_path(old_name, LOOKUP_FOLLOW, &old);
    if (error)
        return error;
    struct vfsmount *mnt = old.mnt;
    if (!is_root_of_mount(&old) || mnt->mnt_parent == mnt)
        error = -EINVAL;
    else if (is_below(path->mnt, mnt))
        error = -ELOOP;
    else if (S_ISDIR(path->dentry->d_inode->i_mode) != S_ISDIR(mnt->mnt_root->d_inode->i_mode))
        error = -ENOTDIR;
    if (error == 0) {
        detach_mnt(mnt);
        attach_mnt(mnt, path);
    }
    path_put(&old);
    return error;
}

int do_mount(const char *dev_name, const char *dir, const char *type, u32 flags, const char *data)
{
    struct path path;
    int error = kern_path(dir, LOOKUP_FOLLOW, &path);
    if (error)
        return error;
    if (flags & MS_REMOUNT)
        error = do_remount(&path, flags, data);
    else if (flags & MS_BIND)
        error = do_loopback(dev_name, &path, flags);
    else if (flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
        error = is_root_of_mount(&path) ? 0 : -EINVAL; /* with one namespace, there is nobody to share with */
    else if (flags & MS_MOVE)
        error = do_move_mount(dev_name, &path);
    else
        error = do_new_mount(dev_name, &path, type, flags, data);
    path_put(&path);
    return error;
}

static struct vfsmount *find_submount(const struct vfsmount *mnt)
{
    struct vfsmount *other;
    list_for_each_entry(other, &mount_list, mnt_list)
    {
        if (other->mnt_parent == mnt && other != mnt)
            return other;
    }
    return NULL;
}

/* It and all that is mounted below it, the lowest first, whoever still uses them. */
static void detach_tree(struct vfsmount *mnt)
{
    struct vfsmount *at = mnt;
    for (;;) {
        struct vfsmount *below = find_submount(at);
        if (below) {
            at = below;
            continue;
        }
        struct vfsmount *parent = at->mnt_parent;
        bool is_last = at == mnt;
        detach_mnt(at);
        mntput(at);
        if (is_last)
            return;
        at = parent;
    }
}

/* The tree has a reference to a mount, and the caller of umount(2) by the path. */
#define IDLE_MNT_COUNT 2u

static int umount_path(const struct path *path, u32 flags)
{
    struct vfsmount *mnt = path->mnt;
    if (!is_root_of_mount(path) || mnt->mnt_parent == mnt)
        return -EINVAL;
    if (!(flags & MNT_DETACH)) {
        shrink_dcache_parent(mnt->mnt_root);
        if (mnt->mnt_count > IDLE_MNT_COUNT)
            return -EBUSY;
    }
    detach_tree(mnt);
    return 0;
}

int do_umount(const char *dir, u32 flags)
{
    struct path path;
    if (flags & ~(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW))
        return -EINVAL;
    int error = kern_path(dir, (flags & UMOUNT_NOFOLLOW) ? 0 : LOOKUP_FOLLOW, &path);
    if (error)
        return error;
    error = umount_path(&path, flags);
    path_put(&path);
    return error;
}

int mount_root(const char *dev_name, const char *type_name, u32 flags)
{
    struct path place;
    const struct file_system_type *type = get_fs_type(type_name);
    if (type == NULL)
        return -ENODEV;
    struct vfsmount *mnt = kern_mount(type, flags, dev_name, NULL);
    if (IS_ERR(mnt))
        return (int)PTR_ERR(mnt);
    get_fs_root(&place);
    int error = add_mount(mnt, &place, flags);
    path_put(&place);
    if (error)
        return error;
    const struct path root = {.mnt = mnt, .dentry = mnt->mnt_root};
    set_fs_root(&root);
    set_fs_pwd(&root);
    error = do_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    return error == -ENOENT ? 0 : error;
}

int mnt_want_write(const struct path *path)
{
    return IS_RDONLY(path->dentry->d_inode) || (path->mnt->mnt_flags & MNT_READONLY) ? -EROFS : 0;
}

void unmount_all(struct vfsmount *root)
{
    struct vfsmount *mnt;
    while ((mnt = find_submount(root)))
        detach_tree(mnt);
    list_del_init(&root->mnt_list);
    mntput(root);
}
