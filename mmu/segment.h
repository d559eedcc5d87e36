/*
 * The segmentation unit: what a descriptor says, and whether an access through it is allowed. A segment
 * register is two things (SDM 3A 3.4.3): the selector that software sees, and the hidden descriptor that a
 * load fills in and that every access uses; the tables in memory are not looked at between loads.
 */
#ifndef LK_MMU_SEGMENT_H
#define LK_MMU_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

/* Parts of a selector (SDM 3A 3.4.2). */
enum { SELECTOR_RPL = 3, SELECTOR_TI = 4, SELECTOR_INDEX = 0xfff8 };

/* Type field of code and data descriptors (SDM 3A table 3-1). */
enum segment_type_bit {
    SEGMENT_ACCESSED = 1,
    SEGMENT_WRITABLE = 2,    /* data */
    SEGMENT_EXPAND_DOWN = 4, /* data */
    SEGMENT_READABLE = 2,    /* code */
    SEGMENT_CONFORMING = 4,  /* code */
    SEGMENT_CODE = 8,
};

/* Type field of system descriptors (SDM 3A table 3-2). */
enum system_type {
    SYSTEM_TSS16_AVAILABLE = 1,
    SYSTEM_LDT = 2,
    SYSTEM_TSS16_BUSY = 3,
    SYSTEM_CALL_GATE16 = 4,
    SYSTEM_TASK_GATE = 5,
    SYSTEM_INTERRUPT_GATE16 = 6,
    SYSTEM_TRAP_GATE16 = 7,
    SYSTEM_TSS_AVAILABLE = 9,
    SYSTEM_TSS_BUSY = 11,
    SYSTEM_CALL_GATE = 12,
    SYSTEM_INTERRUPT_GATE = 14,
    SYSTEM_TRAP_GATE = 15,
};

/* A descriptor as an access needs it. */
struct descriptor {
    uint64_t base;
    uint32_t limit_bytes; /* the last valid offset, granularity applied */
    uint8_t type;
    uint8_t dpl;
    bool is_code_or_data; /* S */
    bool is_present;      /* P */
    bool is_long;         /* L */
    bool is_big;          /* D/B */
    bool is_granular;     /* G */
    bool is_available;    /* AVL */
};

struct segment {
    uint16_t selector;
    bool is_usable; /* false: a null selector was loaded */
    struct descriptor hidden;
};

/* A gate descriptor of the GDT, LDT or IDT (SDM 3A 5.8.3, 6.11). */
struct gate {
    uint16_t selector;
    uint32_t offset;
    uint8_t type, dpl, nr_parameters;
    bool is_present, is_system;
};

/* `raw` is the descriptor's eight bytes, little-endian (SDM 3A figure 3-8). */
struct descriptor segment_decode(uint64_t raw);
struct gate gate_decode(uint64_t raw);

/*
 * A data access of size_bytes at `offset`. False: #GP(0), or #SS(0) for the stack segment (SDM 3A 5.3, 5.5).
 */
bool segment_allows(const struct segment *segment, uint64_t offset, unsigned size_bytes, bool is_write);

/*
 * Limit 4 GiB, readable and writable: no check can fail. Whether an access that wraps around at offset 2^32
 * does may be chosen (SDM 3A 5.3).
 */
static inline bool segment_is_whole_data(const struct segment *segment)
{
    const struct descriptor *d = &segment->hidden;
    return segment->is_usable && d->limit_bytes == UINT32_MAX &&
           (d->type & (SEGMENT_CODE | SEGMENT_EXPAND_DOWN | SEGMENT_WRITABLE)) == SEGMENT_WRITABLE;
}

/* And base 0: linear is offset. */
static inline bool segment_is_flat_data(const struct segment *segment)
{
    return segment->hidden.base == 0 && segment_is_whole_data(segment);
}

/* Base 0 and limit 4 GiB, for fetching instructions. */
bool segment_is_flat_code(const struct segment *segment);

#endif
