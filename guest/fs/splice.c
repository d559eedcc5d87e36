/*
 * splice(2) and tee(2): bytes go from a file into a pipe, from a pipe into a file, or from pipe to pipe, by
 * their pages: those of the page cache into the pipe, those of the pipe into a socket or another pipe. Who
 * takes no pages gets a copy.
 */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "highmem.h"
#include "pipe.h"
#include "poll.h"
#include "sched.h"

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE 4u
#define SPLICE_F_ALL 15u
#define MAX_SPLICE_COUNT 0x7FFFF000u

static bool may_wait_for(const struct file *file, u32 flags)
{
    return !(flags & SPLICE_F_NONBLOCK) && !(file->f_flags & O_NONBLOCK);
}

/* ---- Into a pipe ---- */

/* What has no page cache is read into a page that the pipe gets. */
static ssize_t read_into_pipe(struct file *in, struct file *out, loff_t *pos, size_t count)
{
    struct page *page = alloc_page(GFP_KERNEL);
    if (page == NULL)
        return -ENOMEM;
    ssize_t got = kernel_read(in, page_address(page), min(count, (size_t)PAGE_SIZE), pos);
    if (got > 0)
        got = out->f_op->sendpage(out, page, 0, (u32)got, false);
    put_page(page);
    return got;
}

/* As much as the pipe has buffers for, once it has one. */
static ssize_t splice_to_pipe(struct file *in, loff_t *pos, struct file *out, size_t count, u32 flags)
{
    struct pipe_inode_info *pipe = pipe_of(out);
    mutex_lock(&pipe->mutex);
    ssize_t result = pipe_wait_for_buffer(pipe, may_wait_for(out, flags));
    u32 nr_free = pipe->ring_size - (pipe->head - pipe->tail);
    mutex_unlock(&pipe->mutex);
    if (result == -EPIPE)
        do_kill((s32)current->pid, SIGPIPE);
    if (result)
        return result;
    if (in->f_op->read != generic_file_read)
        return read_into_pipe(in, out, pos, count);
    size_t most = nr_free * PAGE_SIZE - offset_in_page(*pos);
    return send_pages(out, in, pos, min(count, most));
}

/* ---- Out of a pipe ---- */

static ssize_t write_copy(struct file *out, loff_t *pos, const struct pipe_buffer *buf, u32 bytes)
{
    const u8 *from = kmap(buf->page);
    if (from == NULL)
        return -ENOMEM;
    ssize_t done = kernel_write(out, from + buf->offset, bytes, pos);
    kunmap(buf->page);
    return done;
}

/* The pipe's mutex is held: its readers see the bytes in order. */
static ssize_t write_buffers(struct pipe_inode_info *pipe, struct file *out, loff_t *pos, size_t count,
                             u32 flags)
{
    size_t done = 0;
    ssize_t result = 0;
    while (done < count && !pipe_empty(pipe)) {
        const struct pipe_buffer *buf = pipe_buf_at(pipe, pipe->tail);
        u32 bytes = min((u32)(count - done), buf->len);
        bool has_more = (flags & SPLICE_F_MORE) || (done + bytes < count && pipe->nr_bytes > bytes);
        result = out->f_op->sendpage ? out->f_op->sendpage(out, buf->page, buf->offset, bytes, has_more)
                                     : write_copy(out, pos, buf, bytes);
        if (result <= 0)
            break;
        pipe_consume(pipe, (u32)result);
        done += (size_t)result;
        if ((u32)result < bytes)
            break;
    }
    return done ? (ssize_t)done : result;
}

static ssize_t splice_from_pipe(struct file *in, struct file *out, loff_t *pos, size_t count, u32 flags)
{
    struct pipe_inode_info *pipe = pipe_of(in);
    if (out->f_flags & O_APPEND)
        return -EINVAL;
    mutex_lock(&pipe->mutex);
    ssize_t result = pipe_wait_for_data(pipe, may_wait_for(in, flags));
    if (result == 0)
        result = write_buffers(pipe, out, pos, count, flags);
    mutex_unlock(&pipe->mutex);
    wake_up(&pipe->wr_wait);
    return result;
}

/* ---- From pipe to pipe ---- */

/* Two tasks that lock the same two pipes must not wait for each other. */
static void lock_both(struct pipe_inode_info *a, struct pipe_inode_info *b)
{
    mutex_lock(&(a < b ? a : b)->mutex);
    mutex_lock(&(a < b ? b : a)->mutex);
}

static void unlock_both(struct pipe_inode_info *a, struct pipe_inode_info *b)
{
    mutex_unlock(&a->mutex);
    mutex_unlock(&b->mutex);
}

/* Both are locked then: there is something in one and a free buffer in the other; or nobody writes: 1. */
static int wait_for_both(struct pipe_inode_info *in, struct pipe_inode_info *out, bool may_wait)
{
    for (;;) {
        lock_both(in, out);
        if (out->readers == 0)
            break;
        if (!pipe_empty(in) && !pipe_full(out))
            return 0;
        if (pipe_empty(in) && in->writers == 0)
            return 1;
        bool waits_for_data = pipe_empty(in);
        unlock_both(in, out);
        if (!may_wait)
            return -EAGAIN;
        int error = waits_for_data
                        ? wait_event_interruptible(in->rd_wait, !pipe_empty(in) || in->writers == 0)
                        : wait_event_interruptible(out->wr_wait, !pipe_full(out) || out->readers == 0);
        if (error)
            return error;
    }
    unlock_both(in, out);
    do_kill((s32)current->pid, SIGPIPE);
    return -EPIPE;
}

/* takes: what is in the other pipe then is in this one no more. */
static ssize_t link_pipes(struct file *in_file, struct file *out_file, size_t count, u32 flags, bool takes)
{
    struct pipe_inode_info *in = pipe_of(in_file), *out = pipe_of(out_file);
    size_t done = 0;
    if (in == out)
        return -EINVAL;
    int error = wait_for_both(in, out, may_wait_for(in_file, flags) && may_wait_for(out_file, flags));
    if (error < 0)
        return error;
    for (u32 i = in->tail; i != in->head && done < count && !pipe_full(out); i++) {
        const struct pipe_buffer *buf = pipe_buf_at(in, i);
        u32 bytes = min((u32)(count - done), buf->len);
        pipe_add_page(out, buf->page, buf->offset, bytes);
        if (takes)
            pipe_consume(in, bytes);
        done += bytes;
    }
    unlock_both(in, out);
    wake_up(&out->rd_wait);
    wake_up(&in->wr_wait);
    return (ssize_t)done;
}

/* ---- The calls ---- */

static long splice_files(struct file *in, loff_t *off_in, struct file *out, loff_t *off_out, size_t count,
                         u32 flags)
{
    if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE))
        return -EBADF;
    if ((is_pipe(in) && off_in) || (is_pipe(out) && off_out))
        return -ESPIPE;
    if ((off_in && (*off_in < 0 || !(in->f_mode & FMODE_LSEEK))) ||
        (off_out && (*off_out < 0 || !(out->f_mode & FMODE_LSEEK))))
        return -EINVAL;
    if (is_pipe(in) && is_pipe(out))
        return link_pipes(in, out, count, flags, true);
    if (is_pipe(in))
        return splice_from_pipe(in, out, off_out ? off_out : &out->f_pos, count, flags);
    if (is_pipe(out))
        return splice_to_pipe(in, off_in ? off_in : &in->f_pos, out, count, flags);
    return -EINVAL;
}

typedef long (*two_files_t)(struct file *in, struct file *out, void *context);

static long with_files(u32 fd_in, u32 fd_out, two_files_t call, void *context)
{
    struct file *in = fget(fd_in), *out = fget(fd_out);
    long result = in && out ? call(in, out, context) : -EBADF;
    if (in)
        fput(in);
    if (out)
        fput(out);
    return result;
}

struct splice_args {
    loff_t *off_in, *off_out;
    size_t count;
    u32 flags;
};

static long splice_call(struct file *in, struct file *out, void *context)
{
    const struct splice_args *args = context;
    return splice_files(in, args->off_in, out, args->off_out, args->count, args->flags);
}

static long tee_call(struct file *in, struct file *out, void *context)
{
    const struct splice_args *args = context;
    if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE))
        return -EBADF;
    return is_pipe(in) && is_pipe(out) ? link_pipes(in, out, args->count, args->flags, false) : -EINVAL;
}

long do_splice(u32 fd_in, loff_t *off_in, u32 fd_out, loff_t *off_out, size_t count, u32 flags)
{
    struct splice_args args = {off_in, off_out, min(count, (size_t)MAX_SPLICE_COUNT), flags};
    if (count == 0)
        return 0;
    return flags & ~SPLICE_F_ALL ? -EINVAL : with_files(fd_in, fd_out, splice_call, &args);
}

long do_tee(u32 fd_in, u32 fd_out, size_t count, u32 flags)
{
    struct splice_args args = {NULL, NULL, min(count, (size_t)MAX_SPLICE_COUNT), flags};
    if (flags & ~SPLICE_F_ALL)
        return -EINVAL;
    return count == 0 ? 0 : with_files(fd_in, fd_out, tee_call, &args);
}
