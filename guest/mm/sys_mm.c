/* From registers to the functions of mman.h. */
#include "sys_mm.h"
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "errno.h"
#include "fdtable.h"
#include "fs.h"
#include "mman.h"
#include "sched.h"

long sys_brk(const struct pt_regs *regs)
{
    return (long)do_brk(current->mm, regs->bx);
}

static long mmap_file(u32 address, u32 bytes, u32 prot, u32 flags, u32 fd, u32 pgoff)
{
    struct file *file = NULL;
    if (!(flags & MAP_ANONYMOUS)) {
        file = fget(fd);
        if (file == NULL)
            return -EBADF;
    }
    long result = do_mmap_pgoff(current->mm, file, address, bytes, prot, flags, pgoff);
    if (file)
        fput(file);
    return result;
}

long sys_mmap2(const struct pt_regs *regs)
{
    return mmap_file(regs->bx, regs->cx, regs->dx, regs->si, regs->di, regs->bp);
}

/* The older one: its arguments lie in memory, and the offset counts bytes. */
long sys_mmap(const struct pt_regs *regs)
{
    struct {
        u32 address, bytes, prot, flags, fd, offset;
    } args;
    if (copy_from_user(&args, (const void *)regs->bx, sizeof(args)))
        return -EFAULT;
    if (args.offset & ~PAGE_MASK)
        return -EINVAL;
    return mmap_file(args.address, args.bytes, args.prot, args.flags, args.fd, args.offset >> PAGE_SHIFT);
}

long sys_munmap(const struct pt_regs *regs)
{
    return do_munmap(current->mm, regs->bx, regs->cx);
}

long sys_mprotect(const struct pt_regs *regs)
{
    return do_mprotect(current->mm, regs->bx, regs->cx, regs->dx);
}

long sys_mremap(const struct pt_regs *regs)
{
    return do_mremap(current->mm, regs->bx, regs->cx, regs->dx, regs->si, regs->di);
}

long sys_madvise(const struct pt_regs *regs)
{
    return do_madvise(current->mm, regs->bx, regs->cx, (int)regs->dx);
}

long sys_mlock(const struct pt_regs *regs)
{
    return do_mlock(current->mm, regs->bx, regs->cx);
}

long sys_munlock(const struct pt_regs *regs)
{
    return do_munlock(current->mm, regs->bx, regs->cx);
}

long sys_mlockall(const struct pt_regs *regs)
{
    return regs->bx ? do_mlockall(current->mm, regs->bx) : -EINVAL;
}

long sys_munlockall(const struct pt_regs *regs)
{
    (void)regs;
    return do_mlockall(current->mm, 0);
}

long sys_msync(const struct pt_regs *regs)
{
    return do_msync(current->mm, regs->bx, regs->cx, regs->dx);
}

long sys_mincore(const struct pt_regs *regs)
{
    return do_mincore(current->mm, regs->bx, regs->cx, (unsigned char *)regs->dx);
}
