/* Files on disks: what fsync() does (include/pagemap.h). */
#include "blkdev.h"
#include "fs.h"

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
