/*
 * How many lines of each frame came into first-level caches lately: accesses that these did not hold yet.
 * Half of them are forgotten after so many cycles, and half of the rest after as many again.
 */
#ifndef LK_SIM_OBSERVE_VIEW_HEAT_H
#define LK_SIM_OBSERVE_VIEW_HEAT_H

#include "sim/base/addr.h"

#include <stdbool.h>

enum { VIEW_HEAT_HALF_LIFE_CYCLES = 1000000 };

struct view_heat {
    uint16_t *nr_lines; /* by frame; the caches count here (cache_count_fills) */
    uint64_t nr_frames;
    uint64_t nr_half_lives; /* that have passed */
};

/* False when memory is short: then there are none. */
bool view_heat_init(struct view_heat *heat, uint64_t nr_frames, cycle_t now);
void view_heat_fini(struct view_heat *heat);

/* To be called now and then. Cycles must not fall. */
void view_heat_cool(struct view_heat *heat, cycle_t now);

#endif
