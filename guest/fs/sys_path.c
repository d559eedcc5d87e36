/* System calls about names: from registers to arguments. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "fs_calls.h"
#include "sys_fs.h"

static loff_t wide(u32 low, u32 high)
{
    return (loff_t)((u64)high << 32 | low);
}

long sys_open(const struct pt_regs *regs)
{
    return do_openat(AT_FDCWD, user_ptr(regs->bx), regs->cx, regs->dx);
}

long sys_openat(const struct pt_regs *regs)
{
    return do_openat((s32)regs->bx, user_ptr(regs->cx), regs->dx, regs->si);
}

long sys_creat(const struct pt_regs *regs)
{
    return do_openat(AT_FDCWD, user_ptr(regs->bx), O_CREAT | O_WRONLY | O_TRUNC, regs->cx);
}

long sys_mkdir(const struct pt_regs *regs)
{
    return do_mkdirat(AT_FDCWD, user_ptr(regs->bx), regs->cx);
}

long sys_mkdirat(const struct pt_regs *regs)
{
    return do_mkdirat((s32)regs->bx, user_ptr(regs->cx), regs->dx);
}

long sys_mknod(const struct pt_regs *regs)
{
    return do_mknodat(AT_FDCWD, user_ptr(regs->bx), regs->cx, regs->dx);
}

long sys_mknodat(const struct pt_regs *regs)
{
    return do_mknodat((s32)regs->bx, user_ptr(regs->cx), regs->dx, regs->si);
}

long sys_symlink(const struct pt_regs *regs)
{
    return do_symlinkat(user_ptr(regs->bx), AT_FDCWD, user_ptr(regs->cx));
}

long sys_symlinkat(const struct pt_regs *regs)
{
    return do_symlinkat(user_ptr(regs->bx), (s32)regs->cx, user_ptr(regs->dx));
}

long sys_link(const struct pt_regs *regs)
{
    return do_linkat(AT_FDCWD, user_ptr(regs->bx), AT_FDCWD, user_ptr(regs->cx), 0);
}

long sys_linkat(const struct pt_regs *regs)
{
    return do_linkat((s32)regs->bx, user_ptr(regs->cx), (s32)regs->dx, user_ptr(regs->si), regs->di);
}

long sys_unlink(const struct pt_regs *regs)
{
    return do_unlinkat(AT_FDCWD, user_ptr(regs->bx), 0);
}

long sys_rmdir(const struct pt_regs *regs)
{
    return do_unlinkat(AT_FDCWD, user_ptr(regs->bx), AT_REMOVEDIR);
}

long sys_unlinkat(const struct pt_regs *regs)
{
    return do_unlinkat((s32)regs->bx, user_ptr(regs->cx), regs->dx);
}

long sys_rename(const struct pt_regs *regs)
{
    return do_renameat2(AT_FDCWD, user_ptr(regs->bx), AT_FDCWD, user_ptr(regs->cx), 0);
}

long sys_renameat(const struct pt_regs *regs)
{
    return do_renameat2((s32)regs->bx, user_ptr(regs->cx), (s32)regs->dx, user_ptr(regs->si), 0);
}

long sys_renameat2(const struct pt_regs *regs)
{
    return do_renameat2((s32)regs->bx, user_ptr(regs->cx), (s32)regs->dx, user_ptr(regs->si), regs->di);
}

long sys_readlink(const struct pt_regs *regs)
{
    return do_readlinkat(AT_FDCWD, user_ptr(regs->bx), user_ptr(regs->cx), regs->dx);
}

long sys_readlinkat(const struct pt_regs *regs)
{
    return do_readlinkat((s32)regs->bx, user_ptr(regs->cx), user_ptr(regs->dx), regs->si);
}

long sys_truncate(const struct pt_regs *regs)
{
    return do_truncate(user_ptr(regs->bx), (s32)regs->cx);
}

long sys_truncate64(const struct pt_regs *regs)
{
    return do_truncate(user_ptr(regs->bx), wide(regs->cx, regs->dx));
}

long sys_access(const struct pt_regs *regs)
{
    return do_faccessat(AT_FDCWD, user_ptr(regs->bx), regs->cx, 0);
}

long sys_faccessat(const struct pt_regs *regs)
{
    return do_faccessat((s32)regs->bx, user_ptr(regs->cx), regs->dx, 0);
}

long sys_faccessat2(const struct pt_regs *regs)
{
    return do_faccessat((s32)regs->bx, user_ptr(regs->cx), regs->dx, regs->si);
}

long sys_chdir(const struct pt_regs *regs)
{
    return do_chdir(user_ptr(regs->bx));
}

long sys_fchdir(const struct pt_regs *regs)
{
    return do_fchdir(regs->bx);
}

long sys_chroot(const struct pt_regs *regs)
{
    return do_chroot(user_ptr(regs->bx));
}

long sys_getcwd(const struct pt_regs *regs)
{
    return do_getcwd(user_ptr(regs->bx), regs->cx);
}

long sys_umask(const struct pt_regs *regs)
{
    return do_umask(regs->bx);
}
