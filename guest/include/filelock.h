/*
 * Advisory locks of files: flock(2)'s on the whole of a file, which belong to the open file, and fcntl(2)'s
 * on ranges of bytes, which belong to the process.
 */
#pragma once

#include "fs.h"

struct file_lock {
    struct file_lock *next; /* inode->i_flock */
    const void *owner;      /* the struct file, or the process's files_struct */
    u32 pid;
    s16 type; /* F_RDLCK, F_WRLCK; F_UNLCK as a request */
    bool is_flock;
    loff_t start, end; /* the last byte; OFFSET_MAX: without end */
};

#define OFFSET_MAX 0x7FFFFFFFFFFFFFFFll

/*
 * Gives, changes or takes away what the owner has of the range. 0; -EAGAIN: somebody has what does not go
 * with it (waits: sleeps until nobody has); -ERESTARTSYS, -ENOMEM.
 */
int lock_file(struct inode *inode, const struct file_lock *request, bool waits);
/* A lock that does not go with the request, or NULL. */
const struct file_lock *find_conflict(const struct inode *inode, const struct file_lock *request);
/* All that an owner has goes. */
void unlock_all(struct inode *inode, const void *owner);
