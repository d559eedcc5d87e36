#include "sim/observe/view_heat.h"

#include <stdlib.h>

bool view_heat_init(struct view_heat *heat, uint64_t nr_frames, cycle_t now)
{
    uint16_t *nr_lines = calloc(nr_frames, sizeof *nr_lines);
    *heat = (struct view_heat){.nr_lines = nr_lines,
                               .nr_frames = nr_lines ? nr_frames : 0,
                               .nr_half_lives = now / VIEW_HEAT_HALF_LIFE_CYCLES};
    return nr_lines;
}

void view_heat_fini(struct view_heat *heat)
{
    free(heat->nr_lines);
    *heat = (struct view_heat){.nr_lines = NULL};
}

void view_heat_cool(struct view_heat *heat, cycle_t now)
{
    enum { COUNT_BITS = 16 };
    uint64_t half_lives = now / VIEW_HEAT_HALF_LIFE_CYCLES, passed = half_lives - heat->nr_half_lives;
    heat->nr_half_lives = half_lives;
    for (uint64_t i = 0; passed && i < heat->nr_frames; i++)
        heat->nr_lines[i] = passed < COUNT_BITS ? (uint16_t)(heat->nr_lines[i] >> passed) : 0;
}
