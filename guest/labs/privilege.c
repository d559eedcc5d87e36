/*
 * A5, the kernel's part: where a processor that leaves user mode takes the kernel's stack from, and what it
 * leaves there. guest/user/privilege.c is what a program sees of it.
 */
#include "asm/ptrace.h"
#include "asm/switch_to.h"
#include "lab.h"
#include "process.h"
#include "segment.h"

/* Of the TSS (SDM 3A 7.2.1): what the processor loads on the way into ring 0. */
struct tss_head {
    u32 back_link, sp0, ss0;
};

static const struct tss_head *running_tss(void)
{
    u32 tr;
    __asm__("strl %0" : "=r"(tr));
    return (const struct tss_head *)(uintptr_t)get_desc_base(gdt_entry(tr / 8));
}

/* A program that only computes: what stops it is the timer, which is how it comes into the kernel. */
static void privilege(void)
{
    const struct tss_head *tss = running_tss();
    u32 stack_top = (u32)current->stack + THREAD_SIZE;
    lab_check(tss->ss0 == __KERNEL_DS && tss->sp0 == stack_top,
              "the TSS, at %08x, has ss0:esp0 = %04x:%08x: the top of the stack of the task that runs",
              (u32)tss, tss->ss0, tss->sp0);
    struct task_struct *child = start_process();
    const struct pt_regs *regs = task_pt_regs(child);
    u32 child_top = (u32)child->stack + THREAD_SIZE;
    lab_check(child->mm && user_mode(regs), "a program was interrupted in ring %u: CS %04x", regs->cs & 3,
              regs->cs & 0xFFFF);
    lab_check((u32)(regs + 1) == child_top && (regs->ss & 0xFFFF) == __USER_DS && regs->sp < TASK_SIZE,
              "the five words at the top of its kernel stack, below %08x, are its SS %04x, ESP %08x, EFLAGS "
              "%08x, CS "
              "%04x, EIP %08x",
              child_top, regs->ss & 0xFFFF, regs->sp, regs->flags, regs->cs & 0xFFFF, regs->ip);
    lab_check(child->thread.sp < (u32)regs && child->thread.sp > (u32)child->stack,
              "what the kernel did then lies below them");
    lab_check(tss->sp0 == stack_top, "esp0 is %08x again: each switch of tasks changes it", tss->sp0);
    end_process(child);
}
LAB("privilege", privilege);
