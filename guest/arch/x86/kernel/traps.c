/* Exceptions: the ones that are somebody's mistake. Page faults go on to fault.c. */
#include "asm/traps.h"
#include "asm/fpu.h"
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

static int si_code_of(u32 vector)
{
    switch (vector) {
    case X86_TRAP_DE:
        return FPE_INTDIV;
    case X86_TRAP_DB:
        return TRAP_TRACE;
    case X86_TRAP_UD:
        return ILL_ILLOPN;
    case X86_TRAP_MF:
    case X86_TRAP_XF:
        return fpu_exception_code(vector == X86_TRAP_XF);
    case X86_TRAP_AC:
        return BUS_ADRALN;
    default:
        return SI_KERNEL;
    }
}

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
    if (vector == X86_TRAP_NM && fpu_load())
        return;
    local_irq_enable();
    current->thread.trap_nr = vector;
    current->thread.error_code = error_code;
    if (sig_is_unhandled(traps[vector].signal))
        pr_info("%s[%u] trap %s ip:%08x sp:%08x error:%x\n", current->comm, current->pid, traps[vector].name,
                regs->ip, regs->sp, error_code);
    force_sig_fault(traps[vector].signal, si_code_of(vector), regs->ip);
}
