/*
 * Blocks of a device, in the page cache of the device: what file systems keep their own data in. Which
 * sectors of a page hold what the disk holds, and which must be written, the page knows (uptodate_sectors,
 * dirty_sectors), since a page's other blocks may belong to files, whose content is in other pages.
 */
#pragma once

#include "blkdev.h"
#include "pagemap.h"

struct super_block;

struct buffer_head {
    struct page *b_page; /* lowmem */
    u32 b_blocknr;
    u32 b_size; /* bytes */
    u8 *b_data;
};

void buffer_init(void);
/* The block with what it holds; NULL: it cannot be read, or there is no memory. brelse() ends its use. */
struct buffer_head *sb_bread(struct super_block *sb, u32 block);
/* The block, zeroed and dirty whatever it held; NULL: no memory. */
struct buffer_head *sb_get_zeroed_block(struct super_block *sb, u32 block);
/* Its content has changed. */
void mark_buffer_dirty(struct buffer_head *bh);
/* NULL is nothing. */
void brelse(struct buffer_head *bh);
/*
 * The block is not the file system's own any more, or was given to a file: it is not written, and not taken
 * for what the disk holds.
 */
void forget_block(struct super_block *sb, u32 block);

/* The operations of a block device's pages. */
extern const struct address_space_operations blkdev_aops;
