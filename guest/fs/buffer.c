/* Blocks of devices (include/buffer_head.h). */
#include "buffer_head.h"
#include "bug.h"
#include "fs.h"
#include "highmem.h"
#include "mpage.h"
#include "slab.h"
#include "string.h"

#define SECTORS_PER_PAGE (u32)(PAGE_SIZE / SECTOR_SIZE)

static struct kmem_cache *buffer_head_cachep;

void buffer_init(void)
{
    buffer_head_cachep = KMEM_CACHE(buffer_head, SLAB_PANIC);
}

/* Bits for the sectors of a part of a page. */
static u8 sector_bits(u32 offset, u32 bytes)
{
    u32 first = offset / SECTOR_SIZE, end = (offset + bytes + SECTOR_SIZE - 1) / SECTOR_SIZE;
    return (u8)((1u << end) - (1u << first));
}

/* Adds those sectors of a page that bits says, in as few pieces as possible. */
static void add_sectors(struct mpage_bio *mpage, struct page *page, u8 bits)
{
    const sector_t start = (sector_t)page->index * SECTORS_PER_PAGE;
    for (u32 i = 0; i < SECTORS_PER_PAGE;) {
        u32 first = i;
        while (i < SECTORS_PER_PAGE && (bits & (1u << i)))
            i++;
        if (i == first) {
            i++;
            continue;
        }
        mpage_bio_add(mpage, page, first * SECTOR_SIZE, (i - first) * SECTOR_SIZE, start + first);
    }
}

static int move_sectors(struct page *page, enum req_op op, u8 bits)
{
    struct mpage_bio mpage;
    mpage_bio_init(&mpage, page->mapping->host->i_bdev, op);
    add_sectors(&mpage, page, bits);
    mpage_bio_submit(&mpage);
    page->flags &= ~PG_error;
    return mpage.error;
}

/* Bits of the sectors that there are on the device: its last page may be a part of one. */
static u8 sectors_on_device(const struct page *page)
{
    sector_t left = page->mapping->host->i_bdev->nr_sectors - (sector_t)page->index * SECTORS_PER_PAGE;
    return sector_bits(0, (u32)min(left, (sector_t)SECTORS_PER_PAGE) * SECTOR_SIZE);
}

/* What the last page has behind the device's end is zeroes. */
static u8 sectors_to_read(struct page *page)
{
    u8 on_device = sectors_on_device(page);
    if (on_device != 0xFF && page->uptodate_sectors == 0)
        clear_highpage(page);
    return on_device & (u8)~page->uptodate_sectors;
}

static int blkdev_readpage(struct page *page)
{
    int error = move_sectors(page, REQ_OP_READ, sectors_to_read(page));
    if (error == 0)
        page->uptodate_sectors = 0xFF;
    return error;
}

static int blkdev_readpages(struct page **pages, u32 nr)
{
    struct mpage_bio mpage;
    mpage_bio_init(&mpage, pages[0]->mapping->host->i_bdev, REQ_OP_READ);
    for (u32 i = 0; i < nr; i++)
        add_sectors(&mpage, pages[i], sectors_to_read(pages[i]));
    mpage_bio_submit(&mpage);
    for (u32 i = 0; i < nr; i++)
        if (!(pages[i]->flags & PG_error))
            pages[i]->uptodate_sectors = 0xFF;
    return mpage.error;
}

static u8 take_dirty_sectors(struct page *page)
{
    u8 bits = page->dirty_sectors & sectors_on_device(page);
    page->dirty_sectors = 0;
    return bits;
}

static int blkdev_writepage(struct page *page)
{
    return move_sectors(page, REQ_OP_WRITE, take_dirty_sectors(page));
}

static int blkdev_writepages(struct page **pages, u32 nr)
{
    struct mpage_bio mpage;
    mpage_bio_init(&mpage, pages[0]->mapping->host->i_bdev, REQ_OP_WRITE);
    for (u32 i = 0; i < nr; i++)
        add_sectors(&mpage, pages[i], take_dirty_sectors(pages[i]));
    mpage_bio_submit(&mpage);
    return mpage.error;
}

/* A program writes to the device: it has read the page, or writes all of it. */
static int blkdev_prepare_write(struct page *page, u32 from, u32 to)
{
    u8 bits = sector_bits(from, to - from);
    page->dirty_sectors |= bits;
    page->uptodate_sectors |= bits;
    return 0;
}

const struct address_space_operations blkdev_aops = {.readpage = blkdev_readpage,
                                                     .readpages = blkdev_readpages,
                                                     .writepage = blkdev_writepage,
                                                     .writepages = blkdev_writepages,
                                                     .prepare_write = blkdev_prepare_write};

/* ---- Blocks ---- */

static unsigned long page_index_of(const struct super_block *sb, u32 block)
{
    return (unsigned long)block >> (PAGE_SHIFT - sb->s_blocksize_bits);
}

static u32 offset_of(const struct super_block *sb, u32 block)
{
    return (block << sb->s_blocksize_bits) & (u32)(PAGE_SIZE - 1);
}

/* The block's page, locked, behind a new buffer_head; NULL: no memory, or no such block. */
static struct buffer_head *lock_block(struct super_block *sb, u32 block)
{
    sector_t end = ((sector_t)block + 1) << (sb->s_blocksize_bits - SECTOR_SHIFT);
    if (end > sb->s_bdev->nr_sectors)
        return NULL;
    struct buffer_head *bh = kmem_cache_alloc(buffer_head_cachep, GFP_KERNEL);
    if (bh == NULL)
        return NULL;
    bh->b_page = find_or_create_page(sb->s_bdev->bd_inode->i_mapping, page_index_of(sb, block));
    if (bh->b_page == NULL) {
        kmem_cache_free(buffer_head_cachep, bh);
        return NULL;
    }
    bh->b_blocknr = block;
    bh->b_size = sb->s_blocksize;
    bh->b_data = (u8 *)page_address(bh->b_page) + offset_of(sb, block);
    return bh;
}

static u8 bits_of(const struct buffer_head *bh)
{
    return sector_bits((u32)(bh->b_data - (u8 *)page_address(bh->b_page)), bh->b_size);
}

struct buffer_head *sb_bread(struct super_block *sb, u32 block)
{
    struct buffer_head *bh = lock_block(sb, block);
    if (bh == NULL)
        return NULL;
    struct page *page = bh->b_page;
    u8 missing = bits_of(bh) & (u8)~page->uptodate_sectors;
    int error = missing ? move_sectors(page, REQ_OP_READ, missing) : 0;
    if (error == 0)
        page->uptodate_sectors |= missing;
    unlock_page(page);
    if (error == 0)
        return bh;
    brelse(bh);
    return NULL;
}

struct buffer_head *sb_get_zeroed_block(struct super_block *sb, u32 block)
{
    struct buffer_head *bh = lock_block(sb, block);
    if (bh == NULL)
        return NULL;
    memset(bh->b_data, 0, bh->b_size);
    bh->b_page->uptodate_sectors |= bits_of(bh);
    mark_buffer_dirty(bh);
    unlock_page(bh->b_page);
    return bh;
}

void mark_buffer_dirty(struct buffer_head *bh)
{
    bh->b_page->dirty_sectors |= bits_of(bh);
    set_page_dirty(bh->b_page);
}

void brelse(struct buffer_head *bh)
{
    if (bh == NULL)
        return;
    put_page(bh->b_page);
    kmem_cache_free(buffer_head_cachep, bh);
}

void forget_block(struct super_block *sb, u32 block)
{
    struct page *page = find_lock_page(sb->s_bdev->bd_inode->i_mapping, page_index_of(sb, block));
    if (page == NULL)
        return;
    u8 bits = sector_bits(offset_of(sb, block), sb->s_blocksize);
    page->dirty_sectors &= (u8)~bits;
    page->uptodate_sectors &= (u8)~bits;
    page->flags &= ~PG_uptodate;
    unlock_page(page);
    put_page(page);
}
