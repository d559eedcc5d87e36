/*
 * The DMA engine of docs/dma.md: up to eight channels that copy, fill and check memory by rings of
 * descriptors. This is the engine behind its registers; the board puts it on the PCI bus
 * (sim/board/dma_card.h).
 *
 * A channel is a row of steps, each an event: it makes one access, and the next step comes when that is done.
 * So channels share the path to memory, and leave room for the CPU between two pieces. What a guest says
 * wrong ends in an error of the channel.
 */
#ifndef LK_DMA_ENGINE_H
#define LK_DMA_ENGINE_H

#include "dma/engine_registers.h"
#include "dma/master.h"
#include "sim/base/config.h"
#include "sim/base/event.h"
#include "sim/base/irq.h"

struct dma_engine_params {
    struct ev_queue *events; /* outlive the engine, as does the memory */
    struct dma_memory *memory;
    unsigned nr_channels;          /* 1 to ENGINE_MAX_CHANNELS */
    struct dma_master_params path; /* of all channels together */
    struct irq_line irq;           /* high while a channel asks */
    /* Whether it may master the bus; and that nobody answered at an address. Both may be NULL. */
    bool (*is_master)(void *opaque);
    void (*aborted)(void *opaque);
    void *opaque;
};

/* The channels and the path that the configuration asks for; no channels: no engine. Checked by cfg_check. */
struct dma_engine_params dma_engine_params_of(const struct config *config);

struct dma_engine;

/* NULL when the host's memory is short. */
struct dma_engine *dma_engine_create(const struct dma_engine_params *params);
void dma_engine_destroy(struct dma_engine *engine);

/* Its registers: dwords at multiples of 4 below ENGINE_REGISTERS_BYTES, in the cycle of the queue's clock. */
uint32_t dma_engine_read(const struct dma_engine *engine, uint64_t offset);
void dma_engine_write(struct dma_engine *engine, uint64_t offset, uint32_t value);

struct dma_channel_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "dma/engine_stats.def"
#undef STAT
};
const struct dma_channel_stats *dma_engine_channel_stats(const struct dma_engine *engine, unsigned channel);

/* `dma.ch0` and so on for the channels, `dma.engine` for the path. */
bool dma_engine_register_stats(struct dma_engine *engine, struct stat_registry *registry);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void dma_engine_snap(struct dma_engine *engine, struct snap *snap);

#endif
