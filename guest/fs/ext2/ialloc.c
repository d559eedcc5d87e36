/* Which inodes are free. */
#include "err.h"
#include "ext2.h"

/* A folder goes where there are many free inodes, so that its files have room beside it. */
static u32 find_group_for_dir(struct super_block *sb)
{
    u32 best = 0, most = 0;
    for (u32 group = 0; group < EXT2_SB(sb)->s_groups_count; group++) {
        const struct ext2_group_desc *desc = ext2_get_group_desc(sb, group, NULL);
        if (desc && desc->bg_free_blocks_count && desc->bg_free_inodes_count > most) {
            best = group;
            most = desc->bg_free_inodes_count;
        }
    }
    return best;
}

static void change_free_inodes(struct super_block *sb, struct ext2_group_desc *desc,
                               struct buffer_head *desc_bh, int delta, bool is_dir)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    desc->bg_free_inodes_count = (u16)(desc->bg_free_inodes_count + delta);
    sbi->s_es->s_free_inodes_count += (u32)delta;
    if (is_dir)
        desc->bg_used_dirs_count = (u16)(desc->bg_used_dirs_count - delta);
    mark_buffer_dirty(desc_bh);
    mark_buffer_dirty(sbi->s_sbh);
}

/* Takes a number of the group. 0, -ENOSPC or -EIO. */
static int take_from_group(struct super_block *sb, u32 group, bool is_dir, u32 *ino)
{
    const struct ext2_sb_info *sbi = EXT2_SB(sb);
    const u32 per_group = sbi->s_es->s_inodes_per_group;
    struct buffer_head *desc_bh;
    struct ext2_group_desc *desc = ext2_get_group_desc(sb, group, &desc_bh);
    if (desc == NULL)
        return -EIO;
    if (desc->bg_free_inodes_count == 0)
        return -ENOSPC;
    struct buffer_head *bitmap = sb_bread(sb, desc->bg_inode_bitmap);
    if (bitmap == NULL)
        return -EIO;
    /* The first numbers are the file system's own, whatever the bitmap says. */
    u32 first = group == 0 ? sbi->s_first_ino - 1 : 0;
    u32 bit = ext2_find_next_zero_bit(bitmap->b_data, per_group, first);
    if (bit < per_group) {
        ext2_set_bit(bitmap->b_data, bit);
        mark_buffer_dirty(bitmap);
        change_free_inodes(sb, desc, desc_bh, -1, is_dir);
        *ino = group * per_group + bit + 1;
    }
    brelse(bitmap);
    return bit < per_group ? 0 : -ENOSPC;
}

static int take_number(struct inode *dir, bool is_dir, u32 *ino)
{
    struct super_block *sb = dir->i_sb;
    const struct ext2_sb_info *sbi = EXT2_SB(sb);
    u32 start = is_dir ? find_group_for_dir(sb) : (u32)(dir->i_ino - 1) / sbi->s_es->s_inodes_per_group;
    int error = -ENOSPC;
    for (u32 i = 0; i < sbi->s_groups_count && error == -ENOSPC; i++)
        error = take_from_group(sb, (start + i) % sbi->s_groups_count, is_dir, ino);
    return error;
}

static void give_number_back(struct super_block *sb, u32 ino, bool is_dir)
{
    const struct ext2_sb_info *sbi = EXT2_SB(sb);
    u32 group = (ino - 1) / sbi->s_es->s_inodes_per_group;
    struct buffer_head *desc_bh;
    struct ext2_group_desc *desc = ext2_get_group_desc(sb, group, &desc_bh);
    struct buffer_head *bitmap = desc ? sb_bread(sb, desc->bg_inode_bitmap) : NULL;
    if (bitmap == NULL)
        return;
    if (ext2_clear_bit(bitmap->b_data, (ino - 1) % sbi->s_es->s_inodes_per_group)) {
        mark_buffer_dirty(bitmap);
        change_free_inodes(sb, desc, desc_bh, 1, is_dir);
    } else {
        ext2_error(sb, "inode %u is free already", ino);
    }
    brelse(bitmap);
}

struct inode *ext2_new_inode(struct inode *dir, umode_t mode)
{
    struct super_block *sb = dir->i_sb;
    u32 ino;
    int error = take_number(dir, S_ISDIR(mode), &ino);
    if (error)
        return ERR_PTR(error);
    struct inode *inode = iget_locked(sb, ino);
    if (inode == NULL) {
        give_number_back(sb, ino, S_ISDIR(mode));
        return ERR_PTR(-ENOMEM);
    }
    /* The bitmap called it free, and somebody uses it: it stays taken. */
    if (!(inode->i_state & I_NEW)) {
        iput(inode);
        return ERR_PTR(ext2_error(sb, "inode %u is in use, and was free", ino));
    }
    inode_init_owner(inode, dir, mode);
    inode->i_atime = inode->i_mtime = inode->i_ctime = current_time();
    mark_inode_dirty(inode);
    return inode;
}

void ext2_free_inode(struct inode *inode)
{
    if (inode->i_ino < EXT2_SB(inode->i_sb)->s_first_ino) {
        ext2_error(inode->i_sb, "inode %lu, which is the file system's own, has no name", inode->i_ino);
        return;
    }
    give_number_back(inode->i_sb, (u32)inode->i_ino, S_ISDIR(inode->i_mode));
}
