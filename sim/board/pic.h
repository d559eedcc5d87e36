/*
 * The two 8259A interrupt controllers of a PC/AT, cascaded at the master's IRQ 2, with the ELCR of the PCI
 * chipsets: ports 20h/21h, A0h/A1h, 4D0h/4D1h. As in those chipsets ELCR takes the place of ICW1's LTIM bit
 * (82371AB data sheet 4.2.1); MCS-80 mode, buffered mode and ICW3 have no meaning in a PC and are accepted
 * without effect.
 *
 * The output to the CPU is a level. The CPU takes the vector by pic_acknowledge() at any later time; a
 * request that has gone by then gives the spurious IRQ 7. (A spurious IRQ 15 needs a request that goes
 * between the two INTA cycles, which are one moment here.)
 */
#ifndef LK_SIM_BOARD_PIC_H
#define LK_SIM_BOARD_PIC_H

#include "sim/base/diag.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"

#include <stdint.h>

enum { PIC_NR_IRQS = 16, PIC_CASCADE_IRQ = 2 };

struct pic;

/* Registers its ports. On failure adds a line and returns NULL. */
struct pic *pic_create(struct irq_line cpu_intr, struct iomap *ports, struct diag *diag);
void pic_destroy(struct pic *pic);

/* Input `irq` (0..15 but not the cascade), for the device that drives it. */
struct irq_line pic_line(struct pic *pic, unsigned irq);

/* The CPU's interrupt-acknowledge cycle: the vector. */
uint8_t pic_acknowledge(struct pic *pic);

/* How often a vector was handed out for `irq`; the spurious ones are counted apart. */
uint64_t pic_nr_acknowledged(const struct pic *pic, unsigned irq);
uint64_t pic_nr_spurious(const struct pic *pic);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void pic_snap(struct pic *pic, struct snap *snap);

#endif
