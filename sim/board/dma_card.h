/*
 * The DMA engine (dma/engine.h) as a function on the PCI bus: 4C4Bh:0001h, device 3. docs/dma.md is its
 * reference.
 */
#ifndef LK_SIM_BOARD_DMA_CARD_H
#define LK_SIM_BOARD_DMA_CARD_H

#include "dma/engine.h"
#include "sim/board/pci.h"

enum { DMA_CARD_DEVICE = 3, DMA_CARD_BASE = 0xfeb00000 };

struct dma_card;

/*
 * Puts itself on the bus. Of the params the card fills in who it is on the bus, and how it reaches that; the
 * rest is as in dma/engine.h. On failure adds a line and returns NULL.
 */
struct dma_card *dma_card_create(const struct dma_engine_params *params, struct pci *pci, struct diag *diag);
void dma_card_destroy(struct dma_card *card);

/* As a firmware leaves it to a kernel: registers at DMA_CARD_BASE, bus mastering on, its interrupt told. */
void dma_card_set_up(struct dma_card *card);
/* As it is before the firmware has run. */
void dma_card_take_down(struct dma_card *card);

struct dma_engine *dma_card_engine(struct dma_card *card);

#endif
