/* 8254 channel 0 as the source of the tick (8254 data sheet, mode 2). */
#include "i8254.h"
#include "asm/io.h"
#include "asm/irq.h"
#include "asm/irqflags.h"
#include "compiler.h"
#include "i8259.h"
#include "jiffies.h"

#define PIT_CH0 0x40
#define PIT_MODE 0x43
#define PIT_CH0_LOHI_MODE2 0x34
#define PIT_CH0_LATCH 0x00
#define DIVISOR ((PIT_TICK_RATE_HZ + HZ / 2) / HZ)
#define TIMER_IRQ 0

void __init i8254_init(void)
{
    outb(PIT_CH0_LOHI_MODE2, PIT_MODE);
    outb((u8)DIVISOR, PIT_CH0);
    outb((u8)(DIVISOR >> 8), PIT_CH0);
    request_irq(TIMER_IRQ, do_timer, "timer");
}

u64 i8254_read_clocks(void)
{
    unsigned long flags = local_irq_save();
    outb(PIT_CH0_LATCH, PIT_MODE);
    u32 low = inb(PIT_CH0), left = low | (u32)inb(PIT_CH0) << 8;
    u64 ticks = jiffies;
    /* It counts down, from the divisor to 1. With a tick that nobody has taken, it may have begun anew. */
    u32 passed = left && left <= DIVISOR ? DIVISOR - left : 0;
    if (passed < DIVISOR / 2 && i8259_is_requested(TIMER_IRQ))
        ticks++;
    local_irq_restore(flags);
    return ticks * DIVISOR + passed;
}
