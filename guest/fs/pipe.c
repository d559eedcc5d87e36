/* The contents of pipes and FIFOs. */
#include "pipe.h"
#include "err.h"
#include "fs_calls.h"
#include "internal.h"
#include "ioctls.h"
#include "pipe_fs_i.h"
#include "poll.h"
#include "sched.h"
#include "slab.h"
#include "uaccess.h"

#define PIPE_PAGE_BYTES ((u32)PAGE_SIZE)

struct pipe_inode_info *alloc_pipe_info(void)
{
    struct pipe_inode_info *pipe = kzalloc(sizeof(*pipe), GFP_KERNEL);
    if (pipe == NULL)
        return NULL;
    pipe->pages = kcalloc(PIPE_DEF_PAGES, sizeof(*pipe->pages), GFP_KERNEL);
    if (pipe->pages == NULL) {
        kfree(pipe);
        return NULL;
    }
    pipe->nr_pages = PIPE_DEF_PAGES;
    mutex_init(&pipe->mutex);
    init_waitqueue_head(&pipe->rd_wait);
    init_waitqueue_head(&pipe->wr_wait);
    return pipe;
}

void free_pipe_info(struct pipe_inode_info *pipe)
{
    for (u32 i = 0; i < pipe->nr_pages; i++)
        if (pipe->pages[i])
            __free_page(pipe->pages[i]);
    kfree(pipe->pages);
    kfree(pipe);
}

static struct pipe_inode_info *pipe_of(const struct file *file)
{
    return file_inode(file)->i_pipe;
}

static u32 pipe_used(const struct pipe_inode_info *pipe)
{
    return pipe->head - pipe->tail;
}

static u32 pipe_room(const struct pipe_inode_info *pipe)
{
    return pipe->nr_pages * PIPE_PAGE_BYTES - pipe_used(pipe);
}

static struct page **page_at(const struct pipe_inode_info *pipe, u32 position)
{
    return &pipe->pages[position / PAGE_SIZE % pipe->nr_pages];
}

static u32 to_page_end(u32 position)
{
    return PIPE_PAGE_BYTES - position % PIPE_PAGE_BYTES;
}

/*
 * Of a page that has been read to its end: a ring that was full has got bytes in the part of it that was read
 * first.
 */
static bool is_page_of_head(const struct pipe_inode_info *pipe)
{
    return pipe_used(pipe) > (pipe->nr_pages - 1) * PIPE_PAGE_BYTES;
}

/* Takes out up to count bytes; returns how many, or -EFAULT. A page that has been read to its end goes. */
static ssize_t take_bytes(struct pipe_inode_info *pipe, char __user *to, size_t count)
{
    size_t done = 0;
    while (done < count && pipe_used(pipe)) {
        struct page **page = page_at(pipe, pipe->tail);
        u32 bytes = min(min((u32)(count - done), pipe_used(pipe)), to_page_end(pipe->tail));
        const char *from = (const char *)page_address(*page) + pipe->tail % PAGE_SIZE;
        if (copy_to_user(to + done, from, bytes))
            return done ? (ssize_t)done : -EFAULT;
        pipe->tail += bytes;
        done += bytes;
        if (pipe->tail % PAGE_SIZE == 0 && !is_page_of_head(pipe)) {
            __free_page(*page);
            *page = NULL;
        }
    }
    return (ssize_t)done;
}

/* Puts in as much of count bytes as there is room for; returns how many, or -EFAULT or -ENOMEM. */
static ssize_t put_bytes(struct pipe_inode_info *pipe, const char __user *from, size_t count)
{
    size_t done = 0;
    while (done < count && pipe_room(pipe)) {
        struct page **page = page_at(pipe, pipe->head);
        u32 bytes = min(min((u32)(count - done), pipe_room(pipe)), to_page_end(pipe->head));
        if (*page == NULL)
            *page = alloc_page(GFP_KERNEL);
        if (*page == NULL)
            return done ? (ssize_t)done : -ENOMEM;
        char *to = (char *)page_address(*page) + pipe->head % PAGE_SIZE;
        if (copy_from_user(to, from + done, bytes))
            return done ? (ssize_t)done : -EFAULT;
        pipe->head += bytes;
        done += bytes;
    }
    return (ssize_t)done;
}

static ssize_t pipe_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    struct pipe_inode_info *pipe = pipe_of(file);
    ssize_t done = 0;
    (void)pos;
    if (count == 0)
        return 0;
    mutex_lock(&pipe->mutex);
    while (pipe_used(pipe) == 0 && pipe->writers) {
        done = -EAGAIN;
        if (file->f_flags & O_NONBLOCK)
            break;
        mutex_unlock(&pipe->mutex);
        done = wait_event_interruptible(pipe->rd_wait, pipe_used(pipe) || pipe->writers == 0);
        mutex_lock(&pipe->mutex);
        if (done)
            break;
    }
    if (done == 0)
        done = take_bytes(pipe, buf, count);
    mutex_unlock(&pipe->mutex);
    if (done > 0)
        wake_up(&pipe->wr_wait);
    return done;
}

/* What must be free before a write goes on: all of it if it must not be torn. */
static u32 wanted_room(size_t count)
{
    return count <= PIPE_BUF ? (u32)count : 1;
}

/* Waits for room. 0, or -EPIPE, -EAGAIN, -ERESTARTSYS. The mutex is held before and after. */
static int wait_for_room(struct file *file, struct pipe_inode_info *pipe, u32 room)
{
    while (pipe->readers && pipe_room(pipe) < room) {
        if (file->f_flags & O_NONBLOCK)
            return -EAGAIN;
        mutex_unlock(&pipe->mutex);
        int error = wait_event_interruptible(pipe->wr_wait, pipe_room(pipe) >= room || pipe->readers == 0);
        mutex_lock(&pipe->mutex);
        if (error)
            return error;
    }
    return pipe->readers ? 0 : -EPIPE;
}

static ssize_t pipe_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    struct pipe_inode_info *pipe = pipe_of(file);
    size_t total = 0;
    ssize_t error = 0;
    (void)pos;
    if (count == 0)
        return 0;
    mutex_lock(&pipe->mutex);
    while (total < count) {
        error = wait_for_room(file, pipe, wanted_room(count - total));
        if (error)
            break;
        ssize_t done = put_bytes(pipe, buf + total, count - total);
        if (done < 0) {
            error = done;
            break;
        }
        total += (size_t)done;
        wake_up(&pipe->rd_wait);
    }
    mutex_unlock(&pipe->mutex);
    if (error == -EPIPE)
        do_kill((s32)current->pid, SIGPIPE);
    return total ? (ssize_t)total : error;
}

static u32 pipe_poll(struct file *file, struct poll_table *table)
{
    struct pipe_inode_info *pipe = pipe_of(file);
    u32 mask = 0;
    if (file->f_mode & FMODE_READ) {
        poll_wait(&pipe->rd_wait, table);
        mask |= pipe_used(pipe) ? EPOLLIN | EPOLLRDNORM : 0;
        /* A FIFO that has had no writer since it was opened has not been hung up. */
        mask |= pipe->writers == 0 && file->f_version != pipe->w_counter ? EPOLLHUP : 0;
    }
    if (file->f_mode & FMODE_WRITE) {
        poll_wait(&pipe->wr_wait, table);
        mask |= pipe_room(pipe) >= PIPE_BUF ? EPOLLOUT | EPOLLWRNORM : 0;
        mask |= pipe->readers == 0 ? EPOLLERR : 0;
    }
    return mask;
}

static long pipe_ioctl(struct file *file, u32 command, unsigned long arg)
{
    return command == FIONREAD ? put_user_u32(pipe_used(pipe_of(file)), user_ptr(arg)) : -ENOTTY;
}

static bool is_pipe(const struct file *file)
{
    return file->f_op == &pipefifo_fops;
}

long pipe_bytes(const struct file *file)
{
    return is_pipe(file) ? (long)(pipe_of(file)->nr_pages * PAGE_SIZE) : -EBADF;
}

/* Pages keep their positions, which lie elsewhere in the new ring. One that has two positions cannot. */
static long resize(struct pipe_inode_info *pipe, u32 nr_pages)
{
    struct page **pages = kcalloc(nr_pages, sizeof(*pages), GFP_KERNEL);
    if (pages == NULL)
        return -ENOMEM;
    u32 first = pipe->tail / PIPE_PAGE_BYTES;
    u32 last = (pipe->head + PIPE_PAGE_BYTES - 1) / PIPE_PAGE_BYTES;
    if (last - first > min(nr_pages, pipe->nr_pages)) {
        kfree(pages);
        return -EBUSY;
    }
    for (u32 i = first; i != last; i++)
        pages[i % nr_pages] = pipe->pages[i % pipe->nr_pages];
    kfree(pipe->pages);
    pipe->pages = pages;
    pipe->nr_pages = nr_pages;
    return (long)(nr_pages * PAGE_SIZE);
}

long pipe_set_bytes(struct file *file, u32 bytes)
{
    if (!is_pipe(file))
        return -EBADF;
    if (bytes > PIPE_MAX_BYTES)
        return -EPERM;
    struct pipe_inode_info *pipe = pipe_of(file);
    u32 nr_pages = 1;
    while (nr_pages * PAGE_SIZE < bytes)
        nr_pages *= 2;
    mutex_lock(&pipe->mutex);
    long result = resize(pipe, nr_pages);
    mutex_unlock(&pipe->mutex);
    wake_up(&pipe->wr_wait);
    return result;
}

const struct file_operations pipefifo_fops = {.open = fifo_open,
                                              .release = pipe_release,
                                              .llseek = no_llseek,
                                              .read = pipe_read,
                                              .write = pipe_write,
                                              .poll = pipe_poll,
                                              .unlocked_ioctl = pipe_ioctl};
