/* What is done to names (include/fs.h, struct inode_operations). */
#include "err.h"
#include "ext2.h"

static struct dentry *ext2_lookup(struct inode *dir, struct dentry *dentry)
{
    u32 ino;
    struct inode *inode = NULL;
    if (dentry->d_name.len > EXT2_NAME_LEN)
        return ERR_PTR(-ENAMETOOLONG);
    int error = ext2_inode_by_name(dir, &dentry->d_name, &ino);
    if (error)
        return ERR_PTR(error);
    if (ino)
        inode = ext2_iget(dir->i_sb, ino);
    return d_splice_alias(inode, dentry);
}

/* A new inode that got no name goes, with all that it has. */
static int discard(struct inode *inode, int error)
{
    clear_nlink(inode);
    mark_inode_dirty(inode);
    unlock_new_inode(inode);
    iput(inode);
    return error;
}

/* The new inode gets its name. */
static int add_name(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
    int error = ext2_add_link(dir, &dentry->d_name, inode);
    if (error)
        return discard(inode, error);
    unlock_new_inode(inode);
    d_instantiate(dentry, inode);
    return 0;
}

static int make_node(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t dev)
{
    struct inode *inode = ext2_new_inode(dir, mode);
    if (IS_ERR(inode))
        return (int)PTR_ERR(inode);
    int error = ext2_set_operations(inode, dev);
    return error ? discard(inode, error) : add_name(dir, dentry, inode);
}

static int ext2_create(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    return make_node(dir, dentry, (umode_t)(S_IFREG | (mode & S_IALLUGO)), 0);
}

static int ext2_mknod(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t dev)
{
    return make_node(dir, dentry, mode, dev);
}

static int ext2_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
    struct inode *inode = ext2_new_inode(dir, S_IFLNK | S_IRWXUGO);
    if (IS_ERR(inode))
        return (int)PTR_ERR(inode);
    int error = ext2_set_operations(inode, 0);
    error = error ? error : ext2_set_symlink(inode, target);
    return error ? discard(inode, error) : add_name(dir, dentry, inode);
}

static int ext2_link(struct dentry *old_dentry, struct inode *dir, struct dentry *dentry)
{
    struct inode *inode = old_dentry->d_inode;
    if (inode->i_nlink >= EXT2_LINK_MAX)
        return -EMLINK;
    int error = ext2_add_link(dir, &dentry->d_name, inode);
    if (error)
        return error;
    inc_nlink(inode);
    inode->i_ctime = current_time();
    mark_inode_dirty(inode);
    d_instantiate(dentry, igrab(inode));
    return 0;
}

static void lose_name(struct inode *inode)
{
    inode->i_ctime = current_time();
    drop_nlink(inode);
    mark_inode_dirty(inode);
}

static int ext2_unlink(struct inode *dir, struct dentry *dentry)
{
    int error = ext2_delete_entry(dir, &dentry->d_name);
    if (error == 0)
        lose_name(dentry->d_inode);
    return error;
}

static int ext2_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    if (dir->i_nlink >= EXT2_LINK_MAX)
        return -EMLINK;
    struct inode *inode = ext2_new_inode(dir, (umode_t)(S_IFDIR | (mode & S_IALLUGO)));
    if (IS_ERR(inode))
        return (int)PTR_ERR(inode);
    int error = ext2_set_operations(inode, 0);
    error = error ? error : ext2_make_empty(inode, dir);
    if (error)
        return discard(inode, error);
    /* Its ".", and the ".." in it. */
    set_nlink(inode, 2);
    error = add_name(dir, dentry, inode);
    if (error)
        return error;
    inc_nlink(dir);
    mark_inode_dirty(dir);
    return 0;
}

/* A folder that has lost its only name loses its "." too, and its parent the "..". */
static void lose_folder(struct inode *parent, struct inode *inode)
{
    clear_nlink(inode);
    mark_inode_dirty(inode);
    if (parent->i_nlink > 2)
        drop_nlink(parent);
    mark_inode_dirty(parent);
}

static int ext2_rmdir(struct inode *dir, struct dentry *dentry)
{
    struct inode *inode = dentry->d_inode;
    if (!ext2_empty_dir(inode))
        return -ENOTEMPTY;
    int error = ext2_delete_entry(dir, &dentry->d_name);
    if (error == 0)
        lose_folder(dir, inode);
    return error;
}

/* The name new_dentry means the moved inode from now on; what it meant before loses it. */
static int replace(struct inode *new_dir, struct dentry *new_dentry, const struct inode *moved)
{
    struct inode *victim = new_dentry->d_inode;
    if (victim == NULL)
        return ext2_add_link(new_dir, &new_dentry->d_name, moved);
    if (S_ISDIR(victim->i_mode) && !ext2_empty_dir(victim))
        return -ENOTEMPTY;
    int error = ext2_set_link(new_dir, &new_dentry->d_name, moved);
    if (error)
        return error;
    if (S_ISDIR(victim->i_mode))
        lose_folder(new_dir, victim);
    else
        lose_name(victim);
    return 0;
}

static int ext2_rename(struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
                       struct dentry *new_dentry)
{
    static const struct qstr dotdot = {.name = "..", .len = 2};
    struct inode *inode = old_dentry->d_inode;
    bool changes_parent = S_ISDIR(inode->i_mode) && old_dir != new_dir;
    if (changes_parent && new_dentry->d_inode == NULL && new_dir->i_nlink >= EXT2_LINK_MAX)
        return -EMLINK;
    int error = replace(new_dir, new_dentry, inode);
    if (error)
        return error;
    error = ext2_delete_entry(old_dir, &old_dentry->d_name);
    if (error)
        return error;
    if (changes_parent) {
        error = ext2_set_link(inode, &dotdot, new_dir);
        inc_nlink(new_dir);
        mark_inode_dirty(new_dir);
        if (old_dir->i_nlink > 2)
            drop_nlink(old_dir);
        mark_inode_dirty(old_dir);
    }
    inode->i_ctime = current_time();
    mark_inode_dirty(inode);
    return error;
}

const struct inode_operations ext2_dir_inode_operations = {.lookup = ext2_lookup,
                                                           .create = ext2_create,
                                                           .link = ext2_link,
                                                           .unlink = ext2_unlink,
                                                           .symlink = ext2_symlink,
                                                           .mkdir = ext2_mkdir,
                                                           .rmdir = ext2_rmdir,
                                                           .mknod = ext2_mknod,
                                                           .rename = ext2_rename,
                                                           .setattr = ext2_setattr};
const struct inode_operations ext2_special_inode_operations = {.setattr = ext2_setattr};
