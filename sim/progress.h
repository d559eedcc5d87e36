/*
 * How far a run is: cycles, instructions, how fast, and how long it will take to a limit. A line on stderr
 * that is written over on a terminal; silent elsewhere unless it is asked for.
 */
#ifndef LK_SIM_PROGRESS_H
#define LK_SIM_PROGRESS_H

#include "sim/base/addr.h"

#include <stdbool.h>

/* auto: if stderr is a terminal and the guest's console, stdout, is not. */
enum progress_when { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct progress {
    bool is_shown, is_terminal, is_line_open;
    cycle_t max_cycles;        /* EV_NEVER: no limit */
    uint64_t max_instructions; /* UINT64_MAX: likewise */
    double begun, next;        /* seconds of the host */
    bool has_first;            /* a run may go on from a checkpoint: what it does itself begins here */
    cycle_t first_cycle;
    uint64_t first_instructions;
};

enum { PROGRESS_CHARS = 160 };

void progress_init(struct progress *progress, enum progress_when when, cycle_t max_cycles,
                   uint64_t max_instructions);

/* To be called between slices; writes a line when one is due. */
void progress_update(struct progress *progress, cycle_t now, uint64_t nr_instructions);

/* The line's words, so many seconds behind the first update. */
void progress_describe(const struct progress *progress, double seconds, cycle_t now, uint64_t nr_instructions,
                       char text[PROGRESS_CHARS]);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
