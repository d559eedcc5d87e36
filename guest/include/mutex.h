/* A lock whose waiters sleep, whatever signals come, and get it in the order in which they came. */
#pragma once

#include "list.h"

struct task_struct;

struct mutex {
    struct task_struct *owner; /* NULL: free */
    struct list_head waiters;
};

#define DEFINE_MUTEX(name) struct mutex name = {.waiters = LIST_HEAD_INIT(name.waiters)}

static inline void mutex_init(struct mutex *lock)
{
    lock->owner = NULL;
    INIT_LIST_HEAD(&lock->waiters);
}

static inline bool mutex_is_locked(const struct mutex *lock)
{
    return lock->owner != NULL;
}

void mutex_lock(struct mutex *lock);
/* Hands it to who has waited the longest. */
void mutex_unlock(struct mutex *lock);
