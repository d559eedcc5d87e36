#include "tests/oracle/naive_prefetch.h"

#include <stdlib.h>

void naive_prefetch_init(struct naive_prefetch *prefetch)
{
    prefetch->pattern = calloc(prefetch->nr_entries + 1, sizeof *prefetch->pattern);
    if (!prefetch->pattern)
        abort();
}

void naive_prefetch_free(struct naive_prefetch *prefetch)
{
    free(prefetch->pattern);
}

static uint64_t page_of(const struct naive_prefetch *prefetch, int64_t line)
{
    return (uint64_t)line * prefetch->line_bytes / 4096;
}

static void ask(struct naive_prefetch *prefetch, int64_t line)
{
    prefetch->line[prefetch->nr_lines++] = (uint64_t)line;
}

/* `degree` lines, `step` apart, the first of them `distance` steps ahead; until one lies in another page. */
static void ask_ahead(struct naive_prefetch *prefetch, int64_t line, int64_t step)
{
    for (uint64_t i = 0; i < prefetch->degree; i++) {
        int64_t ahead = line + step * (int64_t)(prefetch->distance + i);
        if (ahead < 0 || page_of(prefetch, ahead) != page_of(prefetch, line))
            return;
        ask(prefetch, ahead);
    }
}

static void stride(struct naive_prefetch *prefetch, int64_t line, uint64_t ip)
{
    struct naive_pattern *entry = &prefetch->pattern[ip % prefetch->nr_entries];
    if (ip == 0)
        return;
    if (!entry->is_valid || entry->key != ip) {
        *entry = (struct naive_pattern){.is_valid = true, .key = ip, .last_line = line, .state = 'i'};
        return;
    }
    int64_t seen = line - entry->last_line;
    if (seen == 0)
        return;
    bool is_right = seen == entry->stride;
    entry->last_line = line;
    switch (entry->state) {
    case 'i':
        entry->state = is_right ? 's' : 't';
        entry->stride = seen;
        break;
    case 't':
        entry->state = is_right ? 's' : 'n';
        entry->stride = seen;
        break;
    case 's':
        entry->state = is_right ? 's' : 'i'; /* the stride stays */
        break;
    default:
        entry->state = is_right ? 't' : 'n';
        entry->stride = seen;
        break;
    }
    if (entry->state == 's')
        ask_ahead(prefetch, line, entry->stride);
}

/*
 * The page's tracker; or an empty one; or the one whose last event is the oldest. The last two are cleared.
 */
static struct naive_pattern *tracker(struct naive_prefetch *prefetch, uint64_t page)
{
    struct naive_pattern *oldest = prefetch->pattern;
    for (uint64_t i = 0; i < prefetch->nr_entries; i++) {
        if (prefetch->pattern[i].is_valid && prefetch->pattern[i].key == page)
            return &prefetch->pattern[i];
    }
    for (uint64_t i = 0; i < prefetch->nr_entries && oldest->is_valid; i++) {
        if (!prefetch->pattern[i].is_valid || prefetch->pattern[i].last_event < oldest->last_event)
            oldest = &prefetch->pattern[i];
    }
    *oldest = (struct naive_pattern){.key = page};
    return oldest;
}

static void stream(struct naive_prefetch *prefetch, int64_t line)
{
    struct naive_pattern *entry = tracker(prefetch, page_of(prefetch, line));
    entry->last_event = prefetch->events;
    if (!entry->is_valid) {
        entry->is_valid = true;
        entry->last_line = line;
        return;
    }
    if (line == entry->last_line)
        return;
    int64_t direction = line > entry->last_line ? 1 : -1;
    entry->last_line = line;
    if (direction != entry->direction) {
        entry->direction = direction;
        entry->furthest = line;
        return;
    }
    if (direction > 0 ? entry->furthest < line : entry->furthest > line)
        entry->furthest = line;
    for (uint64_t i = 0; i < prefetch->degree; i++) {
        int64_t next = entry->furthest + direction, ahead = direction > 0 ? next - line : line - next;
        if (next < 0 || page_of(prefetch, next) != page_of(prefetch, line) ||
            ahead > (int64_t)prefetch->distance)
            return;
        entry->furthest = next;
        ask(prefetch, next);
    }
}

void naive_prefetch_event(struct naive_prefetch *prefetch, uint64_t line, uint64_t ip)
{
    prefetch->nr_lines = 0;
    prefetch->events++;
    if (prefetch->kind == NAIVE_PREFETCH_NEXT_LINE)
        ask_ahead(prefetch, (int64_t)line, 1);
    else if (prefetch->kind == NAIVE_PREFETCH_STRIDE)
        stride(prefetch, (int64_t)line, ip);
    else if (prefetch->kind == NAIVE_PREFETCH_STREAM)
        stream(prefetch, (int64_t)line);
}
