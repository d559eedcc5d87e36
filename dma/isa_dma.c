/* The controllers' registers; who has the bus and what it does there is isa_dma_transfer.c. */
#include "dma/isa_dma_internal.h"

#include "sim/base/dev_event.h"
#include "sim/base/snap.h"

#include <stdlib.h>

/* Registers of a controller behind those of its channels. */
enum { STATUS = 8, REQUEST, MASK_ONE, MODE, CLEAR_FLIP_FLOP, TEMPORARY, CLEAR_MASK, MASK_ALL };

enum { ALL_CHANNELS = 0xf, NOTHING = 0xff };

/* ---- Address and count: 16 bits through 8, the low byte first ---- */

static uint8_t read_half(struct isa_controller *controller, uint16_t value)
{
    bool is_high = controller->is_high_byte;
    controller->is_high_byte = !is_high;
    return (uint8_t)(is_high ? value >> 8 : value);
}

static uint16_t write_half(struct isa_controller *controller, uint16_t before, uint8_t value)
{
    bool is_high = controller->is_high_byte;
    controller->is_high_byte = !is_high;
    return (uint16_t)(is_high ? (before & 0x00ff) | value << 8 : (before & 0xff00) | value);
}

static void write_channel(struct isa_controller *controller, unsigned at, uint8_t value)
{
    struct isa_channel *channel = &controller->channels[at / 2];
    uint16_t *base = at % 2 ? &channel->base_count : &channel->base_address;
    uint16_t *current = at % 2 ? &channel->count : &channel->address;
    *base = write_half(controller, *base, value);
    *current = *base;
}

/* ---- The controller's own ---- */

static void set_mode(struct isa_controller *controller, uint8_t value)
{
    struct isa_channel *channel = &controller->channels[value & 3];
    channel->type = value >> 2 & 3;
    channel->is_reloaded = value & 0x10;
    channel->is_descending = value & 0x20;
    channel->service = value >> 6;
}

static void master_clear(struct isa_controller *controller)
{
    controller->command = 0;
    controller->temporary = 0;
    controller->requests = 0;
    controller->ended = 0;
    controller->mask = ALL_CHANNELS;
    controller->is_high_byte = false;
    controller->lowest = CHANNELS_EACH - 1;
}

/* The bit of one channel, as mask and request registers are written: bit 2 sets it. */
static unsigned with_bit(unsigned bits, uint8_t value)
{
    unsigned bit = 1u << (value & 3);
    return value & 4 ? bits | bit : bits & ~bit;
}

static uint8_t read_register(struct isa_controller *controller, unsigned at)
{
    if (at < STATUS) {
        const struct isa_channel *channel = &controller->channels[at / 2];
        return read_half(controller, at % 2 ? channel->count : channel->address);
    }
    if (at == STATUS) {
        uint8_t status = (uint8_t)(controller->ended | (controller->asking | controller->requests) << 4);
        controller->ended = 0;
        return status;
    }
    if (at == TEMPORARY)
        return controller->temporary;
    return at == MASK_ALL ? (uint8_t)(controller->mask | 0xf0) : NOTHING; /* 82371SB: it can be read */
}

static void write_register(struct isa_controller *controller, unsigned at, uint8_t value)
{
    if (at < STATUS) {
        write_channel(controller, at, value);
        return;
    }
    switch (at) {
    case STATUS:
        controller->command = value;
        break;
    case REQUEST:
        controller->requests = with_bit(controller->requests, value);
        break;
    case MASK_ONE:
        controller->mask = with_bit(controller->mask, value);
        break;
    case MODE:
        set_mode(controller, value);
        break;
    case CLEAR_FLIP_FLOP:
        controller->is_high_byte = false;
        break;
    case TEMPORARY:
        master_clear(controller);
        break;
    case CLEAR_MASK:
        controller->mask = 0;
        break;
    default:
        controller->mask = value & ALL_CHANNELS;
        break;
    }
}

/* ---- Ports ---- */

static uint64_t read_first(void *opaque, uint64_t offset, unsigned size)
{
    struct isa_dma *dma = opaque;
    (void)size;
    return read_register(&dma->controllers[0], (unsigned)offset);
}

static void write_first(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct isa_dma *dma = opaque;
    (void)size;
    write_register(&dma->controllers[0], (unsigned)offset, (uint8_t)value);
    isa_dma_arbitrate(dma);
}

/* At an odd port the second controller answers too: address line 0 does not reach it. */
static uint64_t read_second(void *opaque, uint64_t offset, unsigned size)
{
    struct isa_dma *dma = opaque;
    (void)size;
    return read_register(&dma->controllers[1], (unsigned)offset / 2);
}

static void write_second(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct isa_dma *dma = opaque;
    (void)size;
    write_register(&dma->controllers[1], (unsigned)offset / 2, (uint8_t)value);
    isa_dma_arbitrate(dma);
}

static uint64_t read_page(void *opaque, uint64_t offset, unsigned size)
{
    const struct isa_dma *dma = opaque;
    (void)size;
    return dma->pages[offset + 1];
}

static void write_page(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct isa_dma *dma = opaque;
    (void)size;
    dma->pages[offset + 1] = (uint8_t)value;
}

/* ---- Making, wiring, ending ---- */

struct isa_dma *isa_dma_create(const struct isa_dma_params *params, struct iomap *ports, struct diag *diag)
{
    struct isa_dma *dma = calloc(1, sizeof *dma);
    if (!dma) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "ISA DMA: out of memory");
        return NULL;
    }
    dma->params = *params;
    dma->served = NOBODY;
    dma->event = (struct event){.handler = isa_dma_transfer, .opaque = dma, .name = "ISA DMA"};
    for (unsigned i = 0; i < NR_CONTROLLERS; i++)
        master_clear(&dma->controllers[i]);
    const struct io_range ranges[] = {
        {"first DMA controller", 0x00, 16, IO_WIDTH_1, read_first, write_first, dma},
        {"second DMA controller", 0xc0, 32, IO_WIDTH_1, read_second, write_second, dma},
        {"DMA page registers", 0x81, NR_PAGES - 1, IO_WIDTH_1, read_page, write_page, dma},
    };
    bool is_good = dev_reserve_event(params->events, &dma->event, diag);
    for (size_t i = 0; is_good && i < sizeof ranges / sizeof *ranges; i++)
        is_good = iomap_add(ports, &ranges[i], diag);
    if (is_good)
        return dma;
    isa_dma_destroy(dma);
    return NULL;
}

void isa_dma_destroy(struct isa_dma *dma)
{
    if (!dma)
        return;
    ev_cancel(dma->params.events, &dma->event);
    free(dma);
}

void isa_dma_connect(struct isa_dma *dma, unsigned channel, const struct isa_dma_device *device)
{
    dma->controllers[channel / CHANNELS_EACH].channels[channel % CHANNELS_EACH].device = *device;
}

void isa_dma_request(struct isa_dma *dma, unsigned channel, bool is_active)
{
    struct isa_controller *controller = &dma->controllers[channel / CHANNELS_EACH];
    unsigned bit = 1u << channel % CHANNELS_EACH;
    controller->asking = is_active ? controller->asking | bit : controller->asking & ~bit;
    isa_dma_arbitrate(dma);
}

static void channel_snap(struct isa_channel *channel, struct snap *snap)
{
    SNAP_OPEN(snap, channel);
    SNAP(snap, channel->base_address);
    SNAP(snap, channel->base_count);
    SNAP(snap, channel->address);
    SNAP(snap, channel->count);
    SNAP_BELOW(snap, channel->type, TYPE_NONE + 1);
    SNAP_BELOW(snap, channel->service, SERVICE_CASCADE + 1);
    SNAP_FLAG(snap, channel->is_reloaded);
    SNAP_FLAG(snap, channel->is_descending);
    SNAP_SKIP(snap, channel->device);
    SNAP_CLOSE(snap, channel);
}

static void controller_snap(struct isa_controller *controller, struct snap *snap)
{
    SNAP_OPEN(snap, controller);
    for (unsigned i = 0; i < CHANNELS_EACH; i++)
        channel_snap(&controller->channels[i], snap);
    SNAP(snap, controller->command);
    SNAP(snap, controller->temporary);
    SNAP_BELOW(snap, controller->mask, ALL_CHANNELS + 1);
    SNAP_BELOW(snap, controller->requests, ALL_CHANNELS + 1);
    SNAP_BELOW(snap, controller->asking, ALL_CHANNELS + 1);
    SNAP_BELOW(snap, controller->ended, ALL_CHANNELS + 1);
    SNAP_BELOW(snap, controller->lowest, CHANNELS_EACH);
    SNAP_FLAG(snap, controller->is_high_byte);
    SNAP_CLOSE(snap, controller);
}

void isa_dma_snap(struct isa_dma *dma, struct snap *snap)
{
    SNAP_OPEN(snap, dma);
    SNAP_SKIP(snap, dma->params);
    for (unsigned i = 0; i < NR_CONTROLLERS; i++)
        controller_snap(&dma->controllers[i], snap);
    SNAP_ARRAY(snap, dma->pages);
    SNAP_BELOW(snap, dma->served, NOBODY + 1);
    SNAP_FLAG(snap, dma->is_kept);
    SNAP_FLAG(snap, dma->is_latched);
    snap_event(snap, dma->params.events, &dma->event);
    SNAP_CLOSE(snap, dma);
}
