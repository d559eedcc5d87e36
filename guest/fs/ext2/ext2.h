/*
 * The second extended file system. What lies on the disk, little-endian as this machine is: groups of
 * blocks, each with a bitmap of its blocks, a bitmap of its inodes, and a table of these; the super block and
 * the table of groups stand in the first group and, as copies, in some others. ("The Second Extended File
 * System", D. Poirier.)
 */
#pragma once

#include "buffer_head.h"
#include "fs.h"
#include "printk.h"

#define EXT2_SUPER_MAGIC 0xEF53
#define EXT2_ROOT_INO 2u
#define EXT2_GOOD_OLD_FIRST_INO 11u
#define EXT2_GOOD_OLD_INODE_SIZE 128u
#define EXT2_NAME_LEN 255u
#define EXT2_LINK_MAX 32000u

/* s_state */
#define EXT2_VALID_FS 1u /* was unmounted */
#define EXT2_ERROR_FS 2u

#define EXT2_FEATURE_INCOMPAT_FILETYPE 0x2u
#define EXT2_FEATURE_INCOMPAT_SUPP EXT2_FEATURE_INCOMPAT_FILETYPE
#define EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER 0x1u
#define EXT2_FEATURE_RO_COMPAT_LARGE_FILE 0x2u
#define EXT2_FEATURE_RO_COMPAT_SUPP (EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE)

/* At byte 1024 of the device. */
struct ext2_super_block {
    u32 s_inodes_count, s_blocks_count, s_r_blocks_count, s_free_blocks_count;
    u32 s_free_inodes_count, s_first_data_block, s_log_block_size, s_log_frag_size;
    u32 s_blocks_per_group, s_frags_per_group, s_inodes_per_group, s_mtime;
    u32 s_wtime;
    u16 s_mnt_count, s_max_mnt_count, s_magic, s_state, s_errors, s_minor_rev_level;
    u32 s_lastcheck, s_checkinterval, s_creator_os, s_rev_level;
    u16 s_def_resuid, s_def_resgid;
    u32 s_first_ino; /* this and the following: revision 1 */
    u16 s_inode_size, s_block_group_nr;
    u32 s_feature_compat, s_feature_incompat, s_feature_ro_compat;
    u8 s_uuid[16], s_volume_name[16], s_last_mounted[64];
    u32 s_reserved[206];
};

struct ext2_group_desc {
    u32 bg_block_bitmap, bg_inode_bitmap, bg_inode_table;
    u16 bg_free_blocks_count, bg_free_inodes_count, bg_used_dirs_count, bg_pad;
    u32 bg_reserved[3];
};

#define EXT2_NDIR_BLOCKS 12u
#define EXT2_IND_BLOCK 12u
#define EXT2_DIND_BLOCK 13u
#define EXT2_TIND_BLOCK 14u
#define EXT2_N_BLOCKS 15u
#define EXT2_XATTR_MAGIC 0xEA020000u
#define EXT2_INDEX_FL 0x1000u /* a folder with an index, which says nothing any more when it is changed */

struct ext2_inode {
    u16 i_mode, i_uid;
    u32 i_size, i_atime, i_ctime, i_mtime, i_dtime;
    u16 i_gid, i_links_count;
    u32 i_blocks; /* of 512 bytes */
    u32 i_flags, i_osd1;
    u32 i_block[EXT2_N_BLOCKS];
    u32 i_generation, i_file_acl;
    u32 i_size_high; /* of files; i_dir_acl of folders */
    u32 i_faddr;
    u16 i_osd2_frag, i_pad1, i_uid_high, i_gid_high;
    u32 i_reserved2;
};

struct ext2_dir_entry {
    u32 inode; /* 0: unused */
    u16 rec_len;
    u8 name_len, file_type;
    char name[];
};
#define EXT2_DIR_HEAD_BYTES 8u
#define EXT2_DIR_REC_LEN(name_len) (((u32)(name_len) + EXT2_DIR_HEAD_BYTES + 3) & ~3u)

/* ---- In memory ---- */

struct ext2_sb_info {
    struct buffer_head *s_sbh; /* where s_es is */
    struct ext2_super_block *s_es;
    struct buffer_head **s_group_desc; /* the blocks of the table of groups */
    u32 s_groups_count;
    u32 s_desc_per_block, s_inodes_per_block, s_inode_size, s_first_ino;
};

struct ext2_inode_info {
    struct inode vfs_inode;
    u32 i_data[EXT2_N_BLOCKS]; /* as on disk */
    u32 i_flags, i_file_acl, i_dir_acl;
    u32 i_dtime;
    u32 i_last_block;       /* where the next block should lie: behind this one; 0: in the inode's group */
    struct mutex map_mutex; /* held while i_data and what hangs on it is walked */
};

static inline struct ext2_sb_info *EXT2_SB(const struct super_block *sb)
{
    return sb->s_fs_info;
}

static inline struct ext2_inode_info *EXT2_I(struct inode *inode)
{
    return container_of(inode, struct ext2_inode_info, vfs_inode);
}

/* super.c: what is on the disk cannot be right. Says so, and lets e2fsck know. Always -EIO. */
__printf(2, 3) int ext2_error(struct super_block *sb, const char *fmt, ...);
/* A row of the table of groups, and its block; NULL: there is no such group. */
struct ext2_group_desc *ext2_get_group_desc(struct super_block *sb, u32 group, struct buffer_head **bh);
bool ext2_is_data_block(const struct super_block *sb, u32 block);
extern struct file_system_type ext2_fs_type;

/* bitmap.c: the first clear bit in [first, end), or end. */
u32 ext2_find_next_zero_bit(const u8 *bitmap, u32 end, u32 first);
static inline bool ext2_test_bit(const u8 *bitmap, u32 nr)
{
    return bitmap[nr / 8] & (1u << nr % 8);
}
/* Both say what the bit was. */
bool ext2_set_bit(u8 *bitmap, u32 nr);
bool ext2_clear_bit(u8 *bitmap, u32 nr);

/* balloc.c: a block for the inode, near goal (0: near the inode). 0, -ENOSPC or -EIO. */
int ext2_new_block(struct inode *inode, u32 goal, u32 *block);
void ext2_free_block(struct inode *inode, u32 block);

/* ialloc.c: a new inode in dir, not yet on disk, or ERR_PTR. */
struct inode *ext2_new_inode(struct inode *dir, umode_t mode);
void ext2_free_inode(struct inode *inode);

/* map.c: from a block of a file to a block of the disk. */
/* *disk_block 0: a hole. With create, there is none afterwards. 0 or an error. */
int ext2_get_block(struct inode *inode, u32 block, bool create, u32 *disk_block);
/* A get_blocks_t (mpage.h). */
int ext2_get_blocks(struct inode *inode, u32 block, u32 max, bool create, u32 *disk_block);
/* Frees all blocks behind size bytes. */
void ext2_truncate_blocks(struct inode *inode, loff_t size);
loff_t ext2_max_size(u32 blocksize_bits);

/* inode.c */
extern const struct address_space_operations ext2_aops;
struct inode *ext2_iget(struct super_block *sb, unsigned long ino);
/* Operations by the kind of file, and a mapping if it has pages. 0 or -ENOMEM. */
int ext2_set_operations(struct inode *inode, dev_t rdev);
int ext2_write_inode(struct inode *inode);
/* A symbolic link that has its text where the numbers of blocks would be. */
bool ext2_is_fast_symlink(const struct inode *inode);
void ext2_evict_inode(struct inode *inode);
int ext2_setattr(struct dentry *dentry, struct iattr *attr);

/* dir.c: names in a folder. Errors: -EIO, -ENOSPC, -ENOENT. */
/* The number of the inode that a name means; 0: there is no such name. */
int ext2_inode_by_name(struct inode *dir, const struct qstr *name, u32 *ino);
int ext2_add_link(struct inode *dir, const struct qstr *name, const struct inode *inode);
int ext2_delete_entry(struct inode *dir, const struct qstr *name);
/* The name means another inode from now on. */
int ext2_set_link(struct inode *dir, const struct qstr *name, const struct inode *inode);
/* The first block of a new folder. */
int ext2_make_empty(struct inode *inode, const struct inode *parent);
bool ext2_empty_dir(struct inode *dir);
extern const struct file_operations ext2_dir_operations;

/* namei.c, file.c, symlink.c */
extern const struct inode_operations ext2_dir_inode_operations;
extern const struct inode_operations ext2_special_inode_operations;
extern const struct inode_operations ext2_file_inode_operations;
extern const struct file_operations ext2_file_operations;
extern const struct inode_operations ext2_symlink_inode_operations;
/* A new symbolic link gets its text. */
int ext2_set_symlink(struct inode *inode, const char *target);
