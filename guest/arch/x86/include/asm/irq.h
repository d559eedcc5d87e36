/* Hardware interrupts. */
#pragma once

#include "types.h"

typedef void (*irq_handler_t)(void);

struct pt_regs;

/* For handlers: the registers of what was interrupted. */
const struct pt_regs *get_irq_regs(void);
/* Sets up the two 8259s with everything masked. */
void init_IRQ(void);
/* Adds a handler to those of the line, and unmasks it. name: for /proc/interrupts. */
void request_irq(unsigned int irq, irq_handler_t handler, const char *name);
/* How many came on that line. */
unsigned long kstat_irqs(unsigned int irq);
struct seq_file;
void interrupts_show(struct seq_file *m); /* /proc/interrupts */
