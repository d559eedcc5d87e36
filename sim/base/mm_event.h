/* What a guest's memory management says of itself by marker 12h (docs/markers.md), as numbers and as text. */
#ifndef LK_SIM_BASE_MM_EVENT_H
#define LK_SIM_BASE_MM_EVENT_H

#include "sim/base/addr.h"

#include <stddef.h>
#include <stdint.h>

enum mm_event_kind {
#define MM_EVENT(number, name, text) MM_EVENT_##name = (number),
#include "sim/base/mm_event.def"
#undef MM_EVENT
    NR_MM_EVENTS /* one above the last */
};

enum { MM_EVENT_TEXT_CHARS = 64 };

struct mm_event {
    uint32_t kind; /* enum mm_event_kind, or anything: it is the guest's */
    uint32_t edx, ecx;
    cycle_t cycle;
};

/* The low byte of ECX (an order, a watermark), and the byte above it (a zone), where the kind has them. */
static inline unsigned mm_event_low(const struct mm_event *event)
{
    return event->ecx & 0xff;
}
static inline unsigned mm_event_zone(const struct mm_event *event)
{
    return event->ecx >> 8 & 0xff;
}

/* Such as "kswapd wakes: zone 1, order 0"; a kind that is unknown is said as numbers. */
void mm_event_describe(const struct mm_event *event, char text[MM_EVENT_TEXT_CHARS]);

#endif
