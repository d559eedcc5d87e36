/* Keeping interrupts out. On one CPU this is all that a spinlock with irqsave has to do. */
#pragma once

#include "asm/processor.h"

static inline unsigned long local_irq_save(void)
{
    unsigned long flags;
    __asm__ volatile("pushfl; popl %0; cli" : "=rm"(flags)::"memory");
    return flags;
}

static inline void local_irq_restore(unsigned long flags)
{
    __asm__ volatile("pushl %0; popfl" ::"rm"(flags) : "memory", "cc");
}

static inline void local_irq_enable(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static inline void local_irq_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}
