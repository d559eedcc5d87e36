/* From registers to the functions of mman.h. */
#include "sys_mm.h"
#include "asm/ptrace.h"
#include "errno.h"
#include "fdtable.h"
#include "fs.h"
#include "mman.h"
#include "sched.h"

long sys_brk(const struct pt_regs *regs)
{
    return (long)do_brk(current->mm, regs->bx);
}

long sys_mmap2(const struct pt_regs *regs)
{
    struct file *file = NULL;
    if (!(regs->si & MAP_ANONYMOUS)) {
        file = fget(regs->di);
        if (file == NULL)
            return -EBADF;
    }
    long result = do_mmap_pgoff(current->mm, file, regs->bx, regs->cx, regs->dx, regs->si, regs->bp);
    if (file)
        fput(file);
    return result;
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
