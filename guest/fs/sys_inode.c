/* System calls about what is known of files: from registers to arguments. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "fs_calls.h"
#include "sys_fs.h"

static long stat_at(int dfd, u32 user_name, u32 flags, u32 to,
                    long (*put)(const struct kstat *, void __user *))
{
    struct kstat stat;
    int error = vfs_statx(dfd, user_ptr(user_name), flags, &stat);
    return error ? error : put(&stat, user_ptr(to));
}

static long stat_fd(u32 fd, u32 to, long (*put)(const struct kstat *, void __user *))
{
    struct kstat stat;
    int error = vfs_fstat(fd, &stat);
    return error ? error : put(&stat, user_ptr(to));
}

long sys_newstat(const struct pt_regs *regs)
{
    return stat_at(AT_FDCWD, regs->bx, 0, regs->cx, put_stat32);
}

long sys_newlstat(const struct pt_regs *regs)
{
    return stat_at(AT_FDCWD, regs->bx, AT_SYMLINK_NOFOLLOW, regs->cx, put_stat32);
}

long sys_newfstat(const struct pt_regs *regs)
{
    return stat_fd(regs->bx, regs->cx, put_stat32);
}

long sys_stat64(const struct pt_regs *regs)
{
    return stat_at(AT_FDCWD, regs->bx, 0, regs->cx, put_stat64);
}

long sys_lstat64(const struct pt_regs *regs)
{
    return stat_at(AT_FDCWD, regs->bx, AT_SYMLINK_NOFOLLOW, regs->cx, put_stat64);
}

long sys_fstat64(const struct pt_regs *regs)
{
    return stat_fd(regs->bx, regs->cx, put_stat64);
}

long sys_fstatat64(const struct pt_regs *regs)
{
    return stat_at((s32)regs->bx, regs->cx, regs->si, regs->dx, put_stat64);
}

long sys_statx(const struct pt_regs *regs)
{
    return do_statx((s32)regs->bx, user_ptr(regs->cx), regs->dx, regs->si, user_ptr(regs->di));
}

#define STATFS_BYTES 64u

long sys_statfs(const struct pt_regs *regs)
{
    return do_statfs(user_ptr(regs->bx), STATFS_BYTES, user_ptr(regs->cx));
}

long sys_fstatfs(const struct pt_regs *regs)
{
    return do_fstatfs(regs->bx, STATFS_BYTES, user_ptr(regs->cx));
}

long sys_statfs64(const struct pt_regs *regs)
{
    return do_statfs(user_ptr(regs->bx), regs->cx, user_ptr(regs->dx));
}

long sys_fstatfs64(const struct pt_regs *regs)
{
    return do_fstatfs(regs->bx, regs->cx, user_ptr(regs->dx));
}

long sys_chmod(const struct pt_regs *regs)
{
    return do_fchmodat(AT_FDCWD, user_ptr(regs->bx), regs->cx);
}

long sys_fchmodat(const struct pt_regs *regs)
{
    return do_fchmodat((s32)regs->bx, user_ptr(regs->cx), regs->dx);
}

long sys_fchmod(const struct pt_regs *regs)
{
    return do_fchmod(regs->bx, regs->cx);
}

long sys_chown(const struct pt_regs *regs)
{
    return do_fchownat(AT_FDCWD, user_ptr(regs->bx), regs->cx, regs->dx, 0);
}

long sys_lchown(const struct pt_regs *regs)
{
    return do_fchownat(AT_FDCWD, user_ptr(regs->bx), regs->cx, regs->dx, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(const struct pt_regs *regs)
{
    return do_fchown(regs->bx, regs->cx, regs->dx);
}

long sys_fchownat(const struct pt_regs *regs)
{
    return do_fchownat((s32)regs->bx, user_ptr(regs->cx), regs->dx, regs->si, regs->di);
}

/* The older calls have numbers of 16 bits, in which -1 is the same. */
static u32 id_of(u32 id16)
{
    return (u16)id16 == 0xFFFFu ? ~0u : (u16)id16;
}

long sys_chown16(const struct pt_regs *regs)
{
    return do_fchownat(AT_FDCWD, user_ptr(regs->bx), id_of(regs->cx), id_of(regs->dx), 0);
}

long sys_lchown16(const struct pt_regs *regs)
{
    return do_fchownat(AT_FDCWD, user_ptr(regs->bx), id_of(regs->cx), id_of(regs->dx), AT_SYMLINK_NOFOLLOW);
}

long sys_fchown16(const struct pt_regs *regs)
{
    return do_fchown(regs->bx, id_of(regs->cx), id_of(regs->dx));
}

/* Times come in five shapes; addr 0: now. */

struct timespec32 {
    s32 seconds, nanoseconds;
};

/* The kernel of a 64-bit time_t leaves the upper half of the nanoseconds alone. */
struct timespec_wide {
    s64 seconds;
    s32 nanoseconds, padding;
};

static long utimens32(int dfd, u32 user_name, u32 user_times, u32 flags)
{
    struct timespec32 in[2];
    struct timespec64 times[2];
    if (user_times == 0)
        return do_utimensat(dfd, user_ptr(user_name), NULL, flags);
    if (copy_from_user(in, user_ptr(user_times), sizeof(in)))
        return -EFAULT;
    for (u32 i = 0; i < 2; i++)
        times[i] = (struct timespec64){.tv_sec = in[i].seconds, .tv_nsec = in[i].nanoseconds};
    return do_utimensat(dfd, user_ptr(user_name), times, flags);
}

long sys_utimensat_time32(const struct pt_regs *regs)
{
    return utimens32((s32)regs->bx, regs->cx, regs->dx, regs->si);
}

long sys_utimensat(const struct pt_regs *regs)
{
    struct timespec_wide in[2];
    struct timespec64 times[2];
    if (regs->dx == 0)
        return do_utimensat((s32)regs->bx, user_ptr(regs->cx), NULL, regs->si);
    if (copy_from_user(in, user_ptr(regs->dx), sizeof(in)))
        return -EFAULT;
    for (u32 i = 0; i < 2; i++)
        times[i] = (struct timespec64){.tv_sec = in[i].seconds, .tv_nsec = in[i].nanoseconds};
    return do_utimensat((s32)regs->bx, user_ptr(regs->cx), times, regs->si);
}

/* Microseconds, with which nothing but a time can be said. */
static long utimes_at(int dfd, u32 user_name, u32 user_times)
{
    struct timespec32 in[2];
    struct timespec64 times[2];
    if (user_name == 0)
        return -EFAULT;
    if (user_times == 0)
        return do_utimensat(dfd, user_ptr(user_name), NULL, 0);
    if (copy_from_user(in, user_ptr(user_times), sizeof(in)))
        return -EFAULT;
    for (u32 i = 0; i < 2; i++) {
        if (in[i].nanoseconds < 0 || in[i].nanoseconds >= 1000000)
            return -EINVAL;
        times[i] = (struct timespec64){.tv_sec = in[i].seconds, .tv_nsec = in[i].nanoseconds * 1000};
    }
    return do_utimensat(dfd, user_ptr(user_name), times, 0);
}

long sys_utimes(const struct pt_regs *regs)
{
    return utimes_at(AT_FDCWD, regs->bx, regs->cx);
}

long sys_futimesat(const struct pt_regs *regs)
{
    return utimes_at((s32)regs->bx, regs->cx, regs->dx);
}

/* Whole seconds. */
long sys_utime32(const struct pt_regs *regs)
{
    s32 in[2];
    if (regs->bx == 0)
        return -EFAULT;
    if (regs->cx == 0)
        return do_utimensat(AT_FDCWD, user_ptr(regs->bx), NULL, 0);
    if (copy_from_user(in, user_ptr(regs->cx), sizeof(in)))
        return -EFAULT;
    const struct timespec64 times[2] = {{.tv_sec = in[0]}, {.tv_sec = in[1]}};
    return do_utimensat(AT_FDCWD, user_ptr(regs->bx), times, 0);
}
