/*
 * An I/O APIC (82093AA data sheet): 24 inputs, each with a redirection entry that makes an interrupt message
 * of it. Registers through a window: IOREGSEL at its base, IOWIN 10h behind it, which takes whole dwords.
 *
 * An edge on a masked input is lost (data sheet 3.2.4, "interrupt mask"). A level-triggered message that no
 * local APIC takes stays pending, and is offered again when one may.
 */
#ifndef LK_SIM_BOARD_IOAPIC_H
#define LK_SIM_BOARD_IOAPIC_H

#include "sim/base/diag.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"
#include "sim/board/apic_bus.h"

#include <stdint.h>

enum { IOAPIC_NR_PINS = 24, IOAPIC_BYTES = 0x20 };
#define IOAPIC_BASE UINT64_C(0xfec00000)

struct ioapic;

/* Registers itself at IOAPIC_BASE and on the bus. On failure adds a line and returns NULL. */
struct ioapic *ioapic_create(struct apic_bus *bus, struct iomap *memory, struct diag *diag);
void ioapic_destroy(struct ioapic *ioapic);

/*
 * Input `pin`, for the device that drives it: `level` is the voltage. A device that pulls its line low to ask
 * for an interrupt, as those of PCI do, takes ioapic_low_line, whose `level` says that it asks.
 */
struct irq_line ioapic_line(struct ioapic *ioapic, unsigned pin);
struct irq_line ioapic_low_line(struct ioapic *ioapic, unsigned pin);

/* For the bus: the end of an interrupt; local APICs may take what they did not before. */
void ioapic_end(struct ioapic *ioapic, uint8_t vector);
void ioapic_retry(struct ioapic *ioapic);

/* Messages sent and taken. */
uint64_t ioapic_nr_sent(const struct ioapic *ioapic);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void ioapic_snap(struct ioapic *ioapic, struct snap *snap);

#endif
