/* The contents of pipes and FIFOs. */
#include "pipe.h"
#include "err.h"
#include "fs_calls.h"
#include "highmem.h"
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
    pipe->bufs = kcalloc(PIPE_DEF_BUFFERS, sizeof(*pipe->bufs), GFP_KERNEL);
    if (pipe->bufs == NULL) {
        kfree(pipe);
        return NULL;
    }
    pipe->ring_size = PIPE_DEF_BUFFERS;
    mutex_init(&pipe->mutex);
    init_waitqueue_head(&pipe->rd_wait);
    init_waitqueue_head(&pipe->wr_wait);
    return pipe;
}

void free_pipe_info(struct pipe_inode_info *pipe)
{
    for (; !pipe_empty(pipe); pipe->tail++)
        put_page(pipe_buf_at(pipe, pipe->tail)->page);
    kfree(pipe->bufs);
    kfree(pipe);
}

/* How many bytes the last buffer can still take. */
static u32 room_in_last(const struct pipe_inode_info *pipe)
{
    const struct pipe_buffer *last = pipe_buf_at(pipe, pipe->head - 1);
    return pipe_empty(pipe) || !last->can_merge ? 0 : PIPE_PAGE_BYTES - (last->offset + last->len);
}

static u32 pipe_room(const struct pipe_inode_info *pipe)
{
    return (pipe->ring_size - (pipe->head - pipe->tail)) * PIPE_PAGE_BYTES + room_in_last(pipe);
}

void pipe_consume(struct pipe_inode_info *pipe, u32 bytes)
{
    struct pipe_buffer *buf = pipe_buf_at(pipe, pipe->tail);
    buf->offset += bytes;
    buf->len -= bytes;
    pipe->nr_bytes -= bytes;
    if (buf->len == 0) {
        put_page(buf->page);
        pipe->tail++;
    }
}

void pipe_add_page(struct pipe_inode_info *pipe, struct page *page, u32 offset, u32 bytes)
{
    get_page(page);
    *pipe_buf_at(pipe, pipe->head++) = (struct pipe_buffer){.page = page, .offset = offset, .len = bytes};
    pipe->nr_bytes += bytes;
}

/* Takes out up to count bytes; returns how many, or -EFAULT. */
static ssize_t take_bytes(struct pipe_inode_info *pipe, char __user *to, size_t count)
{
    size_t done = 0;
    while (done < count && !pipe_empty(pipe)) {
        const struct pipe_buffer *buf = pipe_buf_at(pipe, pipe->tail);
        u32 bytes = min((u32)(count - done), buf->len);
        const char *from = kmap(buf->page);
        unsigned long left = from ? copy_to_user(to + done, from + buf->offset, bytes) : bytes;
        if (from)
            kunmap(buf->page);
        if (left)
            return done ? (ssize_t)done : from ? -EFAULT : -ENOMEM;
        pipe_consume(pipe, bytes);
        done += bytes;
    }
    return (ssize_t)done;
}

/* An empty buffer of the pipe's own is the last; false: no memory. */
static bool add_own_page(struct pipe_inode_info *pipe)
{
    struct page *page = alloc_page(GFP_KERNEL);
    if (page == NULL)
        return false;
    *pipe_buf_at(pipe, pipe->head++) = (struct pipe_buffer){.page = page, .can_merge = true};
    return true;
}

/* Puts in as much of count bytes as there is room for; returns how many, or -EFAULT or -ENOMEM. */
static ssize_t put_bytes(struct pipe_inode_info *pipe, const char __user *from, size_t count)
{
    size_t done = 0;
    while (done < count && pipe_room(pipe)) {
        bool is_new = room_in_last(pipe) == 0;
        if (is_new && !add_own_page(pipe))
            return done ? (ssize_t)done : -ENOMEM;
        struct pipe_buffer *last = pipe_buf_at(pipe, pipe->head - 1);
        u32 bytes = min((u32)(count - done), room_in_last(pipe));
        char *to = (char *)page_address(last->page) + last->offset + last->len;
        if (copy_from_user(to, from + done, bytes)) {
            if (is_new) {
                put_page(last->page);
                pipe->head--;
            }
            return done ? (ssize_t)done : -EFAULT;
        }
        last->len += bytes;
        pipe->nr_bytes += bytes;
        done += bytes;
    }
    return (ssize_t)done;
}

int pipe_wait_for_data(struct pipe_inode_info *pipe, bool may_wait)
{
    while (pipe_empty(pipe) && pipe->writers) {
        if (!may_wait)
            return -EAGAIN;
        mutex_unlock(&pipe->mutex);
        int error = wait_event_interruptible(pipe->rd_wait, !pipe_empty(pipe) || pipe->writers == 0);
        mutex_lock(&pipe->mutex);
        if (error)
            return error;
    }
    return 0;
}

static ssize_t pipe_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    struct pipe_inode_info *pipe = pipe_of(file);
    ssize_t done = 0;
    (void)pos;
    if (count == 0)
        return 0;
    mutex_lock(&pipe->mutex);
    done = pipe_wait_for_data(pipe, !(file->f_flags & O_NONBLOCK));
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

/* Waits for so much room. 0, -EPIPE, -EAGAIN or -ERESTARTSYS. The mutex is held before and after. */
static int wait_for_room(struct pipe_inode_info *pipe, u32 room, bool may_wait)
{
    while (pipe->readers && pipe_room(pipe) < room) {
        if (!may_wait)
            return -EAGAIN;
        mutex_unlock(&pipe->mutex);
        int error = wait_event_interruptible(pipe->wr_wait, pipe_room(pipe) >= room || pipe->readers == 0);
        mutex_lock(&pipe->mutex);
        if (error)
            return error;
    }
    return pipe->readers ? 0 : -EPIPE;
}

int pipe_wait_for_buffer(struct pipe_inode_info *pipe, bool may_wait)
{
    while (pipe->readers && pipe_full(pipe)) {
        if (!may_wait)
            return -EAGAIN;
        mutex_unlock(&pipe->mutex);
        int error = wait_event_interruptible(pipe->wr_wait, !pipe_full(pipe) || pipe->readers == 0);
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
        error = wait_for_room(pipe, wanted_room(count - total), !(file->f_flags & O_NONBLOCK));
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

/* The page itself becomes the pipe's, which has no more to say about it. */
static ssize_t pipe_sendpage(struct file *file, struct page *page, u32 offset, u32 bytes, bool has_more)
{
    struct pipe_inode_info *pipe = pipe_of(file);
    (void)has_more;
    mutex_lock(&pipe->mutex);
    ssize_t result = pipe_wait_for_buffer(pipe, !(file->f_flags & O_NONBLOCK));
    if (result == 0) {
        pipe_add_page(pipe, page, offset, bytes);
        result = (ssize_t)bytes;
    }
    mutex_unlock(&pipe->mutex);
    wake_up(&pipe->rd_wait);
    if (result == -EPIPE)
        do_kill((s32)current->pid, SIGPIPE);
    return result;
}

static u32 pipe_poll(struct file *file, struct poll_table *table)
{
    struct pipe_inode_info *pipe = pipe_of(file);
    u32 mask = 0;
    if (file->f_mode & FMODE_READ) {
        poll_wait(&pipe->rd_wait, table);
        mask |= !pipe_empty(pipe) ? EPOLLIN | EPOLLRDNORM : 0;
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
    return command == FIONREAD ? put_user_u32(pipe_of(file)->nr_bytes, user_ptr(arg)) : -ENOTTY;
}

long pipe_bytes(const struct file *file)
{
    return is_pipe(file) ? (long)(pipe_of(file)->ring_size * PIPE_PAGE_BYTES) : -EBADF;
}

static long resize(struct pipe_inode_info *pipe, u32 ring_size)
{
    u32 nr = pipe->head - pipe->tail;
    if (nr > ring_size)
        return -EBUSY;
    struct pipe_buffer *bufs = kcalloc(ring_size, sizeof(*bufs), GFP_KERNEL);
    if (bufs == NULL)
        return -ENOMEM;
    for (u32 i = 0; i < nr; i++)
        bufs[i] = *pipe_buf_at(pipe, pipe->tail + i);
    kfree(pipe->bufs);
    pipe->bufs = bufs;
    pipe->ring_size = ring_size;
    pipe->tail = 0;
    pipe->head = nr;
    return (long)(ring_size * PIPE_PAGE_BYTES);
}

long pipe_set_bytes(struct file *file, u32 bytes)
{
    if (!is_pipe(file))
        return -EBADF;
    if (bytes > PIPE_MAX_BYTES)
        return -EPERM;
    struct pipe_inode_info *pipe = pipe_of(file);
    u32 ring_size = 1;
    while (ring_size * PIPE_PAGE_BYTES < bytes)
        ring_size *= 2;
    mutex_lock(&pipe->mutex);
    long result = resize(pipe, ring_size);
    mutex_unlock(&pipe->mutex);
    wake_up(&pipe->wr_wait);
    return result;
}

const struct file_operations pipefifo_fops = {.open = fifo_open,
                                              .release = pipe_release,
                                              .llseek = no_llseek,
                                              .read = pipe_read,
                                              .write = pipe_write,
                                              .sendpage = pipe_sendpage,
                                              .poll = pipe_poll,
                                              .unlocked_ioctl = pipe_ioctl};
