/* Inodes between memory and disk, and the pages of files. */
#include "err.h"
#include "ext2.h"
#include "mpage.h"
#include "string.h"

/* ---- Pages ---- */

static int ext2_readpage(struct page *page)
{
    return mpage_readpage(page, ext2_get_blocks);
}

static int ext2_readpages(struct page **pages, u32 nr)
{
    return mpage_readpages(pages, nr, ext2_get_blocks);
}

static int ext2_writepage(struct page *page)
{
    return mpage_writepage(page, ext2_get_blocks);
}

static int ext2_writepages(struct page **pages, u32 nr)
{
    return mpage_writepages(pages, nr, ext2_get_blocks);
}

static int ext2_prepare_write(struct page *page, u32 from, u32 to)
{
    struct inode *inode = page->mapping->host;
    const u32 bits = inode->i_sb->s_blocksize_bits;
    const u32 first_block = (u32)page->index << (PAGE_SHIFT - bits);
    int error = 0;
    for (u32 i = from >> bits; i <= (to - 1) >> bits && error == 0; i++) {
        u32 disk_block;
        error = ext2_get_block(inode, first_block + i, true, &disk_block);
    }
    return error;
}

static void ext2_write_failed(struct address_space *mapping)
{
    ext2_truncate_blocks(mapping->host, i_size_read(mapping->host));
}

static int ext2_bmap(struct inode *inode, u32 block, u32 *disk_block)
{
    return ext2_get_block(inode, block, false, disk_block);
}

const struct address_space_operations ext2_aops = {.readpage = ext2_readpage,
                                                   .readpages = ext2_readpages,
                                                   .writepage = ext2_writepage,
                                                   .writepages = ext2_writepages,
                                                   .bmap = ext2_bmap,
                                                   .prepare_write = ext2_prepare_write,
                                                   .write_failed = ext2_write_failed};

/* ---- Inodes ---- */

/* Where an inode lies, and its block; NULL: there is no such inode, or it cannot be read. */
static struct ext2_inode *get_raw_inode(struct super_block *sb, unsigned long ino, struct buffer_head **bh)
{
    const struct ext2_sb_info *sbi = EXT2_SB(sb);
    const u32 per_group = sbi->s_es->s_inodes_per_group;
    if (ino == 0 || ino > sbi->s_es->s_inodes_count)
        return NULL;
    const struct ext2_group_desc *desc = ext2_get_group_desc(sb, (u32)(ino - 1) / per_group, NULL);
    if (desc == NULL)
        return NULL;
    u32 index = (u32)(ino - 1) % per_group;
    *bh = sb_bread(sb, desc->bg_inode_table + index / sbi->s_inodes_per_block);
    if (*bh == NULL)
        return NULL;
    void *raw = (*bh)->b_data + index % sbi->s_inodes_per_block * sbi->s_inode_size;
    return raw;
}

int ext2_set_operations(struct inode *inode, dev_t rdev)
{
    switch (inode->i_mode & S_IFMT) {
    case S_IFREG:
        inode->i_op = &ext2_file_inode_operations;
        inode->i_fop = &ext2_file_operations;
        return inode_init_mapping(inode, &ext2_aops, GFP_HIGHUSER_MOVABLE);
    case S_IFDIR:
        inode->i_op = &ext2_dir_inode_operations;
        inode->i_fop = &ext2_dir_operations;
        return 0;
    case S_IFLNK:
        inode->i_op = &ext2_symlink_inode_operations;
        return 0;
    default:
        inode->i_op = &ext2_special_inode_operations;
        init_special_inode(inode, inode->i_mode, rdev);
        return 0;
    }
}

static struct timespec64 seconds(u32 value)
{
    return (struct timespec64){.tv_sec = (s32)value};
}

static void read_raw_inode(struct inode *inode, const struct ext2_inode *raw)
{
    struct ext2_inode_info *info = EXT2_I(inode);
    inode->i_mode = raw->i_mode;
    inode->i_uid = raw->i_uid | (u32)raw->i_uid_high << 16;
    inode->i_gid = raw->i_gid | (u32)raw->i_gid_high << 16;
    inode->i_nlink = raw->i_links_count;
    inode->i_size = raw->i_size;
    if (S_ISREG(raw->i_mode))
        inode->i_size |= (loff_t)((u64)raw->i_size_high << 32);
    inode->i_blocks = raw->i_blocks;
    inode->i_atime = seconds(raw->i_atime);
    inode->i_mtime = seconds(raw->i_mtime);
    inode->i_ctime = seconds(raw->i_ctime);
    inode->i_generation = raw->i_generation;
    memcpy(info->i_data, raw->i_block, sizeof(info->i_data));
    info->i_flags = raw->i_flags;
    info->i_file_acl = raw->i_file_acl;
    info->i_dir_acl = S_ISREG(raw->i_mode) ? 0 : raw->i_size_high;
}

/* Device numbers come in an old form of 16 bits or in a new one of 32, in another place. */
static dev_t device_of(const struct ext2_inode *raw)
{
    u32 old = raw->i_block[0];
    return old ? MKDEV(old >> 8 & 0xFF, old & 0xFF) : new_decode_dev(raw->i_block[1]);
}

static int check_inode(const struct inode *inode)
{
    if (inode->i_nlink == 0 || inode->i_mode == 0)
        return ext2_error(inode->i_sb, "a name leads to inode %lu, which is free", inode->i_ino);
    if (inode->i_size < 0 || inode->i_size > inode->i_sb->s_maxbytes ||
        (S_ISLNK(inode->i_mode) && inode->i_size > (loff_t)inode->i_sb->s_blocksize))
        return ext2_error(inode->i_sb, "inode %lu has a size that it cannot have", inode->i_ino);
    return 0;
}

struct inode *ext2_iget(struct super_block *sb, unsigned long ino)
{
    struct inode *inode = iget_locked(sb, ino);
    if (inode == NULL)
        return ERR_PTR(-ENOMEM);
    if (!(inode->i_state & I_NEW))
        return inode;
    struct buffer_head *bh;
    const struct ext2_inode *raw = get_raw_inode(sb, ino, &bh);
    int error = raw ? 0 : -EIO;
    if (raw) {
        read_raw_inode(inode, raw);
        error = check_inode(inode);
        if (error == 0)
            error = ext2_set_operations(inode, device_of(raw));
        brelse(bh);
    }
    if (error == 0) {
        unlock_new_inode(inode);
        return inode;
    }
    /* So that nothing of it is freed. */
    set_nlink(inode, 1);
    iget_failed(inode);
    return ERR_PTR(error);
}

static void note_large_file(struct super_block *sb)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    if (sbi->s_es->s_feature_ro_compat & EXT2_FEATURE_RO_COMPAT_LARGE_FILE)
        return;
    sbi->s_es->s_feature_ro_compat |= EXT2_FEATURE_RO_COMPAT_LARGE_FILE;
    mark_buffer_dirty(sbi->s_sbh);
}

static void write_raw_inode(struct inode *inode, struct ext2_inode *raw)
{
    const struct ext2_inode_info *info = EXT2_I(inode);
    raw->i_mode = inode->i_mode;
    raw->i_uid = (u16)inode->i_uid;
    raw->i_uid_high = (u16)(inode->i_uid >> 16);
    raw->i_gid = (u16)inode->i_gid;
    raw->i_gid_high = (u16)(inode->i_gid >> 16);
    raw->i_links_count = (u16)inode->i_nlink;
    raw->i_size = (u32)inode->i_size;
    raw->i_size_high = S_ISREG(inode->i_mode) ? (u32)((u64)inode->i_size >> 32) : info->i_dir_acl;
    raw->i_atime = (u32)inode->i_atime.tv_sec;
    raw->i_mtime = (u32)inode->i_mtime.tv_sec;
    raw->i_ctime = (u32)inode->i_ctime.tv_sec;
    raw->i_dtime = info->i_dtime;
    raw->i_blocks = (u32)inode->i_blocks;
    raw->i_flags = info->i_flags;
    raw->i_generation = inode->i_generation;
    raw->i_file_acl = info->i_file_acl;
    memcpy(raw->i_block, info->i_data, sizeof(raw->i_block));
    if (S_ISCHR(inode->i_mode) || S_ISBLK(inode->i_mode)) {
        raw->i_block[0] = 0;
        raw->i_block[1] = new_encode_dev(inode->i_rdev);
    }
}

int ext2_write_inode(struct inode *inode)
{
    struct buffer_head *bh;
    struct ext2_inode *raw = get_raw_inode(inode->i_sb, inode->i_ino, &bh);
    if (raw == NULL)
        return -EIO;
    /* One that was free until now has remains of its last life behind the part that is written here. */
    if (raw->i_links_count == 0)
        memset(raw, 0, EXT2_SB(inode->i_sb)->s_inode_size);
    write_raw_inode(inode, raw);
    if (S_ISREG(inode->i_mode) && inode->i_size > 0x7FFFFFFF)
        note_large_file(inode->i_sb);
    mark_buffer_dirty(bh);
    brelse(bh);
    return 0;
}

bool ext2_is_fast_symlink(const struct inode *inode)
{
    u32 of_attributes = EXT2_I((struct inode *)inode)->i_file_acl ? inode->i_sb->s_blocksize / 512 : 0;
    return S_ISLNK(inode->i_mode) && inode->i_blocks == of_attributes;
}

static bool has_blocks(const struct inode *inode)
{
    return S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode) ||
           (S_ISLNK(inode->i_mode) && !ext2_is_fast_symlink(inode));
}

/* Extended attributes, which nothing here reads, may be in a block that several inodes share. */
static void free_attributes(struct inode *inode)
{
    struct ext2_inode_info *info = EXT2_I(inode);
    struct {
        u32 h_magic, h_refcount;
    } * head;
    if (info->i_file_acl == 0)
        return;
    struct buffer_head *bh =
        ext2_is_data_block(inode->i_sb, info->i_file_acl) ? sb_bread(inode->i_sb, info->i_file_acl) : NULL;
    if (bh) {
        head = (void *)bh->b_data;
        if (head->h_magic == EXT2_XATTR_MAGIC && head->h_refcount > 1) {
            head->h_refcount--;
            mark_buffer_dirty(bh);
        } else if (head->h_magic == EXT2_XATTR_MAGIC) {
            ext2_free_block(inode, info->i_file_acl);
        }
        brelse(bh);
    }
    info->i_file_acl = 0;
}

void ext2_evict_inode(struct inode *inode)
{
    inode_free_mapping(inode);
    if (inode->i_nlink == 0 && !(inode->i_sb->s_flags & SB_RDONLY)) {
        if (has_blocks(inode)) {
            inode->i_size = 0;
            ext2_truncate_blocks(inode, 0);
        }
        free_attributes(inode);
        EXT2_I(inode)->i_dtime = (u32)current_time().tv_sec | 1;
        (void)ext2_write_inode(inode);
        ext2_free_inode(inode);
    }
    clear_inode(inode);
}

static int set_size(struct inode *inode, loff_t size)
{
    loff_t old_size = i_size_read(inode);
    i_size_write(inode, size);
    if (size >= old_size)
        return 0;
    int error = truncate_pagecache(inode, size);
    ext2_truncate_blocks(inode, size);
    return error;
}

int ext2_setattr(struct dentry *dentry, struct iattr *attr)
{
    struct inode *inode = dentry->d_inode;
    int error = 0;
    if ((attr->ia_valid & ATTR_SIZE) && S_ISREG(inode->i_mode))
        error = set_size(inode, attr->ia_size);
    setattr_copy(inode, attr);
    mark_inode_dirty(inode);
    return error;
}
