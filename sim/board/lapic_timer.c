#include "sim/board/lapic_timer.h"

#include "sim/base/snap.h"

/* Divided ticks since the count was `from`. */
static uint64_t elapsed(const struct lapic_timer *timer, cycle_t now)
{
    return (dev_clock_ticks(&timer->clock, now) - timer->start_tick) >> timer->divide_shift;
}

void lapic_timer_start(struct lapic_timer *timer, uint32_t count, cycle_t now)
{
    timer->initial = timer->from = count;
    timer->start_tick = dev_clock_ticks(&timer->clock, now);
}

static void go_on_from_here(struct lapic_timer *timer, cycle_t now)
{
    timer->from = lapic_timer_count(timer, now);
    timer->start_tick = dev_clock_ticks(&timer->clock, now);
}

void lapic_timer_divide(struct lapic_timer *timer, unsigned shift, cycle_t now)
{
    if (shift == timer->divide_shift)
        return;
    go_on_from_here(timer, now);
    timer->divide_shift = shift;
}

void lapic_timer_set_periodic(struct lapic_timer *timer, bool is_periodic, cycle_t now)
{
    if (is_periodic == timer->is_periodic)
        return;
    go_on_from_here(timer, now);
    timer->is_periodic = is_periodic;
}

uint32_t lapic_timer_count(const struct lapic_timer *timer, cycle_t now)
{
    uint64_t ticks = elapsed(timer, now);
    if (ticks < timer->from)
        return timer->from - (uint32_t)ticks;
    if (timer->from == 0 || !timer->is_periodic)
        return 0;
    return timer->initial - (uint32_t)((ticks - timer->from) % timer->initial);
}

cycle_t lapic_timer_next(const struct lapic_timer *timer, cycle_t now)
{
    if (timer->from == 0)
        return EV_NEVER;
    uint64_t at = timer->from, ticks = elapsed(timer, now);
    if (ticks >= at) {
        if (!timer->is_periodic)
            return EV_NEVER;
        at += ((ticks - at) / timer->initial + 1) * timer->initial;
    }
    return dev_clock_cycle(&timer->clock, timer->start_tick + (at << timer->divide_shift));
}

void lapic_timer_snap(struct lapic_timer *timer, struct snap *snap)
{
    SNAP_OPEN(snap, timer);
    SNAP_SKIP(snap, timer->clock);
    SNAP_BELOW(snap, timer->divide_shift, 8);
    SNAP_FLAG(snap, timer->is_periodic);
    SNAP(snap, timer->initial);
    SNAP(snap, timer->start_tick);
    SNAP(snap, timer->from);
    SNAP_CLOSE(snap, timer);
    SNAP_REQUIRE(snap, timer->initial > 0 || timer->from == 0 || !timer->is_periodic);
}
