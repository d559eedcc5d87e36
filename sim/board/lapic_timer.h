/*
 * The timer of a local APIC (SDM 3A 10.5.4): it counts down from the initial count, by a bus clock divided by
 * a power of two. What it counts is worked out when somebody looks.
 */
#ifndef LK_SIM_BOARD_LAPIC_TIMER_H
#define LK_SIM_BOARD_LAPIC_TIMER_H

#include "sim/board/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct lapic_timer {
    struct dev_clock clock;
    unsigned divide_shift;
    bool is_periodic;
    uint32_t initial;
    uint64_t start_tick; /* of the bus clock, when the count was `from` */
    uint32_t from;       /* 0: it does not run */
};

/* The initial count is written at `now`: the timer starts, or with 0 stops. */
void lapic_timer_start(struct lapic_timer *timer, uint32_t count, cycle_t now);
/* Another division, another mode: the count goes on from where it is. */
void lapic_timer_divide(struct lapic_timer *timer, unsigned shift, cycle_t now);
void lapic_timer_set_periodic(struct lapic_timer *timer, bool is_periodic, cycle_t now);

uint32_t lapic_timer_count(const struct lapic_timer *timer, cycle_t now);

/* The first cycle after `now` in which the count reaches zero; EV_NEVER when it does not. */
cycle_t lapic_timer_next(const struct lapic_timer *timer, cycle_t now);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void lapic_timer_snap(struct lapic_timer *timer, struct snap *snap);

#endif
