/*
 * How the CPU begins to run a guest, in the terms of the boot protocols. What a protocol does not promise is
 * zero.
 */
#ifndef LK_SIM_LOAD_START_H
#define LK_SIM_LOAD_START_H

#include "sim/base/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum load_mode {
    LOAD_PROTECTED, /* 32-bit, flat segments, no paging, interrupts off */
    LOAD_LONG,      /* 64-bit, paging on by page_tables, interrupts off */
    LOAD_REAL,      /* CS = selector of entry; the other segments 0; interrupts on */
    LOAD_RESET,     /* as the processor comes out of reset (SDM 3A table 9-1) */
};

struct load_start {
    enum load_mode mode;
    uint64_t entry; /* rIP; in real mode physical, below 1 MiB */
    uint32_t eax, ebx, edx, esi, esp;
    uint16_t code_selector, data_selector; /* of the flat segments */
    struct paddr gdt;                      /* gdt_limit 0: none */
    uint32_t gdt_limit;
    bool has_task; /* TR holds a 32-bit TSS of limit 67h at 0 */
    struct paddr page_tables;
};

#endif
