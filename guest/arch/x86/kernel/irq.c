/* From an IRQ line to its handler. */
#include "asm/irq.h"
#include "asm/trapnr.h"
#include "asm/traps.h"
#include "bug.h"
#include "i8259.h"

static irq_handler_t irq_handlers[NR_IRQS];

void __init init_IRQ(void)
{
    i8259_init(FIRST_EXTERNAL_VECTOR);
}

void __init request_irq(unsigned int irq, irq_handler_t handler)
{
    BUG_ON(irq >= NR_IRQS || irq_handlers[irq]);
    irq_handlers[irq] = handler;
    i8259_unmask(irq);
}

void do_IRQ(struct pt_regs *regs)
{
    unsigned int irq = ~regs->orig_ax;
    if (i8259_is_spurious(irq))
        return;
    i8259_eoi(irq);
    if (irq_handlers[irq])
        irq_handlers[irq]();
}
