/* What the files of the ISA DMA controllers share. */
#ifndef LK_DMA_ISA_DMA_INTERNAL_H
#define LK_DMA_ISA_DMA_INTERNAL_H

#include "dma/isa_dma.h"

enum { CHANNELS_EACH = 4, NR_CONTROLLERS = 2, NR_PAGES = 16 };

/* Command register (8237A, "Register Description"). */
enum {
    COMMAND_MEMORY_TO_MEMORY = 1 << 0,
    COMMAND_HOLD_SOURCE = 1 << 1,
    COMMAND_DISABLED = 1 << 2,
    COMMAND_COMPRESSED = 1 << 3,
    COMMAND_ROTATES = 1 << 4,
};

enum mode_type { TYPE_VERIFY, TYPE_WRITE, TYPE_READ, TYPE_NONE };
enum mode_service { SERVICE_DEMAND, SERVICE_SINGLE, SERVICE_BLOCK, SERVICE_CASCADE };

struct isa_channel {
    uint16_t base_address, base_count, address, count;
    enum mode_type type;
    enum mode_service service;
    bool is_reloaded, is_descending;
    struct isa_dma_device device;
};

struct isa_controller {
    struct isa_channel channels[CHANNELS_EACH];
    uint8_t command, temporary;
    unsigned mask, requests, asking, ended; /* a bit a channel: masked, asked by software, by DREQ; TC came */
    unsigned lowest;                        /* the channel of lowest priority, where it rotates */
    bool is_high_byte;                      /* the flip-flop */
};

enum { NOBODY = ISA_DMA_NR_CHANNELS };

struct isa_dma {
    struct isa_dma_params params;
    struct isa_controller controllers[NR_CONTROLLERS];
    uint8_t pages[NR_PAGES]; /* of port 80h + n */
    unsigned served;         /* the channel that has the bus; NOBODY */
    bool is_kept;            /* ... since its last transfer */
    bool is_latched;         /* address bits 15:8 are those of its last transfer */
    struct event event;      /* its next transfer */
};

/* Something has changed that may let a channel have the bus. */
void isa_dma_arbitrate(struct isa_dma *dma);
/* The event's handler. */
void isa_dma_transfer(void *opaque, cycle_t now);

#endif
