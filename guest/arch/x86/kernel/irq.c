/* From an IRQ line to its handlers. */
#include "asm/irq.h"
#include "asm/irqflags.h"
#include "asm/trapnr.h"
#include "asm/traps.h"
#include "bug.h"
#include "i8259.h"

/* Lines of the PCI bus are shared: each handler looks whether its device asks. */
#define MAX_HANDLERS 4

static irq_handler_t irq_handlers[NR_IRQS][MAX_HANDLERS];

void __init init_IRQ(void)
{
    i8259_init(FIRST_EXTERNAL_VECTOR);
}

void request_irq(unsigned int irq, irq_handler_t handler)
{
    unsigned long flags = local_irq_save();
    unsigned int i = 0;
    BUG_ON(irq >= NR_IRQS);
    while (irq_handlers[irq][i])
        BUG_ON(++i == MAX_HANDLERS);
    irq_handlers[irq][i] = handler;
    i8259_unmask(irq);
    local_irq_restore(flags);
}

void do_IRQ(struct pt_regs *regs)
{
    unsigned int irq = ~regs->orig_ax;
    if (i8259_is_spurious(irq))
        return;
    i8259_eoi(irq);
    for (unsigned int i = 0; i < MAX_HANDLERS && irq_handlers[irq][i]; i++)
        irq_handlers[irq][i]();
}
