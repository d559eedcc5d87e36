/* Circular doubly linked lists, the head being a node like any other (as Linux's list.h). */
#pragma once

#include "compiler.h"
#include "types.h"

struct list_head {
    struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)                                                                                 \
    {                                                                                                        \
        &(name), &(name)                                                                                     \
    }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *head)
{
    head->next = head;
    head->prev = head;
}

static inline void list_insert_between(struct list_head *node, struct list_head *prev, struct list_head *next)
{
    next->prev = node;
    node->next = next;
    node->prev = prev;
    prev->next = node;
}

/* Puts node first: the next to be taken. */
static inline void list_add(struct list_head *node, struct list_head *head)
{
    list_insert_between(node, head, head->next);
}

static inline void list_add_tail(struct list_head *node, struct list_head *head)
{
    list_insert_between(node, head->prev, head);
}

/* Takes node out and leaves it an empty list, so that taking it out twice does no harm. */
static inline void list_del_init(struct list_head *node)
{
    node->next->prev = node->prev;
    node->prev->next = node->next;
    INIT_LIST_HEAD(node);
}

static inline bool list_empty(const struct list_head *head)
{
    return head->next == head;
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_for_each_entry(pos, head, member)                                                               \
    for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head);                   \
         pos = list_entry(pos->member.next, __typeof__(*pos), member))
