/*
 * A5, the program's part: a system call changes CS and SS and changes them back; what would give a program
 * the kernel's privileges ends it. guest/labs/privilege.c is the kernel's part.
 */
#include "trial.h"

#define KERNEL_CODE_SELECTOR 0x60u
#define KERNEL_DATA_SELECTOR 0x68u
#define NR_CALLS 64u

#define LOADS(register)                                                                                      \
    static void load_##register(void)                                                                        \
    {                                                                                                        \
        __asm__ volatile("movw %w0, %%" #register ::"r"(KERNEL_DATA_SELECTOR));                              \
    }
LOADS(ds)
LOADS(es)
LOADS(fs)
LOADS(gs)
LOADS(ss)

static void load_with_rpl_3(void)
{
    __asm__ volatile("movw %w0, %%ds" ::"r"(KERNEL_DATA_SELECTOR | 3));
}

static void load_null(void)
{
    __asm__ volatile("movw %w0, %%gs" ::"r"(0));
}

static void jump_to_kernel_code(void)
{
    __asm__ volatile("ljmp %0, $1f\n1:" ::"i"(KERNEL_CODE_SELECTOR));
}

static void disable_interrupts(void)
{
    __asm__ volatile("cli");
}

static void halt(void)
{
    __asm__ volatile("hlt");
}

static void load_cr3(void)
{
    __asm__ volatile("movl %0, %%cr3" ::"r"(0));
}

static void load_gdtr(void)
{
    static const u16 gdtr[3];
    __asm__ volatile("lgdt %0" ::"m"(gdtr));
}

static void read_port(void)
{
    __asm__ volatile("inb $0x60, %%al" ::: "eax");
}

/* IRQ 0's gate, of DPL 0: a program cannot pretend that the timer has ticked. */
static void call_interrupt_gate(void)
{
    __asm__ volatile("int $0x20");
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

static void set_interrupt_flag(void)
{
    __asm__ volatile("pushfl\n\tandl $~0x200, (%%esp)\n\tpopfl" ::: "cc", "memory");
}

static u32 read_cs(void)
{
    u32 cs;
    __asm__ volatile("movl %%cs, %0" : "=r"(cs));
    return cs;
}

static u32 read_ss(void)
{
    u32 ss;
    __asm__ volatile("movl %%ss, %0" : "=r"(ss));
    return ss;
}

static u32 read_flags(void)
{
    u32 flags;
    __asm__ volatile("pushfl\n\tpopl %0" : "=r"(flags));
    return flags;
}

static void count_calls(void)
{
    struct lab_region calls;
    getpid();
    lab_region_begin(&calls, "64 system calls");
    for (u32 i = 0; i < NR_CALLS; i++)
        getpid();
    lab_region_end(&calls);
    if (lab_counts_cycles())
        lab_figure("a system call", calls.counts.cycles, NR_CALLS, "cycles");
}

int main(int argc, char **argv);

int main(int argc, char **argv)
{
    (void)argv;
    /* For the kernel's part: until somebody ends it. */
    while (argc > 1)
        ;
    u32 cs = read_cs(), ss = read_ss();
    lab_check((cs & 3) == 3 && (ss & 3) == 3, "a program runs in ring 3: CS %04x, SS %04x", cs, ss);
    count_calls();
    lab_check(read_cs() == cs && read_ss() == ss, "after a system call both are what they were");
    set_interrupt_flag();
    lab_check(read_flags() & 0x200, "POPF in ring 3 cannot clear IF: it is not changed");
    check_trial(load_null, 0, "loads the null selector into GS");
    check_trial(load_ds, SIGSEGV, "loads the kernel's data selector into DS");
    check_trial(load_es, SIGSEGV, "loads it into ES");
    check_trial(load_fs, SIGSEGV, "loads it into FS");
    check_trial(load_gs, SIGSEGV, "loads it into GS");
    check_trial(load_ss, SIGSEGV, "loads it into SS");
    check_trial(load_with_rpl_3, SIGSEGV, "loads it with RPL 3");
    check_trial(jump_to_kernel_code, SIGSEGV, "jumps to the kernel's code selector");
    check_trial(call_interrupt_gate, SIGSEGV, "calls the timer's interrupt by INT, whose gate has DPL 0");
    check_trial(breakpoint, SIGTRAP, "calls the breakpoint's gate, of DPL 3");
    check_trial(disable_interrupts, SIGSEGV, "disables interrupts (CLI)");
    check_trial(halt, SIGSEGV, "halts the processor (HLT)");
    check_trial(load_cr3, SIGSEGV, "loads CR3");
    check_trial(load_gdtr, SIGSEGV, "loads GDTR");
    check_trial(read_port, SIGSEGV, "reads the keyboard's port (IN)");
    return (int)lab_status();
}
