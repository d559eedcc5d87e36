/* The names of the kernel's functions, for people who read traces. */
#pragma once

#include "types.h"

struct kallsym {
    u32 address;
    const char *name; /* in front of it, at name[-1], is nm's letter: T, or t if it is static */
};

/* Room for any text that sprint_symbol() makes. */
#define SYMBOL_BYTES 80

/* The function that address lies in, and how far behind its start; NULL if in none. */
const struct kallsym *kallsyms_lookup(u32 address, u32 *offset);
struct seq_file;
void kallsyms_show(struct seq_file *m); /* /proc/kallsyms */
/* "function+0xoffset" of a return address, or its number if it lies in no function. */
void sprint_symbol(char *buf, size_t size, unsigned long address);
