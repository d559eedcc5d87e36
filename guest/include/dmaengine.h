/*
 * The DMA engine (docs/dma.md), by channels: work is given to one, and waited for. All addresses are those
 * of dma-mapping.h, for the engine's device.
 */
#pragma once

#include "dma-mapping.h"

struct dma_chan;

/* How many pieces each side of a request may have. */
#define DMA_MAX_SEGMENTS 128

enum dma_operation { DMA_OP_NOP, DMA_OP_COPY, DMA_OP_FILL, DMA_OP_CRC32C };

/* One side of a transfer: one address, or pieces (mapped by dma_map_sg()). */
struct dma_side {
    dma_addr_t address;
    const struct scatterlist *sg; /* NULL: address */
    u32 nents;
};

struct dma_request {
    enum dma_operation operation;
    u32 bytes;
    struct dma_side source, destination;
    u64 pattern; /* FILL */
    u32 seed;    /* CRC32C: what to go on from, 0 at first */
};

/* The engine's error codes and parts are those of its reference. */
struct dma_result {
    u32 error, error_part; /* 0: none */
    u32 bytes_done;
    u32 crc;
    u64 fault; /* bus address */
};

/* Finds the engine and takes its interrupt. */
void dma_engine_init(void);
/* NULL: there is none. */
struct device *dma_engine_device(void);

/* A channel of one's own, or NULL. */
struct dma_chan *dma_request_channel(void);
void dma_release_channel(struct dma_chan *chan);

/*
 * Does the work, and waits for the engine's interrupt. 0, or -EIO: result->error says why; -EINVAL: too many
 * pieces; -ETIMEDOUT: no answer in a second. result may be NULL.
 */
int dma_run(struct dma_chan *chan, const struct dma_request *request, struct dma_result *result);
/* A copy between two single addresses. */
int dma_memcpy(struct dma_chan *chan, dma_addr_t destination, dma_addr_t source, u32 bytes,
               struct dma_result *result);
