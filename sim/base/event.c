#include "sim/base/event.h"

#include "sim/base/snap.h"

#include <assert.h>
#include <stdlib.h>

struct ev_queue {
    struct event **heap; /* heap[1] is the earliest; heap[0] is unused, so that a parent is index / 2 */
    size_t nr_events, capacity;
    uint64_t next_order;
    cycle_t now;
};

struct ev_queue *ev_queue_create(void)
{
    return calloc(1, sizeof(struct ev_queue));
}

void ev_queue_destroy(struct ev_queue *queue)
{
    if (!queue)
        return;
    free(queue->heap);
    free(queue);
}

static bool is_before(const struct event *a, const struct event *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void place(struct ev_queue *queue, struct event *event, size_t index)
{
    queue->heap[index] = event;
    event->heap_index = index;
}

static void sift_up(struct ev_queue *queue, struct event *event, size_t index)
{
    while (index > 1 && is_before(event, queue->heap[index / 2])) {
        place(queue, queue->heap[index / 2], index);
        index /= 2;
    }
    place(queue, event, index);
}

static void sift_down(struct ev_queue *queue, struct event *event, size_t index)
{
    for (;;) {
        size_t child = index * 2;
        if (child > queue->nr_events)
            break;
        if (child < queue->nr_events && is_before(queue->heap[child + 1], queue->heap[child]))
            child++;
        if (!is_before(queue->heap[child], event))
            break;
        place(queue, queue->heap[child], index);
        index = child;
    }
    place(queue, event, index);
}

static bool grow(struct ev_queue *queue)
{
    size_t capacity = queue->capacity ? queue->capacity * 2 : 32;
    struct event **heap = realloc(queue->heap, capacity * sizeof(struct event *));
    if (!heap)
        return false;
    queue->heap = heap;
    queue->capacity = capacity;
    return true;
}

bool ev_schedule(struct ev_queue *queue, struct event *event, cycle_t due)
{
    assert(event->handler);
    if (queue->nr_events + 1 >= queue->capacity && !grow(queue))
        return false;
    ev_cancel(queue, event);
    event->due = due;
    event->order = queue->next_order++;
    queue->nr_events++;
    sift_up(queue, event, queue->nr_events);
    return true;
}

bool ev_reschedule(struct ev_queue *queue, struct event *event)
{
    uint64_t order = event->order, next_order = queue->next_order;
    bool is_good = ev_schedule(queue, event, event->due);
    queue->next_order = next_order;
    if (!is_good)
        return false;
    ev_cancel(queue, event); /* its place is another with its own order */
    event->order = order;
    queue->nr_events++;
    sift_up(queue, event, queue->nr_events);
    return true;
}

void ev_queue_snap(struct ev_queue *queue, struct snap *snap)
{
    SNAP_OPEN(snap, queue);
    SNAP(snap, queue->next_order);
    SNAP(snap, queue->now);
    SNAP_SKIP(snap, queue->heap); /* follows from the events */
    SNAP_SKIP(snap, queue->nr_events);
    SNAP_SKIP(snap, queue->capacity);
    SNAP_CLOSE(snap, queue);
}

void ev_cancel(struct ev_queue *queue, struct event *event)
{
    size_t index = event->heap_index;
    if (index == 0)
        return;
    assert(index <= queue->nr_events && queue->heap[index] == event);
    event->heap_index = 0;
    struct event *last = queue->heap[queue->nr_events--];
    if (last == event)
        return;
    if (index > 1 && is_before(last, queue->heap[index / 2]))
        sift_up(queue, last, index);
    else
        sift_down(queue, last, index);
}

cycle_t ev_next(const struct ev_queue *queue)
{
    return queue->nr_events ? queue->heap[1]->due : EV_NEVER;
}

void ev_run(struct ev_queue *queue, cycle_t now)
{
    while (queue->nr_events && queue->heap[1]->due <= now) {
        struct event *event = queue->heap[1];
        ev_cancel(queue, event);
        if (queue->now < event->due)
            queue->now = event->due;
        event->handler(event->opaque, event->due);
    }
    queue->now = now;
}

cycle_t ev_now(const struct ev_queue *queue)
{
    return queue->now;
}

void ev_set_now(struct ev_queue *queue, cycle_t now)
{
    queue->now = now;
}
