/*
 * Folders: blocks full of entries, each of which says where the next one is. A name that goes leaves its room
 * to the entry before it.
 */
#include "err.h"
#include "ext2.h"
#include "string.h"

/* An entry that was found, in its block. */
struct place {
    struct buffer_head *bh;
    struct ext2_dir_entry *entry;
    struct ext2_dir_entry *before; /* in the same block; NULL: it is the first */
};

static u32 nr_blocks(const struct inode *dir)
{
    return (u32)((u64)dir->i_size >> dir->i_sb->s_blocksize_bits);
}

/* A block of the folder, or ERR_PTR. */
static struct buffer_head *read_block(struct inode *dir, u32 number)
{
    u32 disk_block;
    int error = ext2_get_block(dir, number, false, &disk_block);
    if (error == 0 && disk_block == 0)
        error = ext2_error(dir->i_sb, "folder %lu has a hole at block %u", dir->i_ino, number);
    if (error)
        return ERR_PTR(error);
    struct buffer_head *bh = sb_bread(dir->i_sb, disk_block);
    return bh ? bh : ERR_PTR(-EIO);
}

/* The entry at this offset of a block; NULL: what is there is none. */
static struct ext2_dir_entry *entry_at(struct inode *dir, const struct buffer_head *bh, u32 offset)
{
    struct ext2_dir_entry *entry = (void *)(bh->b_data + offset);
    const u32 left = bh->b_size - offset;
    if (left < EXT2_DIR_REC_LEN(1) || entry->rec_len < EXT2_DIR_REC_LEN(1) || entry->rec_len % 4 ||
        entry->rec_len > left || entry->rec_len < EXT2_DIR_REC_LEN(entry->name_len) ||
        entry->inode > EXT2_SB(dir->i_sb)->s_es->s_inodes_count) {
        ext2_error(dir->i_sb, "folder %lu has a bad entry at byte %u of block %u", dir->i_ino, offset,
                   bh->b_blocknr);
        return NULL;
    }
    return entry;
}

static bool is_named(const struct ext2_dir_entry *entry, const char *name, u32 length)
{
    return entry->inode && entry->name_len == length && memcmp(entry->name, name, length) == 0;
}

/*
 * Looks at the entries of a block one by one until wanted() likes one. 1: place is filled in; 0: none; -EIO.
 */
static int search_block(struct inode *dir, struct buffer_head *bh, struct place *place,
                        bool (*wanted)(const struct ext2_dir_entry *entry, const struct qstr *name),
                        const struct qstr *name)
{
    struct ext2_dir_entry *before = NULL;
    for (u32 offset = 0; offset < bh->b_size;) {
        struct ext2_dir_entry *entry = entry_at(dir, bh, offset);
        if (entry == NULL)
            return -EIO;
        if (wanted(entry, name)) {
            *place = (struct place){.bh = bh, .entry = entry, .before = before};
            return 1;
        }
        before = entry;
        offset += entry->rec_len;
    }
    return 0;
}

/* The same for all blocks. When it returns 1, place->bh is the caller's to release. */
static int search_dir(struct inode *dir, struct place *place,
                      bool (*wanted)(const struct ext2_dir_entry *entry, const struct qstr *name),
                      const struct qstr *name)
{
    for (u32 number = 0; number < nr_blocks(dir); number++) {
        struct buffer_head *bh = read_block(dir, number);
        if (IS_ERR(bh))
            return (int)PTR_ERR(bh);
        int found = search_block(dir, bh, place, wanted, name);
        if (found > 0)
            return found;
        brelse(bh);
        if (found < 0)
            return found;
    }
    return 0;
}

static bool has_name(const struct ext2_dir_entry *entry, const struct qstr *name)
{
    return is_named(entry, name->name, name->len);
}

/* Room that an entry leaves behind its name, or has altogether when it is unused. */
static u32 free_bytes(const struct ext2_dir_entry *entry)
{
    return entry->inode ? entry->rec_len - EXT2_DIR_REC_LEN(entry->name_len) : entry->rec_len;
}

static bool has_room(const struct ext2_dir_entry *entry, const struct qstr *name)
{
    return free_bytes(entry) >= EXT2_DIR_REC_LEN(name->len);
}

static bool is_not_dots(const struct ext2_dir_entry *entry, const struct qstr *unused)
{
    (void)unused;
    return entry->inode && !is_named(entry, ".", 1) && !is_named(entry, "..", 2);
}

int ext2_inode_by_name(struct inode *dir, const struct qstr *name, u32 *ino)
{
    struct place place;
    int found = search_dir(dir, &place, has_name, name);
    *ino = 0;
    if (found <= 0)
        return found;
    *ino = place.entry->inode;
    brelse(place.bh);
    return 0;
}

bool ext2_empty_dir(struct inode *dir)
{
    struct place place;
    int found = search_dir(dir, &place, is_not_dots, NULL);
    if (found > 0)
        brelse(place.bh);
    return found == 0;
}

/* ---- Changing ---- */

static void note_change(struct inode *dir)
{
    dir->i_mtime = dir->i_ctime = current_time();
    EXT2_I(dir)->i_flags &= ~EXT2_INDEX_FL;
    mark_inode_dirty(dir);
}

static u8 file_type(const struct inode *inode)
{
    static const u8 types[] = {
        [S_IFREG >> 12] = 1, [S_IFDIR >> 12] = 2,  [S_IFCHR >> 12] = 3, [S_IFBLK >> 12] = 4,
        [S_IFIFO >> 12] = 5, [S_IFSOCK >> 12] = 6, [S_IFLNK >> 12] = 7, [15] = 0};
    bool has_types = EXT2_SB(inode->i_sb)->s_es->s_feature_incompat & EXT2_FEATURE_INCOMPAT_FILETYPE;
    return has_types ? types[(inode->i_mode & S_IFMT) >> 12] : 0;
}

static void fill_entry(struct ext2_dir_entry *entry, const char *name, u32 length, const struct inode *inode)
{
    entry->inode = (u32)inode->i_ino;
    entry->name_len = (u8)length;
    entry->file_type = file_type(inode);
    memcpy(entry->name, name, length);
}

/* A new block at the end, with one unused entry. */
static int append_block(struct inode *dir, struct place *place)
{
    u32 disk_block;
    int error = ext2_get_block(dir, nr_blocks(dir), true, &disk_block);
    if (error)
        return error;
    struct buffer_head *bh = sb_get_zeroed_block(dir->i_sb, disk_block);
    if (bh == NULL) {
        ext2_truncate_blocks(dir, dir->i_size);
        return -ENOMEM;
    }
    *place = (struct place){.bh = bh, .entry = (void *)bh->b_data};
    place->entry->rec_len = (u16)bh->b_size;
    i_size_write(dir, dir->i_size + bh->b_size);
    return 0;
}

int ext2_add_link(struct inode *dir, const struct qstr *name, const struct inode *inode)
{
    struct place place;
    int found = search_dir(dir, &place, has_room, name);
    int error = found < 0 ? found : found == 0 ? append_block(dir, &place) : 0;
    if (error)
        return error;
    struct ext2_dir_entry *entry = place.entry;
    if (entry->inode) {
        u32 used = EXT2_DIR_REC_LEN(entry->name_len);
        struct ext2_dir_entry *behind = (void *)((u8 *)entry + used);
        behind->rec_len = (u16)(entry->rec_len - used);
        entry->rec_len = (u16)used;
        entry = behind;
    }
    fill_entry(entry, name->name, name->len, inode);
    mark_buffer_dirty(place.bh);
    brelse(place.bh);
    note_change(dir);
    return 0;
}

int ext2_delete_entry(struct inode *dir, const struct qstr *name)
{
    struct place place;
    int found = search_dir(dir, &place, has_name, name);
    if (found <= 0)
        return found < 0 ? found : -ENOENT;
    if (place.before)
        place.before->rec_len = (u16)(place.before->rec_len + place.entry->rec_len);
    place.entry->inode = 0;
    mark_buffer_dirty(place.bh);
    brelse(place.bh);
    note_change(dir);
    return 0;
}

int ext2_set_link(struct inode *dir, const struct qstr *name, const struct inode *inode)
{
    struct place place;
    int found = search_dir(dir, &place, has_name, name);
    if (found <= 0)
        return found < 0 ? found : -ENOENT;
    place.entry->inode = (u32)inode->i_ino;
    place.entry->file_type = file_type(inode);
    mark_buffer_dirty(place.bh);
    brelse(place.bh);
    note_change(dir);
    return 0;
}

int ext2_make_empty(struct inode *inode, const struct inode *parent)
{
    struct place place;
    int error = append_block(inode, &place);
    if (error)
        return error;
    struct ext2_dir_entry *dot = place.entry, *dotdot = (void *)(place.bh->b_data + EXT2_DIR_REC_LEN(1));
    dotdot->rec_len = (u16)(dot->rec_len - EXT2_DIR_REC_LEN(1));
    dot->rec_len = EXT2_DIR_REC_LEN(1);
    fill_entry(dot, ".", 1, inode);
    fill_entry(dotdot, "..", 2, parent);
    mark_buffer_dirty(place.bh);
    brelse(place.bh);
    mark_inode_dirty(inode);
    return 0;
}

/* ---- Reading ---- */

static u32 dirent_type(const struct inode *dir, const struct ext2_dir_entry *entry)
{
    static const u8 types[] = {DT_UNKNOWN, 8, DT_DIR, 2, 6, 1, 12, 10};
    if (!(EXT2_SB(dir->i_sb)->s_es->s_feature_incompat & EXT2_FEATURE_INCOMPAT_FILETYPE))
        return DT_UNKNOWN;
    return entry->file_type < ARRAY_SIZE(types) ? types[entry->file_type] : DT_UNKNOWN;
}

/*
 * Hands on the entries of a block from ctx->pos on. The entry that began there may have gone meanwhile: then
 * the next one is the first behind. 1: there was no room.
 */
static int emit_block(struct inode *dir, const struct buffer_head *bh, loff_t start, struct dir_context *ctx)
{
    for (u32 offset = 0; offset < bh->b_size;) {
        const struct ext2_dir_entry *entry = entry_at(dir, bh, offset);
        if (entry == NULL)
            return -EIO;
        if (start + offset >= ctx->pos) {
            ctx->pos = start + offset;
            if (entry->inode &&
                !dir_emit(ctx, entry->name, entry->name_len, entry->inode, dirent_type(dir, entry)))
                return 1;
        }
        offset += entry->rec_len;
    }
    ctx->pos = start + bh->b_size;
    return 0;
}

static int ext2_readdir(struct file *file, struct dir_context *ctx)
{
    struct inode *dir = file_inode(file);
    while (ctx->pos < dir->i_size) {
        u32 number = (u32)((u64)ctx->pos >> dir->i_sb->s_blocksize_bits);
        struct buffer_head *bh = read_block(dir, number);
        if (IS_ERR(bh))
            return (int)PTR_ERR(bh);
        int result = emit_block(dir, bh, (loff_t)((u64)number << dir->i_sb->s_blocksize_bits), ctx);
        brelse(bh);
        if (result)
            return result < 0 ? result : 0;
    }
    return 0;
}

static int ext2_dir_fsync(struct file *file, int datasync)
{
    return generic_file_fsync(file, datasync);
}

const struct file_operations ext2_dir_operations = {
    .llseek = generic_file_llseek, .iterate_shared = ext2_readdir, .fsync = ext2_dir_fsync};
