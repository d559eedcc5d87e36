/* Which blocks are free. */
#include "cred.h"
#include "errno.h"
#include "ext2.h"
#include "sched.h"

static u32 group_first_block(const struct super_block *sb, u32 group)
{
    const struct ext2_super_block *es = EXT2_SB(sb)->s_es;
    return es->s_first_data_block + group * es->s_blocks_per_group;
}

/* The last group may be smaller. */
static u32 blocks_in_group(const struct super_block *sb, u32 group)
{
    const struct ext2_super_block *es = EXT2_SB(sb)->s_es;
    return min(es->s_blocks_per_group, es->s_blocks_count - group_first_block(sb, group));
}

static u32 group_of_block(const struct super_block *sb, u32 block)
{
    const struct ext2_super_block *es = EXT2_SB(sb)->s_es;
    return (block - es->s_first_data_block) / es->s_blocks_per_group;
}

static void change_free_blocks(struct super_block *sb, struct ext2_group_desc *desc,
                               struct buffer_head *desc_bh, int delta)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    desc->bg_free_blocks_count = (u16)(desc->bg_free_blocks_count + delta);
    sbi->s_es->s_free_blocks_count += (u32)delta;
    mark_buffer_dirty(desc_bh);
    mark_buffer_dirty(sbi->s_sbh);
}

/* False: the bitmap and the tables lie here, whatever the bitmap says. */
static bool is_allocatable(const struct super_block *sb, const struct ext2_group_desc *desc, u32 block)
{
    const struct ext2_sb_info *sbi = EXT2_SB(sb);
    u32 table_blocks = sbi->s_es->s_inodes_per_group / sbi->s_inodes_per_block;
    return block != desc->bg_block_bitmap && block != desc->bg_inode_bitmap &&
           !(block >= desc->bg_inode_table && block < desc->bg_inode_table + table_blocks);
}

/* Takes a block of the group, from bit first on. 0, -ENOSPC: there is none from there on; -EIO. */
static int take_from_group(struct super_block *sb, u32 group, u32 first, u32 *block)
{
    struct buffer_head *desc_bh;
    struct ext2_group_desc *desc = ext2_get_group_desc(sb, group, &desc_bh);
    if (desc == NULL)
        return -EIO;
    if (desc->bg_free_blocks_count == 0)
        return -ENOSPC;
    struct buffer_head *bitmap = sb_bread(sb, desc->bg_block_bitmap);
    if (bitmap == NULL)
        return -EIO;
    const u32 nr_blocks = blocks_in_group(sb, group);
    int error = -ENOSPC;
    for (u32 bit = first;
         error && (bit = ext2_find_next_zero_bit(bitmap->b_data, nr_blocks, bit)) < nr_blocks; bit++) {
        *block = group_first_block(sb, group) + bit;
        ext2_set_bit(bitmap->b_data, bit);
        mark_buffer_dirty(bitmap);
        if (is_allocatable(sb, desc, *block))
            error = 0;
        else
            ext2_error(sb, "the bitmap of group %u calls block %u free", group, *block);
    }
    if (error == 0)
        change_free_blocks(sb, desc, desc_bh, -1);
    brelse(bitmap);
    return error;
}

/* The last blocks are root's. */
static bool has_free_blocks(const struct ext2_super_block *es)
{
    return es->s_free_blocks_count > es->s_r_blocks_count ||
           (es->s_free_blocks_count && current_fsuid() == 0);
}

static u32 find_goal(struct inode *inode, u32 goal)
{
    const struct ext2_super_block *es = EXT2_SB(inode->i_sb)->s_es;
    if (goal > es->s_first_data_block && goal < es->s_blocks_count)
        return goal;
    return group_first_block(inode->i_sb, (u32)(inode->i_ino - 1) / es->s_inodes_per_group);
}

int ext2_new_block(struct inode *inode, u32 goal, u32 *block)
{
    struct super_block *sb = inode->i_sb;
    const struct ext2_sb_info *sbi = EXT2_SB(sb);
    if (!has_free_blocks(sbi->s_es))
        return -ENOSPC;
    goal = find_goal(inode, goal);
    u32 goal_group = group_of_block(sb, goal), first = goal - group_first_block(sb, goal_group);
    int error = -ENOSPC;
    /* The goal's group comes up twice: from the goal on, and in the end from its start. */
    for (u32 i = 0; i <= sbi->s_groups_count && error; i++) {
        error = take_from_group(sb, (goal_group + i) % sbi->s_groups_count, first, block);
        if (error == -EIO)
            return error;
        first = 0;
    }
    if (error == 0) {
        inode->i_blocks += sb->s_blocksize / 512;
        mark_inode_dirty(inode);
        /* It may have been the file system's own until now. */
        forget_block(sb, *block);
    }
    return error;
}

void ext2_free_block(struct inode *inode, u32 block)
{
    struct super_block *sb = inode->i_sb;
    if (!ext2_is_data_block(sb, block)) {
        ext2_error(sb, "inode %lu has block %u, which there is not", inode->i_ino, block);
        return;
    }
    u32 group = group_of_block(sb, block);
    struct buffer_head *desc_bh;
    struct ext2_group_desc *desc = ext2_get_group_desc(sb, group, &desc_bh);
    if (desc == NULL || !is_allocatable(sb, desc, block)) {
        ext2_error(sb, "inode %lu has block %u of the file system's own", inode->i_ino, block);
        return;
    }
    forget_block(sb, block);
    struct buffer_head *bitmap = sb_bread(sb, desc->bg_block_bitmap);
    if (bitmap == NULL)
        return;
    if (ext2_clear_bit(bitmap->b_data, block - group_first_block(sb, group))) {
        mark_buffer_dirty(bitmap);
        change_free_blocks(sb, desc, desc_bh, 1);
    } else {
        ext2_error(sb, "block %u of inode %lu is free already", block, inode->i_ino);
    }
    brelse(bitmap);
    inode->i_blocks -= min(inode->i_blocks, (u64)(sb->s_blocksize / 512));
    mark_inode_dirty(inode);
}
