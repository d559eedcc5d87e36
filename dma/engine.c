#include "dma/engine_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Interrupts ---- */

void engine_channel_update(struct channel *channel)
{
    struct dma_engine *engine = channel->engine;
    bool asks = channel->has_interrupts && (channel->is_done || channel->has_error);
    if (asks == channel->asks)
        return;
    channel->asks = asks;
    channel->stats.interrupts += asks;
    bool asked = engine->nr_asking > 0;
    engine->nr_asking = asks ? engine->nr_asking + 1 : engine->nr_asking - 1;
    if (asked != (engine->nr_asking > 0))
        irq_set(&engine->params.irq, engine->nr_asking > 0);
}

/* ---- Registers of a channel ---- */

static uint32_t read_status(const struct channel *channel)
{
    uint32_t status = (channel->step != STEP_REST ? ENGINE_BUSY : 0) | (channel->is_done ? ENGINE_DONE : 0);
    if (channel->has_error)
        status |= ENGINE_ERROR | (uint32_t)channel->error.code << ENGINE_CODE_SHIFT |
                  (uint32_t)channel->error.part << ENGINE_PART_SHIFT;
    return status;
}

static uint32_t read_channel(const struct channel *channel, unsigned offset)
{
    switch (offset) {
    case ENGINE_CH_CONTROL:
        return (channel->runs ? ENGINE_RUN : 0) | (channel->has_interrupts ? ENGINE_INT_ENABLE : 0);
    case ENGINE_CH_STATUS:
        return read_status(channel);
    case ENGINE_CH_RING_LO:
        return (uint32_t)channel->ring;
    case ENGINE_CH_RING_HI:
        return (uint32_t)(channel->ring >> 32);
    case ENGINE_CH_RING_SIZE:
        return channel->ring_size;
    case ENGINE_CH_TAIL:
        return channel->tail;
    case ENGINE_CH_HEAD:
        return channel->head;
    case ENGINE_CH_PROGRESS:
        return channel->progress;
    case ENGINE_CH_FAULT_LO:
        return (uint32_t)channel->error.at.v;
    case ENGINE_CH_FAULT_HI:
        return (uint32_t)(channel->error.at.v >> 32);
    default:
        return 0;
    }
}

static void reset_channel(struct channel *channel, cycle_t now)
{
    if (channel->step != STEP_REST) {
        channel->stats.busy_cycles -= channel->event.due > now ? channel->event.due - now : 0;
        ev_cancel(channel->engine->params.events, &channel->event);
        channel->step = STEP_REST;
    }
    channel->runs = channel->has_interrupts = channel->is_done = channel->has_error = false;
    channel->error = (struct failure){0};
    channel->ring = 0;
    channel->ring_size = channel->tail = channel->head = channel->progress = 0;
    engine_channel_update(channel);
}

static bool has_good_ring(const struct channel *channel)
{
    uint32_t size = channel->ring_size;
    return channel->ring % ENGINE_DESC_BYTES == 0 && size && size <= ENGINE_MAX_RING &&
           (size & (size - 1)) == 0;
}

static void write_control(struct channel *channel, uint32_t value, cycle_t now)
{
    if (value & ENGINE_RESET) {
        reset_channel(channel, now);
        return;
    }
    bool starts = (value & ENGINE_RUN) && !channel->runs;
    channel->runs = value & ENGINE_RUN;
    channel->has_interrupts = value & ENGINE_INT_ENABLE;
    if (starts && !has_good_ring(channel))
        engine_channel_fail(channel,
                            (struct failure){ENGINE_BAD_RING, ENGINE_PART_RING, baddr(channel->ring)});
    engine_channel_update(channel);
    engine_channel_wake(channel, now);
}

static void write_ring(struct channel *channel, unsigned offset, uint32_t value)
{
    if (channel->runs || channel->step != STEP_REST)
        return;
    if (offset == ENGINE_CH_RING_LO)
        channel->ring = (channel->ring & ~UINT64_C(0xffffffff)) | value;
    else if (offset == ENGINE_CH_RING_HI)
        channel->ring = (channel->ring & 0xffffffff) | (uint64_t)value << 32;
    else
        channel->ring_size = value;
}

static void write_channel(struct channel *channel, unsigned offset, uint32_t value, cycle_t now)
{
    switch (offset) {
    case ENGINE_CH_CONTROL:
        write_control(channel, value, now);
        break;
    case ENGINE_CH_STATUS:
        channel->is_done = channel->is_done && !(value & ENGINE_DONE);
        channel->has_error = channel->has_error && !(value & ENGINE_ERROR);
        engine_channel_update(channel);
        break;
    case ENGINE_CH_RING_LO:
    case ENGINE_CH_RING_HI:
    case ENGINE_CH_RING_SIZE:
        write_ring(channel, offset, value);
        break;
    case ENGINE_CH_TAIL:
        channel->tail = value;
        engine_channel_wake(channel, now);
        break;
    default:
        break;
    }
}

/* ---- Registers of the engine ---- */

static uint32_t read_caps(const struct dma_engine *engine)
{
    const struct dma_master_params *path = &engine->params.path;
    return engine->params.nr_channels | (path->coherence == DMA_SNOOP ? ENGINE_CAPS_SNOOPS : 0) |
           path->address_bits << ENGINE_CAPS_ADDRESS_BITS_SHIFT;
}

static uint32_t read_int_status(const struct dma_engine *engine)
{
    uint32_t status = 0;
    for (unsigned i = 0; i < engine->params.nr_channels; i++)
        status |= (uint32_t)engine->channels[i].asks << i;
    return status;
}

/* The channel whose register this is; NULL if there is none. */
static const struct channel *channel_at(const struct dma_engine *engine, uint64_t offset)
{
    if (offset < ENGINE_REG_CHANNELS)
        return NULL;
    uint64_t number = (offset - ENGINE_REG_CHANNELS) / ENGINE_CHANNEL_STRIDE;
    return number < engine->params.nr_channels ? &engine->channels[number] : NULL;
}

uint32_t dma_engine_read(const struct dma_engine *engine, uint64_t offset)
{
    const struct channel *channel = channel_at(engine, offset);
    if (channel)
        return read_channel(channel, offset % ENGINE_CHANNEL_STRIDE);
    switch (offset) {
    case ENGINE_REG_ID:
        return ENGINE_ID;
    case ENGINE_REG_CAPS:
        return read_caps(engine);
    case ENGINE_REG_BUS_OFFSET_LO:
        return (uint32_t)engine->params.path.bus_offset;
    case ENGINE_REG_BUS_OFFSET_HI:
        return (uint32_t)(engine->params.path.bus_offset >> 32);
    case ENGINE_REG_INT_STATUS:
        return read_int_status(engine);
    default:
        return 0;
    }
}

void dma_engine_write(struct dma_engine *engine, uint64_t offset, uint32_t value)
{
    const struct channel *channel = channel_at(engine, offset);
    if (channel)
        write_channel(&engine->channels[channel - engine->channels], offset % ENGINE_CHANNEL_STRIDE, value,
                      ev_now(engine->params.events));
}

/* ---- The engine ---- */

struct dma_engine_params dma_engine_params_of(const struct config *config)
{
    return (struct dma_engine_params){
        .nr_channels = (unsigned)config->dma_channels,
        .path = {.name = "DMA engine",
                 .address_bits = (unsigned)config->dma_address_bits,
                 .bus_offset = config->dma_bus_offset_bytes,
                 .bytes_per_cycle = config->dma_bytes_per_cycle,
                 .burst_bytes = config->dma_burst_bytes,
                 .bursts_in_flight = config->dma_bursts_in_flight,
                 .coherence = (enum dma_coherence)config->dma_coherence},
    };
}

static bool create_channels(struct dma_engine *engine)
{
    uint64_t piece_bytes = dma_piece_bytes(engine->path);
    engine->pieces = calloc(engine->params.nr_channels, piece_bytes);
    if (!engine->pieces)
        return false;
    for (unsigned i = 0; i < engine->params.nr_channels; i++) {
        struct channel *channel = &engine->channels[i];
        channel->engine = engine;
        channel->event =
            (struct event){.handler = engine_channel_step, .opaque = channel, .name = "DMA channel"};
        channel->piece = engine->pieces + i * piece_bytes;
        /* The queue keeps the room that an event once had: from here on memory cannot run short. */
        if (!ev_schedule(engine->params.events, &channel->event, EV_NEVER))
            return false;
    }
    return true;
}

struct dma_engine *dma_engine_create(const struct dma_engine_params *params)
{
    assert(params->nr_channels >= 1 && params->nr_channels <= ENGINE_MAX_CHANNELS);
    struct dma_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return NULL;
    engine->params = *params;
    engine->path = dma_master_create(&params->path, params->memory);
    if (!engine->path || !create_channels(engine)) {
        dma_engine_destroy(engine);
        return NULL;
    }
    return engine;
}

void dma_engine_destroy(struct dma_engine *engine)
{
    if (!engine)
        return;
    for (unsigned i = 0; i < engine->params.nr_channels; i++)
        ev_cancel(engine->params.events, &engine->channels[i].event);
    dma_master_destroy(engine->path);
    free(engine->pieces);
    free(engine);
}

const struct dma_channel_stats *dma_engine_channel_stats(const struct dma_engine *engine, unsigned channel)
{
    assert(channel < engine->params.nr_channels);
    return &engine->channels[channel].stats;
}

bool dma_engine_register_stats(struct dma_engine *engine, struct stat_registry *registry)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct dma_channel_stats, name, unit, sentence),
#include "dma/engine_stats.def"
#undef STAT
    };
    bool is_good = dma_master_register_stats(engine->path, registry, "dma.engine");
    for (unsigned i = 0; i < engine->params.nr_channels && is_good; i++) {
        char path[32];
        snprintf(path, sizeof path, "dma.ch%u", i);
        is_good = stat_register(registry, path, rows, sizeof rows / sizeof *rows, &engine->channels[i].stats);
    }
    return is_good;
}
