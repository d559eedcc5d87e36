#include "libfs.h"
#include "bug.h"
#include "err.h"
#include "mm.h"

static bool is_not_kept(const struct dentry *dentry)
{
    (void)dentry;
    return true;
}

const struct dentry_operations simple_dentry_operations = {.d_delete = is_not_kept};

struct dentry *simple_lookup(struct inode *dir, struct dentry *dentry)
{
    (void)dir;
    d_add(dentry, NULL);
    return NULL;
}

static void touch(struct inode *inode)
{
    inode->i_mtime = inode->i_ctime = current_time();
}

void simple_instantiate(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
    d_instantiate(dentry, inode);
    dget(dentry);
    touch(dir);
    if (S_ISDIR(inode->i_mode))
        inc_nlink(dir);
}

int simple_link(struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry)
{
    struct inode *inode = old_dentry->d_inode;
    inode->i_ctime = current_time();
    inc_nlink(inode);
    simple_instantiate(dir, new_dentry, igrab(inode));
    return 0;
}

int simple_unlink(struct inode *dir, struct dentry *dentry)
{
    struct inode *inode = dentry->d_inode;
    touch(dir);
    inode->i_ctime = dir->i_ctime;
    drop_nlink(inode);
    dput(dentry);
    return 0;
}

/* A file that is gone, but for those who have it open, is still a child. */
static bool is_name(const struct dentry *child)
{
    return !d_is_negative(child) && !d_unhashed(child);
}

bool simple_empty(struct dentry *dentry)
{
    const struct dentry *child;
    list_for_each_entry(child, &dentry->d_subdirs, d_child)
    {
        if (is_name(child))
            return false;
    }
    return true;
}

int simple_rmdir(struct inode *dir, struct dentry *dentry)
{
    if (!simple_empty(dentry))
        return -ENOTEMPTY;
    drop_nlink(dentry->d_inode);
    simple_unlink(dir, dentry);
    drop_nlink(dir);
    return 0;
}

int simple_rename(struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
                  struct dentry *new_dentry)
{
    bool is_dir = S_ISDIR(old_dentry->d_inode->i_mode);
    if (new_dentry->d_inode) {
        if (!simple_empty(new_dentry))
            return -ENOTEMPTY;
        if (is_dir)
            drop_nlink(new_dentry->d_inode);
        simple_unlink(new_dir, new_dentry);
        if (is_dir)
            drop_nlink(old_dir);
    } else if (is_dir) {
        drop_nlink(old_dir);
        inc_nlink(new_dir);
    }
    touch(old_dir);
    touch(new_dir);
    old_dentry->d_inode->i_ctime = new_dir->i_ctime;
    return 0;
}

int simple_statfs(struct dentry *dentry, struct kstatfs *buf)
{
    (void)dentry;
    (void)buf;
    return 0;
}

/* The child with a reference, so that it stays on the list while its name is handed out. */
static struct dentry *next_child(struct dentry *dir, struct list_head *after, loff_t pos)
{
    for (struct list_head *at = after->next; at != &dir->d_subdirs; at = at->next) {
        struct dentry *child = list_entry(at, struct dentry, d_child);
        if (is_name(child) && child->d_order >= pos)
            return dget(child);
    }
    return NULL;
}

/* Positions behind the two dots. */
#define FIRST_CHILD_POS 2

static int simple_readdir(struct file *file, struct dir_context *ctx)
{
    struct dentry *dir = file->f_path.dentry;
    if (!dir_emit_dots(file, ctx))
        return 0;
    struct dentry *child = next_child(dir, &dir->d_subdirs, ctx->pos - FIRST_CHILD_POS);
    while (child) {
        const struct inode *inode = child->d_inode;
        ctx->pos = child->d_order + FIRST_CHILD_POS;
        bool has_room =
            dir_emit(ctx, child->d_name.name, child->d_name.len, inode->i_ino, mode_to_dt(inode->i_mode));
        if (has_room)
            ctx->pos++;
        struct dentry *next = has_room ? next_child(dir, &child->d_child, 0) : NULL;
        dput(child);
        child = next;
    }
    return 0;
}

/* Where a folder ends cannot be told. */
static loff_t simple_dir_llseek(struct file *file, loff_t offset, int whence)
{
    return whence == SEEK_END ? -EINVAL : generic_file_llseek(file, offset, whence);
}

static int simple_dir_fsync(struct file *file, int datasync)
{
    (void)file;
    (void)datasync;
    return 0;
}

const struct file_operations simple_dir_operations = {
    .llseek = simple_dir_llseek, .iterate_shared = simple_readdir, .fsync = simple_dir_fsync};

static const struct super_operations pseudo_super_operations = {.statfs = simple_statfs};

static int pseudo_fill_super(struct super_block *sb, const char *data)
{
    (void)data;
    sb->s_op = &pseudo_super_operations;
    struct inode *root = new_inode(sb);
    if (root == NULL)
        return -ENOMEM;
    root->i_ino = get_next_ino();
    root->i_mode = S_IFDIR | S_IRWXUGO;
    sb->s_root = d_make_root(root);
    return sb->s_root ? 0 : -ENOMEM;
}

struct super_block *mount_pseudo(const struct file_system_type *type, u32 flags, const char *dev_name,
                                 const char *data)
{
    (void)dev_name;
    return mount_nodev(type, flags, data, pseudo_fill_super);
}
