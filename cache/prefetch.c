#include "cache/prefetch.h"

#include "sim/base/addr.h"
#include "sim/base/snap.h"

#include <stdlib.h>

/*
 * An instruction's accesses (T.-F. Chen and J.-L. Baer, "Effective hardware-based data prefetching for
 * high-performance processors", IEEE Transactions on Computers 44(5), 1995, figure 3), with lines for
 * addresses.
 */
enum stride_state { STRIDE_INITIAL, STRIDE_TRANSIENT, STRIDE_STEADY, STRIDE_NO_PREDICTION };

struct stride_entry {
    uint64_t ip; /* 0: empty */
    uint64_t last;
    int64_t stride;
    enum stride_state state;
};

/*
 * The accesses to a page. One that goes up or down it is a stream (N. P. Jouppi, "Improving direct-mapped
 * cache performance ...", ISCA 1990; J. M. Tendler et al., "POWER4 system microarchitecture", IBM Journal of
 * Research and Development 46(1), 2002; a tracker a page: Intel 64 and IA-32 Architectures Optimization
 * Reference Manual, "Data Prefetch to the L2 Cache"). What it brings in goes into the cache.
 */
struct stream_entry {
    uint64_t page;
    uint64_t last_event; /* by number; 0: empty */
    uint64_t last;
    uint64_t furthest; /* line that was asked for */
    int64_t direction; /* 1, -1; 0: not known yet */
};

struct prefetcher {
    struct prefetch_params params;
    uint64_t lines_per_page;
    uint64_t nr_events;
    struct stride_entry *stride;
    struct stream_entry *stream;
};

struct prefetcher *prefetcher_create(const struct prefetch_params *params)
{
    struct prefetcher *prefetcher = calloc(1, sizeof *prefetcher);
    if (!prefetcher)
        return NULL;
    prefetcher->params = *params;
    prefetcher->lines_per_page = PAGE_BYTES / params->line_bytes;
    if (params->kind == PREFETCH_STRIDE)
        prefetcher->stride = calloc(params->nr_entries, sizeof *prefetcher->stride);
    if (params->kind == PREFETCH_STREAM)
        prefetcher->stream = calloc(params->nr_entries, sizeof *prefetcher->stream);
    if ((params->kind == PREFETCH_STRIDE && !prefetcher->stride) ||
        (params->kind == PREFETCH_STREAM && !prefetcher->stream)) {
        prefetcher_destroy(prefetcher);
        return NULL;
    }
    return prefetcher;
}

void prefetcher_destroy(struct prefetcher *prefetcher)
{
    if (!prefetcher)
        return;
    free(prefetcher->stride);
    free(prefetcher->stream);
    free(prefetcher);
}

static bool is_same_page(const struct prefetcher *prefetcher, uint64_t a, uint64_t b)
{
    return ((a ^ b) & ~(prefetcher->lines_per_page - 1)) == 0;
}

/* Asks for `degree` lines: `distance` steps from `line` on. What lies in another page is left out. */
static void ask_ahead(const struct prefetcher *prefetcher, uint64_t line, int64_t step,
                      struct prefetch_list *list)
{
    uint64_t at = line + (uint64_t)step * prefetcher->params.distance;
    for (uint64_t i = 0; i < prefetcher->params.degree && is_same_page(prefetcher, at, line); i++) {
        list->line[list->nr_lines++] = at;
        at += (uint64_t)step;
    }
}

static void train_stride(struct prefetcher *prefetcher, const struct prefetch_event *event,
                         struct prefetch_list *list)
{
    struct stride_entry *entry = &prefetcher->stride[event->ip % prefetcher->params.nr_entries];
    if (event->ip == 0)
        return;
    if (entry->ip != event->ip) {
        *entry = (struct stride_entry){.ip = event->ip, .last = event->line, .state = STRIDE_INITIAL};
        return;
    }
    if (event->line == entry->last)
        return;
    static const enum stride_state if_right[] = {[STRIDE_INITIAL] = STRIDE_STEADY,
                                                 [STRIDE_TRANSIENT] = STRIDE_STEADY,
                                                 [STRIDE_STEADY] = STRIDE_STEADY,
                                                 [STRIDE_NO_PREDICTION] = STRIDE_TRANSIENT};
    static const enum stride_state if_wrong[] = {[STRIDE_INITIAL] = STRIDE_TRANSIENT,
                                                 [STRIDE_TRANSIENT] = STRIDE_NO_PREDICTION,
                                                 [STRIDE_STEADY] = STRIDE_INITIAL,
                                                 [STRIDE_NO_PREDICTION] = STRIDE_NO_PREDICTION};
    int64_t stride = (int64_t)(event->line - entry->last);
    if (stride == entry->stride) {
        entry->state = if_right[entry->state];
    } else {
        if (entry->state != STRIDE_STEADY)
            entry->stride = stride;
        entry->state = if_wrong[entry->state];
    }
    entry->last = event->line;
    if (entry->state == STRIDE_STEADY)
        ask_ahead(prefetcher, event->line, entry->stride, list);
}

/* The tracker of a page: its own, or an empty one, or the one with the oldest event. */
static struct stream_entry *find_stream(struct prefetcher *prefetcher, uint64_t page)
{
    struct stream_entry *oldest = prefetcher->stream;
    for (uint64_t i = 0; i < prefetcher->params.nr_entries; i++) {
        struct stream_entry *entry = &prefetcher->stream[i];
        if (entry->last_event && entry->page == page)
            return entry;
        if (entry->last_event < oldest->last_event)
            oldest = entry;
    }
    *oldest = (struct stream_entry){.page = page};
    return oldest;
}

static void train_stream(struct prefetcher *prefetcher, const struct prefetch_event *event,
                         struct prefetch_list *list)
{
    uint64_t line = event->line;
    struct stream_entry *entry = find_stream(prefetcher, line / prefetcher->lines_per_page);
    bool is_new = entry->last_event == 0;
    int64_t step = is_new || line == entry->last ? 0 : line > entry->last ? 1 : -1;
    entry->last_event = ++prefetcher->nr_events;
    entry->last = line;
    if (step == 0)
        return;
    if (step != entry->direction) {
        entry->direction = step;
        entry->furthest = line;
        return;
    }
    /* What was asked for before is not asked for again; an access that has overtaken it starts anew. */
    if ((int64_t)(line - entry->furthest) * step > 0)
        entry->furthest = line;
    for (uint64_t i = 0; i < prefetcher->params.degree; i++) {
        uint64_t next = entry->furthest + (uint64_t)step;
        if (!is_same_page(prefetcher, next, line) ||
            (next - line) * (uint64_t)step > prefetcher->params.distance)
            return;
        list->line[list->nr_lines++] = entry->furthest = next;
    }
}

void prefetcher_train(struct prefetcher *prefetcher, const struct prefetch_event *event,
                      struct prefetch_list *list)
{
    list->nr_lines = 0;
    switch (prefetcher->params.kind) {
    case PREFETCH_NONE:
        break;
    case PREFETCH_NEXT_LINE:
        /* Tagged: A. J. Smith, "Cache memories", ACM Computing Surveys 14(3), 1982, 2.1. */
        ask_ahead(prefetcher, event->line, 1, list);
        break;
    case PREFETCH_STRIDE:
        train_stride(prefetcher, event, list);
        break;
    case PREFETCH_STREAM:
        train_stream(prefetcher, event, list);
        break;
    }
}

static void stride_snap(struct stride_entry *entry, struct snap *snap)
{
    SNAP_OPEN(snap, entry);
    SNAP(snap, entry->ip);
    SNAP(snap, entry->last);
    SNAP(snap, entry->stride);
    SNAP_BELOW(snap, entry->state, STRIDE_NO_PREDICTION + 1);
    SNAP_CLOSE(snap, entry);
}

static void stream_snap(struct stream_entry *entry, struct snap *snap)
{
    SNAP_OPEN(snap, entry);
    SNAP(snap, entry->page);
    SNAP(snap, entry->last_event);
    SNAP(snap, entry->last);
    SNAP(snap, entry->furthest);
    SNAP(snap, entry->direction);
    SNAP_REQUIRE(snap, entry->direction >= -1 && entry->direction <= 1);
    SNAP_CLOSE(snap, entry);
}

void prefetcher_snap(struct prefetcher *prefetcher, struct snap *snap)
{
    SNAP_OPEN(snap, prefetcher);
    SNAP_SKIP(snap, prefetcher->params);
    SNAP_SKIP(snap, prefetcher->lines_per_page);
    SNAP(snap, prefetcher->nr_events);
    SNAP_SKIP(snap, prefetcher->stride); /* their own structs, below */
    SNAP_SKIP(snap, prefetcher->stream);
    SNAP_CLOSE(snap, prefetcher);
    for (uint64_t i = 0; prefetcher->stride && i < prefetcher->params.nr_entries; i++)
        stride_snap(&prefetcher->stride[i], snap);
    for (uint64_t i = 0; prefetcher->stream && i < prefetcher->params.nr_entries; i++)
        stream_snap(&prefetcher->stream[i], snap);
}
