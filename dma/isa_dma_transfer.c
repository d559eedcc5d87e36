/* Who has the bus, and what moves there. */
#include "dma/isa_dma_internal.h"

#include "sim/base/dev_event.h"

/* SI and S0; S1; S2 to S4; S2 and S4; S11 to S14 and S21 to S24. */
enum { GRANT_CLOCKS = 2, LATCH_CLOCKS = 1, NORMAL_CLOCKS = 3, COMPRESSED_CLOCKS = 2, MEMORY_CLOCKS = 8 };

static struct isa_controller *controller_of(struct isa_dma *dma, unsigned channel)
{
    return &dma->controllers[channel / CHANNELS_EACH];
}

static struct isa_channel *channel_of(struct isa_dma *dma, unsigned channel)
{
    return &controller_of(dma, channel)->channels[channel % CHANNELS_EACH];
}

static bool is_memory_to_memory(const struct isa_controller *controller, unsigned channel)
{
    return channel == 0 && (controller->command & COMMAND_MEMORY_TO_MEMORY);
}

/* ---- Who is next ---- */

/* Software requests do not care for the mask. */
static bool is_asking(const struct isa_controller *controller, unsigned i)
{
    unsigned bits = controller->requests | (controller->asking & ~controller->mask);
    return bits >> i & 1;
}

/* The first controller has the bus by channel 4 of the second, which has to be in cascade mode. */
static bool has_way(const struct isa_dma *dma)
{
    const struct isa_controller *second = &dma->controllers[1];
    return second->channels[0].service == SERVICE_CASCADE && !(second->mask & 1);
}

/* The channel of this controller that is next, 0 to 3; CHANNELS_EACH when none is. */
static unsigned first_in_turn(const struct isa_dma *dma, unsigned number)
{
    const struct isa_controller *controller = &dma->controllers[number];
    if (controller->command & COMMAND_DISABLED)
        return CHANNELS_EACH;
    unsigned lowest = controller->command & COMMAND_ROTATES ? controller->lowest : CHANNELS_EACH - 1;
    for (unsigned turn = 1; turn <= CHANNELS_EACH; turn++) {
        unsigned i = (lowest + turn) % CHANNELS_EACH;
        if (number == 1 && i == 0) {
            if (has_way(dma) && first_in_turn(dma, 0) < CHANNELS_EACH)
                return 0;
        } else if (is_asking(controller, i) && controller->channels[i].service != SERVICE_CASCADE) {
            return i;
        }
    }
    return CHANNELS_EACH;
}

static unsigned next_in_turn(const struct isa_dma *dma)
{
    unsigned second = first_in_turn(dma, 1);
    if (second == CHANNELS_EACH)
        return NOBODY;
    return second == 0 ? first_in_turn(dma, 0) : CHANNELS_EACH + second;
}

static cycle_t cycles_of(const struct isa_dma *dma, unsigned clocks)
{
    return (clocks * dma->params.cpu_hz + ISA_DMA_HZ - 1) / ISA_DMA_HZ;
}

static unsigned transfer_clocks(struct isa_dma *dma, unsigned channel)
{
    const struct isa_controller *controller = controller_of(dma, channel);
    unsigned clocks = controller->command & COMMAND_COMPRESSED ? COMPRESSED_CLOCKS : NORMAL_CLOCKS;
    if (is_memory_to_memory(controller, channel))
        return MEMORY_CLOCKS;
    return dma->is_latched ? clocks : clocks + LATCH_CLOCKS;
}

static void grant(struct isa_dma *dma, cycle_t now)
{
    dma->served = next_in_turn(dma);
    dma->is_latched = false;
    if (dma->served == NOBODY)
        return;
    unsigned clocks = GRANT_CLOCKS + transfer_clocks(dma, dma->served);
    dev_schedule(dma->params.events, &dma->event, now + cycles_of(dma, clocks));
}

void isa_dma_arbitrate(struct isa_dma *dma)
{
    if (dma->served == NOBODY)
        grant(dma, ev_now(dma->params.events));
}

/* ---- One transfer ---- */

static bool has_words(unsigned channel)
{
    return channel >= CHANNELS_EACH;
}

/* What is read where nobody drives. */
static uint16_t nothing_for(unsigned channel)
{
    return has_words(channel) ? 0xffff : 0xff;
}

/* Its page register is at port 80h + n; they are not in order (IBM PC/AT Technical Reference). */
static uint32_t address_of(struct isa_dma *dma, unsigned channel)
{
    static const uint8_t pages[ISA_DMA_NR_CHANNELS] = {7, 3, 1, 2, 15, 11, 9, 10};
    uint32_t page = dma->pages[pages[channel]], address = channel_of(dma, channel)->address;
    return has_words(channel) ? (page & 0xfe) << 16 | address << 1 : page << 16 | address;
}

/* What is not there reads ones and loses what is written: the ISA bus has no way to say so. */
static uint16_t read_memory(struct isa_dma *dma, unsigned channel, cycle_t *now)
{
    uint8_t bytes[2] = {0};
    enum dma_status status = DMA_NO_MEMORY;
    struct baddr at = baddr(address_of(dma, channel));
    if (dma->params.master)
        status = dma_read(dma->params.master, at, bytes, has_words(channel) ? 2 : 1, *now, now);
    uint16_t data = (uint16_t)(bytes[0] | bytes[1] << 8);
    return status == DMA_OK ? data : nothing_for(channel);
}

static void write_memory(struct isa_dma *dma, unsigned channel, uint16_t data, cycle_t *now)
{
    const uint8_t bytes[2] = {(uint8_t)data, (uint8_t)(data >> 8)};
    enum dma_status status = DMA_OK;
    struct baddr at = baddr(address_of(dma, channel));
    if (dma->params.master)
        status = dma_write(dma->params.master, at, bytes, has_words(channel) ? 2 : 1, *now, now);
    (void)status;
}

/* Address and count go on; true when the count was used up. */
static bool count(struct isa_channel *channel, bool is_held)
{
    if (!is_held)
        channel->address = (uint16_t)(channel->is_descending ? channel->address - 1 : channel->address + 1);
    return channel->count-- == 0;
}

static void reload(struct isa_channel *channel)
{
    channel->address = channel->base_address;
    channel->count = channel->base_count;
}

/* TC: the channel is masked, or begins anew. */
static void end(struct isa_controller *controller, unsigned i)
{
    struct isa_channel *channel = &controller->channels[i];
    controller->ended |= 1u << i;
    controller->requests &= ~(1u << i);
    if (channel->is_reloaded)
        reload(channel);
    else
        controller->mask |= 1u << i;
}

static void move_in_memory(struct isa_dma *dma, cycle_t *now)
{
    struct isa_controller *controller = &dma->controllers[0];
    controller->temporary = (uint8_t)read_memory(dma, 0, now);
    write_memory(dma, 1, controller->temporary, now);
    count(&controller->channels[0], controller->command & COMMAND_HOLD_SOURCE);
    if (count(&controller->channels[1], false)) { /* the end of channel 1 is that of both */
        controller->requests &= ~1u;
        end(controller, 1);
        if (controller->channels[0].is_reloaded)
            reload(&controller->channels[0]);
    }
}

static void move(struct isa_dma *dma, unsigned channel, cycle_t *now)
{
    struct isa_controller *controller = controller_of(dma, channel);
    struct isa_channel *moved = &controller->channels[channel % CHANNELS_EACH];
    const struct isa_dma_device *device = &moved->device;
    bool is_last = moved->count == 0;
    if (moved->type == TYPE_READ) {
        uint16_t data = read_memory(dma, channel, now);
        if (device->take)
            device->take(device->opaque, data, is_last);
    } else if (moved->type == TYPE_WRITE) {
        write_memory(dma, channel,
                     device->give ? device->give(device->opaque, is_last) : nothing_for(channel), now);
    }
    if (count(moved, false))
        end(controller, channel % CHANNELS_EACH);
}

/* After a transfer: the channel keeps the bus until its end, as long as it is asked, or not at all. */
static bool keeps_bus(struct isa_dma *dma, unsigned channel, bool has_ended)
{
    const struct isa_controller *controller = controller_of(dma, channel);
    unsigned i = channel % CHANNELS_EACH;
    if (has_ended || (controller->command & COMMAND_DISABLED))
        return false;
    if (is_memory_to_memory(controller, channel))
        return true;
    switch (controller->channels[i].service) {
    case SERVICE_BLOCK:
        return true;
    case SERVICE_DEMAND:
        return is_asking(controller, i);
    default:
        return false;
    }
}

void isa_dma_transfer(void *opaque, cycle_t now)
{
    struct isa_dma *dma = opaque;
    if (!dma->is_kept)
        dma->served = next_in_turn(dma); /* who has it is decided when it comes */
    if (dma->served == NOBODY)
        return;
    unsigned channel = dma->served;
    struct isa_controller *controller = controller_of(dma, channel);
    bool is_in_memory = is_memory_to_memory(controller, channel);
    unsigned ender = is_in_memory ? 1 : channel % CHANNELS_EACH, ended_before = controller->ended;
    uint16_t address_before = channel_of(dma, channel)->address;
    controller->ended &= ~(1u << ender);
    if (is_in_memory)
        move_in_memory(dma, &now);
    else
        move(dma, channel, &now);
    bool has_ended = controller->ended >> ender & 1;
    controller->ended |= ended_before;
    controller->lowest = channel % CHANNELS_EACH;
    if (channel < CHANNELS_EACH)
        dma->controllers[1].lowest = 0;
    dma->is_kept = keeps_bus(dma, channel, has_ended);
    dma->is_latched = channel_of(dma, channel)->address >> 8 == address_before >> 8;
    if (dma->is_kept)
        dev_schedule(dma->params.events, &dma->event, now + cycles_of(dma, transfer_clocks(dma, channel)));
    else
        grant(dma, now);
}
