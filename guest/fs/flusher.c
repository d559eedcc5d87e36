/* The thread that writes dirty pages back (include/writeback.h). */
#include "errno.h"
#include "jiffies.h"
#include "kthread.h"
#include "pagemap.h"
#include "sched.h"
#include "writeback.h"

static struct task_struct *flusher;
static DECLARE_WAIT_QUEUE_HEAD(flusher_wait);
/* There is something to do or to look at. */
static bool is_called;
static unsigned long nr_pages_wanted;

void wakeup_flusher_threads(unsigned long nr_pages)
{
    nr_pages_wanted = max(nr_pages_wanted, nr_pages);
    is_called = true;
    wake_up(&flusher_wait);
}

void flusher_settings_changed(void)
{
    is_called = true;
    wake_up(&flusher_wait);
}

bool flusher_is_running(void)
{
    return flusher != NULL;
}

static unsigned long ticks_of(unsigned long centisecs)
{
    return centisecs * HZ / 100;
}

/* So many pages, whatever their age. */
static void write_wanted(void)
{
    struct writeback_control wbc = WRITE_ALL(WB_SYNC_NONE);
    wbc.nr_to_write = nr_pages_wanted;
    nr_pages_wanted = 0;
    if (wbc.nr_to_write)
        writeback_inodes(&wbc, jiffies);
}

/* Files that have waited long enough. */
static void write_expired(void)
{
    struct writeback_control wbc = WRITE_ALL(WB_SYNC_NONE);
    writeback_inodes(&wbc, jiffies - ticks_of(dirty_expire_interval));
}

/* Until no more are dirty than may be. */
static void write_background(void)
{
    while (over_bground_thresh()) {
        struct writeback_control wbc = WRITE_ALL(WB_SYNC_NONE);
        wbc.for_background = true;
        if (writeback_inodes(&wbc, jiffies) == 0)
            break;
    }
}

/* Sleeps until somebody calls, or until it is time to look for old files: then true. */
static bool wait_for_work(unsigned long last_look)
{
    const unsigned long interval = ticks_of(dirty_writeback_interval);
    if (interval == 0) {
        wait_event_interruptible(flusher_wait, is_called || kthread_should_stop());
        return false;
    }
    long left = (long)(last_look + interval - jiffies);
    if (left > 0)
        (void)wait_event_interruptible_timeout(flusher_wait, is_called || kthread_should_stop(), left);
    return time_after_eq(jiffies, last_look + interval);
}

static int flusher_main(void *unused)
{
    unsigned long last_look = jiffies;
    (void)unused;
    while (!kthread_should_stop()) {
        bool is_time = wait_for_work(last_look);
        is_called = false;
        write_wanted();
        if (is_time) {
            last_look = jiffies;
            write_expired();
        }
        write_background();
    }
    return 0;
}

int flusher_start(void)
{
    if (flusher == NULL)
        flusher = kthread_run(flusher_main, NULL, "flusher");
    return flusher ? 0 : -ENOMEM;
}

void flusher_stop(void)
{
    struct task_struct *task = flusher;
    flusher = NULL;
    if (task)
        kthread_stop(task);
}
