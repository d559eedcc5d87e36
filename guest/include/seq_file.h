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

/* Prints what show() makes on the console, a message a line, as pr_info() does. */
void seq_print(void (*show)(struct seq_file *m));
