/* Files on disks: what fsync() and its relatives do. */
#include "blkdev.h"
#include "errno.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "writeback.h"

/* Its pages, its inode, and the blocks in which the file system keeps what it knows: all of the device. */
int generic_file_fsync(struct file *file, int datasync)
{
    (void)datasync;
    struct address_space *mapping = file->f_mapping;
    struct inode *inode = file_inode(file);
    int error = write_inode_now(inode);
    int device_error = inode->i_sb->s_bdev ? sync_blockdev(inode->i_sb->s_bdev) : 0;
    /* Of writes before this one, too. */
    int earlier_error = mapping ? filemap_check_errors(mapping) : 0;
    return error ? error : device_error ? device_error : earlier_error;
}

/* Writing here is done when it returns; so that is what WRITE alone does, too. */
static long sync_pages(struct address_space *mapping, unsigned long first, unsigned long last, u32 flags)
{
    struct writeback_control wbc = WRITE_ALL(WB_SYNC_NONE);
    wbc.range_start = first;
    wbc.range_end = last;
    if (flags & SYNC_FILE_RANGE_WAIT_BEFORE)
        filemap_fdatawait_range(mapping, first, last);
    if (flags & SYNC_FILE_RANGE_WRITE)
        (void)do_writepages(mapping, &wbc);
    if (flags & SYNC_FILE_RANGE_WAIT_AFTER)
        filemap_fdatawait_range(mapping, first, last);
    bool waits = flags & (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER);
    return waits ? filemap_check_errors(mapping) : 0;
}

long do_sync_file_range(u32 fd, loff_t offset, loff_t length, u32 flags)
{
    const loff_t most = (loff_t)0x7FFFFFFFull << PAGE_SHIFT;
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    const u32 kind = file_inode(file)->i_mode & S_IFMT;
    long result = 0;
    if ((flags & ~SYNC_FILE_RANGE_ALL) || offset < 0 || length < 0 || (offset + length) < offset)
        result = -EINVAL;
    else if (kind != S_IFREG && kind != S_IFBLK && kind != S_IFDIR && kind != S_IFLNK)
        result = -ESPIPE;
    else if (file->f_mapping && offset < most)
        result =
            sync_pages(file->f_mapping, (unsigned long)(offset >> PAGE_SHIFT),
                       length ? (unsigned long)(min(offset + length - 1, most) >> PAGE_SHIFT) : ~0ul, flags);
    fput(file);
    return result;
}
