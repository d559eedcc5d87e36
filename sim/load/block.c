#include "sim/load/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool block_init(struct block *block, struct paddr at, size_t capacity)
{
    *block = (struct block){.bytes = calloc(1, capacity), .capacity = capacity, .at = at};
    return block->bytes;
}

void block_fini(struct block *block)
{
    free(block->bytes);
    *block = (struct block){0};
}

void block_put(struct block *block, size_t offset, const void *bytes, size_t nr_bytes)
{
    assert(offset <= block->capacity && nr_bytes <= block->capacity - offset);
    memcpy(block->bytes + offset, bytes, nr_bytes);
}

static void put_number(struct block *block, size_t offset, uint64_t value, size_t nr_bytes)
{
    assert(nr_bytes == 8 || value >> (nr_bytes * 8) == 0);
    block_put(block, offset, &value, nr_bytes); /* the host is little-endian, as the guest is */
}

void block_put_8(struct block *block, size_t offset, uint64_t value)
{
    put_number(block, offset, value, 1);
}

void block_put_16(struct block *block, size_t offset, uint64_t value)
{
    put_number(block, offset, value, 2);
}

void block_put_32(struct block *block, size_t offset, uint64_t value)
{
    put_number(block, offset, value, 4);
}

void block_put_64(struct block *block, size_t offset, uint64_t value)
{
    put_number(block, offset, value, 8);
}

void load_bytes(struct ram *ram, struct paddr at, const uint8_t *bytes, uint64_t nr_bytes)
{
    bool is_written = nr_bytes == 0 || ram_write(ram, at, bytes, (size_t)nr_bytes);
    assert(is_written);
    (void)is_written;
}
