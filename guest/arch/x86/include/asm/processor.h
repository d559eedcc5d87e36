/* The CPU's registers and the instructions that reach them. */
#pragma once

#include "asm/desc_defs.h"
#include "compiler.h"
#include "types.h"

#define X86_EFLAGS_FIXED 0x002u
#define X86_EFLAGS_IF 0x200u

#define X86_CR0_PE (1u << 0)
#define X86_CR0_MP (1u << 1)
#define X86_CR0_EM (1u << 2)
#define X86_CR0_TS (1u << 3)
#define X86_CR0_NE (1u << 5)
#define X86_CR0_WP (1u << 16)
#define X86_CR0_PG (1u << 31)
#define X86_CR4_PSE (1u << 4)
#define X86_CR4_PGE (1u << 7)
#define X86_CR4_PCE (1u << 8)
#define X86_CR4_OSFXSR (1u << 9)
#define X86_CR4_OSXMMEXCPT (1u << 10)

#define GDT_ENTRY_TLS_ENTRIES 3

/* What FXSAVE writes, or FNSAVE on a CPU that has no FXSAVE. */
#define FXSAVE_BYTES 512
#define FNSAVE_BYTES 108
struct fpu {
    u8 state[FXSAVE_BYTES] __aligned(16);
    bool is_initialized; /* the task has used the FPU: state, or the CPU, holds its registers */
    bool is_loaded;      /* the CPU does */
};

/* What a task that does not run remembers of the CPU. */
struct thread_struct {
    unsigned long sp; /* its kernel stack pointer, where switch_to() left it */
    struct desc_struct tls_array[GDT_ENTRY_TLS_ENTRIES];
    u32 trap_nr, error_code, cr2; /* of the last fault, for signal frames */
    struct fpu fpu;
};

struct pt_regs;

#define DEFINE_CR_ACCESSORS(n)                                                                               \
    static inline u32 read_cr##n(void)                                                                       \
    {                                                                                                        \
        u32 value;                                                                                           \
        __asm__ volatile("movl %%cr" #n ", %0" : "=r"(value));                                               \
        return value;                                                                                        \
    }                                                                                                        \
    static inline void write_cr##n(u32 value)                                                                \
    {                                                                                                        \
        __asm__ volatile("movl %0, %%cr" #n ::"r"(value) : "memory");                                        \
    }

DEFINE_CR_ACCESSORS(0)
DEFINE_CR_ACCESSORS(2)
DEFINE_CR_ACCESSORS(3)
DEFINE_CR_ACCESSORS(4)

/* Enables interrupts and waits for one: the STI delays them by one instruction, so that none is missed. */
static inline void safe_halt(void)
{
    __asm__ volatile("sti; hlt" ::: "memory");
}

struct seq_file;
void cpuinfo_show(struct seq_file *m); /* /proc/cpuinfo (kernel/cpuinfo.c) */

/* Stops this CPU for good. */
static inline __noreturn void stop_this_cpu(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" ::: "memory");
}

/* Makes a return to user mode enter the program at ip with an empty register file. */
void start_thread(struct pt_regs *regs, unsigned long ip, unsigned long sp);
