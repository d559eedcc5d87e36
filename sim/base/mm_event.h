/* What a guest's memory management says of itself by marker 12h (docs/markers.md), as numbers and as text. */
#ifndef LK_SIM_BASE_MM_EVENT_H
#define LK_SIM_BASE_MM_EVENT_H

#include "sim/base/addr.h"

#include <stdbool.h>
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

/* An event of that kind from its text, as far as that says its words. False: the text is not of the kind. */
bool mm_event_parse(struct mm_event *event, uint32_t kind, const char *text);

/* How an event stands to others. */
enum mm_event_role {
    MM_EVENT_ALONE,
    MM_EVENT_BEGINS, /* something that an event of the next kind ends: of the same EDX, if has_owner */
    MM_EVENT_ENDS,
    MM_EVENT_COUNTS, /* EDX is how many pages of a zone are free now */
};
struct mm_event_sort {
    enum mm_event_role role;
    const char *name; /* of what begins and ends: "kswapd" */
    bool has_owner;   /* EDX is a pid */
};
struct mm_event_sort mm_event_sort_of(uint32_t kind);

#endif
