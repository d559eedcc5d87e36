/* What the time line of memory management says about labs of memory pressure. */
#include "sim/lab_checks.h"

#include <inttypes.h>

/* A count of free pages is told when it has changed by so much (docs/markers.md). */
enum { TOLD_PAGES = 32 };
enum { MARK_MIN, MARK_LOW, MARK_HIGH };

/* What is known of the zones after so many events. */
struct zones {
    uint32_t free[TIMELINE_MAX_ZONES], mark[TIMELINE_MAX_ZONES][TIMELINE_NR_MARKS];
    bool is_there[TIMELINE_MAX_ZONES];
};

static void learn(struct zones *zones, const struct mm_event *event)
{
    unsigned zone = mm_event_zone(event), mark = mm_event_low(event);
    if (zone >= TIMELINE_MAX_ZONES)
        return;
    if (event->kind == MM_EVENT_WATERMARK && mark < TIMELINE_NR_MARKS) {
        zones->mark[zone][mark] = event->edx;
        zones->is_there[zone] = true;
    } else if (event->kind == MM_EVENT_FREE_PAGES || event->kind == MM_EVENT_BELOW_WATERMARK ||
               event->kind == MM_EVENT_ABOVE_WATERMARK) {
        zones->free[zone] = event->edx;
    }
}

static bool is_near_or_below(const struct zones *zones, unsigned zone, unsigned mark)
{
    return zone < TIMELINE_MAX_ZONES && zones->free[zone] <= zones->mark[zone][mark] + TOLD_PAGES;
}

static bool all_are_near_or_above(const struct zones *zones, unsigned mark)
{
    for (unsigned i = 0; i < TIMELINE_MAX_ZONES; i++)
        if (zones->is_there[i] && zones->free[i] + TOLD_PAGES < zones->mark[i][mark])
            return false;
    return true;
}

static bool any_is_near_or_below(const struct zones *zones, unsigned mark)
{
    for (unsigned i = 0; i < TIMELINE_MAX_ZONES; i++)
        if (zones->is_there[i] && is_near_or_below(zones, i, mark))
            return true;
    return false;
}

/* What happened in a phase. */
struct seen {
    unsigned nr_wakes, nr_early_wakes, nr_sleeps, nr_low_sleeps, nr_stalls, nr_early_stalls;
    uint64_t stalled_cycles;
    bool is_there;
};

static struct seen look_at_phase(const struct lab_timeline *timeline, const char *name)
{
    const struct timeline_phase *phase = timeline_phase(timeline, name);
    struct seen seen = {.is_there = phase != NULL};
    struct zones zones = {.free = {0}};
    cycle_t since = 0;
    for (size_t i = 0; phase && i < timeline->nr && timeline->event[i].cycle <= phase->end; i++) {
        const struct mm_event *event = &timeline->event[i];
        learn(&zones, event);
        if (event->cycle < phase->begin)
            continue;
        if (event->kind == MM_EVENT_KSWAPD_WAKE) {
            seen.nr_wakes++;
            seen.nr_early_wakes += !is_near_or_below(&zones, mm_event_zone(event), MARK_LOW);
        } else if (event->kind == MM_EVENT_KSWAPD_SLEEP) {
            seen.nr_sleeps++;
            seen.nr_low_sleeps += !all_are_near_or_above(&zones, MARK_HIGH);
        } else if (event->kind == MM_EVENT_DIRECT_RECLAIM_BEGIN) {
            seen.nr_stalls++;
            seen.nr_early_stalls += !any_is_near_or_below(&zones, MARK_MIN);
            since = event->cycle;
        } else if (event->kind == MM_EVENT_DIRECT_RECLAIM_END && since) {
            seen.stalled_cycles += event->cycle - since;
            since = 0;
        }
    }
    return seen;
}

/* guest/labs/watermarks.c names its phases so. */
void lab_check_watermarks(struct lab_result *result)
{
    const struct lab_timeline *timeline = &result->outcomes[0].timeline;
    struct seen calm = look_at_phase(timeline, "a reader that gives way"),
                hasty = look_at_phase(timeline, "a reader that does not");
    lab_claim(result, calm.nr_wakes > 1 && calm.nr_early_wakes == 0,
              "time line: kswapd wakes %u times, each time with the zone at low or below it", calm.nr_wakes);
    lab_claim(result, calm.nr_sleeps > 0 && calm.nr_low_sleeps == 0,
              "time line: it goes to sleep %u times, each time with all zones at high or above it",
              calm.nr_sleeps);
    lab_claim(result, calm.is_there && calm.nr_stalls == 0 && calm.stalled_cycles == 0,
              "time line: who reads meanwhile is never stopped for memory");
    lab_claim(
        result, hasty.nr_stalls > 0 && hasty.nr_early_stalls == 0 && hasty.stalled_cycles > 0,
        "time line: who gives kswapd no time is, %u times, each time with a zone at min or below it: %" PRIu64
        " cycles in all",
        hasty.nr_stalls, hasty.stalled_cycles);
}
