/*
 * How a run went so far, in a fixed number of samples: when the table is full every second sample goes and
 * the distance doubles. Taken at guest cycles only, so that it is the same in each run.
 */
#ifndef LK_SIM_OBSERVE_VIEW_HISTORY_H
#define LK_SIM_OBSERVE_VIEW_HISTORY_H

#include "sim/observe/view_source.h"

enum {
    VIEW_HISTORY_SAMPLES = 256,
    VIEW_HISTORY_FIRST_CYCLES = 4096,
    VIEW_HISTORY_MARKS = 128,
    VIEW_MARK_CHARS = 32,
};

/* Totals since the start of the run. */
struct view_sample {
    cycle_t cycle;
    uint64_t instructions;
    cycle_t cpi_stack[NR_REASONS];
    uint64_t free_pages; /* of all zones */
    bool has_free_pages;
};

/* Something that the guest said of itself (docs/markers.md). */
struct view_mark {
    cycle_t cycle;
    char text[VIEW_MARK_CHARS];
};

struct view_history {
    unsigned nr_marks; /* the first ones */
    struct view_mark mark[VIEW_HISTORY_MARKS];
    cycle_t distance_cycles, next;
    unsigned nr_samples;
    struct view_sample sample[VIEW_HISTORY_SAMPLES];
};

void view_history_init(struct view_history *history);

/* To be called between slices of cpu_run; takes a sample when one is due. */
void view_history_update(struct view_history *history, const struct view_source *source);

/* What comes when there is no room is left out. */
void view_history_mark(struct view_history *history, cycle_t cycle, const char *text);

/* Adds a sample; for view_history_update and tests. Cycles must grow. */
void view_history_add(struct view_history *history, const struct view_sample *sample);

#endif
