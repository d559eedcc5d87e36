/* devtmpfs: a folder that has a file for each device that a driver has found. */
#include "err.h"
#include "libfs.h"
#include "namei.h"
#include "string.h"

#define NR_NODES_MOST 96u

static struct device_node {
    const char *name;
    umode_t mode;
    dev_t dev;
} nodes[NR_NODES_MOST];
static u32 nr_nodes;

/* While it is mounted somewhere. */
static struct super_block *devtmpfs_sb;

/* A name in a folder of the file system, made if it is not there; with a reference, or ERR_PTR. */
static struct dentry *make(struct dentry *dir, const char *name, u32 len, umode_t mode, dev_t dev)
{
    struct dentry *dentry = lookup_one_len(name, dir, len);
    if (IS_ERR(dentry) || !d_is_negative(dentry))
        return dentry;
    struct inode *inode = ramfs_get_inode(dir->d_sb, NULL, mode, dev);
    if (inode) {
        simple_instantiate(dir->d_inode, dentry, inode);
        return dentry;
    }
    dput(dentry);
    return ERR_PTR(-ENOMEM);
}

static int make_node(struct dentry *root, const struct device_node *node)
{
    const char *name = node->name, *slash = strchr(name, '/');
    struct dentry *dir = dget(root);
    if (slash) {
        struct dentry *folder = make(root, name, (u32)(slash - name), S_IFDIR | 0755, 0);
        dput(dir);
        if (IS_ERR(folder))
            return (int)PTR_ERR(folder);
        dir = folder;
        name = slash + 1;
    }
    struct dentry *dentry = make(dir, name, (u32)strlen(name), node->mode, node->dev);
    dput(dir);
    if (IS_ERR(dentry))
        return (int)PTR_ERR(dentry);
    dput(dentry);
    return 0;
}

int devtmpfs_create_node(const char *name, umode_t mode, dev_t dev)
{
    if (nr_nodes == NR_NODES_MOST)
        return -ENOSPC;
    struct device_node *node = &nodes[nr_nodes++];
    *node = (struct device_node){.name = name, .mode = mode, .dev = dev};
    return devtmpfs_sb ? make_node(devtmpfs_sb->s_root, node) : 0;
}

static void devtmpfs_put_super(struct super_block *sb)
{
    (void)sb;
    devtmpfs_sb = NULL;
}

static int devtmpfs_fill_super(struct super_block *sb, const char *data)
{
    static struct super_operations operations;
    int error = ramfs_fill_super(sb, data);
    if (error)
        return error;
    operations = *sb->s_op;
    operations.put_super = devtmpfs_put_super;
    sb->s_op = &operations;
    devtmpfs_sb = sb;
    for (u32 i = 0; error == 0 && i < nr_nodes; i++)
        error = make_node(sb->s_root, &nodes[i]);
    return error;
}

static struct super_block *devtmpfs_mount(const struct file_system_type *type, u32 flags,
                                          const char *dev_name, const char *data)
{
    (void)dev_name;
    return mount_single(type, flags, data, devtmpfs_fill_super);
}

static struct file_system_type devtmpfs_type = {
    .name = "devtmpfs", .fs_flags = FS_LITTER, .mount = devtmpfs_mount};

void devtmpfs_init(void)
{
    register_filesystem(&devtmpfs_type);
}
