/*
 * Partitions of disks, by the table in a disk's first sector (MBR): four, of which one may be extended, a
 * chain of tables with one more each. A disk without a table is what it is: a file system, or swap.
 */
#include "blkdev.h"
#include "fs.h"
#include "printk.h"
#include "seq_file.h"
#include "string.h"

#define MBR_SIGNATURE_OFFSET 510
#define MBR_TABLE_OFFSET 446
#define NR_PRIMARY 4u
#define FIRST_LOGICAL 5u
#define NR_PARTITIONS_MOST 16u /* of all disks */
#define MAX_PARTITION 15u      /* of one disk: its minors */
#define BOOT_INDICATOR 0x80u

struct mbr_entry {
    u8 boot_indicator, start_chs[3], type, end_chs[3];
    u32 start_sector, nr_sectors;
};
_Static_assert(sizeof(struct mbr_entry) == 16, "an entry of the table");

struct hd_struct {
    struct block_device bdev;
    struct block_device *disk;
    sector_t start_sector;
    char name[8];
};
/* Not of the slab: what the boot finds stays. */
static struct hd_struct partitions[NR_PARTITIONS_MOST];
static u32 nr_partitions;

static int partition_submit(struct block_device *bdev, const struct bio *bio)
{
    const struct hd_struct *part = container_of(bdev, struct hd_struct, bdev);
    struct bio whole = *bio;
    whole.bi_bdev = part->disk;
    whole.bi_sector += part->start_sector;
    return submit_on_disk(&whole);
}

static void add_partition(struct block_device *disk, u32 number, sector_t start, sector_t nr_sectors)
{
    if (nr_sectors == 0 || start >= disk->nr_sectors || nr_partitions == NR_PARTITIONS_MOST)
        return;
    if (nr_sectors > disk->nr_sectors - start) {
        pr_warn("%s: p%u size %llu extends beyond EOD, truncated\n", disk->name, number, nr_sectors);
        nr_sectors = disk->nr_sectors - start;
    }
    struct hd_struct *part = &partitions[nr_partitions++];
    snprintf(part->name, sizeof(part->name), "%s%u", disk->name, number);
    part->disk = disk;
    part->start_sector = start;
    part->bdev = (struct block_device){.name = part->name,
                                       .driver = disk->driver,
                                       .nr_sectors = nr_sectors,
                                       .bd_dev = disk->bd_dev + number,
                                       .submit = partition_submit};
    add_disk(&part->bdev);
    devtmpfs_create_node(part->name, S_IFBLK | 0660, part->bdev.bd_dev);
    pr_info("%s: %llu sectors from %llu on\n", part->name, nr_sectors, start);
}

static bool is_extended(const struct mbr_entry *entry)
{
    return entry->type == 0x05 || entry->type == 0x0F || entry->type == 0x85;
}

/* The table of a sector. False: there is none. */
static bool read_table(struct block_device *disk, struct page *page, sector_t sector,
                       struct mbr_entry table[NR_PRIMARY])
{
    const struct bio_vec vec = {.bv_page = page, .bv_len = SECTOR_SIZE};
    const struct bio bio = {
        .bi_bdev = disk, .bi_opf = REQ_OP_READ, .bi_sector = sector, .bi_io_vec = &vec, .bi_vcnt = 1};
    const u8 *bytes = page_address(page);
    if (submit_bio_wait(&bio) || bytes[MBR_SIGNATURE_OFFSET] != 0x55 ||
        bytes[MBR_SIGNATURE_OFFSET + 1] != 0xAA)
        return false;
    memcpy(table, bytes + MBR_TABLE_OFFSET, NR_PRIMARY * sizeof(*table));
    for (u32 i = 0; i < NR_PRIMARY; i++)
        if (table[i].boot_indicator & ~BOOT_INDICATOR)
            return false; /* the boot sector of a file system */
    return true;
}

/*
 * Each table of the chain has a partition, by its distance from the table, and the next table, by its
 * distance from the first. A chain that bites its tail ends with the numbers.
 */
static void read_chain(struct block_device *disk, struct page *page, sector_t first)
{
    struct mbr_entry table[NR_PRIMARY];
    sector_t here = first;
    for (u32 number = FIRST_LOGICAL; number <= MAX_PARTITION; number++) {
        if (!read_table(disk, page, here, table))
            return;
        add_partition(disk, number, here + table[0].start_sector, table[0].nr_sectors);
        if (!is_extended(&table[1]) || table[1].nr_sectors == 0)
            return;
        here = first + table[1].start_sector;
    }
}

static void check_partitions(struct block_device *disk, struct page *page)
{
    struct mbr_entry table[NR_PRIMARY];
    if (!read_table(disk, page, 0, table))
        return;
    for (u32 i = 0; i < NR_PRIMARY; i++)
        if (table[i].type && !is_extended(&table[i]))
            add_partition(disk, i + 1, table[i].start_sector, table[i].nr_sectors);
    for (u32 i = 0; i < NR_PRIMARY; i++)
        if (is_extended(&table[i]) && table[i].nr_sectors)
            read_chain(disk, page, table[i].start_sector);
}

void find_partitions(void)
{
    struct page *page = alloc_page(GFP_KERNEL);
    if (page == NULL)
        return;
    for (struct block_device *bdev = next_block_device(NULL); bdev; bdev = next_block_device(bdev))
        if (bdev->submit != partition_submit && bdev->nr_sectors)
            check_partitions(bdev, page);
    __free_page(page);
}

/* /proc/partitions. */
void partitions_show(struct seq_file *m)
{
    seq_printf(m, "major minor  #blocks  name\n\n");
    for (const struct block_device *bdev = next_block_device(NULL); bdev; bdev = next_block_device(bdev))
        if (bdev->nr_sectors)
            seq_printf(m, "%4u  %7u %10llu %s\n", MAJOR(bdev->bd_dev), MINOR(bdev->bd_dev),
                       bdev->nr_sectors / 2, bdev->name);
}
