/* From an IRQ line to its handlers. */
#include "asm/irq.h"
#include "asm/irqflags.h"
#include "asm/trapnr.h"
#include "asm/traps.h"
#include "bug.h"
#include "i8259.h"
#include "seq_file.h"

/* Lines of the PCI bus are shared: each handler looks whether its device asks. */
#define MAX_HANDLERS 4

static struct {
    unsigned long count; /* interrupts so far */
    irq_handler_t handlers[MAX_HANDLERS];
    const char *names[MAX_HANDLERS];
} irqs[NR_IRQS];

/* What the interrupt handler that runs has interrupted; NULL: none runs. */
static const struct pt_regs *irq_regs;

const struct pt_regs *get_irq_regs(void)
{
    return irq_regs;
}

void __init init_IRQ(void)
{
    i8259_init(FIRST_EXTERNAL_VECTOR);
}

void request_irq(unsigned int irq, irq_handler_t handler, const char *name)
{
    unsigned long flags = local_irq_save();
    unsigned int i = 0;
    BUG_ON(irq >= NR_IRQS);
    while (irqs[irq].handlers[i])
        BUG_ON(++i == MAX_HANDLERS);
    irqs[irq].handlers[i] = handler;
    irqs[irq].names[i] = name;
    i8259_unmask(irq);
    local_irq_restore(flags);
}

unsigned long kstat_irqs(unsigned int irq)
{
    return irqs[irq].count;
}

void interrupts_show(struct seq_file *m)
{
    seq_printf(m, "           CPU0       \n");
    for (unsigned int irq = 0; irq < NR_IRQS; irq++) {
        if (irqs[irq].handlers[0] == NULL)
            continue;
        seq_printf(m, "%3u: %10lu    XT-PIC      %s", irq, irqs[irq].count, irqs[irq].names[0]);
        for (unsigned int i = 1; i < MAX_HANDLERS && irqs[irq].handlers[i]; i++)
            seq_printf(m, ", %s", irqs[irq].names[i]);
        seq_printf(m, "\n");
    }
}

void do_IRQ(struct pt_regs *regs)
{
    unsigned int irq = ~regs->orig_ax;
    if (i8259_is_spurious(irq))
        return;
    i8259_eoi(irq);
    irqs[irq].count++;
    irq_regs = regs;
    for (unsigned int i = 0; i < MAX_HANDLERS && irqs[irq].handlers[i]; i++)
        irqs[irq].handlers[i]();
    irq_regs = NULL;
}
