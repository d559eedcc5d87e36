#include "sim/board/pit_channel.h"

#include "sim/base/snap.h"

enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };
enum { STATUS_OUT = 0x80, STATUS_NULL_COUNT = 0x40 };

static bool is_periodic(const struct pit_channel *channel)
{
    return channel->mode == 2 || channel->mode == 3;
}

/* Modes 1 and 5 start at a rising edge of the gate, and ignore its level. */
static bool is_triggered(const struct pit_channel *channel)
{
    return channel->mode == 1 || channel->mode == 5;
}

static uint32_t modulus(const struct pit_channel *channel)
{
    return channel->is_bcd ? 10000 : 65536;
}

/* The ticks of a period of mode 3 for which the output is high: the longer half of an odd count. */
static pit_tick high_ticks(uint32_t count)
{
    return (count + 1) / 2;
}

static pit_tick elapsed(const struct pit_channel *channel, pit_tick now)
{
    return channel->is_stopped ? channel->stopped_after : now - channel->origin;
}

static bool is_waiting_for_load(const struct pit_channel *channel, pit_tick now)
{
    return now < channel->origin;
}

/* The first end of a period, or in mode 3 of a half, after `now`. */
static pit_tick next_boundary(const struct pit_channel *channel, pit_tick now)
{
    pit_tick count = channel->count;
    pit_tick phase = (now - channel->origin) % count;
    pit_tick begin = now - phase;
    if (channel->mode == 3 && phase < high_ticks(channel->count))
        return begin + high_ticks(channel->count);
    return begin + count;
}

void channel_settle(struct pit_channel *channel, pit_tick now)
{
    if (!channel->has_next || channel->is_stopped || !is_periodic(channel))
        return;
    pit_tick boundary = next_boundary(channel, channel->next_written);
    if (boundary > now)
        return;
    bool begins_low_half = channel->mode == 3 && (boundary - channel->origin) % channel->count != 0;
    channel->count = channel->next_count;
    channel->origin = begins_low_half ? boundary - high_ticks(channel->count) : boundary;
    channel->has_next = false;
}

bool channel_out(const struct pit_channel *channel, pit_tick now)
{
    if (!channel->is_loaded)
        return channel->mode != 0;
    if (is_periodic(channel) && !channel->gate)
        return true;
    if (is_waiting_for_load(channel, now))
        return channel->out_before;
    pit_tick ticks = elapsed(channel, now), count = channel->count;
    switch (channel->mode) {
    case 0:
    case 1:
        return ticks >= count;
    case 2:
        return count == 1 || ticks % count != count - 1;
    case 3:
        return ticks % count < high_ticks(channel->count);
    default:
        return channel->has_struck || ticks != count;
    }
}

static pit_tick edge_after_load(const struct pit_channel *channel, pit_tick now)
{
    pit_tick ticks = now - channel->origin, count = channel->count;
    pit_tick begin = now - ticks % count;
    switch (channel->mode) {
    case 0:
    case 1:
        return ticks < count ? channel->origin + count : PIT_NEVER;
    case 2:
        if (count == 1)
            return PIT_NEVER;
        return now < begin + count - 1 ? begin + count - 1 : begin + count;
    case 3:
        if (count == 1)
            return PIT_NEVER;
        return now < begin + high_ticks(channel->count) ? begin + high_ticks(channel->count) : begin + count;
    default:
        if (ticks < count)
            return channel->origin + count;
        return ticks == count ? now + 1 : PIT_NEVER;
    }
}

pit_tick channel_next_edge(const struct pit_channel *channel, pit_tick now)
{
    if (!channel->is_loaded || channel->is_stopped || channel->has_struck)
        return PIT_NEVER;
    if (now >= channel->origin)
        return edge_after_load(channel, now);
    if (channel_out(channel, channel->origin) != channel->out_before)
        return channel->origin;
    return edge_after_load(channel, channel->origin);
}

/* The counting element as a number of ticks. */
static uint32_t value_at(const struct pit_channel *channel, pit_tick now)
{
    pit_tick ticks = elapsed(channel, now), count = channel->count, limit = modulus(channel);
    if (channel->mode == 2)
        return (uint32_t)((count - ticks % count) % limit);
    if (channel->mode == 3) {
        pit_tick phase = ticks % count;
        if (phase >= high_ticks(channel->count))
            phase -= high_ticks(channel->count);
        return (uint32_t)(((count & ~INT64_C(1)) - 2 * phase) % limit);
    }
    return (uint32_t)(((count - ticks) % limit + limit) % limit);
}

static uint16_t to_bcd(uint32_t value)
{
    return (uint16_t)(value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10);
}

static uint32_t from_bcd(uint16_t digits)
{
    return (digits >> 12) * 1000u + (digits >> 8 & 15u) * 100 + (digits >> 4 & 15u) * 10 + (digits & 15u);
}

/* The counting element as the bus sees it. */
static uint16_t shown_value(const struct pit_channel *channel, pit_tick now)
{
    if (!channel->is_loaded || is_waiting_for_load(channel, now))
        return channel->idle_value;
    uint32_t value = value_at(channel, now);
    return channel->is_bcd ? to_bcd(value) : (uint16_t)value;
}

/* The counting element takes `count` at the next tick; a closed gate stops the counting, not the load. */
static void load(struct pit_channel *channel, uint32_t count, pit_tick now)
{
    channel->out_before = is_periodic(channel) || (channel->mode != 0 && channel_out(channel, now));
    channel->idle_value = shown_value(channel, now);
    channel->count = count;
    channel->is_loaded = true;
    channel->origin = now + 1;
    channel->is_stopped = !channel->gate && !is_triggered(channel);
    channel->stopped_after = 0;
    channel->has_struck = false;
    channel->has_next = false;
}

static void take_count(struct pit_channel *channel, uint16_t written, pit_tick now)
{
    uint32_t count = channel->is_bcd ? from_bcd(written) : written;
    if (count == 0)
        count = modulus(channel);
    bool is_under_way = channel->is_loaded && !is_waiting_for_load(channel, now);
    if (is_under_way && (is_triggered(channel) || is_periodic(channel))) {
        channel->has_next = true;
        channel->next_count = count;
        channel->next_written = now;
    } else if (is_triggered(channel) || (is_periodic(channel) && channel->is_loaded)) {
        channel->count = count;
    } else {
        load(channel, count, now);
    }
    channel->has_count = true;
}

void channel_control(struct pit_channel *channel, uint8_t value, pit_tick now)
{
    channel->idle_value = shown_value(channel, now);
    channel->access = value >> 4 & 3;
    channel->mode = value >> 1 & 7;
    if (channel->mode > 5)
        channel->mode -= 4;
    channel->is_bcd = value & 1;
    channel->has_count = false;
    channel->is_loaded = false;
    channel->is_stopped = false;
    channel->has_next = false;
    channel->expects_high = false;
    channel->reads_high = false;
    channel->nr_latched = 0;
    channel->has_status = false;
}

void channel_write(struct pit_channel *channel, uint8_t value, pit_tick now)
{
    switch (channel->access) {
    case ACCESS_LOW:
        take_count(channel, value, now);
        break;
    case ACCESS_HIGH:
        take_count(channel, (uint16_t)(value << 8), now);
        break;
    default:
        if (!channel->expects_high) {
            channel->low_byte = value;
            channel->expects_high = true;
            /*
             * In mode 0 the first byte stops the counting and sets the output low (8254 data sheet, mode 0).
             */
            if (channel->mode == 0) {
                channel->idle_value = shown_value(channel, now);
                channel->is_loaded = false;
            }
        } else {
            channel->expects_high = false;
            take_count(channel, (uint16_t)(value << 8 | channel->low_byte), now);
        }
        break;
    }
}

void channel_latch_count(struct pit_channel *channel, pit_tick now)
{
    if (channel->nr_latched)
        return;
    channel->latched = shown_value(channel, now);
    if (channel->access == ACCESS_HIGH)
        channel->latched >>= 8;
    channel->nr_latched = channel->access == ACCESS_BOTH ? 2 : 1;
}

void channel_latch_status(struct pit_channel *channel, pit_tick now)
{
    if (channel->has_status)
        return;
    bool is_null =
        !channel->has_count || !channel->is_loaded || channel->has_next || is_waiting_for_load(channel, now);
    channel->has_status = true;
    channel->status =
        (uint8_t)((channel_out(channel, now) ? STATUS_OUT : 0) | (is_null ? STATUS_NULL_COUNT : 0) |
                  channel->access << 4 | channel->mode << 1 | channel->is_bcd);
}

uint8_t channel_read(struct pit_channel *channel, pit_tick now)
{
    if (channel->has_status) {
        channel->has_status = false;
        return channel->status;
    }
    if (channel->nr_latched) {
        uint8_t byte = (uint8_t)channel->latched;
        channel->latched >>= 8;
        channel->nr_latched--;
        return byte;
    }
    uint16_t value = shown_value(channel, now);
    bool high = channel->access == ACCESS_HIGH;
    if (channel->access == ACCESS_BOTH) {
        high = channel->reads_high;
        channel->reads_high = !channel->reads_high;
    }
    return (uint8_t)(high ? value >> 8 : value);
}

/* A rising edge of the gate in modes 1, 2, 3 and 5. */
static void trigger(struct pit_channel *channel, pit_tick now)
{
    if (!channel->has_count)
        return;
    load(channel, channel->has_next ? channel->next_count : channel->count, now);
}

void channel_set_gate(struct pit_channel *channel, bool gate, pit_tick now)
{
    if (gate == channel->gate)
        return;
    channel->gate = gate;
    if (!gate && channel->is_loaded && !is_triggered(channel)) {
        bool is_waiting = is_waiting_for_load(channel, now);
        channel->stopped_after = is_waiting ? 0 : elapsed(channel, now);
        channel->is_stopped = true;
        channel->has_struck = channel->mode == 4 && channel->stopped_after >= channel->count;
    } else if (gate && (is_triggered(channel) || is_periodic(channel))) {
        trigger(channel, now);
    } else if (channel->is_stopped) {
        /* The load was not kept waiting by the gate: one that is still to come stays where it is. */
        if (!is_waiting_for_load(channel, now))
            channel->origin = now - channel->stopped_after;
        channel->is_stopped = false;
    }
}

void channel_snap(struct pit_channel *channel, struct snap *snap)
{
    enum { NR_MODES = 6, MAX_COUNT = 65536, LATCHED_BYTES = 2 };
    const pit_tick limit = INT64_C(1) << 60;
    SNAP_OPEN(snap, channel);
    SNAP_BELOW(snap, channel->mode, NR_MODES);
    SNAP_BELOW(snap, channel->access, ACCESS_BOTH + 1);
    SNAP_FLAG(snap, channel->is_bcd);
    SNAP_FLAG(snap, channel->gate);
    SNAP_BELOW(snap, channel->count, MAX_COUNT + 1);
    SNAP_FLAG(snap, channel->has_count);
    SNAP_FLAG(snap, channel->is_loaded);
    SNAP(snap, channel->origin);
    SNAP_FLAG(snap, channel->is_stopped);
    SNAP(snap, channel->stopped_after);
    SNAP_FLAG(snap, channel->has_struck);
    SNAP_FLAG(snap, channel->out_before);
    SNAP(snap, channel->idle_value);
    SNAP_FLAG(snap, channel->has_next);
    SNAP_BELOW(snap, channel->next_count, MAX_COUNT + 1);
    SNAP(snap, channel->next_written);
    SNAP_FLAG(snap, channel->expects_high);
    SNAP_FLAG(snap, channel->reads_high);
    SNAP(snap, channel->low_byte);
    SNAP_BELOW(snap, channel->nr_latched, LATCHED_BYTES + 1);
    SNAP(snap, channel->latched);
    SNAP_FLAG(snap, channel->has_status);
    SNAP(snap, channel->status);
    SNAP_CLOSE(snap, channel);
    SNAP_REQUIRE(snap, channel->count > 0 || (!channel->has_count && !channel->is_loaded));
    SNAP_REQUIRE(snap, channel->next_count > 0 || !channel->has_next);
    SNAP_REQUIRE(snap, channel->origin > -limit && channel->origin < limit);
    SNAP_REQUIRE(snap, channel->next_written > -limit && channel->next_written < limit);
    SNAP_REQUIRE(snap, channel->stopped_after > -limit && channel->stopped_after < limit);
}
