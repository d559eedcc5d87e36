/* fcntl(2), ioctl(2), fsync(2): what is done to a file that is open. */
#include "errno.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "internal.h"
#include "ioctls.h"
#include "pipe_fs_i.h"
#include "uaccess.h"

/* What F_SETFL may change. */
#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

static long fcntl_file(u32 fd, struct file *file, u32 command, unsigned long arg)
{
    switch (command) {
    case F_GETFD:
        return (long)get_close_on_exec(fd);
    case F_SETFD:
        change_close_on_exec(fd, arg & FD_CLOEXEC);
        return 0;
    case F_GETFL:
        return (long)(file->f_flags | ((file->f_mode & FMODE_PATH) ? 0 : O_LARGEFILE));
    case F_SETFL:
        file->f_flags = (file->f_flags & ~SETFL_MASK) | ((u32)arg & SETFL_MASK);
        return 0;
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_GETLK64:
    case F_SETLK64:
    case F_SETLKW64:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return fcntl_lock(file, command, user_ptr(arg));
    case F_GETPIPE_SZ:
        return pipe_bytes(file);
    case F_SETPIPE_SZ:
        return pipe_set_bytes(file, (u32)arg);
    default:
        return -EINVAL;
    }
}

static bool is_for_places(u32 command)
{
    return command == F_GETFD || command == F_SETFD || command == F_GETFL;
}

long do_fcntl(u32 fd, u32 command, unsigned long arg)
{
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        return do_dupfd(fd, (u32)arg, command == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0);
    struct file *file = fget_raw(fd);
    if (file == NULL)
        return -EBADF;
    long result = -EBADF;
    if (!(file->f_mode & FMODE_PATH) || is_for_places(command))
        result = fcntl_file(fd, file, command, arg);
    fput(file);
    return result;
}

static long set_flag(struct file *file, u32 flag, unsigned long arg)
{
    u32 is_on;
    if (get_user_u32(&is_on, user_ptr(arg)))
        return -EFAULT;
    file->f_flags = (file->f_flags & ~flag) | (is_on ? flag : 0);
    return 0;
}

/* FIONREAD: what is left of a regular file. */
static long bytes_left(struct file *file, unsigned long arg)
{
    loff_t left = i_size_read(file_inode(file)) - file->f_pos;
    return put_user_u32((u32)left, user_ptr(arg));
}

static long ioctl_file(u32 fd, struct file *file, u32 command, unsigned long arg)
{
    switch (command) {
    case FIOCLEX:
    case FIONCLEX:
        change_close_on_exec(fd, command == FIOCLEX);
        return 0;
    case FIONBIO:
        return set_flag(file, O_NONBLOCK, arg);
    case FIOASYNC:
        return set_flag(file, O_ASYNC, arg);
    case FIONREAD:
        if (S_ISREG(file_inode(file)->i_mode))
            return bytes_left(file, arg);
        break;
    default:
        break;
    }
    return file->f_op->unlocked_ioctl ? file->f_op->unlocked_ioctl(file, command, arg) : -ENOTTY;
}

long do_ioctl(u32 fd, u32 command, unsigned long arg)
{
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    long result = ioctl_file(fd, file, command, arg);
    fput(file);
    return result;
}

long do_fsync(u32 fd, int datasync)
{
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    int error = vfs_fsync(file, datasync);
    fput(file);
    return error;
}

/* No file system here takes blocks before they are written, as ext2 of Linux: programs write zeroes. */
static long check_fallocate(const struct file *file, loff_t offset, loff_t length)
{
    u32 kind = file_inode(file)->i_mode & S_IFMT;
    if (offset < 0 || length <= 0)
        return -EINVAL;
    if (!(file->f_mode & FMODE_WRITE))
        return -EBADF;
    if (kind == S_IFIFO)
        return -ESPIPE;
    if (kind == S_IFDIR)
        return -EISDIR;
    return kind == S_IFREG || kind == S_IFBLK ? -EOPNOTSUPP : -ENODEV;
}

long do_fallocate(u32 fd, loff_t offset, loff_t length)
{
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    long error = check_fallocate(file, offset, length);
    fput(file);
    return error;
}

long do_syncfs(u32 fd)
{
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    int error = sync_filesystem(file_inode(file)->i_sb);
    fput(file);
    return error;
}
