/*
 * The past of a machine, for debuggers: snapshots of it in memory, and what came from outside since the first
 * of them (input, changes by the debugger), each with the moment at which it came. From a snapshot on, with
 * the same from outside at the same moments, the machine meets exactly the moments that it met before; going
 * back is running a new machine from a snapshot to one of these.
 *
 * Behind the furthest moment that was ever reached, what came then comes again. A change made there is the
 * beginning of another future: the old one is forgotten.
 */
#ifndef LK_SIM_HISTORY_H
#define LK_SIM_HISTORY_H

#include "cpu/stop_points.h"
#include "sim/machine.h"

struct snap;

struct history_params {
    /* A machine like the first in which nothing was loaded or run; NULL with a line. */
    struct machine *(*create)(void *opaque, struct diag *diag);
    /* What belongs to the run beside `machine`, written or read after the machine (sim/base/snap.h). */
    void (*snap_rest)(void *opaque, struct machine *machine, struct snap *snap);
    /* A byte from outside. False: there is no room. */
    bool (*input)(void *opaque, struct machine *machine, uint8_t byte);
    /* From now on this is the machine; the one before is to be destroyed. */
    void (*adopt)(void *opaque, struct machine *machine);
    /* What was met behind this moment will not be met again. */
    void (*cut)(void *opaque);
    /* Asked now and then on the way back: whether to stay. */
    bool (*is_interrupted)(void *opaque);
    void *opaque;
    uint64_t budget_bytes;   /* for snapshots and what came from outside, packed */
    cycle_t interval_cycles; /* between two snapshots; it doubles when the budget is used up */
};

struct history;

/* NULL when memory is short. */
struct history *history_create(const struct history_params *params, struct machine *machine);
void history_destroy(struct history *history);

/* It has no past, until it runs again. */
void history_forget(struct history *history);

/* Whether the machine is at an earlier moment than it was once. */
bool history_is_behind(const struct history *history);

/* Whether a new machine is on its way to an earlier moment, and what it says and asks is not of the run. */
bool history_is_going_back(const struct history *history);

/* Where the machine stopped, when the following say that it was at a point. */
struct cpu_point history_met_point(const struct history *history);

/*
 * machine_run_to_point and machine_step_to_point with snapshots on the way, and behind the furthest moment
 * with what came then from outside.
 */
bool history_run(struct history *history, uint64_t nr_instructions, cycle_t until);
bool history_step(struct history *history, cycle_t until, bool *is_done);

/*
 * What comes from outside; returned is what the machine says to it. The machine stands still for a debugger
 * (is_still), or is between two slices of its run.
 */
bool history_input(struct history *history, uint8_t byte, bool is_still);
bool history_change_state(struct history *history, const struct cpu_state *state);
bool history_write(struct history *history, struct paddr at, const void *bytes, size_t nr_bytes);

enum history_end {
    HISTORY_STEPPED, /* at the moment before */
    HISTORY_POINT,   /* history_met_point */
    HISTORY_BEGIN,   /* nothing is known of what was before */
    HISTORY_INTERRUPTED,
    HISTORY_FAILED, /* with a line; the past is forgotten */
};

/*
 * To the moment before the latest instruction, of a repeated one the latest iteration. POINT: it has made an
 * access that has a point. `is_over`: handlers of interrupts that have come back are gone over to where they
 * came in, but for points in them; as far back as the snapshot before the last.
 */
enum history_end history_step_back(struct history *history, bool is_over, struct diag *diag);

/*
 * To the latest moment before this one at which the machine would have stopped at a point; where an access
 * has the point, to the moment before its instruction. The machine stays where it is if that is not met.
 */
enum history_end history_run_back(struct history *history, struct diag *diag);

#endif
