/*
 * The layout of a trace file (docs/trace.md), for the writer, the reader and their tests. A trace is a row of
 * zstd frames: data frames hold records, skippable frames (RFC 8878 3.1.2) the rest, so that `zstd -t` can
 * check a trace. All numbers are little-endian; what is in a skippable frame ends in a hash of what stands
 * before it.
 */
#ifndef LK_SIM_OBSERVE_TRACE_FORMAT_H
#define LK_SIM_OBSERVE_TRACE_FORMAT_H

#include "sim/observe/trace_record.h"

#define TRACE_SKIPPABLE 0x184d2a50u
#define TRACE_HEADER_MAGIC "LKTRACE"
#define TRACE_CHUNK_MAGIC "LKCHUNK"
#define TRACE_INDEX_MAGIC "LKINDEX"
#define TRACE_TAIL_MAGIC 0x45544b4cu /* "LKTE" */

enum {
    TRACE_VERSION = 8,
    TRACE_FRAME_BYTES = 8, /* a skippable frame's number and size */
    TRACE_MAGIC_BYTES = 8,
    TRACE_HASH_BYTES = 8,
    TRACE_MAX_HEADER_BYTES = 1 << 16,
    TRACE_RECORDS_PER_CHUNK = 1 << 16,
    TRACE_MAX_RECORDS_PER_CHUNK = 1 << 17,
    TRACE_CHUNK_BYTES = 1 << 20, /* unpacked; a writer begins another one behind them */
    TRACE_SUMMARY_BYTES = 12 + 4 + 4 * 8,
    TRACE_CHUNK_HEADER_BYTES = TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES + TRACE_SUMMARY_BYTES + TRACE_HASH_BYTES,
    TRACE_INDEX_FIXED_BYTES = TRACE_MAGIC_BYTES + (3 + NR_TRACE_KINDS) * 8,
    TRACE_INDEX_ENTRY_BYTES = 8 + TRACE_SUMMARY_BYTES,
    TRACE_TAIL_BYTES = TRACE_HASH_BYTES + 4 + 4, /* hash, size of the index's frame, magic */
};

/*
 * A chunk: some records, compressed together. Spans are empty (first > last) where there is nothing to span.
 */
struct trace_chunk {
    uint64_t offset; /* of its header in the file; the data frame follows the header */
    uint32_t packed_bytes, raw_bytes, nr_records;
    uint32_t packed_hash; /* of the data frame, which has bits that zstd does not look at */
    struct trace_span cycles;
    uint64_t first_insn, last_insn;
};

/* Why recording ended. */
enum trace_ending { TRACE_ENDED_WITH_RUN, TRACE_ENDED_BY_LIMIT, NR_TRACE_ENDINGS };

static inline void trace_put32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static inline void trace_put64(uint8_t *to, uint64_t value)
{
    trace_put32(to, (uint32_t)value);
    trace_put32(to + 4, (uint32_t)(value >> 32));
}

static inline uint32_t trace_get32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline uint64_t trace_get64(const uint8_t *from)
{
    return trace_get32(from) | (uint64_t)trace_get32(from + 4) << 32;
}

/* FNV-1a, 64 bits: tells damage, not malice. */
uint64_t trace_hash(const uint8_t *bytes, size_t nr_bytes);

/* Its lower half, of a data frame. */
static inline uint32_t trace_packed_hash(const uint8_t *bytes, size_t nr_bytes)
{
    return (uint32_t)trace_hash(bytes, nr_bytes);
}

/* What header and index both say of a chunk, but for its offset: TRACE_SUMMARY_BYTES. */
void trace_put_summary(uint8_t *to, const struct trace_chunk *chunk);
void trace_get_summary(const uint8_t *from, struct trace_chunk *chunk);

/*
 * The whole header of a chunk: TRACE_CHUNK_HEADER_BYTES. The second says whether it is one, and fills all but
 * offset.
 */
void trace_put_chunk_header(uint8_t *to, const struct trace_chunk *chunk);
bool trace_get_chunk_header(const uint8_t *from, struct trace_chunk *chunk);

#endif
