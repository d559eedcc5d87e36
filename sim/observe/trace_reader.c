#include "sim/observe/trace_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

struct trace_reader {
    char *name;
    int fd;
    struct trace_info info;
    uint8_t *header; /* the texts of `info` lie in here */
    uint64_t header_bytes;
    struct trace_chunk *chunks;
    size_t chunks_room;

    cycle_t from, to; /* what is selected */
    struct trace_filter filter;
    uint64_t next_chunk;
    struct trace_chunk chunk; /* the one that is being read */
    struct trace_codec codec;
    uint32_t records_left;
    uint8_t *raw, *packed;
    size_t raw_room, packed_room;
    const uint8_t *at, *end;
};

static bool bad(const struct trace_reader *reader, uint64_t offset, const char *what, struct diag *diag)
{
    return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: offset %" PRIu64 ": %s", reader->name, offset, what);
}

static bool no_memory(const struct trace_reader *reader, struct diag *diag)
{
    return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", reader->name);
}

/* All or nothing. */
static bool read_at(const struct trace_reader *reader, uint64_t offset, void *into, size_t nr_bytes,
                    struct diag *diag)
{
    for (size_t done = 0; done < nr_bytes;) {
        ssize_t got = pread(reader->fd, (uint8_t *)into + done, nr_bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot be read: %s", reader->name,
                            strerror(errno));
        if (got == 0)
            return bad(reader, offset + done, "the file ends here, in the middle of something", diag);
        done += (size_t)got;
    }
    return true;
}

static bool has_bytes(const struct trace_reader *reader, uint64_t offset, uint64_t nr_bytes)
{
    return offset <= reader->info.file_bytes && nr_bytes <= reader->info.file_bytes - offset;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

/* Takes the pairs of texts; unknown keys are for later versions. */
static bool parse_texts(struct trace_reader *reader, const char *at, const char *end)
{
    struct trace_info *info = &reader->info;
    info->version = info->config_digest = info->image = "";
    while (at < end) {
        const char *key = at, *value = memchr(key, 0, (size_t)(end - key));
        if (!value++ || value == end)
            return false;
        const char *last = memchr(value, 0, (size_t)(end - value));
        if (!last)
            return false;
        at = last + 1;
        if (strcmp(key, "lookaside") == 0)
            info->version = value;
        else if (strcmp(key, "config") == 0)
            info->config_digest = value;
        else if (strcmp(key, "image") == 0)
            info->image = value;
        else if (strcmp(key, "clock_hz") == 0)
            info->clock_hz = number(value);
        else if (strcmp(key, "from") == 0)
            info->from = number(value);
        else if (strcmp(key, "to") == 0)
            info->to = number(value);
    }
    return true;
}

static bool read_header(struct trace_reader *reader, struct diag *diag)
{
    enum { FIXED_BYTES = TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES + 4 };
    uint8_t fixed[FIXED_BYTES];
    if (!has_bytes(reader, 0, sizeof fixed))
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: no trace of lookaside: only %" PRIu64 " bytes long",
                        reader->name, reader->info.file_bytes);
    if (!read_at(reader, 0, fixed, sizeof fixed, diag))
        return false;
    if (trace_get32(fixed) != TRACE_SKIPPABLE ||
        memcmp(fixed + TRACE_FRAME_BYTES, TRACE_HEADER_MAGIC, TRACE_MAGIC_BYTES) != 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: no trace of lookaside: it does not begin as one",
                        reader->name);
    uint32_t version = trace_get32(fixed + TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES);
    if (version != TRACE_VERSION)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: trace version %u; this program reads version %d",
                        reader->name, version, TRACE_VERSION);
    uint64_t size = (uint64_t)trace_get32(fixed + 4) + TRACE_FRAME_BYTES;
    if (size < FIXED_BYTES + TRACE_HASH_BYTES || size > TRACE_MAX_HEADER_BYTES || !has_bytes(reader, 0, size))
        return bad(reader, 4, "the size of the header is impossible", diag);
    reader->header = malloc(size);
    if (!reader->header)
        return no_memory(reader, diag);
    if (!read_at(reader, 0, reader->header, size, diag))
        return false;
    uint64_t hashed = size - TRACE_HASH_BYTES;
    if (trace_get64(reader->header + hashed) != trace_hash(reader->header, hashed) ||
        !parse_texts(reader, (char *)reader->header + FIXED_BYTES, (char *)reader->header + hashed))
        return bad(reader, 0, "the header is damaged", diag);
    reader->header_bytes = size;
    return true;
}

static bool keep_chunk(struct trace_reader *reader, const struct trace_chunk *chunk)
{
    struct trace_info *info = &reader->info;
    if (info->nr_chunks == reader->chunks_room) {
        size_t room = reader->chunks_room ? reader->chunks_room * 2 : 64;
        struct trace_chunk *chunks = realloc(reader->chunks, room * sizeof *chunks);
        if (!chunks)
            return false;
        reader->chunks = chunks;
        reader->chunks_room = room;
    }
    reader->chunks[info->nr_chunks++] = *chunk;
    info->nr_records += chunk->nr_records;
    info->raw_bytes += chunk->raw_bytes;
    if (chunk->cycles.first < info->cycles.first)
        info->cycles.first = chunk->cycles.first;
    if (chunk->cycles.last > info->cycles.last)
        info->cycles.last = chunk->cycles.last;
    if (chunk->first_insn < info->first_insn)
        info->first_insn = chunk->first_insn;
    if (chunk->last_insn > info->last_insn)
        info->last_insn = chunk->last_insn;
    return true;
}

static bool is_inside(const struct trace_reader *reader, const struct trace_chunk *chunk)
{
    return chunk->offset >= reader->header_bytes &&
           has_bytes(reader, chunk->offset, TRACE_CHUNK_HEADER_BYTES) &&
           has_bytes(reader, chunk->offset + TRACE_CHUNK_HEADER_BYTES, chunk->packed_bytes);
}

static bool parse_index(struct trace_reader *reader, const uint8_t *index, uint64_t offset, uint64_t size,
                        struct diag *diag)
{
    struct trace_info *info = &reader->info;
    const uint8_t *at = index + TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES;
    uint64_t hashed = size - TRACE_TAIL_BYTES;
    uint64_t nr_chunks = trace_get64(at), ending = trace_get64(at + 8);
    uint64_t entries_bytes = hashed - TRACE_FRAME_BYTES - TRACE_INDEX_FIXED_BYTES;
    if (trace_get64(index + hashed) != trace_hash(index, hashed) || ending >= NR_TRACE_ENDINGS ||
        entries_bytes % TRACE_INDEX_ENTRY_BYTES != 0 || nr_chunks != entries_bytes / TRACE_INDEX_ENTRY_BYTES)
        return bad(reader, offset, "the index is damaged", diag);
    info->ending = (enum trace_ending)ending;
    info->stopped_at = trace_get64(at + 16);
    at += 24;
    for (unsigned i = 0; i < NR_TRACE_KINDS; i++, at += 8)
        info->nr_by_kind[i] = trace_get64(at);
    for (uint64_t i = 0; i < nr_chunks; i++, at += TRACE_INDEX_ENTRY_BYTES) {
        struct trace_chunk chunk = {.offset = trace_get64(at)};
        trace_get_summary(at + 8, &chunk);
        if (!is_inside(reader, &chunk))
            return bad(reader, offset, "the index names a chunk outside the file", diag);
        if (!keep_chunk(reader, &chunk))
            return no_memory(reader, diag);
    }
    return true;
}

/* *has_index is false, and nothing read, where the file does not end in an index. */
static bool read_index(struct trace_reader *reader, bool *has_index, struct diag *diag)
{
    uint8_t tail[TRACE_TAIL_BYTES], head[TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES];
    uint64_t file_bytes = reader->info.file_bytes;
    *has_index = false;
    if (file_bytes - reader->header_bytes < TRACE_FRAME_BYTES + TRACE_INDEX_FIXED_BYTES + TRACE_TAIL_BYTES)
        return true;
    if (!read_at(reader, file_bytes - sizeof tail, tail, sizeof tail, diag))
        return false;
    uint64_t size = trace_get32(tail + TRACE_HASH_BYTES);
    if (trace_get32(tail + TRACE_HASH_BYTES + 4) != TRACE_TAIL_MAGIC ||
        size < TRACE_FRAME_BYTES + TRACE_INDEX_FIXED_BYTES + TRACE_TAIL_BYTES ||
        size > file_bytes - reader->header_bytes)
        return true;
    uint64_t offset = file_bytes - size;
    if (!read_at(reader, offset, head, sizeof head, diag))
        return false;
    if (trace_get32(head) != TRACE_SKIPPABLE || trace_get32(head + 4) != size - TRACE_FRAME_BYTES ||
        memcmp(head + TRACE_FRAME_BYTES, TRACE_INDEX_MAGIC, TRACE_MAGIC_BYTES) != 0)
        return true;
    uint8_t *index = malloc(size);
    if (!index)
        return no_memory(reader, diag);
    *has_index = true;
    bool is_good =
        read_at(reader, offset, index, size, diag) && parse_index(reader, index, offset, size, diag);
    free(index);
    return is_good;
}

/* Goes from chunk to chunk as far as they are whole. */
static bool scan_chunks(struct trace_reader *reader, struct diag *diag)
{
    struct trace_chunk chunk = {.offset = reader->header_bytes};
    reader->info.is_cut = true;
    for (;;) {
        uint8_t header[TRACE_CHUNK_HEADER_BYTES];
        reader->info.good_bytes = chunk.offset;
        if (!has_bytes(reader, chunk.offset, sizeof header))
            return true;
        if (!read_at(reader, chunk.offset, header, sizeof header, diag))
            return false;
        if (!trace_get_chunk_header(header, &chunk) || !is_inside(reader, &chunk))
            return true;
        if (!keep_chunk(reader, &chunk))
            return no_memory(reader, diag);
        chunk.offset += TRACE_CHUNK_HEADER_BYTES + chunk.packed_bytes;
    }
}

static bool open_file(struct trace_reader *reader, struct diag *diag)
{
    struct stat stat;
    reader->fd = open(reader->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reader->fd < 0 || fstat(reader->fd, &stat) != 0)
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot be read: %s", reader->name, strerror(errno));
    if (!S_ISREG(stat.st_mode))
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot be read: not a regular file", reader->name);
    reader->info.file_bytes = (uint64_t)stat.st_size;
    return true;
}

struct trace_reader *trace_open(const char *file, struct diag *diag)
{
    struct trace_reader *reader = calloc(1, sizeof *reader);
    if (!reader || !(reader->name = strdup(file))) {
        free(reader);
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
        return NULL;
    }
    reader->info.cycles.first = reader->info.first_insn = UINT64_MAX;
    bool has_index = false;
    if (!open_file(reader, diag) || !read_header(reader, diag) || !read_index(reader, &has_index, diag) ||
        (!has_index && !scan_chunks(reader, diag))) {
        trace_close(reader);
        return NULL;
    }
    trace_select(reader, 0, UINT64_MAX);
    reader->filter = trace_filter_of_all();
    return reader;
}

void trace_close(struct trace_reader *reader)
{
    if (!reader)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->name);
    free(reader->header);
    free(reader->chunks);
    free(reader->raw);
    free(reader->packed);
    free(reader);
}

const struct trace_info *trace_info(const struct trace_reader *reader)
{
    return &reader->info;
}

void trace_select(struct trace_reader *reader, cycle_t from, cycle_t to)
{
    reader->from = from;
    reader->to = to;
    reader->next_chunk = 0;
    reader->records_left = 0;
    reader->at = reader->end = NULL;
}

static bool make_room(uint8_t **buffer, size_t *room, size_t nr_bytes)
{
    if (*room >= nr_bytes)
        return true;
    uint8_t *larger = realloc(*buffer, nr_bytes);
    if (!larger)
        return false;
    *buffer = larger;
    *room = nr_bytes;
    return true;
}

static bool load_chunk(struct trace_reader *reader, const struct trace_chunk *chunk, struct diag *diag)
{
    uint8_t header[TRACE_CHUNK_HEADER_BYTES], expected[TRACE_CHUNK_HEADER_BYTES];
    struct trace_chunk found;
    if (!read_at(reader, chunk->offset, header, sizeof header, diag))
        return false;
    trace_put_chunk_header(expected, chunk);
    if (memcmp(header, expected, sizeof header) != 0 || !trace_get_chunk_header(header, &found))
        return bad(reader, chunk->offset, "the chunk's header is damaged", diag);
    if (!make_room(&reader->packed, &reader->packed_room, chunk->packed_bytes) ||
        !make_room(&reader->raw, &reader->raw_room, chunk->raw_bytes))
        return no_memory(reader, diag);
    if (!read_at(reader, chunk->offset + sizeof header, reader->packed, chunk->packed_bytes, diag))
        return false;
    if (trace_packed_hash(reader->packed, chunk->packed_bytes) != chunk->packed_hash)
        return bad(reader, chunk->offset, "the chunk's data are damaged", diag);
    size_t got = ZSTD_decompress(reader->raw, chunk->raw_bytes, reader->packed, chunk->packed_bytes);
    if (ZSTD_isError(got))
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: offset %" PRIu64 ": a damaged zstd frame: %s",
                        reader->name, chunk->offset + sizeof header, ZSTD_getErrorName(got));
    if (got != chunk->raw_bytes)
        return bad(reader, chunk->offset, "the chunk is shorter than its header says", diag);
    reader->chunk = *chunk;
    memset(&reader->codec, 0, sizeof reader->codec);
    reader->records_left = chunk->nr_records;
    reader->at = reader->raw;
    reader->end = reader->raw + got;
    return true;
}

/* The next record of those cycles, whatever it is. */
static bool read_record(struct trace_reader *reader, struct trace_record *record, struct diag *diag)
{
    while (reader->records_left == 0) {
        if (reader->at != reader->end)
            return bad(reader, reader->chunk.offset, "the chunk holds more than its records", diag);
        if (reader->next_chunk == reader->info.nr_chunks)
            return false;
        const struct trace_chunk *chunk = &reader->chunks[reader->next_chunk++];
        if (chunk->cycles.last < reader->from || chunk->cycles.first > reader->to)
            continue;
        if (!load_chunk(reader, chunk, diag))
            return false;
    }
    const char *wrong = trace_decode(&reader->codec, &reader->at, reader->end, record);
    reader->records_left--;
    if (!wrong)
        return true;
    return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: the chunk at offset %" PRIu64 ": record %u: %s",
                    reader->name, reader->chunk.offset, reader->chunk.nr_records - reader->records_left - 1,
                    wrong);
}

bool trace_next(struct trace_reader *reader, struct trace_record *record, struct diag *diag)
{
    while (read_record(reader, record, diag))
        if (trace_filter_takes(&reader->filter, record))
            return true;
    return false;
}

void trace_set_filter(struct trace_reader *reader, const struct trace_filter *filter)
{
    reader->filter = *filter;
}
