/*
 * The network card (dma/nic.h) as a function on the PCI bus: 8086:100E, device 4, its registers at BAR 0
 * and, by way of two ports (IOADDR and IODATA), at BAR 2. docs/nic.md says what it does.
 */
#ifndef LK_SIM_BOARD_NIC_CARD_H
#define LK_SIM_BOARD_NIC_CARD_H

#include "dma/nic.h"
#include "sim/board/pci.h"

enum { NIC_CARD_DEVICE = 4, NIC_CARD_BASE = 0xfeb80000, NIC_CARD_PORTS = 0xc040 };

struct nic_card;

/*
 * Puts itself on the bus. Of the params the card fills in who it is there, and how it reaches that; the
 * rest is as in dma/nic.h. On failure adds a line and returns NULL.
 */
struct nic_card *nic_card_create(const struct nic_params *params, struct pci *pci, struct diag *diag);
void nic_card_destroy(struct nic_card *card);

/*
 * As a firmware leaves it to a kernel: registers and ports in place, its interrupt told, not yet a bus
 * master.
 */
void nic_card_set_up(struct nic_card *card);
/* As it is before the firmware has run. */
void nic_card_take_down(struct nic_card *card);

struct nic *nic_card_nic(struct nic_card *card);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void nic_card_snap(struct nic_card *card, struct snap *snap);

#endif
