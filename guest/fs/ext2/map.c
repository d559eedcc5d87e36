/*
 * Where the blocks of a file are: the first 12 are named in the inode; the others in blocks of block numbers,
 * which the inode names directly, or by one or two more levels of such blocks.
 */
#include "errno.h"
#include "ext2.h"

#define MAX_LEVELS 4

static u32 numbers_per_block(const struct super_block *sb)
{
    return sb->s_blocksize / (u32)sizeof(u32);
}

/*
 * The places on the way from the inode to a block of the file: offset[0] in the inode's i_data, the next in
 * the block found there, and so on. Returns how many; 0: no file is that large.
 */
static u32 block_to_path(const struct super_block *sb, u32 block, u32 offset[MAX_LEVELS])
{
    const u32 per_block = numbers_per_block(sb), bits = sb->s_blocksize_bits - 2;
    if (block < EXT2_NDIR_BLOCKS) {
        offset[0] = block;
        return 1;
    }
    u64 rest = block - EXT2_NDIR_BLOCKS;
    u32 levels = 1;
    for (u64 span = per_block; rest >= span; span <<= bits) {
        rest -= span;
        if (++levels == MAX_LEVELS)
            return 0;
    }
    offset[0] = EXT2_NDIR_BLOCKS + levels - 1;
    for (u32 i = levels; i > 0; i--) {
        offset[i] = (u32)rest & (per_block - 1);
        rest >>= bits;
    }
    return levels + 1;
}

loff_t ext2_max_size(u32 blocksize_bits)
{
    const u32 bits = blocksize_bits - 2;
    u64 blocks = EXT2_NDIR_BLOCKS + (1ull << bits) + (1ull << 2 * bits) + (1ull << 3 * bits);
    /* i_blocks counts pieces of 512 bytes, those of the numbers too, in 32 bits; a sixteenth is enough. */
    u64 countable = (0xFFFFFFFFull - 0x0FFFFFFFull) >> (blocksize_bits - 9);
    return (loff_t)(min(blocks, countable) << blocksize_bits);
}

/* A block for the place *number, which has none; numbers in it, or content. */
static int fill_place(struct inode *inode, u32 *number, bool is_content)
{
    struct ext2_inode_info *info = EXT2_I(inode);
    u32 block;
    int error = ext2_new_block(inode, info->i_last_block ? info->i_last_block + 1 : 0, &block);
    if (error)
        return error;
    if (!is_content) {
        struct buffer_head *bh = sb_get_zeroed_block(inode->i_sb, block);
        if (bh == NULL) {
            ext2_free_block(inode, block);
            return -ENOMEM;
        }
        brelse(bh);
    }
    info->i_last_block = block;
    *number = block;
    return 0;
}

static int check_number(const struct inode *inode, u32 number)
{
    if (number == 0 || ext2_is_data_block(inode->i_sb, number))
        return 0;
    return ext2_error(inode->i_sb, "inode %lu has block %u, which there is not", inode->i_ino, number);
}

/* How many of the places from the first on, of nr at most, name blocks behind each other, or none at all. */
static u32 count_run(const struct inode *inode, const u32 *place, u32 nr)
{
    u32 i = 1;
    while (i < nr && place[i] == (place[0] ? place[0] + i : 0) &&
           (place[i] == 0 || ext2_is_data_block(inode->i_sb, place[i])))
        i++;
    return i;
}

/* *nr is how many blocks are asked for, and becomes how many lie one behind the other. */
static int walk_path(struct inode *inode, const u32 *offset, u32 levels, bool create, u32 *disk_block,
                     u32 *nr)
{
    struct buffer_head *bh = NULL; /* the block in which *place is; NULL: the inode */
    u32 *place = &EXT2_I(inode)->i_data[offset[0]];
    int error = 0;
    u32 level;
    for (level = 0;; level++) {
        const bool is_content = level == levels - 1;
        if (*place == 0 && create) {
            error = fill_place(inode, place, is_content);
            if (error == 0 && bh)
                mark_buffer_dirty(bh);
        }
        error = error ? error : check_number(inode, *place);
        if (error || *place == 0 || is_content)
            break;
        struct buffer_head *next = sb_bread(inode->i_sb, *place);
        brelse(bh);
        bh = next;
        if (bh == NULL)
            return -EIO;
        place = (u32 *)(void *)bh->b_data + offset[level + 1];
    }
    *disk_block = error ? 0 : *place;
    if (level == levels - 1) {
        u32 nr_places = bh ? numbers_per_block(inode->i_sb) : EXT2_NDIR_BLOCKS;
        *nr = count_run(inode, place, min(*nr, nr_places - offset[level]));
    } else {
        *nr = 1; /* a hole, of which only its start was asked for */
    }
    brelse(bh);
    return error;
}

int ext2_get_blocks(struct inode *inode, u32 block, u32 max, bool create, u32 *disk_block)
{
    u32 offset[MAX_LEVELS], levels = block_to_path(inode->i_sb, block, offset), nr = create ? 1 : max;
    *disk_block = 0;
    if (levels == 0)
        return create ? -EFBIG : 1;
    struct ext2_inode_info *info = EXT2_I(inode);
    mutex_lock(&info->map_mutex);
    int error = walk_path(inode, offset, levels, create, disk_block, &nr);
    if (*disk_block)
        info->i_last_block = *disk_block;
    mutex_unlock(&info->map_mutex);
    return error ? error : (int)nr;
}

int ext2_get_block(struct inode *inode, u32 block, bool create, u32 *disk_block)
{
    int nr = ext2_get_blocks(inode, block, 1, create, disk_block);
    return nr < 0 ? nr : 0;
}

/* ---- Freeing ---- */

static bool free_below(struct inode *inode, u32 number, u32 level, u64 first, u64 keep);

/*
 * Frees what a place leads to, level levels of numbers above the content, of which the first block is number
 * first of the file, as far as that is not below keep. True: the place has changed.
 */
static bool free_place(struct inode *inode, u32 *place, u32 level, u64 first, u64 keep)
{
    const u64 span = 1ull << level * (inode->i_sb->s_blocksize_bits - 2);
    if (*place == 0 || first + span <= keep)
        return false;
    if (level > 0 && ext2_is_data_block(inode->i_sb, *place) &&
        !free_below(inode, *place, level, first, keep) && first < keep)
        return false;
    if (first < keep)
        return false;
    ext2_free_block(inode, *place);
    *place = 0;
    return true;
}

/* What the numbers in a block lead to. True: some of it was freed. */
static bool free_below(struct inode *inode, u32 number, u32 level, u64 first, u64 keep)
{
    struct super_block *sb = inode->i_sb;
    const u64 span = 1ull << (level - 1) * (sb->s_blocksize_bits - 2);
    struct buffer_head *bh = sb_bread(sb, number);
    bool has_changed = false;
    if (bh == NULL)
        return false;
    u32 *places = (u32 *)(void *)bh->b_data;
    for (u32 i = 0; i < numbers_per_block(sb); i++)
        has_changed |= free_place(inode, &places[i], level - 1, first + i * span, keep);
    if (has_changed)
        mark_buffer_dirty(bh);
    brelse(bh);
    return has_changed;
}

void ext2_truncate_blocks(struct inode *inode, loff_t size)
{
    struct ext2_inode_info *info = EXT2_I(inode);
    const struct super_block *sb = inode->i_sb;
    const u64 keep = ((u64)size + sb->s_blocksize - 1) >> sb->s_blocksize_bits;
    mutex_lock(&info->map_mutex);
    for (u32 i = 0; i < EXT2_NDIR_BLOCKS; i++)
        free_place(inode, &info->i_data[i], 0, i, keep);
    u64 first = EXT2_NDIR_BLOCKS;
    for (u32 level = 1; level < MAX_LEVELS; level++) {
        free_place(inode, &info->i_data[EXT2_NDIR_BLOCKS + level - 1], level, first, keep);
        first += 1ull << level * (sb->s_blocksize_bits - 2);
    }
    info->i_last_block = 0;
    mutex_unlock(&info->map_mutex);
    mark_inode_dirty(inode);
}
