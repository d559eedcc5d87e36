/* Reading, writing, and the position in between. */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "internal.h"
#include "slab.h"
#include "uaccess.h"

/* As Linux: what one call moves at most, so that the result fits. */
#define MAX_RW_COUNT 0x7FFFF000u

ssize_t vfs_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    if (!(file->f_mode & FMODE_READ))
        return -EBADF;
    if (file->f_op->read == NULL)
        return S_ISDIR(file_inode(file)->i_mode) ? -EISDIR : -EINVAL;
    if (*pos < 0)
        return -EINVAL;
    ssize_t done = file->f_op->read(file, buf, min(count, (size_t)MAX_RW_COUNT), pos);
    if (done > 0 && !(file->f_flags & O_NOATIME))
        touch_atime(&file->f_path);
    return done;
}

ssize_t vfs_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    if (!(file->f_mode & FMODE_WRITE))
        return -EBADF;
    if (file->f_op->write == NULL || *pos < 0)
        return -EINVAL;
    ssize_t done = file->f_op->write(file, buf, min(count, (size_t)MAX_RW_COUNT), pos);
    /* O_SYNC has this bit, too: what was written is on the disk. */
    int error = done > 0 && (file->f_flags & O_DSYNC) && file->f_op->fsync ? vfs_fsync(file, 0) : 0;
    return error ? error : done;
}

ssize_t kernel_read(struct file *file, void *buf, size_t count, loff_t *pos)
{
    bool before = set_fs_kernel(true);
    ssize_t done = vfs_read(file, buf, count, pos);
    set_fs_kernel(before);
    return done;
}

ssize_t kernel_write(struct file *file, const void *buf, size_t count, loff_t *pos)
{
    bool before = set_fs_kernel(true);
    ssize_t done = vfs_write(file, buf, count, pos);
    set_fs_kernel(before);
    return done;
}

static loff_t set_pos(struct file *file, loff_t pos, loff_t limit)
{
    if (pos < 0 || pos > limit)
        return -EINVAL;
    file->f_pos = pos;
    return pos;
}

loff_t generic_file_llseek(struct file *file, loff_t offset, int whence)
{
    const struct inode *inode = file_inode(file);
    loff_t size = i_size_read(inode), base;
    switch (whence) {
    case SEEK_SET:
        base = 0;
        break;
    case SEEK_CUR:
        base = file->f_pos;
        break;
    case SEEK_END:
        base = size;
        break;
    /* As if there were no holes, but for the one behind the end. */
    case SEEK_DATA:
    case SEEK_HOLE:
        if (offset < 0 || offset >= size)
            return -ENXIO;
        return set_pos(file, whence == SEEK_DATA ? offset : size, inode->i_sb->s_maxbytes);
    default:
        return -EINVAL;
    }
    /* Both lie within 63 bits, so that the sum of a position and a negative offset cannot wrap. */
    if (offset > 0 && base > inode->i_sb->s_maxbytes - min(offset, inode->i_sb->s_maxbytes))
        return -EINVAL;
    return set_pos(file, base + offset, inode->i_sb->s_maxbytes);
}

loff_t no_llseek(struct file *file, loff_t offset, int whence)
{
    (void)file;
    (void)offset;
    (void)whence;
    return -ESPIPE;
}

loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
    (void)offset;
    (void)whence;
    return file->f_pos;
}

loff_t vfs_llseek(struct file *file, loff_t offset, int whence)
{
    if (!(file->f_mode & FMODE_LSEEK))
        return -ESPIPE;
    return file->f_op->llseek ? file->f_op->llseek(file, offset, whence)
                              : generic_file_llseek(file, offset, whence);
}

int vfs_fsync(struct file *file, int datasync)
{
    return file->f_op->fsync ? file->f_op->fsync(file, datasync) : -EINVAL;
}

/* Processes may share a file and its position: one reads after the other, not in between. */
static bool has_one_pos(const struct file *file)
{
    u32 kind = file_inode(file)->i_mode & S_IFMT;
    return kind == S_IFREG || kind == S_IFDIR;
}

struct file *fget_pos(u32 fd)
{
    struct file *file = fget(fd);
    if (file && has_one_pos(file))
        mutex_lock(&file->f_pos_lock);
    return file;
}

void fput_pos(struct file *file)
{
    if (has_one_pos(file))
        mutex_unlock(&file->f_pos_lock);
    fput(file);
}

long do_read(u32 fd, char __user *buf, size_t count)
{
    struct file *file = fget_pos(fd);
    if (file == NULL)
        return -EBADF;
    ssize_t done = vfs_read(file, buf, count, &file->f_pos);
    fput_pos(file);
    return done;
}

long do_write(u32 fd, const char __user *buf, size_t count)
{
    struct file *file = fget_pos(fd);
    if (file == NULL)
        return -EBADF;
    ssize_t done = vfs_write(file, buf, count, &file->f_pos);
    fput_pos(file);
    return done;
}

/* At a position that is not the file's: for files that have positions. */
static struct file *fget_positioned(u32 fd, loff_t pos)
{
    struct file *file = fget(fd);
    long error = file == NULL ? -EBADF : pos < 0 ? -EINVAL : !(file->f_mode & FMODE_LSEEK) ? -ESPIPE : 0;
    if (error == 0)
        return file;
    if (file)
        fput(file);
    return ERR_PTR(error);
}

long do_pread64(u32 fd, char __user *buf, size_t count, loff_t pos)
{
    struct file *file = fget_positioned(fd, pos);
    if (IS_ERR(file))
        return PTR_ERR(file);
    ssize_t done = vfs_read(file, buf, count, &pos);
    fput(file);
    return done;
}

long do_pwrite64(u32 fd, const char __user *buf, size_t count, loff_t pos)
{
    struct file *file = fget_positioned(fd, pos);
    if (IS_ERR(file))
        return PTR_ERR(file);
    ssize_t done = vfs_write(file, buf, count, &pos);
    fput(file);
    return done;
}

loff_t do_llseek(u32 fd, loff_t offset, int whence)
{
    struct file *file = fget_pos(fd);
    if (file == NULL)
        return -EBADF;
    loff_t pos = whence < SEEK_SET || whence > SEEK_HOLE ? -EINVAL : vfs_llseek(file, offset, whence);
    fput_pos(file);
    return pos;
}

/* One buffer after the other, until one is not moved whole. */
static ssize_t move_buffers(struct file *file, const struct user_iovec *vec, u32 count, loff_t *pos,
                            bool writes)
{
    ssize_t total = 0;
    for (u32 i = 0; i < count; i++) {
        char *buf = user_ptr(vec[i].base);
        ssize_t done =
            writes ? vfs_write(file, buf, vec[i].bytes, pos) : vfs_read(file, buf, vec[i].bytes, pos);
        if (done < 0)
            return total ? total : done;
        total += done;
        if ((u32)done < vec[i].bytes)
            break;
    }
    return total;
}

static long move_user_buffers(struct file *file, const void __user *user_vec, u32 count, loff_t *pos,
                              bool writes)
{
    if (count == 0)
        return 0;
    if (count > UIO_MAXIOV)
        return -EINVAL;
    struct user_iovec *vec = kmalloc(count * sizeof(*vec), GFP_KERNEL);
    if (vec == NULL)
        return -ENOMEM;
    long result = copy_from_user(vec, user_vec, count * sizeof(*vec)) ? -EFAULT : 0;
    u32 total = 0;
    for (u32 i = 0; result == 0 && i < count; i++) {
        if (vec[i].bytes > MAX_RW_COUNT - total)
            result = -EINVAL;
        total += vec[i].bytes;
    }
    if (result == 0)
        result = move_buffers(file, vec, count, pos, writes);
    kfree(vec);
    return result;
}

long do_vector(u32 fd, const void __user *user_vec, u32 count, bool writes)
{
    struct file *file = fget_pos(fd);
    if (file == NULL)
        return -EBADF;
    long done = move_user_buffers(file, user_vec, count, &file->f_pos, writes);
    fput_pos(file);
    return done;
}

long do_vector_at(u32 fd, const void __user *user_vec, u32 count, loff_t pos, bool writes)
{
    struct file *file = fget_positioned(fd, pos);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long done = move_user_buffers(file, user_vec, count, &pos, writes);
    fput(file);
    return done;
}
