/* What is made of copy_from_user(): names, and calls of file operations with buffers of the kernel's own. */
#pragma once

#include "asm/uaccess.h"
#include "sched.h"

/*
 * Copies a user's string, NUL and all, of at most count bytes. Returns its length, count if there is no NUL
 * among them, or -EFAULT.
 */
long strncpy_from_user(char *to, const char __user *from, long count);

/*
 * While true, the "user" pointers of the current task are the kernel's. Returns what it was, which the caller
 * sets again afterwards.
 */
static inline bool set_fs_kernel(bool is_kernel)
{
    bool before = current->has_kernel_buffers;
    current->has_kernel_buffers = is_kernel;
    return before;
}
