/* Waiting for one of several files: poll(2), select(2). */
#pragma once

#include "fs.h"

struct wait_queue_head;

#define EPOLLIN 0x1u
#define EPOLLPRI 0x2u
#define EPOLLOUT 0x4u
#define EPOLLERR 0x8u
#define EPOLLHUP 0x10u
#define POLLNVAL 0x20u
#define EPOLLRDNORM 0x40u
#define EPOLLRDBAND 0x80u
#define EPOLLWRNORM 0x100u
#define EPOLLWRBAND 0x200u
#define EPOLLMSG 0x400u
#define EPOLLRDHUP 0x2000u
#define DEFAULT_POLLMASK (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM)

/* Who asks. A table without a function only wants to know what holds now. */
struct poll_table {
    void (*queue)(struct poll_table *table, struct wait_queue_head *wait_address);
};

/* For ->poll(): the task is to wake when the queue is woken. The queue must live as long as the file. */
static inline void poll_wait(struct wait_queue_head *wait_address, struct poll_table *table)
{
    if (table && table->queue)
        table->queue(table, wait_address);
}

u32 vfs_poll(struct file *file, struct poll_table *table);
