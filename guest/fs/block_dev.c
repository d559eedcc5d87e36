/* Block devices as files: their sectors in the page cache. */
#include "buffer_head.h"
#include "cred.h"
#include "err.h"
#include "fs_calls.h"
#include "internal.h"
#include "ioctls.h"
#include "libfs.h"
#include "seq_file.h"
#include "uaccess.h"
#include "writeback.h"

/* A window of read-ahead is 4 MiB at most, whatever BLKRASET says. */
#define MAX_RA_PAGES 1024ul

static struct vfsmount *bdev_mnt;

/* The inode of the device's pages. 0 or -ENOMEM. */
static int blkdev_get(struct block_device *bdev)
{
    if (bdev->bd_inode)
        return 0;
    struct inode *inode = flusher_start() ? NULL : new_inode(bdev_mnt->mnt_sb);
    if (inode == NULL)
        return -ENOMEM;
    /* File systems work in these pages. */
    if (inode_init_mapping(inode, &blkdev_aops, GFP_USER)) {
        iput(inode);
        return -ENOMEM;
    }
    inode->i_ino = get_next_ino();
    inode->i_mode = S_IFBLK | 0600;
    inode->i_rdev = bdev->bd_dev;
    inode->i_bdev = bdev;
    i_size_write(inode, (loff_t)(bdev->nr_sectors << SECTOR_SHIFT));
    bdev->bd_inode = inode;
    return 0;
}

int sync_blockdev(struct block_device *bdev)
{
    if (bdev->bd_inode == NULL)
        return 0;
    int error = filemap_write_and_wait(bdev->bd_inode->i_mapping);
    const struct bio flush = {.bi_bdev = bdev, .bi_opf = REQ_OP_FLUSH};
    int flush_error = submit_bio_wait(&flush);
    return error ? error : flush_error;
}

static int blkdev_open(struct inode *inode, struct file *file)
{
    struct block_device *bdev = blkdev_get_by_dev(inode->i_rdev);
    if (bdev == NULL)
        return -ENXIO;
    int error = blkdev_get(bdev);
    if (error == 0)
        file->f_mapping = bdev->bd_inode->i_mapping;
    return error;
}

static struct block_device *bdev_of(const struct file *file)
{
    return file->f_mapping->host->i_bdev;
}

static loff_t blkdev_llseek(struct file *file, loff_t offset, int whence)
{
    loff_t size = i_size_read(file->f_mapping->host);
    if (whence == SEEK_CUR)
        offset += file->f_pos;
    else if (whence == SEEK_END)
        offset += size;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0 || offset > size)
        return -EINVAL;
    file->f_pos = offset;
    return offset;
}

static int blkdev_fsync(struct file *file, int datasync)
{
    (void)datasync;
    return sync_blockdev(bdev_of(file));
}

static long blkdev_ioctl(struct file *file, u32 command, unsigned long arg)
{
    struct block_device *bdev = bdev_of(file);
    u64 bytes = bdev->nr_sectors << SECTOR_SHIFT;
    switch (command) {
    case BLKGETSIZE64:
        return copy_to_user(user_ptr(arg), &bytes, sizeof(bytes)) ? -EFAULT : 0;
    case BLKGETSIZE:
        return put_user_u32((u32)bdev->nr_sectors, user_ptr(arg));
    case BLKSSZGET:
        return put_user_u32(SECTOR_SIZE, user_ptr(arg));
    case BLKBSZGET:
        return put_user_u32(PAGE_SIZE, user_ptr(arg));
    case BLKROGET:
        return put_user_u32(0, user_ptr(arg));
    case BLKFLSBUF:
        return sync_blockdev(bdev);
    case BLKRAGET:
        return put_user_u32(bdev->ra_pages * (u32)(PAGE_SIZE / SECTOR_SIZE), user_ptr(arg));
    case BLKRASET:
        if (!capable_root())
            return -EACCES;
        bdev->ra_pages = (u32)min(arg / (PAGE_SIZE / SECTOR_SIZE), MAX_RA_PAGES);
        return 0;
    default:
        return -ENOTTY;
    }
}

const struct file_operations def_blk_fops = {.open = blkdev_open,
                                             .llseek = blkdev_llseek,
                                             .read = generic_file_read,
                                             .write = generic_file_write,
                                             .mmap = generic_file_mmap,
                                             .fsync = blkdev_fsync,
                                             .unlocked_ioctl = blkdev_ioctl};

struct block_device *blkdev_get_by_path(const char *name)
{
    struct path path;
    if (name == NULL)
        return ERR_PTR(-EINVAL);
    int error = kern_path(name, LOOKUP_FOLLOW, &path);
    if (error)
        return ERR_PTR(error);
    const struct inode *inode = path.dentry->d_inode;
    struct block_device *bdev = ERR_PTR(-ENOTBLK);
    if (S_ISBLK(inode->i_mode)) {
        bdev = blkdev_get_by_dev(inode->i_rdev);
        error = bdev ? blkdev_get(bdev) : -ENXIO;
        if (error)
            bdev = ERR_PTR(error);
    }
    path_put(&path);
    return bdev;
}

unsigned long nr_blockdev_pages(void)
{
    unsigned long pages = 0;
    const struct block_device *bdev = NULL;
    while ((bdev = next_block_device(bdev)))
        if (bdev->bd_inode)
            pages += bdev->bd_inode->i_mapping->nrpages;
    return pages;
}

void blkdev_devices_show(struct seq_file *m)
{
    for (const struct block_device *bdev = next_block_device(NULL); bdev; bdev = next_block_device(bdev)) {
        /* The first of its driver's. */
        const struct block_device *first = next_block_device(NULL);
        while (MAJOR(first->bd_dev) != MAJOR(bdev->bd_dev))
            first = next_block_device(first);
        if (first == bdev)
            seq_printf(m, "%3u %s\n", MAJOR(bdev->bd_dev), bdev->driver);
    }
}

static struct file_system_type bdev_type = {.name = "bdev", .mount = mount_pseudo};

void bdev_init(void)
{
    register_filesystem(&bdev_type);
}

int bdev_start(void)
{
    bdev_mnt = kern_mount(&bdev_type, 0, "bdev", NULL);
    return IS_ERR(bdev_mnt) ? (int)PTR_ERR(bdev_mnt) : 0;
}

void bdev_end(void)
{
    struct block_device *bdev = NULL;
    flusher_stop();
    while ((bdev = next_block_device(bdev))) {
        sync_blockdev(bdev);
        iput(bdev->bd_inode);
        bdev->bd_inode = NULL;
    }
    mntput(bdev_mnt);
    bdev_mnt = NULL;
}
