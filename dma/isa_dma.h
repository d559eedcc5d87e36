/*
 * The two 8237A DMA controllers of a PC/AT and their page registers (Intel 8237A data sheet; 82371SB: DMA
 * registers):
 *
 *   00h-0Fh   the first: channels 0 to 3, bytes
 *   C0h-DEh   the second, at even ports: channels 5 to 7, words; channel 4 is the first one's way to the bus
 *   81h-8Fh   page registers: address bits 23:16 of a channel (of words: 23:17); the others hold a byte
 *
 * Port 80h, the page register that no channel uses, belongs to whoever takes POST codes.
 *
 * A device asks with isa_dma_request() (DREQ) and is called for each byte or word that it gives or takes
 * (DACK), the last one with TC. A software request (09h, D2h) needs no device: what nobody drives is all
 * ones, what nobody takes is lost. Addresses count within 64 KiB (of words: 128 KiB) and wrap there.
 *
 * Memory to memory, with channel 0 as its source and channel 1 as its destination, is there as in an
 * 8237A; a PIIX3 has left it out. Channels in cascade mode other than 4 have no effect: no device here
 * masters the ISA bus.
 *
 * Time is that of the 8237A's states: 2 clocks (SI, S0) where the bus is asked for, which is for each
 * transfer in single mode and once in the others; 3 for a transfer (S2 to S4), 2 with compressed timing,
 * and one more (S1) for the first and where address bits 15:8 have changed; 8 from memory to memory. The
 * CPU is not held meanwhile; it meets the transfers at the memory.
 */
#ifndef LK_DMA_ISA_DMA_H
#define LK_DMA_ISA_DMA_H

#include "dma/master.h"
#include "sim/base/event.h"
#include "sim/base/iomap.h"

enum { ISA_DMA_NR_CHANNELS = 8, ISA_DMA_CASCADE = 4, ISA_DMA_HZ = 4166667, ISA_DMA_ADDRESS_BITS = 24 };

struct isa_dma_params {
    struct ev_queue *events;
    struct dma_master *master; /* NULL: there is no memory. Both outlive the controllers. */
    uint64_t cpu_hz;           /* CPU cycles a second; the controllers' clock is ISA_DMA_HZ */
};

/* What a channel is wired to. Each may be NULL. */
struct isa_dma_device {
    /* A byte or a word for memory; the last one before TC where is_last. */
    uint16_t (*give)(void *opaque, bool is_last);
    void (*take)(void *opaque, uint16_t data, bool is_last);
    void *opaque;
};

struct isa_dma;

/* Registers its ports. All channels are masked. On failure adds a line and returns NULL. */
struct isa_dma *isa_dma_create(const struct isa_dma_params *params, struct iomap *ports, struct diag *diag);
void isa_dma_destroy(struct isa_dma *dma);

void isa_dma_connect(struct isa_dma *dma, unsigned channel, const struct isa_dma_device *device);

/*
 * DREQ of a channel, as active or not, whatever its sense is at the pin. May be called from within the
 * device.
 */
void isa_dma_request(struct isa_dma *dma, unsigned channel, bool is_active);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void isa_dma_snap(struct isa_dma *dma, struct snap *snap);

#endif
