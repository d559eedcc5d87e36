/* A compressed disk in memory (include/zram.h). */
#include "zram.h"
#include "blkdev.h"
#include "errno.h"
#include "fs.h"
#include "highmem.h"
#include "lz4_block.h"
#include "params.h"
#include "printk.h"
#include "seq_file.h"
#include "string.h"
#include "swapops.h"
#include "vmalloc.h"
#include "zsmalloc.h"

#define PAGE_BYTES (u32) PAGE_SIZE
#define SECTORS_PER_PAGE (PAGE_BYTES / SECTOR_SIZE)
#define PAGE_WORDS (PAGE_BYTES / sizeof(u32))
/* What stays larger than this is not worth the work: the page is kept as it is. */
#define COMPRESSED_MOST (PAGE_BYTES / 4 * 3)
#define SIZE_MOST (1ull << 31)

/* A page of the disk. bytes 0: one that consists of one word over and over, as fresh ones do. */
struct zram_entry {
    union {
        u32 word;
        struct zspage *zspage;
    };
    u16 index, bytes;
};

static struct {
    struct zram_entry *table; /* NULL: no disk yet */
    u32 nr_pages;
    struct zs_pool pool;
    u64 compressed_bytes;
    u32 nr_stored, nr_same, nr_huge; /* pages written; of these, of one word, and not compressed */
    /* For one page at a time: nothing in here sleeps. */
    struct lz4_table lz4;
    u8 compressed[PAGE_SIZE], page[PAGE_SIZE];
} zram;

/* ---- A page of the disk ---- */

/* Fresh pages have the word 0 and are not counted; nr_stored says how many others there are. */
static bool is_fresh(const struct zram_entry *entry)
{
    return entry->bytes == 0 && entry->index == 0;
}

#define IS_WRITTEN 1u /* in the index of a page of one word */

static void free_entry(struct zram_entry *entry)
{
    if (is_fresh(entry))
        return;
    if (entry->bytes) {
        zs_free(&zram.pool, (struct zs_handle){.zspage = entry->zspage, .index = entry->index});
        zram.compressed_bytes -= entry->bytes;
        zram.nr_huge -= entry->bytes == PAGE_BYTES;
    } else {
        zram.nr_same--;
    }
    zram.nr_stored--;
    *entry = (struct zram_entry){.word = 0};
}

static bool is_one_word(const u32 *words)
{
    for (u32 i = 1; i < PAGE_WORDS; i++)
        if (words[i] != words[0])
            return false;
    return true;
}

static int write_page(u32 number, const void *data)
{
    struct zram_entry *entry = &zram.table[number];
    if (is_one_word(data)) {
        u32 word;
        memcpy(&word, data, sizeof(word));
        free_entry(entry);
        *entry = (struct zram_entry){.word = word, .index = IS_WRITTEN};
        zram.nr_same++;
        zram.nr_stored++;
        return 0;
    }
    const void *from = zram.compressed;
    u32 bytes = lz4_compress(data, PAGE_BYTES, zram.compressed, COMPRESSED_MOST, &zram.lz4);
    if (bytes == 0) {
        from = data;
        bytes = PAGE_BYTES;
    }
    struct zs_handle handle;
    if (!zs_malloc(&zram.pool, bytes, &handle))
        return -ENOMEM;
    zs_write(handle, from, bytes);
    free_entry(entry);
    *entry = (struct zram_entry){.zspage = handle.zspage, .index = handle.index, .bytes = (u16)bytes};
    zram.compressed_bytes += bytes;
    zram.nr_huge += bytes == PAGE_BYTES;
    zram.nr_stored++;
    return 0;
}

static int read_page(u32 number, void *data)
{
    const struct zram_entry *entry = &zram.table[number];
    if (entry->bytes == 0) {
        u32 *words = data;
        for (u32 i = 0; i < PAGE_WORDS; i++)
            words[i] = entry->word;
        return 0;
    }
    struct zs_handle handle = {.zspage = entry->zspage, .index = entry->index};
    if (entry->bytes == PAGE_BYTES) {
        zs_read(handle, data, PAGE_BYTES);
        return 0;
    }
    zs_read(handle, zram.compressed, entry->bytes);
    long bytes = lz4_decompress(zram.compressed, entry->bytes, data, PAGE_BYTES);
    if (bytes == (long)PAGE_BYTES)
        return 0;
    pr_err("zram0: page %u is damaged\n", number);
    return -EIO;
}

/* ---- Requests ---- */

/* A part of one page of the disk, and of memory. What is not a whole page is put together first. */
static int move_part(bool is_write, sector_t sector, u8 *memory, u32 bytes)
{
    u32 number = (u32)(sector / SECTORS_PER_PAGE);
    u32 offset = (u32)(sector % SECTORS_PER_PAGE) * SECTOR_SIZE;
    if (bytes == PAGE_BYTES)
        return is_write ? write_page(number, memory) : read_page(number, memory);
    int error = read_page(number, zram.page);
    if (error)
        return error;
    if (!is_write) {
        memcpy(memory, zram.page + offset, bytes);
        return 0;
    }
    memcpy(zram.page + offset, memory, bytes);
    return write_page(number, zram.page);
}

static int move_vec(bool is_write, sector_t sector, const struct bio_vec *vec)
{
    int error = 0;
    u8 *page = kmap_atomic(vec->bv_page), *memory = page + vec->bv_offset;
    for (u32 done = 0, part; done < vec->bv_len && error == 0; done += part) {
        part = min(vec->bv_len - done, PAGE_BYTES - (u32)(sector % SECTORS_PER_PAGE) * SECTOR_SIZE);
        error = move_part(is_write, sector, memory + done, part);
        sector += part / SECTOR_SIZE;
    }
    kunmap_atomic(page);
    return error;
}

static int zram_submit(struct block_device *bdev, const struct bio *bio)
{
    (void)bdev;
    sector_t sector = bio->bi_sector;
    int error = 0;
    for (u32 i = 0; i < bio->bi_vcnt && error == 0; i++) {
        error = move_vec(bio->bi_opf == REQ_OP_WRITE, sector, &bio->bi_io_vec[i]);
        sector += bio->bi_io_vec[i].bv_len / SECTOR_SIZE;
    }
    return error;
}

static void zram_slot_free(struct block_device *bdev, sector_t sector)
{
    (void)bdev;
    free_entry(&zram.table[sector / SECTORS_PER_PAGE]);
}

static struct block_device zram_bdev = {.name = "zram0",
                                        .driver = "zram",
                                        .bd_dev = MKDEV(ZRAM_MAJOR, 0),
                                        .submit = zram_submit,
                                        .swap_slot_free_notify = zram_slot_free};

/* ---- Its size ---- */

static void set_nr_sectors(sector_t nr)
{
    zram_bdev.nr_sectors = nr;
    if (zram_bdev.bd_inode)
        i_size_write(zram_bdev.bd_inode, (loff_t)(nr << SECTOR_SHIFT));
}

static int set_disksize(u64 bytes)
{
    bytes = (bytes + PAGE_BYTES - 1) & ~(u64)(PAGE_BYTES - 1);
    if (zram.table)
        return -EBUSY;
    if (bytes == 0 || bytes > SIZE_MOST)
        return -EINVAL;
    zram.nr_pages = (u32)(bytes >> PAGE_SHIFT);
    zram.table = vzalloc(zram.nr_pages * sizeof(*zram.table));
    if (zram.table == NULL)
        return -ENOMEM;
    zram.pool.max_pages = 0;
    set_nr_sectors((sector_t)zram.nr_pages * SECTORS_PER_PAGE);
    return 0;
}

static void reset(void)
{
    set_nr_sectors(0);
    for (u32 i = 0; zram.table && i < zram.nr_pages; i++)
        free_entry(&zram.table[i]);
    vfree(zram.table);
    zram.table = NULL;
    zram.nr_pages = 0;
}

void zram_init(void)
{
    zs_pool_init(&zram.pool);
    add_disk(&zram_bdev);
    devtmpfs_create_node(zram_bdev.name, S_IFBLK | 0660, zram_bdev.bd_dev);
}

void zram_start(void)
{
    if (boot_params.zram_bytes && set_disksize(boot_params.zram_bytes))
        pr_err("zram0: no disk of %llu bytes\n", (u64)boot_params.zram_bytes);
}

void zram_end(void)
{
    reset();
}

/* ---- /proc/zram0 ---- */

void zram_disksize_show(struct seq_file *m)
{
    seq_printf(m, "%llu\n", (u64)zram.nr_pages << PAGE_SHIFT);
}

int zram_disksize_store(const char *text)
{
    const char *end;
    u64 bytes = memparse(text, &end);
    return *end ? -EINVAL : set_disksize(bytes);
}

int zram_reset_store(const char *text)
{
    if (strcmp(text, "0") == 0)
        return -EINVAL;
    if (bdev_is_mounted(&zram_bdev) || is_swap_device(&zram_bdev))
        return -EBUSY;
    if (zram_bdev.bd_inode)
        truncate_inode_pages(zram_bdev.bd_inode->i_mapping);
    reset();
    return 0;
}

void zram_mm_stat_show(struct seq_file *m)
{
    seq_printf(m, "%8llu %8llu %8lu %8u %8lu %8u %8u %8u\n", (u64)zram.nr_stored << PAGE_SHIFT,
               zram.compressed_bytes, zram.pool.nr_pages << PAGE_SHIFT, 0u, zram.pool.max_pages << PAGE_SHIFT,
               zram.nr_same, 0u, zram.nr_huge);
}

void zram_comp_algorithm_show(struct seq_file *m)
{
    seq_printf(m, "[lz4]\n");
}
