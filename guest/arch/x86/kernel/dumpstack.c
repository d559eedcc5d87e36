/* Oops: registers, return addresses, and the end. */
#include "asm/irqflags.h"
#include "asm/ptrace.h"
#include "asm/setup.h"
#include "bug.h"
#include "kallsyms.h"
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

static void show_return_address(u32 address)
{
    char symbol[SYMBOL_BYTES];
    sprint_symbol(symbol, sizeof(symbol), address);
    pr_emerg(" [<%08x>] %s\n", address, symbol);
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
        show_return_address(frame[1]);
        frame = (const u32 *)frame[0];
    }
}

void show_regs(const struct pt_regs *regs)
{
    /* The CPU pushed no stack pointer if it was in the kernel already: the stack continues behind flags. */
    u32 sp = user_mode(regs) ? regs->sp : (u32)&regs->sp;
    pr_emerg("Pid: %u, comm: %s\n", current->pid, current->comm);
    /* A selector is pushed as 16 bits; what is above is left from before (SDM 2B, PUSH). */
    pr_emerg("EIP: %04x:[<%08x>] EFLAGS: %08x\n", regs->cs & 0xffff, regs->ip, regs->flags);
    u32 offset;
    const struct kallsym *sym = user_mode(regs) ? NULL : kallsyms_lookup(regs->ip, &offset);
    if (sym)
        pr_emerg("EIP is at %s+0x%x\n", sym->name, offset);
    pr_emerg("EAX: %08x EBX: %08x ECX: %08x EDX: %08x\n", regs->ax, regs->bx, regs->cx, regs->dx);
    pr_emerg("ESI: %08x EDI: %08x EBP: %08x ESP: %08x\n", regs->si, regs->di, regs->bp, sp);
    pr_emerg(" DS: %04x ES: %04x FS: %04x GS: %04x\n", regs->ds & 0xffff, regs->es & 0xffff,
             regs->fs & 0xffff, regs->gs & 0xffff);
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
