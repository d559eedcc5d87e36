/*
 * What is to be written later, in the order of cycles: rows of a trace come in program order, and what
 * happens to them overlaps.
 */
#ifndef LK_SIM_OBSERVE_TRACE_QUEUE_H
#define LK_SIM_OBSERVE_TRACE_QUEUE_H

#include "sim/base/addr.h"

#include <stdbool.h>
#include <stddef.h>

struct trace_event {
    cycle_t cycle;
    uint64_t order; /* of events of a cycle; filled in when one is added: first in, first out */
    unsigned what;
    uint64_t id, value;
};

/* Zeroed, it is empty. */
struct trace_queue {
    struct trace_event *event; /* a heap: event[i] comes before event[2 * i + 1] and event[2 * i + 2] */
    size_t nr_events, room;
    uint64_t nr_added;
};

/* False when memory is short. */
bool trace_queue_add(struct trace_queue *queue, struct trace_event event) __attribute__((warn_unused_result));

/* Takes the earliest event if its cycle is before `before`. */
bool trace_queue_take(struct trace_queue *queue, cycle_t before, struct trace_event *event);

void trace_queue_fini(struct trace_queue *queue);

#endif
