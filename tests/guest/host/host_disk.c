/* A disk that is a file of the host's (host_disk.h). */
#include "host_disk.h"

#include "buffer_head.h"
#include "bug.h"
#include "err.h"
#include "fdtable.h"
#include "fs.h"
#include "libfs.h"
#include "mount.h"
#include "namei.h"
#include "timekeeping.h"
#include "uaccess.h"

/* The host's C library, whose headers have other types of the same names. */
ssize_t pread(int fd, void *buf, size_t bytes, long offset);
ssize_t pwrite(int fd, const void *buf, size_t bytes, long offset);

/* Time stands still. */
u64 ktime_get_ns(void)
{
    return 0;
}

static int disk_fd;
static long commands_left;

static int move(const struct bio *bio)
{
    long offset = (long)(bio->bi_sector << SECTOR_SHIFT);
    for (u32 i = 0; i < bio->bi_vcnt; i++) {
        const struct bio_vec *vec = &bio->bi_io_vec[i];
        u8 *bytes = (u8 *)page_address(vec->bv_page) + vec->bv_offset;
        ssize_t done = bio->bi_opf == REQ_OP_WRITE ? pwrite(disk_fd, bytes, vec->bv_len, offset)
                                                   : pread(disk_fd, bytes, vec->bv_len, offset);
        if (done != (ssize_t)vec->bv_len)
            return -EIO;
        offset += vec->bv_len;
    }
    return 0;
}

static int submit(struct block_device *bdev, const struct bio *bio)
{
    (void)bdev;
    if (commands_left == 0)
        return -EIO;
    commands_left -= commands_left > 0;
    return bio->bi_opf == REQ_OP_FLUSH ? 0 : move(bio);
}

static struct block_device disk = {.name = "disk", .submit = submit};
static struct super_block *disk_sb;

struct block_device *blkdev_get_by_path(const char *name)
{
    (void)name;
    return &disk;
}

int sync_blockdev(struct block_device *bdev)
{
    int error = filemap_write_and_wait(bdev->bd_inode->i_mapping);
    const struct bio flush = {.bi_bdev = bdev, .bi_opf = REQ_OP_FLUSH};
    int flush_error = submit_bio_wait(&flush);
    return error ? error : flush_error;
}

void guest_disk_start(int fd, unsigned long bytes)
{
    static bool is_known;
    if (!is_known) {
        buffer_init();
        ext2_init();
        is_known = true;
    }
    disk_fd = fd;
    commands_left = -1;
    disk.nr_sectors = bytes >> SECTOR_SHIFT;
    disk_sb = mount_pseudo(get_fs_type("tmpfs"), 0, NULL, NULL);
    struct inode *inode = IS_ERR(disk_sb) ? NULL : new_inode(disk_sb);
    if (inode == NULL || inode_init_mapping(inode, &blkdev_aops, GFP_USER))
        panic("no memory");
    inode->i_mode = S_IFBLK | 0600;
    inode->i_bdev = &disk;
    i_size_write(inode, (loff_t)bytes);
    disk.bd_inode = inode;
}

void guest_disk_end(void)
{
    sync_blockdev(&disk);
    iput(disk.bd_inode);
    disk.bd_inode = NULL;
    deactivate_super(disk_sb);
}

void guest_disk_fail_after(long nr_commands)
{
    commands_left = nr_commands;
}

long guest_mount_ext2(const char *dir)
{
    bool before = set_fs_kernel(true);
    long error = do_mount("/dev/disk", dir, "ext2", 0, NULL);
    set_fs_kernel(before);
    return error;
}

long guest_syncfs(const char *dir)
{
    struct path path;
    long error = kern_path(dir, LOOKUP_FOLLOW, &path);
    if (error)
        return error;
    error = sync_filesystem(path.dentry->d_sb);
    path_put(&path);
    return error;
}

void guest_drop_caches(void)
{
    drop_pagecache();
}

long guest_fsync(int fd)
{
    struct file *file = fget((u32)fd);
    if (file == NULL)
        return -EBADF;
    long error = vfs_fsync(file, 0);
    fput(file);
    return error;
}
