/* Where a core stands: by this it is known that a handler has come back to where its interrupt came in. */
#ifndef LK_SIM_CODE_PLACE_H
#define LK_SIM_CODE_PLACE_H

#include "cpu/cpu.h"

struct code_place {
    uint64_t at; /* linear address of the next instruction */
    uint64_t rsp, directory;
    unsigned cpl;
};

struct code_place code_place_of(const struct cpu *cpu);

/* A kernel may have changed to another directory behind its own back. */
bool code_place_is_same(const struct code_place *a, const struct code_place *b);

#endif
