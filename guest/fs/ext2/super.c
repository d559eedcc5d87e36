/* Super blocks: what must be right before anything else is looked at. */
#include "err.h"
#include "ext2.h"
#include "slab.h"
#include "string.h"

#define SUPER_OFFSET 1024u
#define MIN_BLOCK_BITS 10u
#define MAX_BLOCK_BITS 12u

static struct kmem_cache *ext2_inode_cachep;

int ext2_error(struct super_block *sb, const char *fmt, ...)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    char text[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    pr_err("EXT2-fs (%s): error: %s\n", sb->s_bdev->name, text);
    if (!(sb->s_flags & SB_RDONLY)) {
        sbi->s_es->s_state |= EXT2_ERROR_FS;
        mark_buffer_dirty(sbi->s_sbh);
    }
    return -EIO;
}

bool ext2_is_data_block(const struct super_block *sb, u32 block)
{
    const struct ext2_super_block *es = EXT2_SB(sb)->s_es;
    return block > es->s_first_data_block && block < es->s_blocks_count;
}

struct ext2_group_desc *ext2_get_group_desc(struct super_block *sb, u32 group, struct buffer_head **bh)
{
    const struct ext2_sb_info *sbi = EXT2_SB(sb);
    if (group >= sbi->s_groups_count) {
        ext2_error(sb, "there is no group %u", group);
        return NULL;
    }
    struct buffer_head *block = sbi->s_group_desc[group / sbi->s_desc_per_block];
    if (bh)
        *bh = block;
    return (struct ext2_group_desc *)(void *)block->b_data + group % sbi->s_desc_per_block;
}

/* ---- Mounting ---- */

static int refuse(const struct super_block *sb, const char *why)
{
    pr_err("EXT2-fs (%s): %s\n", sb->s_bdev->name, why);
    return -EINVAL;
}

/* The super block of a device, whose block size it says itself. */
static int read_super(struct super_block *sb)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    u32 bits = MIN_BLOCK_BITS;
    for (;;) {
        sb->s_blocksize_bits = bits;
        sb->s_blocksize = 1u << bits;
        sbi->s_sbh = sb_bread(sb, SUPER_OFFSET >> bits);
        if (sbi->s_sbh == NULL)
            return -EIO;
        sbi->s_es = (void *)(sbi->s_sbh->b_data + (SUPER_OFFSET & (sb->s_blocksize - 1)));
        if (sbi->s_es->s_magic != EXT2_SUPER_MAGIC)
            return refuse(sb, "no ext2 file system");
        u32 log = sbi->s_es->s_log_block_size;
        if (log > MAX_BLOCK_BITS - MIN_BLOCK_BITS)
            return refuse(sb, "blocks of more than 4096 bytes");
        if (bits == MIN_BLOCK_BITS + log)
            return 0;
        /* The same block once more, seen as a part of a larger one. */
        brelse(sbi->s_sbh);
        sbi->s_sbh = NULL;
        if (bits != MIN_BLOCK_BITS)
            return refuse(sb, "the block size changes while it is read");
        bits = MIN_BLOCK_BITS + log;
    }
}

static int check_super(const struct super_block *sb)
{
    const struct ext2_sb_info *sbi = EXT2_SB(sb);
    const struct ext2_super_block *es = sbi->s_es;
    const u32 bits_per_block = 8 * sb->s_blocksize;
    if (es->s_rev_level && (es->s_feature_incompat & ~EXT2_FEATURE_INCOMPAT_SUPP))
        return refuse(sb, "has features that are not known here");
    if (es->s_rev_level && (es->s_feature_ro_compat & ~EXT2_FEATURE_RO_COMPAT_SUPP) &&
        !(sb->s_flags & SB_RDONLY))
        return refuse(sb, "has features with which it can be mounted read-only at most");
    if (sbi->s_inode_size < EXT2_GOOD_OLD_INODE_SIZE || sbi->s_inode_size > sb->s_blocksize ||
        (sbi->s_inode_size & (sbi->s_inode_size - 1)))
        return refuse(sb, "bad size of inodes");
    if (es->s_blocks_per_group == 0 || es->s_blocks_per_group > bits_per_block ||
        es->s_inodes_per_group == 0 || es->s_inodes_per_group > bits_per_block ||
        es->s_inodes_per_group % sbi->s_inodes_per_block)
        return refuse(sb, "bad size of groups");
    if (es->s_first_data_block != (sb->s_blocksize == SUPER_OFFSET) ||
        es->s_blocks_count <= es->s_first_data_block + 1 ||
        es->s_blocks_count > sb->s_bdev->nr_sectors >> (sb->s_blocksize_bits - SECTOR_SHIFT))
        return refuse(sb, "bad number of blocks");
    if (sbi->s_groups_count > es->s_blocks_count / sbi->s_desc_per_block ||
        es->s_inodes_count != sbi->s_groups_count * es->s_inodes_per_group ||
        sbi->s_first_ino < EXT2_GOOD_OLD_FIRST_INO || sbi->s_first_ino > es->s_inodes_per_group)
        return refuse(sb, "bad number of groups or inodes");
    return 0;
}

static void fill_in_info(struct super_block *sb)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    const struct ext2_super_block *es = sbi->s_es;
    sbi->s_inode_size = es->s_rev_level ? es->s_inode_size : EXT2_GOOD_OLD_INODE_SIZE;
    sbi->s_first_ino = es->s_rev_level ? es->s_first_ino : EXT2_GOOD_OLD_FIRST_INO;
    sbi->s_inodes_per_block = sbi->s_inode_size ? sb->s_blocksize / sbi->s_inode_size : 0;
    sbi->s_inodes_per_block = max(sbi->s_inodes_per_block, 1u);
    sbi->s_desc_per_block = sb->s_blocksize / (u32)sizeof(struct ext2_group_desc);
    if (es->s_blocks_per_group && es->s_blocks_count > es->s_first_data_block)
        sbi->s_groups_count = (es->s_blocks_count - es->s_first_data_block - 1) / es->s_blocks_per_group + 1;
}

/* All bitmaps and tables must lie within the device, each in blocks of its own group or another's. */
static bool check_groups(struct super_block *sb)
{
    const struct ext2_sb_info *sbi = EXT2_SB(sb);
    const struct ext2_super_block *es = sbi->s_es;
    const u32 table_blocks = es->s_inodes_per_group / sbi->s_inodes_per_block;
    for (u32 group = 0; group < sbi->s_groups_count; group++) {
        const struct ext2_group_desc *desc = ext2_get_group_desc(sb, group, NULL);
        if (!ext2_is_data_block(sb, desc->bg_block_bitmap) ||
            !ext2_is_data_block(sb, desc->bg_inode_bitmap) || !ext2_is_data_block(sb, desc->bg_inode_table) ||
            table_blocks > es->s_blocks_count - desc->bg_inode_table)
            return false;
    }
    return true;
}

static int read_groups(struct super_block *sb)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    const u32 nr = (sbi->s_groups_count + sbi->s_desc_per_block - 1) / sbi->s_desc_per_block;
    sbi->s_group_desc = kcalloc(nr, sizeof(struct buffer_head *), GFP_KERNEL);
    if (sbi->s_group_desc == NULL)
        return -ENOMEM;
    for (u32 i = 0; i < nr; i++) {
        sbi->s_group_desc[i] = sb_bread(sb, sbi->s_sbh->b_blocknr + 1 + i);
        if (sbi->s_group_desc[i] == NULL)
            return -EIO;
    }
    return check_groups(sb) ? 0 : refuse(sb, "bad table of groups");
}

static void free_info(struct super_block *sb)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    const u32 nr =
        sbi->s_group_desc ? (sbi->s_groups_count + sbi->s_desc_per_block - 1) / sbi->s_desc_per_block : 0;
    for (u32 i = 0; i < nr; i++)
        brelse(sbi->s_group_desc[i]);
    kfree(sbi->s_group_desc);
    brelse(sbi->s_sbh);
    kfree(sbi);
    sb->s_fs_info = NULL;
}

/* From now on it counts as used, until it is unmounted. */
static void note_mount(struct super_block *sb)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    struct ext2_super_block *es = sbi->s_es;
    if (!(es->s_state & EXT2_VALID_FS))
        pr_warn("EXT2-fs (%s): was not unmounted, e2fsck should look at it\n", sb->s_bdev->name);
    if (sb->s_flags & SB_RDONLY)
        return;
    es->s_state &= (u16)~EXT2_VALID_FS;
    es->s_mnt_count++;
    es->s_mtime = (u32)current_time().tv_sec;
    mark_buffer_dirty(sbi->s_sbh);
}

static int ext2_sync_fs(struct super_block *sb)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    sbi->s_es->s_wtime = (u32)current_time().tv_sec;
    mark_buffer_dirty(sbi->s_sbh);
    return 0;
}

static void ext2_put_super(struct super_block *sb)
{
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    if (!(sb->s_flags & SB_RDONLY)) {
        sbi->s_es->s_state |= EXT2_VALID_FS;
        mark_buffer_dirty(sbi->s_sbh);
    }
    free_info(sb);
}

static int ext2_remount(struct super_block *sb, u32 flags, const char *data)
{
    (void)data;
    struct ext2_sb_info *sbi = EXT2_SB(sb);
    bool was_readonly = sb->s_flags & SB_RDONLY;
    if (was_readonly && !(flags & SB_RDONLY)) {
        if (sbi->s_es->s_feature_ro_compat & ~EXT2_FEATURE_RO_COMPAT_SUPP)
            return -EROFS;
        sb->s_flags &= ~SB_RDONLY;
        note_mount(sb);
        sb->s_flags |= SB_RDONLY;
    } else if (!was_readonly && (flags & SB_RDONLY)) {
        sbi->s_es->s_state |= EXT2_VALID_FS;
        mark_buffer_dirty(sbi->s_sbh);
        return sync_blockdev(sb->s_bdev);
    }
    return 0;
}

static int ext2_statfs(struct dentry *dentry, struct kstatfs *buf)
{
    const struct super_block *sb = dentry->d_sb;
    const struct ext2_super_block *es = EXT2_SB(sb)->s_es;
    const u32 free = es->s_free_blocks_count, reserved = es->s_r_blocks_count;
    *buf = (struct kstatfs){.f_type = EXT2_SUPER_MAGIC,
                            .f_bsize = sb->s_blocksize,
                            .f_blocks = es->s_blocks_count - es->s_first_data_block,
                            .f_bfree = free,
                            .f_bavail = free > reserved ? free - reserved : 0,
                            .f_files = es->s_inodes_count,
                            .f_ffree = es->s_free_inodes_count,
                            .f_namelen = EXT2_NAME_LEN};
    return 0;
}

static struct inode *ext2_alloc_inode(struct super_block *sb)
{
    (void)sb;
    struct ext2_inode_info *info = kmem_cache_zalloc(ext2_inode_cachep, GFP_KERNEL);
    if (info == NULL)
        return NULL;
    mutex_init(&info->map_mutex);
    return &info->vfs_inode;
}

static void ext2_destroy_inode(struct inode *inode)
{
    kmem_cache_free(ext2_inode_cachep, EXT2_I(inode));
}

static const struct super_operations ext2_sops = {.alloc_inode = ext2_alloc_inode,
                                                  .destroy_inode = ext2_destroy_inode,
                                                  .write_inode = ext2_write_inode,
                                                  .evict_inode = ext2_evict_inode,
                                                  .sync_fs = ext2_sync_fs,
                                                  .put_super = ext2_put_super,
                                                  .statfs = ext2_statfs,
                                                  .remount_fs = ext2_remount};

static int make_root(struct super_block *sb)
{
    struct inode *root = ext2_iget(sb, EXT2_ROOT_INO);
    if (IS_ERR(root))
        return (int)PTR_ERR(root);
    if (!S_ISDIR(root->i_mode)) {
        iput(root);
        return refuse(sb, "the root is no folder");
    }
    sb->s_root = d_make_root(root);
    return sb->s_root ? 0 : -ENOMEM;
}

static int ext2_fill_super(struct super_block *sb, const char *data)
{
    (void)data;
    sb->s_fs_info = kzalloc(sizeof(struct ext2_sb_info), GFP_KERNEL);
    if (sb->s_fs_info == NULL)
        return -ENOMEM;
    sb->s_op = &ext2_sops;
    sb->s_magic = EXT2_SUPER_MAGIC;
    int error = read_super(sb);
    if (error == 0) {
        fill_in_info(sb);
        sb->s_maxbytes = ext2_max_size(sb->s_blocksize_bits);
        error = check_super(sb);
    }
    error = error ? error : read_groups(sb);
    error = error ? error : make_root(sb);
    if (error)
        free_info(sb);
    else
        note_mount(sb);
    return error;
}

static struct super_block *ext2_mount(const struct file_system_type *type, u32 flags, const char *dev_name,
                                      const char *data)
{
    return mount_bdev(type, flags, dev_name, data, ext2_fill_super);
}

struct file_system_type ext2_fs_type = {.name = "ext2", .fs_flags = FS_REQUIRES_DEV, .mount = ext2_mount};

void ext2_init(void)
{
    ext2_inode_cachep = KMEM_CACHE(ext2_inode_info, SLAB_PANIC);
    register_filesystem(&ext2_fs_type);
}
