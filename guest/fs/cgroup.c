/*
 * Memory cgroups as folders: the file system "cgroup", version 1, with the controller "memory".
 *
 *     mount -t cgroup -o memory none /sys/fs/cgroup/memory
 *     mkdir /sys/fs/cgroup/memory/small; echo 4M > .../small/memory.limit_in_bytes; echo $$ > .../small/tasks
 *
 * A folder is a group, and has a file for each thing that can be asked or set (cgroup_memory.c). The groups
 * are there as long as the file system is mounted somewhere.
 */
#include "cgroup.h"
#include "asm/uaccess.h"
#include "err.h"
#include "libfs.h"
#include "memcontrol.h"
#include "seq_file.h"
#include "string.h"

#define CGROUP_SUPER_MAGIC 0x0027E0EBu
#define WRITE_MOST 64u

/* Inodes of folders: their group, NULL for the root. Inodes of files: what file it is. */
static struct mem_cgroup *group_of_folder(const struct inode *inode)
{
    return inode->i_private;
}

static const struct cftype *cftype_of(const struct inode *inode)
{
    return inode->i_private;
}

/* The group that a file is about. -ENODEV: its folder is gone. */
static int group_of_file(const struct dentry *dentry, struct mem_cgroup **memcg)
{
    const struct dentry *folder = dentry->d_parent;
    if (d_unhashed(folder) && !IS_ROOT(folder))
        return -ENODEV;
    *memcg = group_of_folder(folder->d_inode);
    return 0;
}

/* ---- Files ---- */

static int cgroup_show(struct seq_file *m, void *data)
{
    const struct dentry *dentry = data;
    struct mem_cgroup *memcg;
    int error = group_of_file(dentry, &memcg);
    if (error)
        return error;
    return cftype_of(dentry->d_inode)->show(m, memcg);
}

static int cgroup_file_open(struct inode *inode, struct file *file)
{
    (void)inode;
    return single_open(file, cgroup_show, file->f_path.dentry);
}

static ssize_t cgroup_file_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    if (cftype_of(file_inode(file))->show == NULL)
        return -EINVAL;
    return single_read(file, buf, count, pos);
}

static ssize_t cgroup_file_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    const struct cftype *cft = cftype_of(file_inode(file));
    struct mem_cgroup *memcg;
    char text[WRITE_MOST + 1];
    if (cft->write == NULL || count > WRITE_MOST)
        return -EINVAL;
    if (copy_from_user(text, buf, count))
        return -EFAULT;
    text[count] = '\0';
    if (count && text[count - 1] == '\n')
        text[count - 1] = '\0';
    int error = group_of_file(file->f_path.dentry, &memcg);
    if (error)
        return error;
    /* It may sleep, and the folder may go meanwhile. */
    mem_cgroup_get(memcg);
    error = cft->write(memcg, text);
    mem_cgroup_put(memcg);
    if (error)
        return error;
    *pos += (loff_t)count;
    return (ssize_t)count;
}

static const struct file_operations cgroup_file_operations = {
    .open = cgroup_file_open,
    .read = cgroup_file_read,
    .write = cgroup_file_write,
    .llseek = generic_file_llseek,
    .release = single_release,
};

/* Who opens one for writing may say O_TRUNC; there is nothing to cut off. */
static int cgroup_setattr(struct dentry *dentry, struct iattr *attr)
{
    (void)dentry;
    return (attr->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID)) ? -EPERM : 0;
}

static const struct inode_operations cgroup_file_inode_operations = {.setattr = cgroup_setattr};

static struct qstr name_of(struct dentry *folder, const struct cftype *cft)
{
    u32 len = (u32)strlen(cft->name);
    return (struct qstr){.name = cft->name, .len = len, .hash = full_name_hash(folder, cft->name, len)};
}

static int add_file(struct dentry *folder, const struct cftype *cft)
{
    const struct qstr name = name_of(folder, cft);
    struct dentry *dentry = d_alloc(folder, &name);
    if (dentry == NULL)
        return -ENOMEM;
    d_add(dentry, NULL);
    struct inode *inode = new_inode(folder->d_sb);
    if (inode) {
        inode->i_ino = get_next_ino();
        inode->i_mode = (umode_t)(S_IFREG | (cft->show ? 0444 : 0) | (cft->write ? 0200 : 0));
        inode->i_atime = inode->i_mtime = inode->i_ctime = current_time();
        inode->i_op = &cgroup_file_inode_operations;
        inode->i_fop = &cgroup_file_operations;
        inode->i_private = (void *)cft;
        simple_instantiate(folder->d_inode, dentry, inode);
    }
    dput(dentry);
    return inode ? 0 : -ENOMEM;
}

/* ---- Folders ---- */

static const struct inode_operations cgroup_dir_inode_operations;

static struct inode *make_folder(struct super_block *sb, umode_t mode, struct mem_cgroup *memcg)
{
    struct inode *inode = new_inode(sb);
    if (inode == NULL)
        return NULL;
    inode->i_ino = get_next_ino();
    inode->i_mode = (umode_t)(S_IFDIR | (mode & 0777));
    inode->i_atime = inode->i_mtime = inode->i_ctime = current_time();
    inode->i_op = &cgroup_dir_inode_operations;
    inode->i_fop = &simple_dir_operations;
    inode->i_private = memcg;
    set_nlink(inode, 2);
    return inode;
}

static int add_files(struct dentry *folder)
{
    int error = 0;
    for (const struct cftype *cft = cgroup_memory_files; cft->name && error == 0; cft++)
        if (group_of_folder(folder->d_inode) || !cft->is_not_of_root)
            error = add_file(folder, cft);
    return error;
}

/* The names of the files go; who has one open keeps it, and is told that there is no group. */
static void remove_files(struct dentry *folder)
{
    for (const struct cftype *cft = cgroup_memory_files; cft->name; cft++) {
        const struct qstr name = name_of(folder, cft);
        struct dentry *dentry = d_lookup(folder, &name);
        if (dentry == NULL)
            continue;
        if (!d_is_negative(dentry)) {
            simple_unlink(folder->d_inode, dentry);
            d_drop(dentry);
        }
        dput(dentry);
    }
}

static int cgroup_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
    struct mem_cgroup *memcg;
    int error = mem_cgroup_create(group_of_folder(dir), dentry->d_name.name, &memcg);
    if (error)
        return error;
    struct inode *inode = make_folder(dir->i_sb, mode, memcg);
    if (inode == NULL) {
        mem_cgroup_remove(memcg);
        return -ENOMEM;
    }
    simple_instantiate(dir, dentry, inode);
    return add_files(dentry);
}

static bool has_folders(const struct dentry *folder)
{
    const struct dentry *child;
    list_for_each_entry(child, &folder->d_subdirs, d_child)
    {
        if (!d_is_negative(child) && !d_unhashed(child) && S_ISDIR(child->d_inode->i_mode))
            return true;
    }
    return false;
}

static int cgroup_rmdir(struct inode *dir, struct dentry *dentry)
{
    if (has_folders(dentry))
        return -EBUSY;
    int error = mem_cgroup_remove(group_of_folder(dentry->d_inode));
    if (error)
        return error;
    dentry->d_inode->i_private = NULL;
    remove_files(dentry);
    return simple_rmdir(dir, dentry);
}

static const struct inode_operations cgroup_dir_inode_operations = {
    .lookup = simple_lookup, .mkdir = cgroup_mkdir, .rmdir = cgroup_rmdir, .setattr = cgroup_setattr};

/* ---- The file system ---- */

/* Mounted nowhere any more: what groups there are still, have no folders. Their processes are in the root. */
static void cgroup_evict_inode(struct inode *inode)
{
    struct mem_cgroup *memcg = S_ISDIR(inode->i_mode) ? group_of_folder(inode) : NULL;
    if (memcg)
        mem_cgroup_abandon(memcg);
    clear_inode(inode);
}

static const struct super_operations cgroup_super_operations = {.statfs = simple_statfs,
                                                                .evict_inode = cgroup_evict_inode};

static int cgroup_fill_super(struct super_block *sb, const char *data)
{
    (void)data;
    sb->s_magic = CGROUP_SUPER_MAGIC;
    sb->s_op = &cgroup_super_operations;
    sb->s_d_op = &simple_dentry_operations;
    struct inode *root = make_folder(sb, 0755, NULL);
    if (root == NULL)
        return -ENOMEM;
    sb->s_root = d_make_root(root);
    return sb->s_root ? add_files(sb->s_root) : -ENOMEM;
}

static struct super_block *cgroup_mount(const struct file_system_type *type, u32 flags, const char *dev_name,
                                        const char *data)
{
    (void)dev_name;
    if (data && *data && strcmp(data, "memory") != 0)
        return ERR_PTR(-EINVAL);
    return mount_single(type, flags, data, cgroup_fill_super);
}

static struct file_system_type cgroup_type = {.name = "cgroup", .fs_flags = FS_LITTER, .mount = cgroup_mount};

void cgroup_init(void)
{
    register_filesystem(&cgroup_type);
}
