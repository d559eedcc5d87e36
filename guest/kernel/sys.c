/* System calls. */
#include "asm/irqflags.h"
#include "asm/ptrace.h"
#include "asm/traps.h"
#include "asm/uaccess.h"
#include "printk.h"
#include "sched.h"
#include "sys_mm.h"
#include "sys_signal.h"
#include "sys_task.h"
#include "sys_time.h"
#include "syscalls.h"
#include "tty.h"
#include "utsname.h"

typedef long (*sys_call_ptr_t)(const struct pt_regs *regs);

/* The standard input is what is typed. */
static long sys_read(const struct pt_regs *regs)
{
    return regs->bx == 0 ? tty_read((void *)regs->cx, regs->dx) : -EBADF;
}

/* Both standard files are the console, and there are no others yet. */
static long sys_write(const struct pt_regs *regs)
{
    u32 fd = regs->bx, user_buf = regs->cx, count = regs->dx;
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

static const sys_call_ptr_t sys_call_table[NR_syscalls] = {
#define SYSCALL(number, name, function) [number] = function,
#include "syscalls.def"
#undef SYSCALL
};

void do_int80_syscall_32(struct pt_regs *regs)
{
    local_irq_enable();
    u32 number = regs->orig_ax;
    long result = -ENOSYS;
    if (number < NR_syscalls && sys_call_table[number])
        result = sys_call_table[number](regs);
    regs->ax = (u32)result;
}
