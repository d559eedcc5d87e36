/* Exceptions: the ones that are somebody's mistake. Page faults go on to fault.c. */
#include "asm/traps.h"
#include "asm/irqflags.h"
#include "asm/ptrace.h"
#include "asm/trapnr.h"
#include "asm/uaccess.h"
#include "printk.h"
#include "sched.h"

static const struct {
    int signal;
    const char *name;
} traps[NR_EXCEPTIONS] = {
#define TRAP(vector, has_error_code, signal, name) [vector] = {signal, name},
#include "asm/traps.def"
#undef TRAP
};

void do_trap(struct pt_regs *regs, u32 vector, u32 error_code)
{
    if (vector == X86_TRAP_PF) {
        do_page_fault(regs, error_code);
        return;
    }
    if (!user_mode(regs)) {
        u32 fixup = search_exception_table(regs->ip);
        if (fixup == 0)
            die(traps[vector].name, regs, error_code);
        regs->ip = fixup;
        return;
    }
    if (traps[vector].signal == 0)
        die(traps[vector].name, regs, error_code);
    local_irq_enable();
    pr_info("%s[%u] trap %s ip:%08x sp:%08x error:%x\n", current->comm, current->pid, traps[vector].name,
            regs->ip, regs->sp, error_code);
    force_fatal_sig(traps[vector].signal);
}
