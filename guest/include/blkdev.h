/*
 * Block devices: sectors of 512 bytes, read and written in pieces of pages. A driver fills in a struct
 * block_device and adds it; who wants sectors finds it by name and submits a bio.
 */
#pragma once

#include "kdev_t.h"
#include "mm.h"

typedef u64 sector_t;
#define SECTOR_SHIFT 9
#define SECTOR_SIZE 512u

enum req_op { REQ_OP_READ, REQ_OP_WRITE, REQ_OP_FLUSH };

/* A part of a page, highmem too: whole sectors. */
struct bio_vec {
    struct page *bv_page;
    u32 bv_len, bv_offset;
};

struct block_device;
struct bio {
    struct block_device *bi_bdev;
    enum req_op bi_opf;
    sector_t bi_sector;
    const struct bio_vec *bi_io_vec;
    u32 bi_vcnt;
};

/* What a device has done, for /proc/diskstats: reads and writes. */
struct disk_stats {
    u64 ios[2], sectors[2], ns[2]; /* requests that succeeded, and how long all of each kind took */
    u64 flushes, flush_ns;
    u64 busy_ns;  /* time in which there was one at least */
    u64 queue_ns; /* each moment as often as there were requests */
    u64 since_ns; /* of the last change of in_flight */
    u32 in_flight;
};

struct inode;
struct block_device {
    const char *name;
    const char *driver; /* in /proc/devices: what has the major number */
    sector_t nr_sectors;
    dev_t bd_dev;
    struct disk_stats stats;
    u32 ra_pages;           /* read-ahead: the largest window, in pages; add_disk() sets DEFAULT_RA_PAGES */
    struct inode *bd_inode; /* of its pages, for who works through the page cache; NULL: nobody has yet */
    /* Does it, in the caller's task; 0 or -EIO. The bio lies within the device. */
    int (*submit)(struct block_device *bdev, const struct bio *bio);
    /* Memory that pretends to be a disk: nobody will read this page again (a slot of swap). May be NULL. */
    void (*swap_slot_free_notify)(struct block_device *bdev, sector_t sector);
    struct block_device *next;
};

#define DEFAULT_RA_PAGES 32u /* 128 KiB */
/* A driver's: from now on it can be found. */
void add_disk(struct block_device *bdev);
/* NULL: there is none of that name. */
struct block_device *blkdev_get_by_name(const char *name);
struct block_device *blkdev_get_by_dev(dev_t dev);
/* The next after bdev, or the first (NULL). */
struct block_device *next_block_device(const struct block_device *bdev);
/* Majors of Linux; a drive's minor is 64 times its unit. */
#define IDE0_MAJOR 3u
#define IDE1_MAJOR 22u
#define ZRAM_MAJOR 252u
/* fs/block_dev.c: writes out what the page cache has of it, and the drive's own cache. 0 or -EIO. */
int sync_blockdev(struct block_device *bdev);
/* fs/super.c: a file system is on it, and in use. */
bool bdev_is_mounted(const struct block_device *bdev);
/* Pages of all block devices in the page cache (/proc/meminfo's Buffers). */
unsigned long nr_blockdev_pages(void);

/* /proc/diskstats. */
struct seq_file;
void diskstats_show(struct seq_file *m);

/*
 * disk_stats.c: a request begins, and what time it is then; it ends, begun then, with so many sectors done,
 * or 0: an error.
 */
u64 disk_stats_begin(struct disk_stats *stats);
void disk_stats_end(struct disk_stats *stats, enum req_op op, u32 nr_sectors, u64 start_ns);

/* The bytes of a bio. */
u32 bio_bytes(const struct bio *bio);
/* Does it and waits. -EINVAL: not whole sectors, or beyond the device's end; -EIO: the device failed. */
int submit_bio_wait(const struct bio *bio);
/* The same on a partition's disk, which it has been checked against; its pages count once. */
int submit_on_disk(const struct bio *bio);

/* partitions.c: looks for partitions on all disks, and adds them. Takes reading. */
void find_partitions(void);
/* /proc/partitions. */
void partitions_show(struct seq_file *m);
