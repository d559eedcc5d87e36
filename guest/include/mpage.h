/*
 * Many pages with one command to the disk: parts of pages, one after another, become one bio as long as they
 * lie one behind the other on the disk.
 */
#pragma once

#include "blkdev.h"

struct inode;

/* ---- fs/mpage.c: bios ---- */

#define MPAGE_MAX_VECS 32u

struct mpage_bio {
    struct bio bio;
    struct bio_vec vecs[MPAGE_MAX_VECS];
    sector_t next_sector; /* behind what it has */
    int error;            /* the first of those that were done */
};

void mpage_bio_init(struct mpage_bio *mpage, struct block_device *bdev, enum req_op op);
/* If it does not lie behind what was added before, that is done first. */
void mpage_bio_add(struct mpage_bio *mpage, struct page *page, u32 offset, u32 bytes, sector_t sector);
/* Does what was added and waits for it; pages of which something could not be done get PG_error. */
void mpage_bio_submit(struct mpage_bio *mpage);

/* ---- Pages of files ---- */

/*
 * Where blocks of a file are, from number block on: how many lie one behind the other on the disk from
 * *disk_block on, or are a hole (*disk_block 0), at most max. With create, one, which is none afterwards. Or
 * an error.
 */
typedef int get_blocks_t(struct inode *inode, u32 block, u32 max, bool create, u32 *disk_block);

/*
 * address_space_operations' readpages() and writepages() by that. A hole in a page that is written stays one
 * if nothing is in it; a process that maps the page may have put something there when the file became longer.
 */
int mpage_readpages(struct page **pages, u32 nr, get_blocks_t *get_blocks);
int mpage_writepages(struct page **pages, u32 nr, get_blocks_t *get_blocks);
/* The same for one page. */
int mpage_readpage(struct page *page, get_blocks_t *get_blocks);
int mpage_writepage(struct page *page, get_blocks_t *get_blocks);
