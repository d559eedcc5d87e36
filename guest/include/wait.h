/*
 * Wait queues: tasks that sleep until something happens, and the way to wake them. A waiter puts itself on
 * the queue and changes its state before it looks at the condition, so that no wake-up can come in between.
 */
#pragma once

#include "errno.h"
#include "list.h"
#include "types.h"

struct task_struct;
struct wait_queue_entry;

/* Called for each waiter; returns whether it was woken. */
typedef bool (*wait_queue_func_t)(struct wait_queue_entry *entry);

struct wait_queue_entry {
    struct list_head entry;
    wait_queue_func_t func;
    void *private;     /* the task, unless func knows better */
    bool is_exclusive; /* of these, wake_up() wakes one */
};

struct wait_queue_head {
    struct list_head head;
};
typedef struct wait_queue_head wait_queue_head_t;

#define WAIT_QUEUE_HEAD_INIT(name)                                                                           \
    {                                                                                                        \
        .head = LIST_HEAD_INIT((name).head)                                                                  \
    }
#define DECLARE_WAIT_QUEUE_HEAD(name) struct wait_queue_head name = WAIT_QUEUE_HEAD_INIT(name)

static inline void init_waitqueue_head(struct wait_queue_head *queue)
{
    INIT_LIST_HEAD(&queue->head);
}

static inline bool waitqueue_active(const struct wait_queue_head *queue)
{
    return !list_empty(&queue->head);
}

/* An entry that wakes the current task. */
void init_wait(struct wait_queue_entry *entry);
/* One that calls func instead; for poll(). */
void init_waitqueue_func_entry(struct wait_queue_entry *entry, wait_queue_func_t func, void *private);
void add_wait_queue(struct wait_queue_head *queue, struct wait_queue_entry *entry);
void remove_wait_queue(struct wait_queue_entry *entry);
/* On the queue (if it is not), and asleep in the given state as soon as it calls schedule(). */
void prepare_to_wait(struct wait_queue_head *queue, struct wait_queue_entry *entry, u32 state);
void prepare_to_wait_exclusive(struct wait_queue_head *queue, struct wait_queue_entry *entry, u32 state);
/* Awake again, and off the queue. */
void finish_wait(struct wait_queue_entry *entry);

/* Wakes every waiter, but of the exclusive ones only one; wake_up_all(): all. From any context. */
void wake_up(struct wait_queue_head *queue);
void wake_up_all(struct wait_queue_head *queue);
#define wake_up_interruptible(queue) wake_up(queue)

#define ___wait_event(queue, condition, task_state, on_signal, sleep)                                        \
    ({                                                                                                       \
        struct wait_queue_entry wait_entry;                                                                  \
        long wait_result = 0;                                                                                \
        init_wait(&wait_entry);                                                                              \
        for (;;) {                                                                                           \
            prepare_to_wait(queue, &wait_entry, task_state);                                                 \
            if (condition)                                                                                   \
                break;                                                                                       \
            if ((task_state) == TASK_INTERRUPTIBLE && signal_pending(current)) {                             \
                wait_result = (on_signal);                                                                   \
                break;                                                                                       \
            }                                                                                                \
            sleep;                                                                                           \
        }                                                                                                    \
        finish_wait(&wait_entry);                                                                            \
        wait_result;                                                                                         \
    })

/* Sleeps until the condition is true; it is looked at before the first sleep and after each wake-up. */
#define wait_event(queue, condition)                                                                         \
    (void)___wait_event(&(queue), condition, TASK_UNINTERRUPTIBLE, 0, schedule())
/* The same; -ERESTARTSYS if a signal came first. */
#define wait_event_interruptible(queue, condition)                                                           \
    (int)___wait_event(&(queue), condition, TASK_INTERRUPTIBLE, -ERESTARTSYS, schedule())
/*
 * For so many ticks at most. Both return what is left of them, at least 1 if the condition is true, and 0 if
 * it still is not; the second -ERESTARTSYS if a signal came first.
 */
#define ___wait_event_timeout(queue, condition, ticks, task_state)                                           \
    ({                                                                                                       \
        long wait_left = (long)(ticks);                                                                      \
        bool wait_is_true = false;                                                                           \
        long wait_broken = ___wait_event(&(queue), (wait_is_true = (condition)) || wait_left == 0,           \
                                         task_state, -ERESTARTSYS, wait_left = schedule_timeout(wait_left)); \
        wait_broken ? wait_broken : wait_is_true &&wait_left == 0 ? 1 : wait_left;                           \
    })
#define wait_event_timeout(queue, condition, ticks)                                                          \
    ___wait_event_timeout(queue, condition, ticks, TASK_UNINTERRUPTIBLE)
#define wait_event_interruptible_timeout(queue, condition, ticks)                                            \
    ___wait_event_timeout(queue, condition, ticks, TASK_INTERRUPTIBLE)
