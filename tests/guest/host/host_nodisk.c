/* For tests of the virtual file system without disks. */
#include "blkdev.h"
#include "err.h"
#include "fs.h"

int sync_blockdev(struct block_device *bdev)
{
    (void)bdev;
    return 0;
}

struct block_device *blkdev_get_by_path(const char *name)
{
    (void)name;
    return ERR_PTR(-ENOTBLK);
}
