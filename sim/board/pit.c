#include "sim/board/pit.h"

#include "sim/base/snap.h"
#include "sim/board/clock.h"
#include "sim/board/pit_channel.h"

#include <stdlib.h>

enum { NR_CHANNELS = 3, CONTROL = 3, READ_BACK = 3 };
enum { TIMER, REFRESH, SPEAKER };
enum { PORT61_GATE2 = 1 << 0, PORT61_WRITABLE = 0x0f, PORT61_REFRESH = 1 << 4, PORT61_OUT2 = 1 << 5 };

struct pit {
    struct pit_channel channels[NR_CHANNELS];
    struct dev_clock clock;
    struct ev_queue *events;
    struct event edge; /* the next edge of channel 0, the only output that is wired to something that waits */
    struct irq_line irq;
    bool irq_level;
    pit_tick edges_done; /* channel 0's edges up to this tick are on the line */
    uint8_t port61;
};

static pit_tick present_tick(const struct pit *pit)
{
    return (pit_tick)dev_clock_ticks(&pit->clock, ev_now(pit->events));
}

static void drive_irq(struct pit *pit, bool level)
{
    if (level == pit->irq_level)
        return;
    pit->irq_level = level;
    irq_set(&pit->irq, level);
}

/* One by one, so that a pulse is not lost where a cycle is longer than a tick. */
static void deliver_edges(struct pit *pit, pit_tick now)
{
    struct pit_channel *timer = &pit->channels[TIMER];
    for (;;) {
        pit_tick edge = channel_next_edge(timer, pit->edges_done);
        if (edge > now)
            break;
        channel_settle(timer, edge);
        drive_irq(pit, channel_out(timer, edge));
        pit->edges_done = edge;
    }
    if (pit->edges_done < now)
        pit->edges_done = now;
}

/* To be called before each access, so that what is written takes effect on the present state. */
static pit_tick settle(struct pit *pit)
{
    pit_tick now = present_tick(pit);
    deliver_edges(pit, now);
    for (unsigned i = 0; i < NR_CHANNELS; i++)
        channel_settle(&pit->channels[i], now);
    return now;
}

static void schedule_edge(struct pit *pit)
{
    struct pit_channel *timer = &pit->channels[TIMER];
    drive_irq(pit, channel_out(timer, pit->edges_done));
    pit_tick edge = channel_next_edge(timer, pit->edges_done);
    if (edge == PIT_NEVER) {
        ev_cancel(pit->events, &pit->edge);
        return;
    }
    cycle_t due = dev_clock_cycle(&pit->clock, (uint64_t)edge);
    if (!pit->edge.heap_index || pit->edge.due != due)
        dev_schedule(pit->events, &pit->edge, due);
}

static void on_edge(void *opaque, cycle_t now)
{
    struct pit *pit = opaque;
    deliver_edges(pit, (pit_tick)dev_clock_ticks(&pit->clock, now));
    schedule_edge(pit);
}

static void write_control(struct pit *pit, uint8_t value, pit_tick now)
{
    unsigned which = value >> 6;
    if (which != READ_BACK) {
        if (value >> 4 & 3)
            channel_control(&pit->channels[which], value, now);
        else
            channel_latch_count(&pit->channels[which], now);
        return;
    }
    for (unsigned i = 0; i < NR_CHANNELS; i++) {
        if (!(value >> (i + 1) & 1))
            continue;
        if (!(value & 0x20))
            channel_latch_count(&pit->channels[i], now);
        if (!(value & 0x10))
            channel_latch_status(&pit->channels[i], now);
    }
}

static void write_port(void *opaque, uint64_t offset, unsigned size, uint64_t wide_value)
{
    struct pit *pit = opaque;
    uint8_t value = (uint8_t)wide_value;
    (void)size;
    pit_tick now = settle(pit);
    if (offset == CONTROL)
        write_control(pit, value, now);
    else
        channel_write(&pit->channels[offset], value, now);
    schedule_edge(pit);
}

static uint64_t read_port(void *opaque, uint64_t offset, unsigned size)
{
    struct pit *pit = opaque;
    (void)size;
    pit_tick now = settle(pit);
    /* The control word cannot be read (8254 data sheet, "Read Operations"). */
    uint8_t value = offset == CONTROL ? 0xff : channel_read(&pit->channels[offset], now);
    schedule_edge(pit);
    return value;
}

static void write_port61(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pit *pit = opaque;
    (void)offset;
    (void)size;
    pit_tick now = settle(pit);
    pit->port61 = (uint8_t)value & PORT61_WRITABLE;
    channel_set_gate(&pit->channels[SPEAKER], value & PORT61_GATE2, now);
    schedule_edge(pit);
}

/*
 * Toggles with each refresh request, that is with each period of channel 1 (82371AB data sheet, NMI status).
 */
static bool refresh_toggle(const struct pit *pit, pit_tick now)
{
    const struct pit_channel *refresh = &pit->channels[REFRESH];
    if (!refresh->is_loaded || refresh->mode != 2)
        return channel_out(refresh, now);
    return (now - refresh->origin) / (pit_tick)refresh->count & 1;
}

static uint64_t read_port61(void *opaque, uint64_t offset, unsigned size)
{
    struct pit *pit = opaque;
    (void)offset;
    (void)size;
    pit_tick now = settle(pit);
    schedule_edge(pit);
    return pit->port61 | (refresh_toggle(pit, now) ? PORT61_REFRESH : 0u) |
           (channel_out(&pit->channels[SPEAKER], now) ? PORT61_OUT2 : 0u);
}

struct pit *pit_create(const struct pit_params *params, struct iomap *ports, struct diag *diag)
{
    struct pit *pit = calloc(1, sizeof(*pit));
    if (!pit) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "PIT: out of memory");
        return NULL;
    }
    pit->clock = (struct dev_clock){.cpu_hz = params->cpu_hz, .hz = PIT_HZ};
    pit->events = params->events;
    pit->irq = params->irq;
    pit->edge = (struct event){.handler = on_edge, .opaque = pit, .name = "PIT edge"};
    for (unsigned i = 0; i < NR_CHANNELS; i++)
        pit->channels[i].gate = i != SPEAKER;
    const struct io_range counters = {"PIT", 0x40, 4, IO_WIDTH_1, read_port, write_port, pit};
    const struct io_range control = {"PIT port 61h", 0x61, 1, IO_WIDTH_1, read_port61, write_port61, pit};
    if (!iomap_add(ports, &counters, diag) || !iomap_add(ports, &control, diag) ||
        !dev_reserve_event(pit->events, &pit->edge, diag)) {
        pit_destroy(pit);
        return NULL;
    }
    return pit;
}

void pit_destroy(struct pit *pit)
{
    if (!pit)
        return;
    ev_cancel(pit->events, &pit->edge);
    free(pit);
}

void pit_snap(struct pit *pit, struct snap *snap)
{
    const pit_tick limit = INT64_C(1) << 60;
    SNAP_OPEN(snap, pit);
    for (unsigned i = 0; i < NR_CHANNELS; i++)
        channel_snap(&pit->channels[i], snap);
    SNAP_SKIP(snap, pit->clock);
    SNAP_SKIP(snap, pit->events);
    snap_event(snap, pit->events, &pit->edge);
    SNAP_SKIP(snap, pit->irq);
    SNAP_FLAG(snap, pit->irq_level);
    SNAP(snap, pit->edges_done);
    SNAP_REQUIRE(snap, pit->edges_done > -limit && pit->edges_done < limit);
    SNAP(snap, pit->port61);
    SNAP_CLOSE(snap, pit);
}
