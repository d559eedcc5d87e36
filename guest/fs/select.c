/* poll(2) and select(2): sleeping until one of several files is ready. */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "poll.h"
#include "sched.h"
#include "slab.h"
#include "uaccess.h"

/* On one queue, for one file, which stays open while the task sleeps. */
struct poll_table_entry {
    struct wait_queue_entry wait;
    struct file *file;
};

#define ENTRIES_INLINE 8u
#define ENTRIES_PER_PIECE 64u

struct poll_piece {
    struct poll_piece *next;
    struct poll_table_entry entries[ENTRIES_PER_PIECE];
};

struct poll_wqueues {
    struct poll_table table;
    struct file *file; /* that is just being asked */
    struct task_struct *task;
    bool is_triggered; /* a queue was woken since it was looked at last */
    int error;         /* no memory for an entry */
    u32 nr_entries;    /* in the newest piece, or among those inline */
    struct poll_piece *pieces;
    struct poll_table_entry inline_entries[ENTRIES_INLINE];
};

static bool pollwake(struct wait_queue_entry *wait)
{
    struct poll_wqueues *pwq = wait->private;
    pwq->is_triggered = true;
    wake_up_process(pwq->task);
    return true;
}

static struct poll_table_entry *get_entry(struct poll_wqueues *pwq)
{
    if (pwq->pieces == NULL && pwq->nr_entries < ENTRIES_INLINE)
        return &pwq->inline_entries[pwq->nr_entries++];
    if (pwq->pieces == NULL || pwq->nr_entries == ENTRIES_PER_PIECE) {
        struct poll_piece *piece = kmalloc(sizeof(*piece), GFP_KERNEL);
        if (piece == NULL) {
            pwq->error = -ENOMEM;
            return NULL;
        }
        piece->next = pwq->pieces;
        pwq->pieces = piece;
        pwq->nr_entries = 0;
    }
    return &pwq->pieces->entries[pwq->nr_entries++];
}

static void queue_task(struct poll_table *table, struct wait_queue_head *wait_address)
{
    struct poll_wqueues *pwq = container_of(table, struct poll_wqueues, table);
    struct poll_table_entry *entry = get_entry(pwq);
    if (entry == NULL)
        return;
    entry->file = get_file(pwq->file);
    init_waitqueue_func_entry(&entry->wait, pollwake, pwq);
    add_wait_queue(wait_address, &entry->wait);
}

/* Set up in place: the entries point to it. */
static void poll_initwait(struct poll_wqueues *pwq)
{
    pwq->table.queue = queue_task;
    pwq->file = NULL;
    pwq->task = current;
    pwq->is_triggered = false;
    pwq->error = 0;
    pwq->nr_entries = 0;
    pwq->pieces = NULL;
}

static void free_entries(struct poll_table_entry *entries, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        remove_wait_queue(&entries[i].wait);
        fput(entries[i].file);
    }
}

static void poll_freewait(struct poll_wqueues *pwq)
{
    u32 count = pwq->nr_entries;
    while (pwq->pieces) {
        struct poll_piece *piece = pwq->pieces;
        free_entries(piece->entries, count);
        pwq->pieces = piece->next;
        kfree(piece);
        count = pwq->pieces ? ENTRIES_PER_PIECE : ENTRIES_INLINE;
    }
    free_entries(pwq->inline_entries, count);
}

u32 vfs_poll(struct file *file, struct poll_table *table)
{
    return file->f_op->poll ? file->f_op->poll(file, table) : DEFAULT_POLLMASK;
}

/* What holds of a file of the current task's; POLLNVAL: there is none. */
static u32 poll_fd(struct poll_wqueues *pwq, u32 fd)
{
    struct file *file = fget(fd);
    if (file == NULL)
        return POLLNVAL;
    pwq->file = file;
    u32 mask = vfs_poll(file, &pwq->table);
    fput(file);
    return mask;
}

/* Looks at all; returns how many are ready. Queues are joined the first time only. */
typedef u32 (*poll_all_t)(struct poll_wqueues *pwq, void *arg);

static long poll_until(poll_all_t poll_all, void *arg, long ticks)
{
    struct poll_wqueues pwq;
    poll_initwait(&pwq);
    long result;
    if (ticks == 0)
        pwq.table.queue = NULL;
    for (;;) {
        result = (long)poll_all(&pwq, arg);
        pwq.table.queue = NULL;
        if (result || ticks == 0)
            break;
        if (pwq.error || signal_pending(current)) {
            result = pwq.error ? pwq.error : -EINTR;
            break;
        }
        current->state = TASK_INTERRUPTIBLE;
        if (pwq.is_triggered)
            current->state = TASK_RUNNING;
        else if (ticks < 0)
            schedule();
        else
            ticks = schedule_timeout(ticks);
        pwq.is_triggered = false;
    }
    poll_freewait(&pwq);
    return result;
}

struct poll_request {
    struct pollfd *fds;
    u32 count;
};

static u32 poll_fds(struct poll_wqueues *pwq, void *arg)
{
    const struct poll_request *request = arg;
    u32 nr_ready = 0;
    for (u32 i = 0; i < request->count; i++) {
        struct pollfd *pollfd = &request->fds[i];
        u32 mask = pollfd->fd < 0 ? 0 : poll_fd(pwq, (u32)pollfd->fd);
        pollfd->revents = (u16)(mask & (pollfd->events | EPOLLERR | EPOLLHUP | POLLNVAL));
        nr_ready += pollfd->revents != 0;
    }
    return nr_ready;
}

long do_poll(struct pollfd __user *user_fds, u32 count, long ticks)
{
    if (count > NR_OPEN_MAX)
        return -EINVAL;
    size_t bytes = count * sizeof(struct pollfd);
    struct poll_request request = {.fds = kmalloc(max(bytes, (size_t)1), GFP_KERNEL), .count = count};
    if (request.fds == NULL)
        return -ENOMEM;
    long result = copy_from_user(request.fds, user_fds, bytes) ? -EFAULT : 0;
    if (result == 0)
        result = poll_until(poll_fds, &request, ticks);
    if (result >= 0 && copy_to_user(user_fds, request.fds, bytes))
        result = -EFAULT;
    kfree(request.fds);
    return result;
}

/* Sets of files: asked about and ready, for each of reading, writing and what is out of the ordinary. */
#define NR_SETS 3u

struct select_request {
    u32 count; /* numbers */
    bool has_bad_fd;
    u32 *asked[NR_SETS], *ready[NR_SETS];
};

static const u32 set_masks[NR_SETS] = {EPOLLIN | EPOLLRDNORM | EPOLLRDBAND | EPOLLHUP | EPOLLERR,
                                       EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND | EPOLLERR, EPOLLPRI};

static u32 select_fd(struct poll_wqueues *pwq, struct select_request *request, u32 fd)
{
    u32 word = fd / 32, bit = 1u << fd % 32, nr_ready = 0;
    if (!((request->asked[0][word] | request->asked[1][word] | request->asked[2][word]) & bit))
        return 0;
    u32 mask = poll_fd(pwq, fd);
    request->has_bad_fd |= mask == POLLNVAL;
    for (u32 set = 0; set < NR_SETS; set++) {
        if ((request->asked[set][word] & bit) && (mask & set_masks[set])) {
            request->ready[set][word] |= bit;
            nr_ready++;
        }
    }
    return nr_ready;
}

static u32 select_fds(struct poll_wqueues *pwq, void *arg)
{
    struct select_request *request = arg;
    u32 nr_ready = 0;
    for (u32 fd = 0; fd < request->count; fd++)
        nr_ready += select_fd(pwq, request, fd);
    /* Ends the wait, too. */
    return request->has_bad_fd ? 1 : nr_ready;
}

static u32 set_words(u32 count)
{
    return (count + 31) / 32;
}

static long select_sets(struct select_request *request, u32 __user *const user_sets[NR_SETS], long ticks)
{
    size_t bytes = set_words(request->count) * sizeof(u32);
    for (u32 set = 0; set < NR_SETS; set++)
        if (user_sets[set] && copy_from_user(request->asked[set], user_sets[set], bytes))
            return -EFAULT;
    long result = poll_until(select_fds, request, ticks);
    if (request->has_bad_fd)
        return -EBADF;
    if (result < 0)
        return result;
    for (u32 set = 0; set < NR_SETS; set++)
        if (user_sets[set] && copy_to_user(user_sets[set], request->ready[set], bytes))
            return -EFAULT;
    return result;
}

long do_select(u32 count, u32 __user *in, u32 __user *out, u32 __user *except, long ticks)
{
    u32 *const user_sets[NR_SETS] = {in, out, except};
    if ((s32)count < 0)
        return -EINVAL;
    struct select_request request = {.count = min(count, current->files->max_fds)};
    u32 words = set_words(request.count);
    u32 *sets = kcalloc(2 * NR_SETS * words + 1, sizeof(u32), GFP_KERNEL);
    if (sets == NULL)
        return -ENOMEM;
    for (u32 set = 0; set < NR_SETS; set++) {
        request.asked[set] = sets + set * words;
        request.ready[set] = sets + (NR_SETS + set) * words;
    }
    long result = select_sets(&request, user_sets, ticks);
    kfree(sets);
    return result;
}
