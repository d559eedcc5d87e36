#include "sim/observe/view_history.h"

#include "sim/observe/view_model.h"

#include <assert.h>

void view_history_init(struct view_history *history)
{
    *history = (struct view_history){.distance_cycles = VIEW_HISTORY_FIRST_CYCLES};
}

/* Of two neighbours the later one stays: samples are totals, so it holds what the earlier one held. */
static void halve(struct view_history *history)
{
    for (unsigned i = 0; i < VIEW_HISTORY_SAMPLES / 2; i++)
        history->sample[i] = history->sample[2 * i + 1];
    history->nr_samples = VIEW_HISTORY_SAMPLES / 2;
    history->distance_cycles *= 2;
}

void view_history_add(struct view_history *history, const struct view_sample *sample)
{
    assert(!history->nr_samples || sample->cycle > history->sample[history->nr_samples - 1].cycle);
    if (history->nr_samples == VIEW_HISTORY_SAMPLES)
        halve(history);
    history->sample[history->nr_samples++] = *sample;
    history->next = (sample->cycle / history->distance_cycles + 1) * history->distance_cycles;
}

void view_history_update(struct view_history *history, const struct view_source *source)
{
    if (!source->cpu || cpu_now(source->cpu) < history->next)
        return;
    cpu_settle(source->cpu);
    struct view_sample sample = {
        .cycle = cpu_now(source->cpu),
        .instructions = cpu_stats(source->cpu)->instructions,
    };
    cpu_cpi_stack(source->cpu, sample.cpi_stack);
    struct guest_kernel storage;
    struct view_zone zone[GUEST_MAX_ZONES];
    unsigned nr_zones = view_collect_zones(zone, source->ram, view_kernel(&storage, source));
    for (unsigned i = 0; i < nr_zones; i++)
        sample.free_pages += zone[i].guest.free_pages;
    sample.has_free_pages = nr_zones > 0;
    view_history_add(history, &sample);
}

void view_history_mark(struct view_history *history, cycle_t cycle, const char *text)
{
    if (history->nr_marks == VIEW_HISTORY_MARKS)
        return;
    struct view_mark *mark = &history->mark[history->nr_marks++];
    mark->cycle = cycle;
    /* Plain characters only: it is a stranger's text. */
    size_t length = 0;
    for (; text[length] && length + 1 < sizeof mark->text; length++)
        mark->text[length] = text[length] >= ' ' && text[length] < 0x7f ? text[length] : '?';
    mark->text[length] = 0;
}
