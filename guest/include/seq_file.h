/* Text that is made piece by piece into a buffer: what a file under /proc holds. */
#pragma once

#include "compiler.h"
#include "types.h"

struct seq_file {
    char *buf;
    size_t size;
    size_t count; /* characters so far; size if there was no room for one of the pieces */
};

/* A piece that does not fit is left out, and all that follow with it. */
__printf(2, 3) void seq_printf(struct seq_file *m, const char *fmt, ...);

static inline bool seq_has_overflowed(const struct seq_file *m)
{
    return m->count == m->size;
}

/* Hands out what show() makes a line at a time, without its newline. */
void seq_lines(void (*show)(struct seq_file *m), void (*put_line)(const char *line));
/* Prints it on the console, as pr_info() does. */
void seq_print(void (*show)(struct seq_file *m));

/*
 * Files of such text (fs/seq_single.c). The text is made when the file is read from its beginning, in a
 * buffer that grows until all of it fits, and stays as it is until somebody reads from the beginning
 * again. show() returns 0 or the error that read() is to give.
 */
struct file;
struct inode;
int single_open(struct file *file, int (*show)(struct seq_file *m, void *data), void *data);
ssize_t single_read(struct file *file, char __user *buf, size_t count, loff_t *pos);
int single_release(struct inode *inode, struct file *file);
