/* ramfs: files that are in the page cache and nowhere else. */
#include "err.h"
#include "libfs.h"
#include "slab.h"
#include "string.h"

#define RAMFS_MAGIC 0x858458F6u

static const struct address_space_operations ramfs_aops = {.readpage = simple_readpage};

static int ramfs_fsync(struct file *file, int datasync)
{
    (void)file;
    (void)datasync;
    return 0;
}

static const struct file_operations ramfs_file_operations = {.llseek = generic_file_llseek,
                                                             .read = generic_file_read,
                                                             .write = generic_file_write,
                                                             .mmap = generic_file_mmap,
                                                             .fsync = ramfs_fsync};

static int ramfs_getattr(const struct path *path, struct kstat *stat)
{
    const struct inode *inode = path->dentry->d_inode;
    generic_fillattr(inode, stat);
    stat->blocks = (u64)inode->i_mapping->nrpages * (PAGE_SIZE / 512);
    return 0;
}

static const struct inode_operations ramfs_file_inode_operations = {.setattr = simple_setattr,
                                                                    .getattr = ramfs_getattr};

static int ramfs_readlink(struct dentry *dentry, char *buf, u32 size)
{
    const char *text = dentry->d_inode->i_private;
    u32 length = min((u32)strlen(text), size);
    memcpy(buf, text, length);
    return (int)length;
}

static const struct inode_operations ramfs_symlink_inode_operations = {.readlink = ramfs_readlink};
static const struct inode_operations ramfs_dir_inode_operations;

struct inode *ramfs_get_inode(struct super_block *sb, const struct inode *dir, umode_t mode, dev_t dev)
{
    struct inode *inode = new_inode(sb);
    if (inode == NULL)
        return NULL;
    inode->i_ino = get_next_ino();
    inode_init_owner(inode, dir, mode);
    inode->i_atime = inode->i_mtime = inode->i_ctime = current_time();
    switch (mode & S_IFMT) {
    case S_IFREG:
        inode->i_op = &ramfs_file_inode_operations;
        inode->i_fop = &ramfs_file_operations;
        if (inode_init_mapping(inode, sb->s_fs_info ? &tmpfs_aops : &ramfs_aops, GFP_HIGHUSER_MOVABLE)) {
            iput(inode);
            return NULL;
        }
        break;
    case S_IFDIR:
        inode->i_op = &ramfs_dir_inode_operations;
        inode->i_fop = &simple_dir_operations;
        set_nlink(inode, 2);
        break;
    case S_IFLNK:
        inode->i_op = &ramfs_symlink_inode_operations;
        break;
    default:
        init_special_inode(inode, inode->i_mode, dev);
        break;
    }
    return inode;
}

static int ramfs_mknod(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t dev)
{
    struct inode *inode = ramfs_get_inode(dir->i_sb, dir, mode, dev);
    if (inode == NULL)
        return -ENOSPC;
    simple_instantiate(dir, dentry, inode);
    return 0;
}

static int ramfs_create(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    return ramfs_mknod(dir, dentry, (umode_t)(mode | S_IFREG), 0);
}

static int ramfs_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    return ramfs_mknod(dir, dentry, (umode_t)(mode | S_IFDIR), 0);
}

static int ramfs_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
    size_t bytes = strlen(target) + 1;
    char *text = kmalloc(bytes, GFP_KERNEL);
    struct inode *inode = text ? ramfs_get_inode(dir->i_sb, dir, S_IFLNK | S_IRWXUGO, 0) : NULL;
    if (inode == NULL) {
        kfree(text);
        return -ENOSPC;
    }
    memcpy(text, target, bytes);
    inode->i_private = text;
    inode->i_size = (loff_t)bytes - 1;
    simple_instantiate(dir, dentry, inode);
    return 0;
}

static const struct inode_operations ramfs_dir_inode_operations = {.lookup = simple_lookup,
                                                                   .create = ramfs_create,
                                                                   .link = simple_link,
                                                                   .unlink = simple_unlink,
                                                                   .symlink = ramfs_symlink,
                                                                   .mkdir = ramfs_mkdir,
                                                                   .rmdir = simple_rmdir,
                                                                   .mknod = ramfs_mknod,
                                                                   .rename = simple_rename};

void ramfs_evict_inode(struct inode *inode)
{
    inode_free_mapping(inode);
    clear_inode(inode);
    if (S_ISLNK(inode->i_mode))
        kfree(inode->i_private);
}

static const struct super_operations ramfs_super_operations = {.evict_inode = ramfs_evict_inode,
                                                               .statfs = simple_statfs};

int ramfs_fill_super(struct super_block *sb, const char *data)
{
    (void)data;
    sb->s_magic = RAMFS_MAGIC;
    sb->s_op = &ramfs_super_operations;
    sb->s_d_op = &simple_dentry_operations;
    struct inode *root = ramfs_get_inode(sb, NULL, S_IFDIR | 0755, 0);
    sb->s_root = d_make_root(root);
    return sb->s_root ? 0 : -ENOMEM;
}

static struct super_block *ramfs_mount(const struct file_system_type *type, u32 flags, const char *dev_name,
                                       const char *data)
{
    (void)dev_name;
    return mount_nodev(type, flags, data, ramfs_fill_super);
}

static struct file_system_type rootfs_type = {.name = "rootfs", .fs_flags = FS_LITTER, .mount = ramfs_mount};
static struct file_system_type ramfs_type = {.name = "ramfs", .fs_flags = FS_LITTER, .mount = ramfs_mount};

void ramfs_init(void)
{
    register_filesystem(&rootfs_type);
    register_filesystem(&ramfs_type);
}
