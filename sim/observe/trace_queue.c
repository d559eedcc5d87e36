#include "sim/observe/trace_queue.h"

#include <stdlib.h>

static bool comes_before(const struct trace_event *a, const struct trace_event *b)
{
    return a->cycle != b->cycle ? a->cycle < b->cycle : a->order < b->order;
}

static void swap(struct trace_event *a, struct trace_event *b)
{
    struct trace_event c = *a;
    *a = *b;
    *b = c;
}

bool trace_queue_add(struct trace_queue *queue, struct trace_event event)
{
    if (queue->nr_events == queue->room) {
        size_t room = queue->room ? queue->room * 2 : 64;
        struct trace_event *larger = realloc(queue->event, room * sizeof *larger);
        if (!larger)
            return false;
        queue->event = larger;
        queue->room = room;
    }
    event.order = queue->nr_added++;
    size_t at = queue->nr_events++;
    queue->event[at] = event;
    for (; at > 0 && comes_before(&queue->event[at], &queue->event[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&queue->event[at], &queue->event[(at - 1) / 2]);
    return true;
}

bool trace_queue_take(struct trace_queue *queue, cycle_t before, struct trace_event *event)
{
    if (queue->nr_events == 0 || queue->event[0].cycle >= before)
        return false;
    *event = queue->event[0];
    queue->event[0] = queue->event[--queue->nr_events];
    for (size_t at = 0;;) {
        size_t first = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < queue->nr_events; child++)
            if (comes_before(&queue->event[child], &queue->event[first]))
                first = child;
        if (first == at)
            return true;
        swap(&queue->event[at], &queue->event[first]);
        at = first;
    }
}

void trace_queue_fini(struct trace_queue *queue)
{
    free(queue->event);
    *queue = (struct trace_queue){0};
}
