/* Files and symbolic links: what is particular about them. */
#include "err.h"
#include "ext2.h"
#include "string.h"

const struct inode_operations ext2_file_inode_operations = {.setattr = ext2_setattr};

/* What could not be written since the last time somebody asked, close() tells, too. */
static int ext2_flush(struct file *file)
{
    return (file->f_mode & FMODE_WRITE) ? filemap_check_errors(file->f_mapping) : 0;
}

const struct file_operations ext2_file_operations = {.llseek = generic_file_llseek,
                                                     .read = generic_file_read,
                                                     .write = generic_file_write,
                                                     .mmap = generic_file_mmap,
                                                     .flush = ext2_flush,
                                                     .fsync = generic_file_fsync};

/* ---- Symbolic links: short ones have their text in the inode ---- */

#define FAST_BYTES ((u32)sizeof(((struct ext2_inode_info *)NULL)->i_data))

int ext2_set_symlink(struct inode *inode, const char *target)
{
    u32 length = (u32)strlen(target), disk_block;
    if (length >= inode->i_sb->s_blocksize)
        return -ENAMETOOLONG;
    if (length < FAST_BYTES) {
        memcpy(EXT2_I(inode)->i_data, target, length);
    } else {
        int error = ext2_get_block(inode, 0, true, &disk_block);
        if (error)
            return error;
        struct buffer_head *bh = sb_get_zeroed_block(inode->i_sb, disk_block);
        if (bh == NULL)
            return -ENOMEM;
        memcpy(bh->b_data, target, length);
        brelse(bh);
    }
    i_size_write(inode, length);
    mark_inode_dirty(inode);
    return 0;
}

static int ext2_readlink(struct dentry *dentry, char *buf, u32 size)
{
    struct inode *inode = dentry->d_inode;
    u32 length = min((u32)inode->i_size, size), disk_block;
    if (ext2_is_fast_symlink(inode)) {
        length = min(length, FAST_BYTES);
        memcpy(buf, EXT2_I(inode)->i_data, length);
        return (int)length;
    }
    int error = ext2_get_block(inode, 0, false, &disk_block);
    struct buffer_head *bh = error == 0 && disk_block ? sb_bread(inode->i_sb, disk_block) : NULL;
    if (bh == NULL)
        return -EIO;
    memcpy(buf, bh->b_data, length);
    brelse(bh);
    return (int)length;
}

const struct inode_operations ext2_symlink_inode_operations = {.readlink = ext2_readlink,
                                                               .setattr = ext2_setattr};
