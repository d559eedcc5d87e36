/*
 * Exact conversion between CPU cycles and the ticks of a device's own crystal. Both count from power-on, and
 * each conversion starts from the full count, so that no rounding adds up however long the machine runs.
 */
#ifndef LK_SIM_BOARD_CLOCK_H
#define LK_SIM_BOARD_CLOCK_H

#include "sim/base/addr.h"
#include "sim/base/diag.h"
#include "sim/base/event.h"

#include <assert.h>

/* hz * cpu_hz must fit in 64 bits: 10 GHz leaves the device 1.8 GHz. */
struct dev_clock {
    uint64_t cpu_hz, hz;
};

/* The ticks that are complete at `cycle`. */
static inline uint64_t dev_clock_ticks(const struct dev_clock *clock, cycle_t cycle)
{
    return cycle / clock->cpu_hz * clock->hz + cycle % clock->cpu_hz * clock->hz / clock->cpu_hz;
}

/* The first cycle at which `tick` ticks are complete. */
static inline cycle_t dev_clock_cycle(const struct dev_clock *clock, uint64_t tick)
{
    return tick / clock->hz * clock->cpu_hz + (tick % clock->hz * clock->cpu_hz + clock->hz - 1) / clock->hz;
}

/*
 * Schedules an event of a device. The queue keeps the room that an event once had, so that after
 * dev_reserve_event() at the device's creation memory cannot run short.
 */
static inline void dev_schedule(struct ev_queue *events, struct event *event, cycle_t due)
{
    bool is_scheduled = ev_schedule(events, event, due);
    assert(is_scheduled);
    (void)is_scheduled;
}

static inline bool dev_reserve_event(struct ev_queue *events, struct event *event, struct diag *diag)
{
    if (!ev_schedule(events, event, EV_NEVER))
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", event->name);
    return true;
}

#endif
