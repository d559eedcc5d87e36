/* Breaking on purpose, to see what a broken kernel says: lkdtm=panic, bug, null, write or divide. */
#include "lkdtm.h"
#include "bug.h"
#include "printk.h"
#include "string.h"

static void write_to(unsigned long address)
{
    *(volatile u32 *)address = 0x600D;
}

void lkdtm(const char *what)
{
    if (what == NULL)
        return;
    pr_info("lkdtm: %s\n", what);
    if (strcmp(what, "panic") == 0)
        panic("lkdtm");
    if (strcmp(what, "bug") == 0)
        BUG();
    if (strcmp(what, "null") == 0)
        write_to(0);
    if (strcmp(what, "write") == 0)
        write_to(0xFE000000);
    if (strcmp(what, "divide") == 0)
        __asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" ::: "eax", "ecx", "edx", "cc");
    pr_warn("lkdtm: I can panic, bug, null, write, divide\n");
}
