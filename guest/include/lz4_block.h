/*
 * LZ4 blocks, as "LZ4 Block Format Description" (2022) has them: sequences of a token, literals, and a match,
 * which is a distance back and a length. Bytes alone, without a frame or a checksum.
 */
#pragma once

#include "types.h"

/* The offsets of a match, and the places in the table below, have 16 bits. */
#define LZ4_MAX_INPUT_BYTES 65535u
#define LZ4_HASH_BITS 11
/* What the compressor remembers: where four bytes with this hash were seen last. */
struct lz4_table {
    u16 position[1u << LZ4_HASH_BITS];
};

/*
 * Compresses up to LZ4_MAX_INPUT_BYTES bytes into at most room. Returns the bytes written, or 0: they do not
 * fit.
 */
u32 lz4_compress(const void *from, u32 bytes, void *to, u32 room, struct lz4_table *table);
/*
 * Returns the bytes written, at most room, or -EINVAL: no block, or one of more bytes than that. Reads and
 * writes nothing outside of the two buffers, whatever is in the first.
 */
long lz4_decompress(const void *from, u32 bytes, void *to, u32 room);
