/* System calls. */
#include "asm/irqflags.h"
#include "asm/ptrace.h"
#include "asm/traps.h"
#include "printk.h"
#include "sched.h"
#include "swap.h"
#include "sys_fs.h"
#include "sys_mm.h"
#include "sys_signal.h"
#include "sys_task.h"
#include "sys_time.h"
#include "syscalls.h"
#include "utsname.h"

typedef long (*sys_call_ptr_t)(const struct pt_regs *regs);

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
    if (memory_is_short)
        reclaim_before_system_call();
    if (number < NR_syscalls && sys_call_table[number])
        result = sys_call_table[number](regs);
    regs->ax = (u32)result;
}
