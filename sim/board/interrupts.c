#include "sim/board/interrupts.h"

#include "sim/base/snap.h"

#include <assert.h>
#include <stdlib.h>

enum { PIN_INTR = 0, LINT_INTR = 0, LINT_NMI = 1 };

struct interrupts {
    struct lapic_core core;
    struct pic *pic;
    struct apic_bus bus;
    struct lapic *lapic;
    struct ioapic *ioapic;
    struct irq_line pic_inputs[PIC_NR_IRQS];
    struct irq_line pins[IOAPIC_NR_PINS];
    struct irq_line lints[2];
};

static void set_intr(void *opaque, unsigned number, bool level)
{
    struct interrupts *interrupts = opaque;
    (void)number;
    if (!interrupts->lapic) {
        irq_set(&interrupts->core.intr, level);
        return;
    }
    irq_set(&interrupts->lints[LINT_INTR], level);
    irq_set(&interrupts->pins[PIN_INTR], level);
}

static void set_nmi(void *opaque, unsigned number, bool level)
{
    struct interrupts *interrupts = opaque;
    (void)number;
    if (interrupts->lapic)
        irq_set(&interrupts->lints[LINT_NMI], level);
    else if (level && interrupts->core.nmi)
        interrupts->core.nmi(interrupts->core.opaque);
}

static void set_isa(void *opaque, unsigned irq, bool level)
{
    struct interrupts *interrupts = opaque;
    irq_set(&interrupts->pic_inputs[irq], level);
    irq_set(&interrupts->pins[irq == 0 ? PIN_PIT : irq], level);
}

static bool create_apics(struct interrupts *interrupts, const struct interrupts_params *params,
                         struct iomap *memory, struct diag *diag)
{
    const struct lapic_params lapic = {
        .events = params->events,
        .cpu_hz = params->cpu_hz,
        .timer_hz = params->apic_hz,
        .is_boot_processor = true,
        .core = params->core,
        .bus = &interrupts->bus,
    };
    interrupts->ioapic = ioapic_create(&interrupts->bus, memory, diag);
    interrupts->lapic = interrupts->ioapic ? lapic_create(&lapic, diag) : NULL;
    if (!interrupts->lapic)
        return false;
    for (unsigned pin = 0; pin < IOAPIC_NR_PINS; pin++) {
        bool is_pirq = pin >= PIN_PIRQ && pin < PIN_PIRQ + NR_PIRQS;
        interrupts->pins[pin] =
            is_pirq ? ioapic_low_line(interrupts->ioapic, pin) : ioapic_line(interrupts->ioapic, pin);
    }
    for (unsigned i = 0; i < 2; i++)
        interrupts->lints[i] = lapic_line(interrupts->lapic, i);
    return true;
}

struct interrupts *interrupts_create(const struct interrupts_params *params, struct iomap *ports,
                                     struct iomap *memory, struct diag *diag)
{
    struct interrupts *interrupts = calloc(1, sizeof *interrupts);
    if (!interrupts) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "interrupt controllers: out of memory");
        return NULL;
    }
    interrupts->core = params->core;
    interrupts->pic = pic_create((struct irq_line){.set = set_intr, .opaque = interrupts}, ports, diag);
    if (!interrupts->pic || (params->has_apic && !create_apics(interrupts, params, memory, diag))) {
        interrupts_destroy(interrupts);
        return NULL;
    }
    for (unsigned irq = 0; irq < PIC_NR_IRQS; irq++)
        if (irq != PIC_CASCADE_IRQ)
            interrupts->pic_inputs[irq] = pic_line(interrupts->pic, irq);
    return interrupts;
}

void interrupts_destroy(struct interrupts *interrupts)
{
    if (!interrupts)
        return;
    lapic_destroy(interrupts->lapic);
    ioapic_destroy(interrupts->ioapic);
    pic_destroy(interrupts->pic);
    free(interrupts);
}

struct irq_line interrupts_isa_line(struct interrupts *interrupts, unsigned irq)
{
    assert(irq < PIC_NR_IRQS && irq != PIC_CASCADE_IRQ);
    return (struct irq_line){.set = set_isa, .opaque = interrupts, .number = irq};
}

struct irq_line interrupts_pirq_line(struct interrupts *interrupts, unsigned pirq)
{
    assert(pirq < NR_PIRQS);
    return interrupts->pins[PIN_PIRQ + pirq];
}

struct irq_line interrupts_pic_line(struct interrupts *interrupts, unsigned irq)
{
    return pic_line(interrupts->pic, irq);
}

struct irq_line interrupts_nmi_line(struct interrupts *interrupts)
{
    return (struct irq_line){.set = set_nmi, .opaque = interrupts};
}

void interrupts_message(struct interrupts *interrupts, uint64_t address, uint32_t data)
{
    enum { MESSAGES = 0xfee, IS_LOGICAL = 1 << 2, VECTOR = 0xff, IS_LEVEL = 1 << 15 };
    const struct apic_message message = {
        .destination = (uint8_t)(address >> 12),
        .is_logical = address & IS_LOGICAL,
        .delivery = (enum apic_delivery)(data >> 8 & 7),
        .is_level = data & IS_LEVEL,
        .vector = data & VECTOR,
    };
    if (interrupts->lapic && address >> 20 == MESSAGES)
        apic_bus_send(&interrupts->bus, &message, NULL);
}

uint8_t interrupts_acknowledge(struct interrupts *interrupts)
{
    int vector = interrupts->lapic ? lapic_acknowledge(interrupts->lapic) : LAPIC_EXTERNAL;
    return vector == LAPIC_EXTERNAL ? pic_acknowledge(interrupts->pic) : (uint8_t)vector;
}

const struct pic *interrupts_pic(const struct interrupts *interrupts)
{
    return interrupts->pic;
}

struct lapic *interrupts_lapic(struct interrupts *interrupts)
{
    return interrupts->lapic;
}

const struct ioapic *interrupts_ioapic(const struct interrupts *interrupts)
{
    return interrupts->ioapic;
}

void interrupts_snap(struct interrupts *interrupts, struct snap *snap)
{
    snap_section(snap, "pic");
    pic_snap(interrupts->pic, snap);
    if (!interrupts->lapic)
        return;
    snap_section(snap, "lapic");
    lapic_snap(interrupts->lapic, snap);
    snap_section(snap, "ioapic");
    ioapic_snap(interrupts->ioapic, snap);
}
