#include "sim/observe/trace_format.h"

#include "sim/base/fnv.h"

#include <string.h>

uint64_t trace_hash(const uint8_t *bytes, size_t nr_bytes)
{
    return fnv_add(FNV_BEGIN, bytes, nr_bytes);
}

void trace_put_summary(uint8_t *to, const struct trace_chunk *chunk)
{
    trace_put32(to, chunk->packed_bytes);
    trace_put32(to + 4, chunk->raw_bytes);
    trace_put32(to + 8, chunk->nr_records);
    trace_put32(to + 12, chunk->packed_hash);
    trace_put64(to + 16, chunk->cycles.first);
    trace_put64(to + 24, chunk->cycles.last);
    trace_put64(to + 32, chunk->first_insn);
    trace_put64(to + 40, chunk->last_insn);
}

void trace_get_summary(const uint8_t *from, struct trace_chunk *chunk)
{
    chunk->packed_bytes = trace_get32(from);
    chunk->raw_bytes = trace_get32(from + 4);
    chunk->nr_records = trace_get32(from + 8);
    chunk->packed_hash = trace_get32(from + 12);
    chunk->cycles = (struct trace_span){trace_get64(from + 16), trace_get64(from + 24)};
    chunk->first_insn = trace_get64(from + 32);
    chunk->last_insn = trace_get64(from + 40);
}

void trace_put_chunk_header(uint8_t *to, const struct trace_chunk *chunk)
{
    trace_put32(to, TRACE_SKIPPABLE);
    trace_put32(to + 4, TRACE_CHUNK_HEADER_BYTES - TRACE_FRAME_BYTES);
    memcpy(to + TRACE_FRAME_BYTES, TRACE_CHUNK_MAGIC, TRACE_MAGIC_BYTES);
    trace_put_summary(to + TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES, chunk);
    size_t hashed = TRACE_CHUNK_HEADER_BYTES - TRACE_HASH_BYTES;
    trace_put64(to + hashed, trace_hash(to, hashed));
}

bool trace_get_chunk_header(const uint8_t *from, struct trace_chunk *chunk)
{
    size_t hashed = TRACE_CHUNK_HEADER_BYTES - TRACE_HASH_BYTES;
    if (trace_get32(from) != TRACE_SKIPPABLE ||
        trace_get32(from + 4) != TRACE_CHUNK_HEADER_BYTES - TRACE_FRAME_BYTES ||
        memcmp(from + TRACE_FRAME_BYTES, TRACE_CHUNK_MAGIC, TRACE_MAGIC_BYTES) != 0 ||
        trace_get64(from + hashed) != trace_hash(from, hashed))
        return false;
    trace_get_summary(from + TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES, chunk);
    uint64_t most = (uint64_t)chunk->nr_records * TRACE_MAX_RECORD_BYTES;
    return chunk->nr_records > 0 && chunk->nr_records <= TRACE_MAX_RECORDS_PER_CHUNK &&
           chunk->raw_bytes <= most && chunk->packed_bytes > 0 &&
           chunk->packed_bytes <= most + TRACE_MAX_RECORD_BYTES;
}
