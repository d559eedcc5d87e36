/* Oops: registers, return addresses, and the end. */
#include "asm/irqflags.h"
#include "asm/ptrace.h"
#include "asm/setup.h"
#include "bug.h"
#include "mm.h"
#include "printk.h"
#include "sched.h"

/* A loop in a broken stack must not print for ever. */
#define MAX_TRACE_DEPTH 16

static bool is_kernel_text(u32 address)
{
    return (address >= (u32)_text && address < (u32)_etext) ||
           (address >= (u32)__init_begin && address < (u32)__init_end);
}

/* Follows the chain of saved frame pointers: [ebp] = caller's ebp, [ebp + 4] = return address. */
void show_trace(const u32 *frame)
{
    pr_emerg("Call Trace:\n");
    for (unsigned int depth = 0; depth < MAX_TRACE_DEPTH; depth++) {
        const u32 *stack = current->stack;
        if (frame < stack || frame > stack + THREAD_SIZE / sizeof(u32) - 2 || (u32)frame % sizeof(u32))
            break;
        if (!is_kernel_text(frame[1]))
            break;
        pr_emerg(" [<%08x>]\n", frame[1]);
        frame = (const u32 *)frame[0];
    }
}

void show_regs(const struct pt_regs *regs)
{
    /* The CPU pushed no stack pointer if it was in the kernel already: the stack continues behind flags. */
    u32 sp = user_mode(regs) ? regs->sp : (u32)&regs->sp;
    pr_emerg("Pid: %u, comm: %s\n", current->pid, current->comm);
    pr_emerg("EIP: %04x:[<%08x>] EFLAGS: %08x\n", regs->cs, regs->ip, regs->flags);
    pr_emerg("EAX: %08x EBX: %08x ECX: %08x EDX: %08x\n", regs->ax, regs->bx, regs->cx, regs->dx);
    pr_emerg("ESI: %08x EDI: %08x EBP: %08x ESP: %08x\n", regs->si, regs->di, regs->bp, sp);
    pr_emerg(" DS: %04x ES: %04x FS: %04x GS: %04x\n", regs->ds, regs->es, regs->fs, regs->gs);
    pr_emerg("CR0: %08x CR2: %08x CR3: %08x CR4: %08x\n", read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

void die(const char *what, const struct pt_regs *regs, u32 error_code)
{
    local_irq_disable();
    pr_emerg("%s: %04x\n", what, error_code);
    show_regs(regs);
    if (!user_mode(regs))
        show_trace((const u32 *)regs->bp);
    panic("Fatal exception");
}
