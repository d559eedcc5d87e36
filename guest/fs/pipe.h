/* What pipe.c and pipe_open.c tell each other. */
#pragma once

#include "internal.h"
#include "pipe_fs_i.h"

struct pipe_inode_info *alloc_pipe_info(void);
void free_pipe_info(struct pipe_inode_info *pipe);
int fifo_open(struct inode *inode, struct file *file);
int pipe_release(struct inode *inode, struct file *file);

static inline struct pipe_inode_info *pipe_of(const struct file *file)
{
    return file_inode(file)->i_pipe;
}

static inline bool is_pipe(const struct file *file)
{
    return file->f_op == &pipefifo_fops;
}

static inline bool pipe_empty(const struct pipe_inode_info *pipe)
{
    return pipe->head == pipe->tail;
}

/* No buffer is free; the last one may still take bytes. */
static inline bool pipe_full(const struct pipe_inode_info *pipe)
{
    return pipe->head - pipe->tail == pipe->ring_size;
}

static inline struct pipe_buffer *pipe_buf_at(const struct pipe_inode_info *pipe, u32 number)
{
    return &pipe->bufs[number % pipe->ring_size];
}

/*
 * Both wait with the mutex held before and after: until there is something to read (0: or nobody writes any
 * more), until a buffer is free. 0, or -EAGAIN if they must not wait, -EPIPE, -ERESTARTSYS.
 */
int pipe_wait_for_data(struct pipe_inode_info *pipe, bool may_wait);
int pipe_wait_for_buffer(struct pipe_inode_info *pipe, bool may_wait);
/* A piece of a page goes into a free buffer, with a reference of its own. */
void pipe_add_page(struct pipe_inode_info *pipe, struct page *page, u32 offset, u32 bytes);
/* So many bytes of the first buffer are read. */
void pipe_consume(struct pipe_inode_info *pipe, u32 bytes);
