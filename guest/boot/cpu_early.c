/* Asking the CPU, and telling the user, before there is paging. Linked at physical addresses, as early.c. */
#include "asm/cpuid.h"
#include "asm/io.h"
#include "boot_early.h"

#define X86_EFLAGS_ID (1u << 21)
#define COM1 0x3F8
#define COM1_LINE_STATUS (COM1 + 5)
#define TRANSMITTER_EMPTY 0x20

/* Who has PAE has CPUID, which is there if EFLAGS.ID can be changed (SDM 1 20.1.2). */
bool early_has_pae(void)
{
    u32 before, after;
    __asm__ volatile("pushfl\n\tpopl %0\n\tmovl %0, %1\n\txorl %2, %1\n\tpushl %1\n\tpopfl\n\t"
                     "pushfl\n\tpopl %1\n\tpushl %0\n\tpopfl"
                     : "=&r"(before), "=&r"(after)
                     : "i"(X86_EFLAGS_ID)
                     : "cc");
    if (!((before ^ after) & X86_EFLAGS_ID))
        return false;
    u32 ax = 1, bx, cx = 0, dx;
    __asm__ volatile("cpuid" : "+a"(ax), "=b"(bx), "+c"(cx), "=d"(dx));
    return dx & X86_FEATURE_PAE;
}

void early_puts(const char *text)
{
    for (; *text; text++) {
        while (!(inb(COM1_LINE_STATUS) & TRANSMITTER_EMPTY))
            ;
        outb((u8)*text, COM1);
    }
}
