#include "mutex.h"
#include "bug.h"
#include "sched.h"

struct mutex_waiter {
    struct list_head list;
    struct task_struct *task;
};

/* Not inlined: that the waiter leaves the list before its stack goes is nothing that a compiler can see. */
static __attribute__((noinline)) void wait_for_lock(struct mutex *lock, struct mutex_waiter *waiter)
{
    list_add_tail(&waiter->list, &lock->waiters);
    while (lock->owner != current) {
        current->state = TASK_UNINTERRUPTIBLE;
        schedule();
    }
    list_del_init(&waiter->list);
}

void mutex_lock(struct mutex *lock)
{
    BUG_ON(lock->owner == current);
    struct mutex_waiter waiter = {.task = current};
    if (lock->owner == NULL)
        lock->owner = current;
    else
        wait_for_lock(lock, &waiter);
}

void mutex_unlock(struct mutex *lock)
{
    BUG_ON(lock->owner != current);
    lock->owner = NULL;
    if (list_empty(&lock->waiters))
        return;
    struct mutex_waiter *waiter = list_first_entry(&lock->waiters, struct mutex_waiter, list);
    lock->owner = waiter->task;
    wake_up_process(waiter->task);
}
