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
};

void progress_init(struct progress *progress, enum progress_when when, cycle_t max_cycles,
                   uint64_t max_instructions);

/* To be called between slices; writes a line when one is due. */
void progress_update(struct progress *progress, cycle_t now, uint64_t nr_instructions);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
