/* Listing folders. */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "internal.h"
#include "string.h"
#include "uaccess.h"

int iterate_dir(struct file *file, struct dir_context *ctx)
{
    struct inode *inode = file_inode(file);
    if (file->f_op->iterate_shared == NULL)
        return -ENOTDIR;
    mutex_lock(&inode->i_sb->s_names_mutex);
    int error = -ENOENT;
    if (!(inode->i_flags & S_DEAD)) {
        ctx->pos = file->f_pos;
        error = file->f_op->iterate_shared(file, ctx);
        file->f_pos = ctx->pos;
        touch_atime(&file->f_path);
    }
    mutex_unlock(&inode->i_sb->s_names_mutex);
    return error;
}

bool dir_emit_dots(struct file *file, struct dir_context *ctx)
{
    const struct dentry *dir = file->f_path.dentry;
    if (ctx->pos == 0) {
        if (!dir_emit(ctx, ".", 1, dir->d_inode->i_ino, DT_DIR))
            return false;
        ctx->pos = 1;
    }
    if (ctx->pos == 1) {
        if (!dir_emit(ctx, "..", 2, dir->d_parent->d_inode->i_ino, DT_DIR))
            return false;
        ctx->pos = 2;
    }
    return true;
}

/* struct linux_dirent and linux_dirent64: the type stands behind the name's NUL, or before the name. */
enum { DIRENT_NAME = 10, DIRENT64_NAME = 19, DIRENT_MOST = DIRENT64_NAME + NAME_MAX + 2 };

struct getdents_callback {
    struct dir_context ctx;
    char __user *to;
    u32 room;
    u32 previous; /* bytes of the last record, whose d_off is still to be told; 0: there is none */
    bool is_64;
    long error;
};

static void put_u64(char *to, u64 value)
{
    memcpy(to, &value, sizeof(value));
}

/* Makes a record; returns its length. */
static u32 make_record(char *record, bool is_64, const char *name, u32 len, u64 ino, u32 d_type)
{
    u32 name_at = is_64 ? DIRENT64_NAME : DIRENT_NAME;
    u32 bytes = is_64 ? ALIGN_UP(name_at + len + 1, 8u) : ALIGN_UP(name_at + len + 2, 4u);
    u16 reclen = (u16)bytes;
    u32 low = (u32)ino;
    memset(record, 0, bytes);
    if (is_64) {
        put_u64(record, ino);
        memcpy(record + 16, &reclen, sizeof(reclen));
        record[18] = (char)d_type;
    } else {
        memcpy(record, &low, sizeof(low));
        memcpy(record + 8, &reclen, sizeof(reclen));
        record[bytes - 1] = (char)d_type;
    }
    memcpy(record + name_at, name, len);
    return bytes;
}

/* d_off of the record before: where the next one begins. */
static bool put_offset(const struct getdents_callback *buf, loff_t pos)
{
    u64 wide = (u64)pos;
    u32 narrow = (u32)pos;
    if (buf->previous == 0)
        return true;
    char *record = buf->to - buf->previous;
    return buf->is_64 ? !copy_to_user(record + 8, &wide, sizeof(wide))
                      : !copy_to_user(record + 4, &narrow, sizeof(narrow));
}

static bool fill_dir(struct dir_context *ctx, const char *name, u32 len, loff_t pos, u64 ino, u32 d_type)
{
    struct getdents_callback *buf = container_of(ctx, struct getdents_callback, ctx);
    char record[ALIGN_UP(DIRENT_MOST, 8)];
    u32 bytes = make_record(record, buf->is_64, name, len, ino, d_type);
    buf->error = -EINVAL; /* unless at least one fits */
    if (bytes > buf->room)
        return false;
    buf->error = -EFAULT;
    if (!put_offset(buf, pos) || copy_to_user(buf->to, record, bytes))
        return false;
    buf->error = 0;
    buf->to += bytes;
    buf->room -= bytes;
    buf->previous = bytes;
    return true;
}

long do_getdents(u32 fd, void __user *to, u32 bytes, bool is_64)
{
    struct getdents_callback buf = {.ctx = {.actor = fill_dir}, .to = to, .room = bytes, .is_64 = is_64};
    struct file *file = fget_pos(fd);
    if (file == NULL)
        return -EBADF;
    long error = (file->f_mode & FMODE_READ) ? iterate_dir(file, &buf.ctx) : -EBADF;
    if (error == 0)
        error = buf.error;
    if (buf.previous)
        error = put_offset(&buf, buf.ctx.pos) ? (long)(bytes - buf.room) : -EFAULT;
    fput_pos(file);
    return error;
}
