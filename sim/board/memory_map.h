/*
 * Where RAM is, as the machine's firmware tells its guests: the ranges and kinds that SeaBIOS gives on QEMU's
 * PC, so that a guest sees the same on both.
 */
#ifndef LK_SIM_BOARD_MEMORY_MAP_H
#define LK_SIM_BOARD_MEMORY_MAP_H

#include "sim/base/addr.h"

#include <stdbool.h>
#include <stddef.h>

/* Types of the BIOS's INT 15h E820h, which multiboot uses too. */
enum memory_kind { MEMORY_USABLE = 1, MEMORY_RESERVED = 2 };

struct memory_range {
    struct paddr base;
    uint64_t size_bytes;
    enum memory_kind kind;
};

enum { MEMORY_MAP_MAX = 8 };

struct memory_map {
    struct memory_range
        ranges[MEMORY_MAP_MAX]; /* ascending, disjoint; what lies between belongs to devices or nobody */
    size_t nr_ranges;
};

/* Of a machine with ram_bytes of RAM from 0 on, at least 4 MiB and at most 3 GiB. */
struct memory_map memory_map(uint64_t ram_bytes);

/* Between these RAM does not answer, though struct ram has bytes there: VGA, option ROMs, firmware. */
enum { MEMORY_HOLE_BASE = 0xa0000, MEMORY_HOLE_END = 0x100000 };

static inline bool memory_is_hole(struct paddr at)
{
    return at.v >= MEMORY_HOLE_BASE && at.v < MEMORY_HOLE_END;
}

#endif
