#include "blkdev.h"
#include "delayacct.h"
#include "errno.h"
#include "string.h"
#include "vmstat.h"

static struct block_device *block_devices;

void add_disk(struct block_device *bdev)
{
    struct block_device **last = &block_devices;
    while (*last)
        last = &(*last)->next;
    bdev->ra_pages = DEFAULT_RA_PAGES;
    *last = bdev;
}

struct block_device *blkdev_get_by_name(const char *name)
{
    struct block_device *bdev = block_devices;
    while (bdev && strcmp(bdev->name, name))
        bdev = bdev->next;
    return bdev;
}

struct block_device *blkdev_get_by_dev(dev_t dev)
{
    struct block_device *bdev = block_devices;
    while (bdev && bdev->bd_dev != dev)
        bdev = bdev->next;
    return bdev;
}

struct block_device *next_block_device(const struct block_device *bdev)
{
    return bdev ? bdev->next : block_devices;
}

u32 bio_bytes(const struct bio *bio)
{
    u32 bytes = 0;
    for (u32 i = 0; i < bio->bi_vcnt; i++)
        bytes += bio->bi_io_vec[i].bv_len;
    return bytes;
}

static bool is_whole(const struct bio *bio)
{
    for (u32 i = 0; i < bio->bi_vcnt; i++) {
        const struct bio_vec *vec = &bio->bi_io_vec[i];
        if (vec->bv_len == 0 || vec->bv_len % SECTOR_SIZE || vec->bv_offset % 4 ||
            vec->bv_offset + vec->bv_len > PAGE_SIZE)
            return false;
    }
    return true;
}

int submit_on_disk(const struct bio *bio)
{
    struct block_device *bdev = bio->bi_bdev;
    u64 start_ns = disk_stats_begin(&bdev->stats);
    int error = bdev->submit(bdev, bio);
    disk_stats_end(&bdev->stats, bio->bi_opf, error ? 0 : bio_bytes(bio) >> SECTOR_SHIFT, start_ns);
    return error;
}

int submit_bio_wait(const struct bio *bio)
{
    struct block_device *bdev = bio->bi_bdev;
    u32 nr_sectors = bio_bytes(bio) >> SECTOR_SHIFT;
    if (bio->bi_opf != REQ_OP_FLUSH &&
        (nr_sectors == 0 || !is_whole(bio) || bio->bi_sector >= bdev->nr_sectors ||
         nr_sectors > bdev->nr_sectors - bio->bi_sector))
        return -EINVAL;
    if (bio->bi_opf != REQ_OP_FLUSH)
        count_vm_events(bio->bi_opf == REQ_OP_WRITE ? PGPGOUT : PGPGIN, nr_sectors);
    delayacct_blkio_start();
    int error = submit_on_disk(bio);
    delayacct_blkio_end();
    return error;
}
