/* What CPU this is. */
#include "asm/cpuid.h"

#define X86_EFLAGS_ID (1u << 21)

/* A CPU has CPUID if software can change EFLAGS.ID (SDM 1 20.1.2). */
static bool has_cpuid(void)
{
    u32 before, after;
    __asm__ volatile("pushfl\n\tpopl %0\n\tmovl %0, %1\n\txorl %2, %1\n\tpushl %1\n\tpopfl\n\t"
                     "pushfl\n\tpopl %1\n\tpushl %0\n\tpopfl"
                     : "=&r"(before), "=&r"(after)
                     : "i"(X86_EFLAGS_ID)
                     : "cc");
    return (before ^ after) & X86_EFLAGS_ID;
}

static struct cpuid_regs read_leaf(u32 leaf)
{
    struct cpuid_regs regs = {.ax = leaf};
    __asm__ volatile("cpuid" : "+a"(regs.ax), "=b"(regs.bx), "+c"(regs.cx), "=d"(regs.dx));
    return regs;
}

bool cpuid(u32 leaf, struct cpuid_regs *regs)
{
    bool is_there = has_cpuid() && leaf <= read_leaf(leaf & 0x80000000).ax;
    *regs = is_there ? read_leaf(leaf) : (struct cpuid_regs){0};
    return is_there;
}

u32 cpu_features(void)
{
    struct cpuid_regs regs;
    cpuid(1, &regs);
    return regs.dx;
}
