/* Timers, in a tree by the tick at which they are due. */
#include "timer.h"
#include "asm/irqflags.h"
#include "jiffies.h"

static struct rb_root timers;

static struct timer_list *timer_of(struct rb_node *node)
{
    return rb_entry(node, struct timer_list, node);
}

static void enqueue_timer(struct timer_list *timer)
{
    struct rb_node **link = &timers.rb_node, *parent = NULL;
    while (*link) {
        parent = *link;
        /* Those of one tick run in the order in which they were started. */
        bool is_later = time_after_eq(timer->expires, timer_of(parent)->expires);
        link = &parent->child[is_later ? RB_RIGHT : RB_LEFT];
    }
    rb_link_node(&timer->node, parent, link);
    rb_insert_color(&timer->node, &timers);
    timer->is_pending = true;
}

bool del_timer(struct timer_list *timer)
{
    unsigned long flags = local_irq_save();
    bool was_pending = timer->is_pending;
    if (was_pending)
        rb_erase(&timer->node, &timers);
    timer->is_pending = false;
    local_irq_restore(flags);
    return was_pending;
}

void mod_timer(struct timer_list *timer, unsigned long expires)
{
    unsigned long flags = local_irq_save();
    del_timer(timer);
    timer->expires = expires;
    enqueue_timer(timer);
    local_irq_restore(flags);
}

void run_timers(void)
{
    struct rb_node *first;
    while ((first = rb_first(&timers)) != NULL) {
        struct timer_list *timer = timer_of(first);
        if (!time_after_eq(jiffies, timer->expires))
            break;
        del_timer(timer);
        timer->function(timer);
    }
}
