/* Pipes and FIFOs: bytes on their way from those who write to those who read. */
#pragma once

#include "fs.h"
#include "wait.h"

#define PIPE_BUF 4096u               /* a write of at most so many bytes is not mixed with others */
#define PIPE_DEF_BUFFERS 16u         /* Linux's 64 KiB */
#define PIPE_MAX_BYTES (1024u << 10) /* F_SETPIPE_SZ */

/* Bytes of a page: the pipe's own, to which more can be added, or somebody else's. With a reference. */
struct pipe_buffer {
    struct page *page;
    u32 offset, len;
    bool can_merge;
};

struct pipe_inode_info {
    struct mutex mutex;
    struct wait_queue_head rd_wait, wr_wait;
    u32 readers, writers;     /* files */
    u32 r_counter, w_counter; /* how many there ever were: a FIFO's open() waits for the next */
    u32 users;                /* files and tasks in open() */
    /* A ring: buffer n since the beginning is bufs[n % ring_size]; those from tail to head are in use. */
    u32 head, tail;
    u32 ring_size; /* a power of two */
    u32 nr_bytes;  /* in all buffers */
    struct pipe_buffer *bufs;
};

/* For fcntl(): -EBADF if the file is no pipe; -EBUSY: it holds more than that; -EPERM: too much. */
long pipe_bytes(const struct file *file);
long pipe_set_bytes(struct file *file, u32 bytes);
