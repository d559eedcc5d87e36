/* The end, when it is not the one that was planned. */
#include "asm/irqflags.h"
#include "bug.h"
#include "lookaside.h"
#include "printk.h"

void panic(const char *fmt, ...)
{
    static char text[256];
    local_irq_disable();
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    pr_emerg("Kernel panic - not syncing: %s\n", text);
    lk_panic(text);
    stop_this_cpu();
}
