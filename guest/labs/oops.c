/*
 * T9. The kernel finds itself broken three calls deep, with registers that are known: the report must
 * have them. lookaside compares it (sim/lab_kernel.c).
 */
#include "bug.h"
#include "compiler.h"
#include "lab.h"

static volatile u32 zero;

#define CALLER(name, callee)                                                                                 \
    static __attribute__((noipa)) u32 name(u32 x)                                                            \
    {                                                                                                        \
        return callee(x + 1) + zero; /* no tail call: it stands on the stack */                              \
    }

static __attribute__((noipa)) u32 oops_inner(u32 x)
{
    __asm__ volatile("movl $0x11111111, %%eax\n\t"
                     "movl $0x22222222, %%ebx\n\t"
                     "movl $0x33333333, %%ecx\n\t"
                     "movl $0x44444444, %%edx\n\t"
                     "movl $0x55555555, %%esi\n\t"
                     "movl $0x66666666, %%edi\n\t"
                     "movl %%eax, 0x123"
                     :
                     :
                     : "eax", "ebx", "ecx", "edx", "esi", "edi", "memory");
    return x;
}
CALLER(oops_middle, oops_inner)
CALLER(oops_outer, oops_middle)

static void oops(void)
{
    lab_say("Three calls deep, the kernel writes to address 123, where nothing is");
    oops_outer(zero);
    lab_check(false, "the kernel does not go on behind that");
}
LAB("oops", oops);

static __attribute__((noipa)) u32 bug_inner(u32 x)
{
    BUG_ON(x > zero);
    return x;
}
CALLER(bug_middle, bug_inner)
CALLER(bug_outer, bug_middle)

static void bug(void)
{
    lab_say("Three calls deep, the kernel finds that something is not as it must be");
    bug_outer(zero);
    lab_check(false, "the kernel does not go on behind that");
}
LAB("bug", bug);
