/* Many pages with one command to the disk (include/mpage.h). */
#include "mpage.h"
#include "bug.h"
#include "fs.h"
#include "highmem.h"
#include "pagemap.h"
#include "string.h"

/* A disk that refused so many commands one after another is not asked for the rest. */
#define MOST_FAILURES 8

void mpage_bio_init(struct mpage_bio *mpage, struct block_device *bdev, enum req_op op)
{
    mpage->bio = (struct bio){.bi_bdev = bdev, .bi_opf = op, .bi_io_vec = mpage->vecs};
    mpage->error = 0;
}

void mpage_bio_add(struct mpage_bio *mpage, struct page *page, u32 offset, u32 bytes, sector_t sector)
{
    struct bio *bio = &mpage->bio;
    if (bio->bi_vcnt && sector != mpage->next_sector)
        mpage_bio_submit(mpage);
    struct bio_vec *last = bio->bi_vcnt ? &mpage->vecs[bio->bi_vcnt - 1] : NULL;
    if (last && last->bv_page == page && last->bv_offset + last->bv_len == offset) {
        last->bv_len += bytes;
    } else {
        if (bio->bi_vcnt == MPAGE_MAX_VECS)
            mpage_bio_submit(mpage);
        if (bio->bi_vcnt == 0)
            bio->bi_sector = sector;
        mpage->vecs[bio->bi_vcnt++] = (struct bio_vec){.bv_page = page, .bv_offset = offset, .bv_len = bytes};
    }
    mpage->next_sector = sector + (bytes >> SECTOR_SHIFT);
}

/* One part after another, so that what the disk can do is done, and those are known that it cannot. */
static void submit_one_by_one(const struct bio *bio)
{
    sector_t sector = bio->bi_sector;
    u32 nr_failures = 0;
    for (u32 i = 0; i < bio->bi_vcnt; i++) {
        const struct bio_vec *vec = &bio->bi_io_vec[i];
        const struct bio part = {.bi_bdev = bio->bi_bdev,
                                 .bi_opf = bio->bi_opf,
                                 .bi_sector = sector,
                                 .bi_io_vec = vec,
                                 .bi_vcnt = 1};
        sector += vec->bv_len >> SECTOR_SHIFT;
        if (nr_failures < MOST_FAILURES && submit_bio_wait(&part) == 0) {
            nr_failures = 0;
        } else {
            vec->bv_page->flags |= PG_error;
            nr_failures++;
        }
    }
}

void mpage_bio_submit(struct mpage_bio *mpage)
{
    struct bio *bio = &mpage->bio;
    if (bio->bi_vcnt == 0)
        return;
    int error = submit_bio_wait(bio);
    if (error && bio->bi_vcnt == 1)
        bio->bi_io_vec[0].bv_page->flags |= PG_error;
    else if (error)
        submit_one_by_one(bio);
    mpage->error = mpage->error ? mpage->error : error;
    bio->bi_vcnt = 0;
}

/* ---- Pages of files ---- */

/* What get_blocks said last, so that it is asked once for many blocks. */
struct mapped_run {
    u32 block, nr;
    u32 disk_block; /* 0: a hole */
};

struct mpage_work {
    struct mpage_bio mpage;
    struct inode *inode;
    get_blocks_t *get_blocks;
    struct mapped_run run;
    u32 end_block; /* of the last page: beyond it, nobody asks */
    int error;     /* the first of get_blocks */
};

static u32 first_block_of(const struct page *page)
{
    return (u32)page->index << (PAGE_SHIFT - page->mapping->host->i_sb->s_blocksize_bits);
}

/* How much of a page lies within the file. */
static u32 bytes_in_file(const struct page *page)
{
    loff_t left = i_size_read(page->mapping->host) - ((loff_t)page->index << PAGE_SHIFT);
    return left <= 0 ? 0 : (u32)min(left, (loff_t)PAGE_SIZE);
}

static void clear_bytes(struct page *page, u32 from, u32 to)
{
    char *address = kmap_atomic(page);
    memset(address + from, 0, to - from);
    kunmap_atomic(address);
}

static bool is_zero(struct page *page, u32 offset, u32 bytes)
{
    const u8 *address = kmap_atomic(page);
    u32 i = 0;
    while (i < bytes && address[offset + i] == 0)
        i++;
    kunmap_atomic((void *)address);
    return i == bytes;
}

static void start_work(struct mpage_work *work, struct page **pages, u32 nr, enum req_op op,
                       get_blocks_t *get_blocks)
{
    struct inode *inode = pages[0]->mapping->host;
    const u32 blocks_per_page = (u32)PAGE_SIZE >> inode->i_sb->s_blocksize_bits;
    mpage_bio_init(&work->mpage, inode->i_sb->s_bdev, op);
    work->inode = inode;
    work->get_blocks = get_blocks;
    work->run = (struct mapped_run){.nr = 0};
    work->end_block = first_block_of(pages[nr - 1]) + blocks_per_page;
    work->error = 0;
}

/* Where a block is on the disk, or 0. */
static int find_block(struct mpage_work *work, u32 block, u32 *disk_block)
{
    struct mapped_run *run = &work->run;
    if (block - run->block >= run->nr) {
        int nr = work->get_blocks(work->inode, block, work->end_block - block, false, &run->disk_block);
        run->block = block;
        run->nr = nr < 0 ? 0 : (u32)nr;
        if (nr < 0)
            return nr;
    }
    *disk_block = run->disk_block ? run->disk_block + (block - run->block) : 0;
    return 0;
}

/* A block for content where there is none. */
static int create_block(struct mpage_work *work, u32 block, u32 *disk_block)
{
    work->run.nr = 0;
    int nr = work->get_blocks(work->inode, block, 1, true, disk_block);
    return nr < 0 ? nr : 0;
}

/* Adds the blocks of a page as far as they lie within the file; behind it and in holes are zeroes. */
static void add_page(struct mpage_work *work, struct page *page)
{
    const struct super_block *sb = work->inode->i_sb;
    const bool is_write = work->mpage.bio.bi_opf == REQ_OP_WRITE;
    const u32 bytes = bytes_in_file(page);
    u32 block = first_block_of(page);
    int error = 0;
    for (u32 offset = 0; offset < bytes && error == 0; offset += sb->s_blocksize, block++) {
        u32 disk_block = 0;
        error = find_block(work, block, &disk_block);
        if (error == 0 && disk_block == 0 && is_write && !is_zero(page, offset, sb->s_blocksize))
            error = create_block(work, block, &disk_block);
        if (disk_block)
            mpage_bio_add(&work->mpage, page, offset, sb->s_blocksize,
                          (sector_t)disk_block << (sb->s_blocksize_bits - SECTOR_SHIFT));
        else if (!is_write)
            clear_bytes(page, offset, offset + sb->s_blocksize);
    }
    if (!is_write && bytes % sb->s_blocksize)
        mpage_bio_submit(&work->mpage); /* the last block may hold anything behind the end */
    clear_bytes(page, bytes, PAGE_SIZE);
    if (error)
        page->flags |= PG_error;
    work->error = work->error ? work->error : error;
}

static int do_pages(struct page **pages, u32 nr, enum req_op op, get_blocks_t *get_blocks)
{
    struct mpage_work work;
    start_work(&work, pages, nr, op, get_blocks);
    for (u32 i = 0; i < nr; i++)
        add_page(&work, pages[i]);
    mpage_bio_submit(&work.mpage);
    return work.error ? work.error : work.mpage.error;
}

int mpage_readpages(struct page **pages, u32 nr, get_blocks_t *get_blocks)
{
    return do_pages(pages, nr, REQ_OP_READ, get_blocks);
}

int mpage_writepages(struct page **pages, u32 nr, get_blocks_t *get_blocks)
{
    return do_pages(pages, nr, REQ_OP_WRITE, get_blocks);
}

int mpage_readpage(struct page *page, get_blocks_t *get_blocks)
{
    int error = mpage_readpages(&page, 1, get_blocks);
    page->flags &= ~PG_error;
    return error;
}

int mpage_writepage(struct page *page, get_blocks_t *get_blocks)
{
    int error = mpage_writepages(&page, 1, get_blocks);
    page->flags &= ~PG_error;
    return error;
}
