/* The names of the kernel's functions, for people who read traces. */
#pragma once

#include "types.h"

struct kallsym {
    u32 address;
    const char *name;
};

/* The function that address lies in, and how far behind its start; NULL if in none. */
const struct kallsym *kallsyms_lookup(u32 address, u32 *offset);
