/* Pipes and FIFOs: bytes on their way from those who write to those who read. */
#pragma once

#include "fs.h"
#include "wait.h"

#define PIPE_BUF 4096u               /* a write of at most so many bytes is not mixed with others */
#define PIPE_DEF_PAGES 16u           /* Linux's 64 KiB */
#define PIPE_MAX_BYTES (1024u << 10) /* F_SETPIPE_SZ */

struct pipe_inode_info {
    struct mutex mutex;
    struct wait_queue_head rd_wait, wr_wait;
    u32 readers, writers;     /* files */
    u32 r_counter, w_counter; /* how many there ever were: a FIFO's open() waits for the next */
    u32 users;                /* files and tasks in open() */
    /* A ring: byte n since the beginning is in pages[n / PAGE_SIZE % nr_pages], which is there while used. */
    u32 head, tail; /* written, read */
    u32 nr_pages;   /* a power of two */
    struct page **pages;
};

/* For fcntl(): -EBADF if the file is no pipe; -EBUSY: it holds more than that; -EPERM: too much. */
long pipe_bytes(const struct file *file);
long pipe_set_bytes(struct file *file, u32 bytes);
