/*
 * Exact conversion between CPU cycles and the ticks of a device's own crystal. Both count from power-on, and
 * each conversion starts from the full count, so that no rounding adds up however long the machine runs.
 */
#ifndef LK_SIM_BOARD_CLOCK_H
#define LK_SIM_BOARD_CLOCK_H

#include "sim/base/dev_event.h"

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

#endif
