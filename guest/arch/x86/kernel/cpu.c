/* What CPU this is. */
#include "asm/processor.h"

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

u32 cpu_features(void)
{
    if (!has_cpuid())
        return 0;
    u32 ax = 1, bx, cx, dx;
    __asm__ volatile("cpuid" : "+a"(ax), "=b"(bx), "=c"(cx), "=d"(dx));
    return dx;
}
