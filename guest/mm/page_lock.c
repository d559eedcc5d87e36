/* Who works with a page of the page cache, and who waits for it (include/pagemap.h). */
#include "bug.h"
#include "delayacct.h"
#include "pagemap.h"
#include "sched.h"

struct page_waiter {
    struct list_head list;
    struct task_struct *task;
    const struct page *page;
};

static struct list_head page_waiters = LIST_HEAD_INIT(page_waiters);

bool trylock_page(struct page *page)
{
    if (PageLocked(page))
        return false;
    page->flags |= PG_locked;
    return true;
}

/* Not inlined: that the waiter leaves the list before its stack goes is nothing that a compiler can see. */
static __attribute__((noinline)) void wait_for_page(struct page *page, struct page_waiter *waiter)
{
    delayacct_blkio_start();
    list_add_tail(&waiter->list, &page_waiters);
    while (!trylock_page(page)) {
        current->state = TASK_UNINTERRUPTIBLE;
        schedule();
    }
    list_del_init(&waiter->list);
    delayacct_blkio_end();
}

void lock_page(struct page *page)
{
    if (trylock_page(page))
        return;
    struct page_waiter waiter = {.task = current, .page = page};
    wait_for_page(page, &waiter);
}

void unlock_page(struct page *page)
{
    BUG_ON(!PageLocked(page));
    page->flags &= ~PG_locked;
    struct page_waiter *waiter;
    list_for_each_entry(waiter, &page_waiters, list)
    {
        if (waiter->page == page)
            wake_up_process(waiter->task);
    }
}
