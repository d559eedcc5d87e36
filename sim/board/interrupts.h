/*
 * The interrupt controllers of a PC and how they are wired: two 8259s, and where the CPU has one, its local
 * APIC and an I/O APIC.
 *
 *   ISA IRQ n   the 8259s' input n, and the I/O APIC's pin n; IRQ 0 is on pin 2 (the cascade has no pin)
 *   PIRQA#-D#   the I/O APIC's pins 16-19, active low; the 8259s get them by the PCI bridge's routing
 *   INTR        the 8259s' output: LINT0 of the boot processor, and the I/O APIC's pin 0
 *   NMI         LINT1
 *
 * The ACPI and MP tables say the same (tables.h).
 */
#ifndef LK_SIM_BOARD_INTERRUPTS_H
#define LK_SIM_BOARD_INTERRUPTS_H

#include "sim/base/diag.h"
#include "sim/base/event.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"
#include "sim/board/ioapic.h"
#include "sim/board/lapic.h"
#include "sim/board/pic.h"

enum { PIN_PIT = 2, PIN_PIRQ = 16, NR_PIRQS = 4 };

struct interrupts_params {
    struct ev_queue *events; /* outlives it */
    uint64_t cpu_hz;
    bool has_apic;
    uint64_t apic_hz; /* what the local APIC's timer counts */
    struct lapic_core core;
};

struct interrupts;

/* Registers what it makes. On failure adds a line and returns NULL. */
struct interrupts *interrupts_create(const struct interrupts_params *params, struct iomap *ports,
                                     struct iomap *memory, struct diag *diag);
void interrupts_destroy(struct interrupts *interrupts);

/* ISA interrupt `irq` (0..15 but not 2), for the device that drives it. */
struct irq_line interrupts_isa_line(struct interrupts *interrupts, unsigned irq);
/*
 * For the PCI bridge: PIRQ `pirq` (0 is PIRQA#) at the I/O APIC, high where a device asks; and the 8259s'
 * input alone to which it routes a PIRQ.
 */
struct irq_line interrupts_pirq_line(struct interrupts *interrupts, unsigned pirq);
struct irq_line interrupts_pic_line(struct interrupts *interrupts, unsigned irq);
struct irq_line interrupts_nmi_line(struct interrupts *interrupts);

/*
 * A device writes `data` to `address`, FEE00000h-FEEFFFFFh: a message to local APICs (SDM 3A 10.11). Without
 * APICs it goes nowhere.
 */
void interrupts_message(struct interrupts *interrupts, uint64_t address, uint32_t data);

/* The CPU takes the interrupt that INTR announced: its vector. */
uint8_t interrupts_acknowledge(struct interrupts *interrupts);

const struct pic *interrupts_pic(const struct interrupts *interrupts);
struct lapic *interrupts_lapic(struct interrupts *interrupts);               /* NULL: there is none */
const struct ioapic *interrupts_ioapic(const struct interrupts *interrupts); /* likewise */

/* The state of the controllers, for checkpoints (sim/base/snap.h). */
struct snap;
void interrupts_snap(struct interrupts *interrupts, struct snap *snap);

#endif
