/* Events of devices: memory for them is found when the device is made, so that none is ever lost. */
#ifndef LK_SIM_BASE_DEV_EVENT_H
#define LK_SIM_BASE_DEV_EVENT_H

#include "sim/base/diag.h"
#include "sim/base/event.h"

#include <assert.h>

/*
 * Schedules an event of a device. The queue keeps the room that an event once had, so that after
 * dev_reserve_event() at the device's creation memory cannot run short.
 */
static inline void dev_schedule(struct ev_queue *events, struct event *event, cycle_t due)
{
    bool is_scheduled = ev_schedule(events, event, due);
    assert(is_scheduled);
    (void)is_scheduled;
}

static inline bool dev_reserve_event(struct ev_queue *events, struct event *event, struct diag *diag)
{
    if (!ev_schedule(events, event, EV_NEVER))
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", event->name);
    return true;
}

#endif
