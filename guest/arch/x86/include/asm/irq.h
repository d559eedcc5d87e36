/* Hardware interrupts. */
#pragma once

#include "types.h"

typedef void (*irq_handler_t)(void);

/* Sets up the two 8259s with everything masked. */
void init_IRQ(void);
/* Installs the handler and unmasks the line. */
void request_irq(unsigned int irq, irq_handler_t handler);
