/* Bytes in the making that go to one place in RAM: tables and strings that a loader hands to its guest. */
#ifndef LK_SIM_LOAD_BLOCK_H
#define LK_SIM_LOAD_BLOCK_H

#include "sim/base/addr.h"
#include "sim/base/ram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    uint8_t *bytes; /* owned; zero at first */
    size_t nr_bytes, capacity;
    struct paddr at;
};

/* False when memory is short. `nr_bytes` begins at 0: it is for those who append. */
bool block_init(struct block *block, struct paddr at, size_t capacity);
void block_fini(struct block *block);

/* `value` must fit; so must the place. */
void block_put_8(struct block *block, size_t offset, uint64_t value);
void block_put_16(struct block *block, size_t offset, uint64_t value);
void block_put_32(struct block *block, size_t offset, uint64_t value);
void block_put_64(struct block *block, size_t offset, uint64_t value);
void block_put(struct block *block, size_t offset, const void *bytes, size_t nr_bytes);

/* Into RAM, which must have that place. */
void load_bytes(struct ram *ram, struct paddr at, const uint8_t *bytes, uint64_t nr_bytes);

static inline uint64_t align_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

#endif
