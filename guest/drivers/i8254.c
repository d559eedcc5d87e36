/* 8254 channel 0 as the source of the tick (8254 data sheet, mode 2). */
#include "i8254.h"
#include "asm/io.h"
#include "asm/irq.h"
#include "compiler.h"
#include "jiffies.h"

#define PIT_TICK_RATE_HZ 1193182u
#define PIT_CH0 0x40
#define PIT_MODE 0x43
#define PIT_CH0_LOHI_MODE2 0x34
#define TIMER_IRQ 0

void __init i8254_init(void)
{
    u32 divisor = (PIT_TICK_RATE_HZ + HZ / 2) / HZ;
    outb(PIT_CH0_LOHI_MODE2, PIT_MODE);
    outb((u8)divisor, PIT_CH0);
    outb((u8)(divisor >> 8), PIT_CH0);
    request_irq(TIMER_IRQ, do_timer, "timer");
}
