/* Super blocks: file systems in use. */
#include "blkdev.h"
#include "bug.h"
#include "err.h"
#include "internal.h"
#include "slab.h"

#define MAX_LFS_FILESIZE 0x7FFFFFFFFFFll /* 2^31 pages on a 32-bit machine */

LIST_HEAD(super_blocks);

static struct super_block *alloc_super(const struct file_system_type *type, u32 flags)
{
    static u32 last_minor;
    struct super_block *sb = kzalloc(sizeof(*sb), GFP_KERNEL);
    if (sb == NULL)
        return NULL;
    sb->s_type = type;
    sb->s_flags = flags & SB_RDONLY;
    sb->s_count = 1;
    sb->s_maxbytes = MAX_LFS_FILESIZE;
    sb->s_blocksize = PAGE_SIZE;
    sb->s_blocksize_bits = PAGE_SHIFT;
    /* Without a device, it gets a number of its own. */
    sb->s_dev = MKDEV(0, ++last_minor);
    mutex_init(&sb->s_names_mutex);
    INIT_LIST_HEAD(&sb->s_inodes);
    list_add_tail(&sb->s_list, &super_blocks);
    return sb;
}

static void free_super(struct super_block *sb)
{
    list_del_init(&sb->s_list);
    kfree(sb);
}

static struct super_block *fill_super_block(struct super_block *sb, const char *data, fill_super_t fill_super)
{
    int error = fill_super(sb, data);
    if (error) {
        if (sb->s_root)
            shrink_dcache_for_umount(sb->s_root);
        evict_inodes(sb);
        free_super(sb);
        return ERR_PTR(error);
    }
    sb->s_flags |= SB_ACTIVE;
    return sb;
}

struct super_block *mount_nodev(const struct file_system_type *type, u32 flags, const char *data,
                                fill_super_t fill_super)
{
    struct super_block *sb = alloc_super(type, flags);
    return sb ? fill_super_block(sb, data, fill_super) : ERR_PTR(-ENOMEM);
}

struct super_block *mount_single(const struct file_system_type *type, u32 flags, const char *data,
                                 fill_super_t fill_super)
{
    struct super_block *sb;
    list_for_each_entry(sb, &super_blocks, s_list)
    {
        if (sb->s_type == type) {
            sb->s_count++;
            return sb;
        }
    }
    return mount_nodev(type, flags, data, fill_super);
}

bool bdev_is_mounted(const struct block_device *bdev)
{
    const struct super_block *sb;
    list_for_each_entry(sb, &super_blocks, s_list)
    {
        if (sb->s_bdev == bdev)
            return true;
    }
    return false;
}

/* A device that is mounted already can be mounted elsewhere too, if both want to write or neither does. */
static struct super_block *find_mounted(const struct file_system_type *type, const struct block_device *bdev,
                                        u32 flags)
{
    struct super_block *sb;
    list_for_each_entry(sb, &super_blocks, s_list)
    {
        if (sb->s_bdev != bdev)
            continue;
        if (sb->s_type != type || ((sb->s_flags ^ flags) & SB_RDONLY))
            return ERR_PTR(-EBUSY);
        sb->s_count++;
        return sb;
    }
    return NULL;
}

struct super_block *mount_bdev(const struct file_system_type *type, u32 flags, const char *dev_name,
                               const char *data, fill_super_t fill_super)
{
    struct block_device *bdev = blkdev_get_by_path(dev_name);
    if (IS_ERR(bdev))
        return ERR_PTR(PTR_ERR(bdev));
    struct super_block *sb = find_mounted(type, bdev, flags);
    if (sb)
        return sb;
    sb = alloc_super(type, flags);
    if (sb == NULL)
        return ERR_PTR(-ENOMEM);
    sb->s_bdev = bdev;
    sb->s_dev = bdev->bd_dev;
    return fill_super_block(sb, data, fill_super);
}

int sync_filesystem(struct super_block *sb)
{
    if (sb->s_flags & SB_RDONLY)
        return 0;
    int error = write_inodes(sb);
    int fs_error = sb->s_op->sync_fs ? sb->s_op->sync_fs(sb) : 0;
    int device_error = sb->s_bdev ? sync_blockdev(sb->s_bdev) : 0;
    return error ? error : fs_error ? fs_error : device_error;
}

/* One is held while it is written, so that the list can be followed from it afterwards. */
void sync_filesystems(void)
{
    struct super_block *sb = list_entry(super_blocks.next, struct super_block, s_list);
    while (&sb->s_list != &super_blocks) {
        sb->s_count++;
        sync_filesystem(sb);
        struct super_block *next = list_entry(sb->s_list.next, struct super_block, s_list);
        deactivate_super(sb);
        sb = next;
    }
}

void deactivate_super(struct super_block *sb)
{
    BUG_ON(sb->s_count == 0);
    if (--sb->s_count)
        return;
    sync_filesystem(sb);
    struct dentry *root = sb->s_root;
    sb->s_root = NULL;
    shrink_dcache_for_umount(root);
    sb->s_flags &= ~SB_ACTIVE;
    unsigned long nr_busy = evict_inodes(sb);
    if (nr_busy)
        pr_err("VFS: %lu inodes of a %s are still in use\n", nr_busy, sb->s_type->name);
    if (sb->s_op->put_super)
        sb->s_op->put_super(sb);
    if (sb->s_bdev)
        sync_blockdev(sb->s_bdev);
    free_super(sb);
}
