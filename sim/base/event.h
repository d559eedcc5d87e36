/*
 * The cycle-ordered queue of what devices have asked to be told. One queue a machine. Events due in the same
 * cycle fire in the order in which they were scheduled, so that a run is the same on every host.
 */
#ifndef LK_SIM_BASE_EVENT_H
#define LK_SIM_BASE_EVENT_H

#include "sim/base/addr.h"

#include <stdbool.h>
#include <stddef.h>

#define EV_NEVER UINT64_MAX

/*
 * Called when its cycle has come; may schedule or cancel any event, its own too. `now` is the cycle it was
 * due.
 */
typedef void ev_handler(void *opaque, cycle_t now);

/* Embedded in the device that owns it; zero all but `handler` and `opaque` before first use. */
struct event {
    ev_handler *handler;
    void *opaque;
    const char *name;
    cycle_t due;
    uint64_t order;    /* breaks ties between equal cycles */
    size_t heap_index; /* 1-based place in the queue's heap; 0 when not scheduled */
};

struct ev_queue;

/* NULL when memory is short. Destroying does not touch the events. */
struct ev_queue *ev_queue_create(void);
void ev_queue_destroy(struct ev_queue *queue);

/*
 * Schedules or moves `event` to cycle `due` (in the past means: at the next chance). False when memory is
 * short.
 */
bool ev_schedule(struct ev_queue *queue, struct event *event, cycle_t due);
void ev_cancel(struct ev_queue *queue, struct event *event);

/* As it was scheduled once, with the `due` and `order` that it has: for checkpoints. */
bool ev_reschedule(struct ev_queue *queue, struct event *event);

/* The cycle of the earliest event, EV_NEVER when there is none. */
cycle_t ev_next(const struct ev_queue *queue);

/* Fires all events due at or before `now`, in order; then ev_now() is `now`. */
void ev_run(struct ev_queue *queue, cycle_t now);

/*
 * The present cycle as the devices see it: what ev_run or ev_set_now set last. The CPU sets it before each
 * port or memory-mapped access, so that a device that is asked for a count can tell how much time has passed.
 */
cycle_t ev_now(const struct ev_queue *queue);
void ev_set_now(struct ev_queue *queue, cycle_t now);

/* Its clock and the next event's order, but no event: those are their owners' (sim/base/snap.h). */
struct snap;
void ev_queue_snap(struct ev_queue *queue, struct snap *snap);

#endif
