/* Wait queues. */
#include "wait.h"
#include "asm/irqflags.h"
#include "sched.h"

static bool wake_up_waiter(struct wait_queue_entry *entry)
{
    return wake_up_state(entry->private, TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE);
}

void init_waitqueue_func_entry(struct wait_queue_entry *entry, wait_queue_func_t func, void *private)
{
    *entry = (struct wait_queue_entry){.func = func, .private = private};
    INIT_LIST_HEAD(&entry->entry);
}

void init_wait(struct wait_queue_entry *entry)
{
    init_waitqueue_func_entry(entry, wake_up_waiter, current);
}

/* Exclusive waiters stand behind the others, so that wake_up() may stop at the first that it has woken. */
static void enqueue(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
    if (!list_empty(&entry->entry))
        return;
    if (entry->is_exclusive)
        list_add_tail(&entry->entry, &queue->head);
    else
        list_add(&entry->entry, &queue->head);
}

void add_wait_queue(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
    unsigned long flags = local_irq_save();
    enqueue(queue, entry);
    local_irq_restore(flags);
}

void remove_wait_queue(struct wait_queue_entry *entry)
{
    unsigned long flags = local_irq_save();
    list_del_init(&entry->entry);
    local_irq_restore(flags);
}

void prepare_to_wait(struct wait_queue_head *queue, struct wait_queue_entry *entry, u32 state)
{
    unsigned long flags = local_irq_save();
    enqueue(queue, entry);
    set_current_state(state);
    local_irq_restore(flags);
}

void prepare_to_wait_exclusive(struct wait_queue_head *queue, struct wait_queue_entry *entry, u32 state)
{
    entry->is_exclusive = true;
    prepare_to_wait(queue, entry, state);
}

void finish_wait(struct wait_queue_entry *entry)
{
    set_current_state(TASK_RUNNING);
    remove_wait_queue(entry);
}

static void wake_up_common(struct wait_queue_head *queue, u32 nr_exclusive)
{
    unsigned long flags = local_irq_save();
    struct list_head *at = queue->head.next;
    while (at != &queue->head) {
        struct wait_queue_entry *entry = list_entry(at, struct wait_queue_entry, entry);
        at = at->next; /* func may take the entry off */
        if (entry->func(entry) && entry->is_exclusive && --nr_exclusive == 0)
            break;
    }
    local_irq_restore(flags);
}

void wake_up(struct wait_queue_head *queue)
{
    wake_up_common(queue, 1);
}

void wake_up_all(struct wait_queue_head *queue)
{
    wake_up_common(queue, ~0u);
}
