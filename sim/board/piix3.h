/*
 * The PCI-to-ISA bridge: function 0 of an 82371SB (PIIX3) as device 1 of the bus. PIRQRC registers 60h-63h
 * route PIRQA#..PIRQD# to inputs of the 8259s. The registers of ISA timing, of decoding (which is always
 * positive here) and of power management hold what is written. The chip's 8259s, timers and DMA controllers
 * are files of their own; so is its reset control register CF9h (power.h) and its ELCR (pic.h).
 */
#ifndef LK_SIM_BOARD_PIIX3_H
#define LK_SIM_BOARD_PIIX3_H

#include "sim/board/pci.h"

enum { PIIX_DEVICE = 1, PIIX_NR_IRQS = 16 };

struct piix3;

/*
 * `irqs` are the inputs of the 8259s, driven only where a PIRQ is routed; those that no PIRQ can have
 * (0, 1, 2, 8, 13) are not looked at. On failure adds a line and returns NULL.
 */
struct piix3 *piix3_create(const struct irq_line irqs[PIIX_NR_IRQS], struct pci *pci, struct diag *diag);
void piix3_destroy(struct piix3 *bridge);

/* As a firmware routes PIRQ `pirq`: to `irq`. */
void piix3_route(struct piix3 *bridge, unsigned pirq, unsigned irq);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void piix3_snap(struct piix3 *piix3, struct snap *snap);

#endif
