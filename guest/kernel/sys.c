/* System calls. */
#include "asm/irqflags.h"
#include "asm/traps.h"
#include "asm/uaccess.h"
#include "jiffies.h"
#include "printk.h"
#include "sched.h"
#include "syscalls.h"

typedef long (*sys_call_ptr_t)(u32 bx, u32 cx, u32 dx);

static long sys_exit(u32 status, u32 unused_cx, u32 unused_dx)
{
    (void)unused_cx;
    (void)unused_dx;
    do_exit((int)(status & 0xFF) << 8);
}

/* Both standard files are the console, and there are no others yet. */
static long sys_write(u32 fd, u32 user_buf, u32 count)
{
    if (fd != 1 && fd != 2)
        return -EBADF;
    char chunk[256];
    u32 written = 0;
    while (written < count) {
        u32 bytes = min(count - written, (u32)sizeof(chunk));
        u32 missing = (u32)copy_from_user(chunk, (const void *)(user_buf + written), bytes);
        console_write(chunk, bytes - missing);
        written += bytes - missing;
        if (missing)
            return written ? (long)written : -EFAULT;
    }
    return (long)written;
}

static long sys_getpid(u32 unused_bx, u32 unused_cx, u32 unused_dx)
{
    (void)unused_bx;
    (void)unused_cx;
    (void)unused_dx;
    return (long)current->pid;
}

static long sys_brk(u32 new_brk, u32 unused_cx, u32 unused_dx)
{
    (void)unused_cx;
    (void)unused_dx;
    return (long)do_brk(current->mm, new_brk);
}

static long sys_nanosleep(u32 user_request, u32 user_remaining, u32 unused_dx)
{
    struct {
        u32 seconds, nanoseconds;
    } request;
    const u32 ns_per_tick = 1000000000u / HZ;
    (void)user_remaining;
    (void)unused_dx;
    if (copy_from_user(&request, (const void *)user_request, sizeof(request)))
        return -EFAULT;
    if (request.nanoseconds >= 1000000000u)
        return -EINVAL;
    /* One more, because the running tick is partly over. */
    schedule_timeout(request.seconds * HZ + (request.nanoseconds + ns_per_tick - 1) / ns_per_tick + 1);
    return 0;
}

static const sys_call_ptr_t sys_call_table[NR_syscalls] = {
    [__NR_exit] = sys_exit, [__NR_write] = sys_write,         [__NR_getpid] = sys_getpid,
    [__NR_brk] = sys_brk,   [__NR_nanosleep] = sys_nanosleep, [__NR_exit_group] = sys_exit,
};

void do_int80_syscall_32(struct pt_regs *regs)
{
    local_irq_enable();
    u32 number = regs->orig_ax;
    long result = -ENOSYS;
    if (number < NR_syscalls && sys_call_table[number])
        result = sys_call_table[number](regs->bx, regs->cx, regs->dx);
    regs->ax = (u32)result;
}
