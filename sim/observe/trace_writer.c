#include "sim/observe/trace_writer.h"

#include "sim/base/outfile.h"
#include "sim/observe/trace_format.h"
#include "sim/observe/trace_known.h"
#include "sim/observe/trace_pipe.h"
#include "sim/observe/trace_step.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { COMPRESSION_LEVEL = 3, MAX_TEXT_CHARS = 4096, RECORDS_BLOCK_BYTES = 1 << 18 };

/* What a chunk's block in the pipe begins with; its bytes, not packed, follow. */
struct chunk_head {
    struct trace_chunk chunk;
    uint32_t by_kind[NR_TRACE_KINDS];
};

/*
 * The observers fill a pipe; a thread at its other end encodes the records, and fills one of chunks, which
 * another thread packs and writes.
 */
struct trace_writer {
    struct cpu_observer observer;
    struct dma_observer dma_observer;
    struct trace_pipe *pipe;

    /* Of who packs, and of nobody else while that thread runs. */
    struct outfile out;
    int error; /* errno of the first write that failed */
    uint64_t limit_bytes, written_bytes;
    enum trace_ending ending;
    uint64_t stopped_at;                 /* cycle */
    uint64_t nr_by_kind[NR_TRACE_KINDS]; /* in the chunks that are written */
    ZSTD_CCtx *zstd;
    uint8_t *packed;
    size_t packed_room;
    struct trace_chunk *chunks; /* those that are written */
    size_t nr_chunks, chunks_room;
    atomic_bool has_stopped; /* for who encodes: no chunk will be written any more */

    /* Of who encodes. */
    struct trace_pipe *chunk_pipe;
    struct trace_filter filter;
    bool wants_all; /* neither filter, process nor region */
    bool has_process, has_region;
    bool is_process, is_region; /* it is the one that is wanted, or all are */
    uint64_t process_cr3;
    uint32_t region;
    struct trace_codec codec;
    /* Told, and not written yet: in the pipe's block, or kept when that ended. */
    const struct cpu_seen_hit *hits[TRACE_STEP_HITS];
    struct cpu_seen_hit kept[TRACE_STEP_HITS];
    unsigned nr_hits;
    uint64_t next_insn;                         /* number of the instruction that they are for */
    struct cpu_seen_insn told[CPU_SEEN_PLACES]; /* by place: what was last told of there in full */
    struct trace_chunk chunk;                   /* the one that is being filled, but for what is in `tally` */
    struct trace_tally tally;
    uint32_t chunk_by_kind[NR_TRACE_KINDS];
    uint8_t *raw; /* its bytes, in the block of the pipe */
};

static void write_bytes(struct trace_writer *writer, const void *bytes, size_t nr_bytes)
{
    if (writer->error)
        return;
    errno = 0;
    if (fwrite(bytes, 1, nr_bytes, writer->out.to) != nr_bytes)
        writer->error = errno ? errno : EIO;
    writer->written_bytes += nr_bytes;
}

static uint64_t index_bytes(uint64_t nr_chunks)
{
    return TRACE_FRAME_BYTES + TRACE_INDEX_FIXED_BYTES + nr_chunks * TRACE_INDEX_ENTRY_BYTES +
           TRACE_TAIL_BYTES;
}

static void begin_chunk(struct trace_writer *writer)
{
    writer->raw = writer->chunk_pipe->room.at + sizeof(struct chunk_head);
    trace_codec_begin(&writer->codec);
    writer->chunk = (struct trace_chunk){.first_insn = UINT64_MAX};
    writer->tally.to = writer->raw;
    writer->tally.to_end = writer->raw + TRACE_CHUNK_BYTES;
    writer->tally.nr_records = 0;
    writer->tally.cycles = (struct trace_span){.first = UINT64_MAX};
    memset(writer->chunk_by_kind, 0, sizeof writer->chunk_by_kind);
}

static bool keep_chunk(struct trace_writer *writer, const struct trace_chunk *chunk)
{
    if (writer->nr_chunks == writer->chunks_room) {
        size_t room = writer->chunks_room ? writer->chunks_room * 2 : 64;
        struct trace_chunk *chunks = realloc(writer->chunks, room * sizeof *chunks);
        if (!chunks)
            return false;
        writer->chunks = chunks;
        writer->chunks_room = room;
    }
    writer->chunks[writer->nr_chunks++] = *chunk;
    return true;
}

static bool is_recording(const struct trace_writer *writer)
{
    return !atomic_load_explicit(&writer->has_stopped, memory_order_relaxed);
}

static void write_chunk(struct trace_writer *writer, const struct chunk_head *head, const uint8_t *raw)
{
    struct trace_chunk whole = head->chunk, *chunk = &whole;
    size_t packed = ZSTD_compress2(writer->zstd, writer->packed, writer->packed_room, raw, chunk->raw_bytes);
    if (ZSTD_isError(packed)) {
        writer->error = ENOMEM;
        return;
    }
    /* Only whole chunks are written, and room for the index is kept: what is there can always be read. */
    uint64_t after =
        writer->written_bytes + TRACE_CHUNK_HEADER_BYTES + packed + index_bytes(writer->nr_chunks + 1);
    if (writer->limit_bytes && after > writer->limit_bytes) {
        writer->ending = TRACE_ENDED_BY_LIMIT;
        writer->stopped_at = chunk->cycles.first;
        return;
    }
    chunk->offset = writer->written_bytes;
    chunk->packed_bytes = (uint32_t)packed;
    chunk->packed_hash = trace_packed_hash(writer->packed, packed);
    if (!keep_chunk(writer, chunk)) {
        writer->error = ENOMEM;
        return;
    }
    uint8_t header[TRACE_CHUNK_HEADER_BYTES];
    trace_put_chunk_header(header, chunk);
    write_bytes(writer, header, sizeof header);
    write_bytes(writer, writer->packed, packed);
    for (unsigned i = 0; i < NR_TRACE_KINDS; i++)
        writer->nr_by_kind[i] += head->by_kind[i];
}

/* A chunk, or nothing where the run has ended. */
static void take_chunk(void *opaque, const uint8_t *at, const uint8_t *end)
{
    struct trace_writer *writer = opaque;
    if (at == end || !is_recording(writer))
        return;
    write_chunk(writer, (const struct chunk_head *)(const void *)at, at + sizeof(struct chunk_head));
    if (writer->error || writer->ending != TRACE_ENDED_WITH_RUN)
        atomic_store_explicit(&writer->has_stopped, true, memory_order_relaxed);
}

static void count_steps(struct trace_writer *writer)
{
    uint32_t nr_hits = (uint32_t)(writer->tally.counts >> TRACE_COUNT_BITS & TRACE_COUNT_MASK);
    writer->chunk_by_kind[TRACE_INSN] += (uint32_t)(writer->tally.counts & TRACE_COUNT_MASK);
    writer->chunk_by_kind[TRACE_TRANSLATION] += (uint32_t)(writer->tally.counts >> 2 * TRACE_COUNT_BITS);
    writer->chunk_by_kind[TRACE_REQUEST] += nr_hits;
    writer->chunk_by_kind[TRACE_ACCESS] += nr_hits;
    writer->tally.counts = 0;
}

static void account_insn(struct trace_writer *writer, uint64_t number)
{
    struct trace_chunk *chunk = &writer->chunk;
    if (number < chunk->first_insn)
        chunk->first_insn = number;
    if (number > chunk->last_insn)
        chunk->last_insn = number;
}

static void end_chunk(struct trace_writer *writer)
{
    count_steps(writer);
    if (writer->tally.nr_records) {
        struct chunk_head *head = (struct chunk_head *)(void *)writer->chunk_pipe->room.at;
        writer->chunk.raw_bytes = (uint32_t)(writer->tally.to - writer->raw);
        writer->chunk.nr_records = (uint32_t)writer->tally.nr_records;
        writer->chunk.cycles = writer->tally.cycles;
        head->chunk = writer->chunk;
        memcpy(head->by_kind, writer->chunk_by_kind, sizeof head->by_kind);
        writer->chunk_pipe->room.at = writer->tally.to;
        trace_pipe_turn(writer->chunk_pipe);
        begin_chunk(writer);
    }
}

/* CR3 without its flags, which do not make another address space (SDM 3A 4.5). */
static uint64_t page_directory(uint64_t cr3)
{
    return cr3 & 0xffffffffff000;
}

/* Follows what decides whether records are wanted; and whether this one is. */
static bool is_wanted(struct trace_writer *writer, const struct trace_record *record)
{
    if (writer->wants_all)
        return true;
    if (record->kind == TRACE_CONTROL || record->kind == TRACE_MARK) {
        if (writer->has_process && record->kind == TRACE_CONTROL && strcmp(record->control.what, "cr3") == 0)
            writer->is_process = page_directory(record->control.value) == writer->process_cr3;
        if (writer->has_region && record->kind == TRACE_MARK && record->mark.id == writer->region) {
            if (record->mark.kind == TRACE_MARK_ROI_BEGIN)
                writer->is_region = true;
            else if (record->mark.kind == TRACE_MARK_ROI_END)
                writer->is_region = false;
        }
        return trace_filter_takes(&writer->filter, record);
    }
    return writer->is_process && writer->is_region && trace_filter_takes(&writer->filter, record);
}

static void note_cycle(struct trace_writer *writer, cycle_t cycle)
{
    if (cycle > writer->tally.latest)
        writer->tally.latest = cycle;
}

/* So many records, which take so many bytes, have been added to the chunk. */
static void account(struct trace_writer *writer, unsigned nr_records, size_t nr_bytes, struct trace_span span)
{
    writer->tally.to += nr_bytes;
    writer->tally.nr_records += nr_records;
    trace_tally_span(&writer->tally, span, 0);
    if (trace_tally_is_full(&writer->tally))
        end_chunk(writer);
}

/* Returns how many records they are. */
static unsigned account_hits(struct trace_writer *writer, const struct cpu_seen_hit *const *hits,
                             unsigned nr_hits)
{
    unsigned nr_paged = 0;
    for (unsigned i = 0; i < nr_hits; i++)
        nr_paged += hits[i]->form.is_paged;
    writer->chunk_by_kind[TRACE_TRANSLATION] += nr_paged;
    writer->chunk_by_kind[TRACE_REQUEST] += nr_hits;
    writer->chunk_by_kind[TRACE_ACCESS] += nr_hits;
    return nr_paged + 2 * nr_hits;
}

static bool is_within(const struct trace_writer *writer, struct trace_span span)
{
    return span.first >= writer->tally.window.first && span.last <= writer->tally.window.last;
}

static void record(struct trace_writer *writer, const struct trace_record *record)
{
    struct trace_span span = trace_record_span(record);
    note_cycle(writer, span.first);
    if (!is_recording(writer) || span.last < writer->tally.window.first ||
        span.first > writer->tally.window.last || !is_wanted(writer, record))
        return;
    if (record->kind == TRACE_INSN)
        account_insn(writer, record->insn.number);
    writer->chunk_by_kind[record->kind]++;
    account(writer, 1, trace_encode(&writer->codec, record, writer->tally.to), span);
}

/* A hit by itself: in short if all that it stands for is wanted. */
static void record_hit(struct trace_writer *writer, const struct cpu_seen_hit *hit)
{
    struct trace_span span = {hit->asked, hit->asked + hit->form.hit_cycles};
    if (writer->wants_all && is_recording(writer) && is_within(writer, span)) {
        note_cycle(writer, span.first);
        unsigned nr_records = account_hits(writer, &hit, 1);
        account(writer, nr_records,
                trace_encode_hit(&writer->codec, hit, writer->next_insn, writer->tally.to), span);
        return;
    }
    struct trace_record whole;
    unsigned part = 0;
    do {
        part = trace_expand_hit(hit, writer->next_insn, part, &whole);
        record(writer, &whole);
    } while (part);
}

static void record_hits(struct trace_writer *writer)
{
    for (unsigned i = 0; i < writer->nr_hits; i++)
        record_hit(writer, writer->hits[i]);
    writer->nr_hits = 0;
}

/* An instruction and its hits, of which `code` has all sums. */
static void account_step(struct trace_writer *writer, const struct trace_code *code, cycle_t issued,
                         uint64_t number, size_t nr_bytes)
{
    struct trace_span span = {issued + code->first, issued + code->last};
    note_cycle(writer, issued + code->latest);
    account_insn(writer, number);
    trace_tally_count(&writer->tally, code->counts);
    account(writer, 0, nr_bytes, span);
}

/* An instruction with the hits that came before it: as one record if all of it is wanted. */
static void record_step(struct trace_writer *writer, const struct cpu_seen_insn *insn)
{
    const struct trace_code *code = trace_code_at(&writer->codec, insn->linear.v);
    cycle_t latest;
    writer->next_insn = insn->number;
    bool is_whole = writer->wants_all && is_recording(writer) &&
                    is_within(writer, trace_step_span(writer->hits, writer->nr_hits, insn, &latest));
    if (is_whole && trace_is_step(writer->hits, writer->nr_hits, insn)) {
        size_t nr_bytes =
            trace_encode_step(&writer->codec, writer->hits, writer->nr_hits, insn, writer->tally.to);
        writer->nr_hits = 0;
        account_step(writer, code, insn->issued, insn->number, nr_bytes);
    } else {
        record_hits(writer);
        record(writer, &(struct trace_record){.kind = TRACE_INSN, .insn = *insn});
    }
    writer->next_insn++;
}

static void record_told(struct trace_writer *writer, const struct cpu_seen_insn *insn)
{
    unsigned place = cpu_seen_place(insn->linear.v);
    writer->told[place] = *insn;
    writer->codec.code[place].told_like = 0; /* until it is written */
    record_step(writer, insn);
}

/* Neither the instruction nor any of its hits touches the window: all that there is to do is done. */
static bool is_outside(struct trace_writer *writer, const struct cpu_seen_again *again)
{
    struct cpu_seen_insn insn;
    cycle_t latest;
    trace_set_times(&insn, again);
    struct trace_span span = trace_step_span(writer->hits, writer->nr_hits, &insn, &latest);
    if (span.last >= writer->tally.window.first && span.first <= writer->tally.window.last)
        return false;
    note_cycle(writer, latest);
    writer->nr_hits = 0;
    writer->next_insn++;
    return true;
}

static void record_again(struct trace_writer *writer, const struct cpu_seen_again *again)
{
    if (is_outside(writer, again))
        return;
    struct cpu_seen_insn insn = writer->told[again->place];
    insn.number = writer->next_insn;
    trace_set_times(&insn, again);
    record_step(writer, &insn);
}

/* The short way, as far as it goes. */
static const uint8_t *record_known(struct trace_writer *writer, const uint8_t *at, const uint8_t *end)
{
    if (writer->nr_hits || !writer->wants_all || !is_recording(writer) ||
        writer->codec.next_insn != writer->next_insn)
        return at;
    at = trace_encode_known(&writer->codec, &writer->tally, at, end);
    if (writer->codec.next_insn != writer->next_insn)
        account_insn(writer, writer->codec.next_insn - 1);
    writer->next_insn = writer->codec.next_insn;
    if (trace_tally_is_full(&writer->tally))
        end_chunk(writer);
    return at;
}

/* What the observers are told no cycle of gets the latest that they were told. */
static void record_other(struct trace_writer *writer, const struct trace_record *from)
{
    record_hits(writer);
    if (from->kind != TRACE_CONTROL && from->kind != TRACE_MARK) {
        record(writer, from);
        return;
    }
    struct trace_record timed = {.kind = from->kind};
    if (from->kind == TRACE_CONTROL) {
        timed.control = from->control;
        timed.control.cycle = writer->tally.latest;
    } else {
        timed.mark = from->mark;
        timed.mark.cycle = writer->tally.latest;
    }
    record(writer, &timed);
}

/* Their instruction is in the next block. */
static void keep_hits(struct trace_writer *writer)
{
    struct cpu_seen_hit kept[TRACE_STEP_HITS];
    for (unsigned i = 0; i < writer->nr_hits; i++)
        kept[i] = *writer->hits[i];
    for (unsigned i = 0; i < writer->nr_hits; i++) {
        writer->kept[i] = kept[i];
        writer->hits[i] = &writer->kept[i];
    }
}

static void take(void *opaque, const uint8_t *at, const uint8_t *end)
{
    struct trace_writer *writer = opaque;
    while ((at = record_known(writer, at, end)) < end) {
        const struct trace_record *from = (const struct trace_record *)(const void *)at;
        if (*at == CPU_BRIEF_INSN) {
            record_again(writer, (const struct cpu_seen_again *)(const void *)at);
            at += sizeof(struct cpu_seen_again);
        } else if (*at == CPU_BRIEF_HIT) {
            if (writer->nr_hits == TRACE_STEP_HITS)
                record_hits(writer);
            writer->hits[writer->nr_hits++] = (const struct cpu_seen_hit *)(const void *)at;
            at += sizeof(struct cpu_seen_hit);
        } else {
            at += trace_pipe_bytes(from->kind, from->has_walk);
            if (from->kind == TRACE_INSN)
                record_told(writer, &from->insn);
            else
                record_other(writer, from);
        }
    }
    keep_hits(writer);
}

/*
 * Errors are kept for trace_writer_finish: the core that calls the hooks has nobody to tell. Nothing of the
 * host (times, names of folders, threads) goes into the file, so that two traces of a run are the same.
 */
static struct cpu_seen_insn *on_insn(void *opaque)
{
    struct trace_writer *writer = opaque;
    return &trace_pipe_put(writer->pipe, TRACE_INSN, false)->insn;
}

static void on_translation(void *opaque, const struct cpu_seen_translation *translation,
                           const struct walk *walk)
{
    struct trace_writer *writer = opaque;
    struct trace_record *seen = trace_pipe_put(writer->pipe, TRACE_TRANSLATION, walk != NULL);
    seen->translation = *translation;
    if (walk)
        seen->walk = *walk;
}

static void on_access(void *opaque, const struct cpu_seen_access *access, const struct walk *walk)
{
    struct trace_writer *writer = opaque;
    (void)walk; /* its translation told of it */
    trace_pipe_put(writer->pipe, TRACE_ACCESS, false)->access = *access;
}

static void on_request(void *opaque, const struct cpu_seen_request *request)
{
    struct trace_writer *writer = opaque;
    trace_pipe_put(writer->pipe, TRACE_REQUEST, false)->request = *request;
}

static void on_device_line(void *opaque, const struct dma_seen_line *line)
{
    struct trace_writer *writer = opaque;
    trace_pipe_put(writer->pipe, TRACE_DEVICE, false)->device = *line;
}

static void on_exception(void *opaque, const struct cpu_seen_exception *exception)
{
    struct trace_writer *writer = opaque;
    trace_pipe_put(writer->pipe, TRACE_EXCEPTION, false)->exception = *exception;
}

static void on_control(void *opaque, const char *what, uint64_t value)
{
    struct trace_writer *writer = opaque;
    struct trace_control *seen = &trace_pipe_put(writer->pipe, TRACE_CONTROL, false)->control;
    *seen = (struct trace_control){.value = value};
    snprintf(seen->what, sizeof seen->what, "%s", what);
}

void trace_writer_mark(struct trace_writer *writer, enum trace_mark_kind kind, uint32_t id, const char *text)
{
    struct trace_mark *seen = &trace_pipe_put(writer->pipe, TRACE_MARK, false)->mark;
    *seen = (struct trace_mark){.kind = kind, .id = id};
    size_t length = strnlen(text, TRACE_MARK_CHARS - 1);
    for (size_t i = 0; i < length; i++)
        seen->text[i] = (char)(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?');
}

/* Appends `key` and `value`, each with its NUL; what is too long is cut. */
static size_t put_text(uint8_t *to, size_t at, const char *key, const char *value)
{
    size_t room = MAX_TEXT_CHARS, length = strnlen(value ? value : "", room - 1);
    memcpy(to + at, key, strlen(key) + 1);
    at += strlen(key) + 1;
    memcpy(to + at, value ? value : "", length);
    at += length;
    to[at++] = 0;
    return at;
}

static void write_header(struct trace_writer *writer, const struct trace_params *params)
{
    static uint8_t const magic[TRACE_MAGIC_BYTES] = TRACE_HEADER_MAGIC;
    uint8_t *header = writer->packed;
    char clock[32], from[32], to[32];
    snprintf(clock, sizeof clock, "%" PRIu64, params->clock_hz);
    snprintf(from, sizeof from, "%" PRIu64, params->from);
    snprintf(to, sizeof to, "%" PRIu64, params->to);
    trace_put32(header, TRACE_SKIPPABLE);
    memcpy(header + TRACE_FRAME_BYTES, magic, sizeof magic);
    trace_put32(header + TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES, TRACE_VERSION);
    size_t size = TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES + 4;
    size = put_text(header, size, "lookaside", params->version);
    size = put_text(header, size, "config", params->config_digest);
    size = put_text(header, size, "image", params->image);
    size = put_text(header, size, "clock_hz", clock);
    size = put_text(header, size, "from", from);
    size = put_text(header, size, "to", to);
    trace_put32(header + 4, (uint32_t)(size + TRACE_HASH_BYTES - TRACE_FRAME_BYTES));
    trace_put64(header + size, trace_hash(header, size));
    write_bytes(writer, header, size + TRACE_HASH_BYTES);
}

static void write_index(struct trace_writer *writer)
{
    size_t size = (size_t)index_bytes(writer->nr_chunks);
    uint8_t *index = malloc(size), *at = index;
    if (!index) {
        writer->error = ENOMEM;
        return;
    }
    trace_put32(at, TRACE_SKIPPABLE);
    trace_put32(at + 4, (uint32_t)(size - TRACE_FRAME_BYTES));
    memcpy(at + TRACE_FRAME_BYTES, TRACE_INDEX_MAGIC, TRACE_MAGIC_BYTES);
    at += TRACE_FRAME_BYTES + TRACE_MAGIC_BYTES;
    trace_put64(at, writer->nr_chunks);
    trace_put64(at + 8, writer->ending);
    trace_put64(at + 16, writer->stopped_at);
    at += 24;
    for (unsigned i = 0; i < NR_TRACE_KINDS; i++, at += 8)
        trace_put64(at, writer->nr_by_kind[i]);
    for (size_t i = 0; i < writer->nr_chunks; i++, at += TRACE_INDEX_ENTRY_BYTES) {
        trace_put64(at, writer->chunks[i].offset);
        trace_put_summary(at + 8, &writer->chunks[i]);
    }
    trace_put64(at, trace_hash(index, (size_t)(at - index)));
    trace_put32(at + TRACE_HASH_BYTES, (uint32_t)size);
    trace_put32(at + TRACE_HASH_BYTES + 4, TRACE_TAIL_MAGIC);
    write_bytes(writer, index, size);
    free(index);
}

/* No record is on its way any more. */
static void destroy(struct trace_writer *writer)
{
    ZSTD_freeCCtx(writer->zstd);
    free(writer->packed);
    free(writer->chunks);
    free(writer);
}

static bool make_buffers(struct trace_writer *writer)
{
    size_t raw_room = TRACE_CHUNK_BYTES + TRACE_MAX_RECORD_BYTES;
    writer->packed_room = ZSTD_compressBound(raw_room);
    writer->packed = malloc(writer->packed_room);
    writer->zstd = ZSTD_createCCtx();
    return writer->packed && writer->zstd &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, COMPRESSION_LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1));
}

static bool make_pipes(struct trace_writer *writer)
{
    size_t chunk_room = sizeof(struct chunk_head) + TRACE_CHUNK_BYTES + TRACE_MAX_RECORD_BYTES;
    writer->chunk_pipe = trace_pipe_create(chunk_room, take_chunk, writer);
    if (!writer->chunk_pipe)
        return false;
    begin_chunk(writer);
    writer->pipe = trace_pipe_create(RECORDS_BLOCK_BYTES, take, writer);
    return writer->pipe != NULL;
}

struct trace_writer *trace_writer_create(const char *file, const struct trace_params *params,
                                         struct diag *diag)
{
    struct trace_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
        return NULL;
    }
    writer->observer = (struct cpu_observer){.opaque = writer,
                                             .insn_room = on_insn,
                                             .translation = on_translation,
                                             .access = on_access,
                                             .request = on_request,
                                             .exception = on_exception,
                                             .control = on_control};
    writer->dma_observer = (struct dma_observer){.opaque = writer, .line = on_device_line};
    writer->tally.window.first = params->from;
    writer->tally.window.last = params->to ? params->to : UINT64_MAX;
    writer->filter = params->filter.kinds ? params->filter : trace_filter_of_all();
    writer->wants_all = params->filter.kinds == 0 && !params->has_process && !params->has_region;
    writer->has_process = params->has_process;
    writer->process_cr3 = page_directory(params->process_cr3);
    writer->is_process = !params->has_process || writer->process_cr3 == 0; /* as reset leaves CR3 */
    writer->has_region = params->has_region;
    writer->region = params->region;
    writer->is_region = !params->has_region;
    writer->limit_bytes = params->limit_bytes;
    writer->tally.max_records =
        params->records_per_chunk ? params->records_per_chunk : TRACE_RECORDS_PER_CHUNK;
    if (writer->tally.max_records > TRACE_MAX_RECORDS_PER_CHUNK)
        writer->tally.max_records = TRACE_MAX_RECORDS_PER_CHUNK;
    if (!make_buffers(writer)) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
        destroy(writer);
        return NULL;
    }
    if (!outfile_open(&writer->out, file, diag)) {
        destroy(writer);
        return NULL;
    }
    write_header(writer, params);
    atomic_init(&writer->has_stopped, writer->error != 0);
    if (make_pipes(writer)) {
        writer->observer.room = &writer->pipe->room;
        return writer;
    }
    diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
    trace_pipe_destroy(writer->chunk_pipe);
    outfile_abandon(&writer->out);
    destroy(writer);
    return NULL;
}

const struct cpu_observer *trace_observer(struct trace_writer *writer)
{
    return &writer->observer;
}

const struct dma_observer *trace_dma_observer(struct trace_writer *writer)
{
    return &writer->dma_observer;
}

bool trace_writer_finish(struct trace_writer *writer, struct diag *diag)
{
    trace_pipe_destroy(writer->pipe);
    record_hits(writer);
    end_chunk(writer);
    trace_pipe_destroy(writer->chunk_pipe);
    write_index(writer);
    bool is_good = !writer->error;
    if (is_good) {
        is_good = outfile_commit(&writer->out, diag);
    } else {
        diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot be written: %s", writer->out.name,
                 strerror(writer->error));
        outfile_abandon(&writer->out);
    }
    destroy(writer);
    return is_good;
}

void trace_writer_abandon(struct trace_writer *writer)
{
    if (!writer)
        return;
    trace_pipe_destroy(writer->pipe);
    trace_pipe_destroy(writer->chunk_pipe);
    outfile_abandon(&writer->out);
    destroy(writer);
}
