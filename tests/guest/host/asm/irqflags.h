/* The guest's asm/irqflags.h for a host build: there are no interrupts. */
#pragma once

static inline unsigned long local_irq_save(void)
{
    return 0;
}

static inline void local_irq_restore(unsigned long flags)
{
    (void)flags;
}
