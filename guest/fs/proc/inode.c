/* The file system itself: inodes, super block, type. */
#include "err.h"
#include "internal.h"
#include "slab.h"

#define PROC_SUPER_MAGIC 0x9FA0u

static struct kmem_cache *proc_inode_cachep;

static struct inode *proc_alloc_inode(struct super_block *sb)
{
    (void)sb;
    struct proc_inode *inode = kmem_cache_zalloc(proc_inode_cachep, GFP_KERNEL);
    return inode ? &inode->vfs_inode : NULL;
}

static void proc_destroy_inode(struct inode *inode)
{
    kmem_cache_free(proc_inode_cachep, PROC_I(inode));
}

struct proc_inode *proc_new_inode(struct super_block *sb, umode_t mode)
{
    struct inode *inode = new_inode(sb);
    if (inode == NULL)
        return NULL;
    inode->i_ino = get_next_ino();
    inode->i_mode = mode;
    inode->i_atime = inode->i_mtime = inode->i_ctime = current_time();
    set_nlink(inode, S_ISDIR(mode) ? 2 : 1);
    return PROC_I(inode);
}

struct dentry *proc_add(struct dentry *dentry, struct proc_inode *inode)
{
    if (inode == NULL)
        return ERR_PTR(-ENOMEM);
    d_add(dentry, &inode->vfs_inode);
    return NULL;
}

static bool proc_d_revalidate(struct dentry *dentry)
{
    return dentry->d_inode == NULL || proc_pid_update_inode(PROC_I(dentry->d_inode));
}

/*
 * What a task's number means does not outlive its last user, nor does the knowledge that there is no such
 * task.
 */
static bool proc_d_delete(const struct dentry *dentry)
{
    return dentry->d_inode == NULL || PROC_I(dentry->d_inode)->pid != 0;
}

static const struct dentry_operations proc_dentry_operations = {
    .d_revalidate = proc_d_revalidate,
    .d_delete = proc_d_delete,
};

static int proc_statfs(struct dentry *dentry, struct kstatfs *buf)
{
    (void)dentry;
    *buf = (struct kstatfs){.f_type = PROC_SUPER_MAGIC, .f_bsize = PAGE_SIZE, .f_namelen = NAME_MAX};
    return 0;
}

static const struct super_operations proc_super_operations = {
    .alloc_inode = proc_alloc_inode,
    .destroy_inode = proc_destroy_inode,
    .statfs = proc_statfs,
};

static int proc_fill_super(struct super_block *sb, const char *data)
{
    (void)data;
    sb->s_op = &proc_super_operations;
    sb->s_d_op = &proc_dentry_operations;
    sb->s_magic = PROC_SUPER_MAGIC;
    sb->s_blocksize = 1024;
    sb->s_blocksize_bits = 10;
    struct inode *root = proc_get_entry_inode(sb, &proc_root_entry);
    if (root == NULL)
        return -ENOMEM;
    root->i_op = &proc_root_inode_operations;
    root->i_fop = &proc_root_operations;
    sb->s_root = d_make_root(root);
    return sb->s_root ? 0 : -ENOMEM;
}

static struct super_block *proc_mount(const struct file_system_type *type, u32 flags, const char *dev_name,
                                      const char *data)
{
    (void)dev_name;
    return mount_single(type, flags, data, proc_fill_super);
}

static struct file_system_type proc_fs_type = {.name = "proc", .mount = proc_mount};

void proc_init(void)
{
    proc_inode_cachep = KMEM_CACHE(proc_inode, SLAB_PANIC);
    register_filesystem(&proc_fs_type);
}
