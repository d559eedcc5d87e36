/*
 * The bus master of an IDE channel (SFF-8038i; 82371SB data sheet: BMICX, BMISX, BMIDTPX, and "Bus Master
 * Function"): eight registers, and a list of physical region descriptors in memory that says where a DMA
 * transfer of the channel goes.
 *
 *   0  command: bit 0 start, bit 3 direction (1: to memory), which does not change while it is active
 *   2  status: bit 0 active, bit 1 error, bit 2 interrupt (both cleared by ones), bits 5 and 6 hold a value
 *   4  address of the list, 4 bytes, bits 1:0 zero
 *
 * A descriptor is two dwords: address (bit 0 zero), and byte count (bit 0 zero; 0: 64 KiB) with bit 31
 * set in the last one. Only bits 15:1 of the address count on, so that a region that straddles 64 KiB
 * wraps. The first descriptor is fetched at the start, each other one when the region before it is full.
 * What its end finds:
 *
 *   the list and the transfer end together   active 0, interrupt 1
 *   the list is longer                       active 1, interrupt 1; start is to be cleared
 *   the list is shorter                      active 0, interrupt 0; the disk waits for more, until a reset
 *   no memory at a descriptor or a region    active 0, interrupt 0, error 1, master abort in PCI status
 *
 * Start goes from 0 to 1 before the disk's command, or after it. Cleared while active it forgets the
 * list. With the wrong direction nothing moves.
 */
#ifndef LK_DMA_IDE_DMA_H
#define LK_DMA_IDE_DMA_H

#include "dma/ata.h"
#include "dma/master.h"

enum { IDE_DMA_BYTES = 8 }; /* of its registers */

struct ide_dma {
    struct dma_master *master;     /* NULL: there is no memory */
    void (*aborted)(void *opaque); /* an access of memory that nobody answered */
    void *opaque;
    uint8_t command, status;
    uint32_t list; /* as it was written */
    uint32_t next; /* descriptor */
    uint32_t at;   /* what is left of the present one */
    uint32_t left_bytes;
    bool is_last;
    cycle_t fetched; /* when the present one was here */
};

uint8_t ide_dma_read(const struct ide_dma *dma, unsigned at);
/* True: it was started, and ide_dma_run() is to be called. */
bool ide_dma_write(struct ide_dma *dma, unsigned at, uint8_t value);
/* The channel's interrupt line has risen. */
void ide_dma_interrupt(struct ide_dma *dma);
/*
 * Fetches and moves, from cycle `now` on, what the disk (NULL: there is none) offers, as far as the list
 * goes.
 */
void ide_dma_run(struct ide_dma *dma, struct ata *ata, cycle_t now);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void ide_dma_snap(struct ide_dma *dma, struct snap *snap);

#endif
