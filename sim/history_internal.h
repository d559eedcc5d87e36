/* How the past of a machine is kept, for the file that keeps it and the one that goes there. */
#ifndef LK_SIM_HISTORY_INTERNAL_H
#define LK_SIM_HISTORY_INTERNAL_H

#include "sim/history.h"
#include "sim/snapshot/memory_snap.h"

/*
 * A moment in a run. The counts alone do not tell two iterations of a repeated instruction apart, nor what is
 * before and behind an exception.
 */
struct history_moment {
    uint64_t instructions;
    cycle_t cycles;
    uint64_t at; /* linear address of the next instruction */
    uint64_t rcx, rsp;
    size_t nr_events; /* that have come by then */
};

enum history_event_kind { HISTORY_INPUT, HISTORY_STATE, HISTORY_MEMORY };

/* What came from outside. */
struct history_event {
    enum history_event_kind kind;
    struct history_moment moment;
    bool is_still;   /* the machine was settled before */
    uint8_t byte;    /* of INPUT */
    struct paddr at; /* of MEMORY */
    void *bytes;     /* of MEMORY, and the struct cpu_state of STATE; owned */
    size_t nr_bytes;
};

struct history_snapshot {
    struct history_moment moment;
    struct memory_snap memory;
};

struct history {
    struct history_params params;
    struct machine *machine;
    size_t nr_met; /* events that have come to the machine */
    struct history_snapshot *snapshots;
    struct history_event *events;
    size_t nr_snapshots, room_snapshots, nr_events, room_events;
    uint64_t nr_bytes; /* of all of it */
    cycle_t interval_cycles;
    struct history_moment furthest;
    struct cpu_point met;
    bool is_going_back;
};

struct history_moment history_moment_of(const struct machine *machine, size_t nr_events);

/* But for what has come from outside. */
bool history_is_same(const struct history_moment *a, const struct history_moment *b);

/* By its counts, of which none goes back. */
bool history_is_earlier(const struct history_moment *a, const struct history_moment *b);

/* A new machine as it was at that snapshot, and the rest of the run with it; NULL with a line. */
struct machine *history_make_machine(struct history *history, size_t index, struct diag *diag);

/* The rest of the run alone. */
bool history_save_rest(struct history *history, struct memory_snap *to, struct diag *diag);
bool history_load_rest(struct history *history, const struct memory_snap *from, struct diag *diag);

/* A machine on its way through what was recorded. */
struct history_walker {
    struct history *history;
    struct machine *machine;
    size_t nr_met;
    bool may_be_interrupted;
};

struct history_limits {
    uint64_t instructions;
    cycle_t until;
    bool is_step;
};

enum history_arrival {
    HISTORY_ARRIVED,
    HISTORY_AT_POINT, /* of the machine's own: history->met */
    HISTORY_AT_LIMIT,
    HISTORY_ONE_STEP, /* done, and not there */
    HISTORY_BROKEN_OFF,
    HISTORY_LOST, /* the moment did not come */
};

/* What came from outside at just this moment comes. */
void history_meet_events(struct history_walker *walker);

/*
 * To a moment, or to that of the next event if this comes before it (NULL: there is a next event): without a
 * stop between two blocks where it is far away, and then instruction by instruction.
 */
enum history_arrival history_walk(struct history_walker *walker, const struct history_moment *target,
                                  const struct history_limits *limits);

#endif
