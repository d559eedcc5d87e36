/* System calls about files that are open: from registers to arguments. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "random.h"
#include "sys_fs.h"

/* A 64-bit argument takes two registers, the low half first. */
static loff_t wide(u32 low, u32 high)
{
    return (loff_t)((u64)high << 32 | low);
}

long sys_read(const struct pt_regs *regs)
{
    return do_read(regs->bx, user_ptr(regs->cx), regs->dx);
}

long sys_write(const struct pt_regs *regs)
{
    return do_write(regs->bx, user_ptr(regs->cx), regs->dx);
}

long sys_pread64(const struct pt_regs *regs)
{
    return do_pread64(regs->bx, user_ptr(regs->cx), regs->dx, wide(regs->si, regs->di));
}

long sys_pwrite64(const struct pt_regs *regs)
{
    return do_pwrite64(regs->bx, user_ptr(regs->cx), regs->dx, wide(regs->si, regs->di));
}

long sys_readv(const struct pt_regs *regs)
{
    return do_vector(regs->bx, user_ptr(regs->cx), regs->dx, false);
}

long sys_writev(const struct pt_regs *regs)
{
    return do_vector(regs->bx, user_ptr(regs->cx), regs->dx, true);
}

long sys_preadv(const struct pt_regs *regs)
{
    return do_vector_at(regs->bx, user_ptr(regs->cx), regs->dx, wide(regs->si, regs->di), false);
}

long sys_pwritev(const struct pt_regs *regs)
{
    return do_vector_at(regs->bx, user_ptr(regs->cx), regs->dx, wide(regs->si, regs->di), true);
}

long sys_close(const struct pt_regs *regs)
{
    return do_close(regs->bx);
}

long sys_close_range(const struct pt_regs *regs)
{
    return do_close_range(regs->bx, regs->cx, regs->dx);
}

long sys_lseek(const struct pt_regs *regs)
{
    loff_t pos = do_llseek(regs->bx, (s32)regs->cx, (int)regs->dx);
    return pos > 0x7FFFFFFF ? -EOVERFLOW : (long)pos;
}

/* Number, high half, low half, where the result goes, whence. */
long sys_llseek(const struct pt_regs *regs)
{
    loff_t pos = do_llseek(regs->bx, wide(regs->dx, regs->cx), (int)regs->di);
    if (pos < 0)
        return (long)pos;
    return copy_to_user(user_ptr(regs->si), &pos, sizeof(pos)) ? -EFAULT : 0;
}

long sys_dup(const struct pt_regs *regs)
{
    return do_dup(regs->bx);
}

long sys_dup2(const struct pt_regs *regs)
{
    return do_dup2(regs->bx, regs->cx);
}

long sys_dup3(const struct pt_regs *regs)
{
    return do_dup3(regs->bx, regs->cx, regs->dx);
}

long sys_fcntl(const struct pt_regs *regs)
{
    return do_fcntl(regs->bx, regs->cx, regs->dx);
}

long sys_flock(const struct pt_regs *regs)
{
    return do_flock(regs->bx, regs->cx);
}

long sys_ioctl(const struct pt_regs *regs)
{
    return do_ioctl(regs->bx, regs->cx, regs->dx);
}

long sys_getdents(const struct pt_regs *regs)
{
    return do_getdents(regs->bx, user_ptr(regs->cx), regs->dx, false);
}

long sys_getdents64(const struct pt_regs *regs)
{
    return do_getdents(regs->bx, user_ptr(regs->cx), regs->dx, true);
}

long sys_fsync(const struct pt_regs *regs)
{
    return do_fsync(regs->bx, 0);
}

long sys_fdatasync(const struct pt_regs *regs)
{
    return do_fsync(regs->bx, 1);
}

long sys_fallocate(const struct pt_regs *regs)
{
    return do_fallocate(regs->bx, wide(regs->dx, regs->si), wide(regs->di, regs->bp));
}

long sys_syncfs(const struct pt_regs *regs)
{
    return do_syncfs(regs->bx);
}

long sys_sync(const struct pt_regs *regs)
{
    (void)regs;
    sync_filesystems();
    return 0;
}

long sys_ftruncate(const struct pt_regs *regs)
{
    return do_ftruncate(regs->bx, (s32)regs->cx);
}

long sys_ftruncate64(const struct pt_regs *regs)
{
    return do_ftruncate(regs->bx, wide(regs->cx, regs->dx));
}

long sys_fadvise64(const struct pt_regs *regs)
{
    return do_fadvise(regs->bx, wide(regs->cx, regs->dx), (s32)regs->si, regs->di);
}

long sys_fadvise64_64(const struct pt_regs *regs)
{
    return do_fadvise(regs->bx, wide(regs->cx, regs->dx), wide(regs->si, regs->di), regs->bp);
}

long sys_readahead(const struct pt_regs *regs)
{
    return do_readahead(regs->bx, wide(regs->cx, regs->dx), regs->si);
}

long sys_sync_file_range(const struct pt_regs *regs)
{
    return do_sync_file_range(regs->bx, wide(regs->cx, regs->dx), wide(regs->si, regs->di), regs->bp);
}

long sys_sendfile(const struct pt_regs *regs)
{
    u32 offset;
    if (regs->dx == 0)
        return do_sendfile64(regs->bx, regs->cx, NULL, regs->si);
    if (get_user_u32(&offset, user_ptr(regs->dx)))
        return -EFAULT;
    loff_t pos = (s32)offset;
    long done = do_sendfile64(regs->bx, regs->cx, &pos, regs->si);
    return put_user_u32((u32)pos, user_ptr(regs->dx)) ? -EFAULT : done;
}

long sys_sendfile64(const struct pt_regs *regs)
{
    loff_t pos;
    if (regs->dx == 0)
        return do_sendfile64(regs->bx, regs->cx, NULL, regs->si);
    if (copy_from_user(&pos, user_ptr(regs->dx), sizeof(pos)))
        return -EFAULT;
    long done = do_sendfile64(regs->bx, regs->cx, &pos, regs->si);
    return copy_to_user(user_ptr(regs->dx), &pos, sizeof(pos)) ? -EFAULT : done;
}

/* A position of the user's, if he gives one; *pos points to it then. */
static int get_position(u32 address, loff_t *at, loff_t **pos)
{
    *pos = address ? at : NULL;
    return address && copy_from_user(at, user_ptr(address), sizeof(*at)) ? -EFAULT : 0;
}

static int put_position(u32 address, const loff_t *pos)
{
    return pos && copy_to_user(user_ptr(address), pos, sizeof(*pos)) ? -EFAULT : 0;
}

long sys_splice(const struct pt_regs *regs)
{
    loff_t in, out, *off_in, *off_out;
    if (get_position(regs->cx, &in, &off_in) || get_position(regs->si, &out, &off_out))
        return -EFAULT;
    long done = do_splice(regs->bx, off_in, regs->dx, off_out, regs->di, regs->bp);
    return put_position(regs->cx, off_in) || put_position(regs->si, off_out) ? -EFAULT : done;
}

long sys_tee(const struct pt_regs *regs)
{
    return do_tee(regs->bx, regs->cx, regs->dx, regs->si);
}

static long make_pipe(u32 user_fds, u32 flags)
{
    int fds[2];
    long error = do_pipe2(fds, flags);
    if (error || !copy_to_user(user_ptr(user_fds), fds, sizeof(fds)))
        return error;
    do_close((u32)fds[0]);
    do_close((u32)fds[1]);
    return -EFAULT;
}

long sys_pipe(const struct pt_regs *regs)
{
    return make_pipe(regs->bx, 0);
}

long sys_pipe2(const struct pt_regs *regs)
{
    return make_pipe(regs->bx, regs->cx);
}

#define GRND_FLAGS 7u

long sys_getrandom(const struct pt_regs *regs)
{
    u8 piece[64];
    u32 count = min(regs->cx, 0x7FFFFFFFu), done = 0;
    if (regs->dx & ~GRND_FLAGS)
        return -EINVAL;
    while (done < count) {
        u32 bytes = min(count - done, (u32)sizeof(piece));
        get_random_bytes(piece, bytes);
        if (copy_to_user(user_ptr(regs->bx + done), piece, bytes))
            return done ? (long)done : -EFAULT;
        done += bytes;
    }
    return (long)done;
}
