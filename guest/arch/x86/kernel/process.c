/* Tasks as the CPU sees them: stacks, the TSS and CR3. */
#include "asm/desc.h"
#include "asm/fpu.h"
#include "asm/irqflags.h"
#include "asm/pgtable.h"
#include "asm/ptrace.h"
#include "asm/segment.h"
#include "asm/switch_to.h"
#include "asm/tls.h"
#include "asm/traps.h"
#include "string.h"

/*
 * What switch_stacks() pops when the task runs for the first time, and above it the registers of a user
 * mode yet to come.
 */
struct fork_frame {
    u32 di, si, bx, bp, return_address;
    struct pt_regs regs;
};

extern char ret_from_fork[];

static struct fork_frame *fork_frame(const struct task_struct *task)
{
    return (struct fork_frame *)((char *)task->stack + THREAD_SIZE - sizeof(struct fork_frame));
}

struct pt_regs *task_pt_regs(const struct task_struct *task)
{
    return &fork_frame(task)->regs;
}

void copy_thread(struct task_struct *task, int (*fn)(void *), void *arg)
{
    struct fork_frame *frame = fork_frame(task);
    memset(frame, 0, sizeof(*frame));
    frame->bx = (u32)fn;
    frame->si = (u32)arg;
    frame->return_address = (u32)ret_from_fork;
    task->thread.sp = (unsigned long)frame;
}

void start_thread(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
    memset(regs, 0, sizeof(*regs));
    regs->ds = regs->es = regs->ss = __USER_DS;
    regs->cs = __USER_CS;
    regs->ip = ip;
    regs->sp = sp;
    regs->flags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
}

void switch_mm(struct mm_struct *mm)
{
    write_cr3((u32)__pa(mm ? mm->pgd : swapper_pg_dir));
}

void switch_to(struct task_struct *prev, struct task_struct *next)
{
    fpu_switch_out(prev);
    load_sp0((unsigned long)next->stack + THREAD_SIZE);
    if (memcmp(prev->thread.tls_array, next->thread.tls_array, sizeof(next->thread.tls_array)) != 0)
        load_tls(next);
    if (prev->mm != next->mm)
        switch_mm(next->mm);
    switch_stacks(&prev->thread.sp, next->thread.sp);
}

void exit_to_user_mode(struct pt_regs *regs)
{
    local_irq_disable();
    while (need_resched || signal_pending(current) || current->restores_sigmask) {
        local_irq_enable();
        if (need_resched)
            schedule();
        do_signal(regs);
        local_irq_disable();
    }
}
