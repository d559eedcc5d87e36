#include "sim/observe/trace_rows.h"

#include <stdlib.h>
#include <string.h>

/* Of a row at the beginning one wants to know its fetch block: look for it this many cycles earlier. */
enum { LOOK_BACK_CYCLES = 2000, MAX_ROWS_AHEAD = 4096 };

struct trace_rows {
    struct trace_reader *reader;
    cycle_t from, to;
    struct trace_row row;
    struct trace_record ahead; /* read, but not part of the last row */
    bool has_ahead;
    /* A block is fetched once and then serves several instructions: only the first has it among its parts. */
    struct trace_span fetch; /* of the latest fetch block: asked for, there */
};

enum trace_stage trace_row_stage(const struct trace_row *row, cycle_t cycle)
{
    const struct cpu_seen_insn *insn = &row->insn;
    if (row->is_exception || cycle < row->span.first || cycle > row->span.last)
        return TRACE_STAGE_NONE;
    if (cycle >= insn->issued) {
        if (cycle == insn->issued)
            return TRACE_STAGE_EXECUTE;
        if (cycle < insn->done)
            return row->is_memory ? TRACE_STAGE_MEMORY : TRACE_STAGE_EXECUTE;
        return cycle == insn->done ? TRACE_STAGE_WRITE : TRACE_STAGE_NONE;
    }
    return cycle <= insn->fetched ? TRACE_STAGE_FETCH : TRACE_STAGE_DECODE;
}

bool trace_row_enters(const struct trace_row *row, enum trace_stage stage, cycle_t *cycle)
{
    const struct cpu_seen_insn *insn = &row->insn;
    switch (stage) {
    case TRACE_STAGE_FETCH:
        *cycle = row->asked;
        return true;
    case TRACE_STAGE_DECODE:
        *cycle = insn->fetched + 1;
        return insn->fetched + 1 < insn->issued;
    case TRACE_STAGE_EXECUTE:
        *cycle = insn->issued;
        return true;
    case TRACE_STAGE_MEMORY:
        *cycle = insn->issued + 1;
        return row->is_memory && insn->done > insn->issued + 1;
    case TRACE_STAGE_WRITE:
        *cycle = insn->done;
        return insn->done > insn->issued;
    case TRACE_STAGE_NONE:
    case NR_TRACE_STAGES:
        break;
    }
    return false;
}

struct trace_rows *trace_rows_create(struct trace_reader *reader, cycle_t from, cycle_t to)
{
    struct trace_rows *rows = calloc(1, sizeof *rows);
    if (!rows)
        return NULL;
    *rows = (struct trace_rows){.reader = reader, .from = from, .to = to};
    rows->row.parts = calloc(TRACE_MAX_PARTS, sizeof *rows->row.parts);
    if (!rows->row.parts) {
        free(rows);
        return NULL;
    }
    trace_select(reader, from > LOOK_BACK_CYCLES ? from - LOOK_BACK_CYCLES : 0, to);
    return rows;
}

void trace_rows_destroy(struct trace_rows *rows)
{
    if (!rows)
        return;
    free(rows->row.parts);
    free(rows);
}

static bool read_record(struct trace_rows *rows, struct diag *diag)
{
    while (!rows->has_ahead && trace_next(rows->reader, &rows->ahead, diag))
        rows->has_ahead = rows->ahead.kind != TRACE_REQUEST; /* accesses and walks say it for people */
    return rows->has_ahead;
}

static bool is_of_fetch(const struct trace_record *record)
{
    return (record->kind == TRACE_TRANSLATION && record->translation.access == MMU_FETCH) ||
           (record->kind == TRACE_ACCESS && record->access.kind == CPU_ACCESS_FETCH);
}

static bool is_part(const struct trace_record *record)
{
    return record->kind == TRACE_TRANSLATION || record->kind == TRACE_ACCESS ||
           record->kind == TRACE_CONTROL || record->kind == TRACE_DEVICE || record->kind == TRACE_MARK;
}

/* When a walk's last entry was there; its begin is when it was asked for. */
static cycle_t walk_end(const struct trace_record *part)
{
    return part->walk.nr_steps ? part->walk.step[part->walk.nr_steps - 1].ready : part->translation.asked;
}

static void count_translation(struct trace_tally *tally, const struct trace_record *part)
{
    const struct cpu_seen_translation *seen = &part->translation;
    if (!seen->is_refuted && !seen->is_l1_hit) {
        tally->itlb_misses += seen->access == MMU_FETCH;
        tally->dtlb_misses += seen->access != MMU_FETCH;
        tally->l2_tlb_hits += seen->is_l2_hit;
    }
    if (part->has_walk) {
        tally->walks++;
        tally->walk_cycles += walk_end(part) - seen->asked;
    }
}

static void count_access(struct trace_tally *tally, const struct cpu_seen_access *seen)
{
    bool is_miss = trace_access_missed(seen);
    if (seen->kind == CPU_ACCESS_FETCH) {
        tally->l1i_misses += is_miss;
        return;
    }
    tally->l1d_misses += is_miss;
    tally->devices += !seen->is_ram;
    if (seen->kind == CPU_ACCESS_LOAD && tally->loads++ == 0)
        tally->first_load = seen->linear;
    if (seen->kind == CPU_ACCESS_STORE && tally->stores++ == 0)
        tally->first_store = seen->linear;
}

static void add_part(struct trace_row *row, const struct trace_record *part)
{
    if (part->kind == TRACE_TRANSLATION)
        count_translation(&row->tally, part);
    else if (part->kind == TRACE_ACCESS)
        count_access(&row->tally, &part->access);
    bool is_device = part->kind == TRACE_DEVICE;
    row->nr_lines += is_device;
    if (row->nr_parts < TRACE_MAX_PARTS && !(is_device && row->nr_lines > TRACE_MAX_LINES))
        row->parts[row->nr_parts++] = *part;
    else
        row->nr_parts_lost++;
}

static void finish_insn(struct trace_rows *rows, const struct cpu_seen_insn *insn)
{
    struct trace_row *row = &rows->row;
    struct trace_record record = {.kind = TRACE_INSN, .insn = *insn};
    row->insn = *insn;
    row->span = trace_record_span(&record);
    /*
     * Behind a branch within a block, or in a trace that begins in the middle, the last block seen is
     * another.
     */
    row->asked = insn->fetched;
    if (rows->fetch.last == insn->fetched && rows->fetch.first < row->asked)
        row->span.first = row->asked = rows->fetch.first;
}

/* What follows an exception, up to the first fetch of its handler, is its delivery. */
static void finish_exception(struct trace_rows *rows, const struct cpu_seen_exception *exception,
                             struct diag *diag)
{
    struct trace_row *row = &rows->row;
    row->is_exception = true;
    row->exception = *exception;
    while (read_record(rows, diag) && is_part(&rows->ahead) && !is_of_fetch(&rows->ahead)) {
        add_part(row, &rows->ahead);
        rows->has_ahead = false;
    }
    row->span.first = row->span.last = exception->cycle;
}

static void begin_row(struct trace_row *row)
{
    struct trace_record *parts = row->parts;
    *row = (struct trace_row){.parts = parts};
}

/* The number of the instruction that a record is of. False: it has none. */
static bool number_of(const struct trace_record *record, uint64_t *number)
{
    switch (record->kind) {
    case TRACE_INSN:
        *number = record->insn.number;
        return true;
    case TRACE_EXCEPTION:
        *number = record->exception.instruction;
        return true;
    case TRACE_TRANSLATION:
        *number = record->translation.instruction;
        return true;
    case TRACE_ACCESS:
        *number = record->access.instruction;
        return true;
    default:
        return false;
    }
}

/*
 * Reads one row whatever its cycles. False at the end. Where a trace does not have all, parts may be there
 * whose instruction is not.
 */
static bool read_row(struct trace_rows *rows, struct diag *diag)
{
    struct trace_row *row = &rows->row;
    uint64_t number, number_of_parts = 0;
    bool has_number = false;
    begin_row(row);
    while (read_record(rows, diag)) {
        rows->has_ahead = false;
        const struct trace_record *record = &rows->ahead;
        if (number_of(record, &number)) {
            if (has_number && number != number_of_parts)
                begin_row(row);
            number_of_parts = number;
            has_number = true;
        }
        if (record->kind == TRACE_INSN) {
            finish_insn(rows, &record->insn);
            return true;
        }
        if (record->kind == TRACE_EXCEPTION) {
            struct cpu_seen_exception exception = record->exception;
            finish_exception(rows, &exception, diag);
            return true;
        }
        if (record->kind == TRACE_ACCESS && record->access.kind == CPU_ACCESS_FETCH)
            rows->fetch = (struct trace_span){record->access.asked, record->access.ready};
        else if (record->kind == TRACE_ACCESS)
            row->is_memory = true;
        add_part(row, record);
    }
    return false;
}

const struct trace_row *trace_rows_next(struct trace_rows *rows, struct diag *diag)
{
    while (read_row(rows, diag)) {
        if (rows->row.span.last >= rows->from && rows->row.span.first <= rows->to)
            return &rows->row;
    }
    return NULL;
}

/* ---- */

struct trace_pipeline {
    struct trace_rows *rows;
    bool is_at_end;
    struct trace_row *row; /* copies, in program order; those before `head` have left */
    size_t head, nr_rows, room;
};

struct trace_pipeline *trace_pipeline_create(struct trace_reader *reader, cycle_t from, cycle_t to)
{
    struct trace_pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline)
        return NULL;
    pipeline->rows = trace_rows_create(reader, from, to);
    if (pipeline->rows)
        return pipeline;
    free(pipeline);
    return NULL;
}

void trace_pipeline_destroy(struct trace_pipeline *pipeline)
{
    if (!pipeline)
        return;
    for (size_t i = pipeline->head; i < pipeline->nr_rows; i++)
        free(pipeline->row[i].parts);
    free(pipeline->row);
    trace_rows_destroy(pipeline->rows);
    free(pipeline);
}

static bool make_room(struct trace_pipeline *pipeline)
{
    if (pipeline->nr_rows < pipeline->room)
        return true;
    if (pipeline->head > 0) {
        pipeline->nr_rows -= pipeline->head;
        memmove(pipeline->row, pipeline->row + pipeline->head, pipeline->nr_rows * sizeof *pipeline->row);
        pipeline->head = 0;
        return true;
    }
    size_t room = pipeline->room ? pipeline->room * 2 : 64;
    struct trace_row *row = realloc(pipeline->row, room * sizeof *row);
    if (!row)
        return false;
    pipeline->row = row;
    pipeline->room = room;
    return true;
}

static bool take_row(struct trace_pipeline *pipeline, const struct trace_row *from)
{
    if (!make_room(pipeline))
        return false;
    struct trace_row row = *from;
    row.parts = NULL;
    if (from->nr_parts) {
        row.parts = malloc(from->nr_parts * sizeof *row.parts);
        if (!row.parts)
            return false;
        memcpy(row.parts, from->parts, from->nr_parts * sizeof *row.parts);
    }
    pipeline->row[pipeline->nr_rows++] = row;
    return true;
}

/* Fetches go in order: once a row is fetched later than `cycle`, no row behind it matters yet. */
static bool is_complete(const struct trace_pipeline *pipeline, cycle_t cycle)
{
    if (pipeline->is_at_end || pipeline->nr_rows - pipeline->head >= MAX_ROWS_AHEAD)
        return true;
    if (pipeline->nr_rows == pipeline->head)
        return false;
    const struct trace_row *last = &pipeline->row[pipeline->nr_rows - 1];
    return !last->is_exception && last->asked > cycle;
}

bool trace_pipeline_advance(struct trace_pipeline *pipeline, cycle_t cycle, struct diag *diag)
{
    while (pipeline->head < pipeline->nr_rows && pipeline->row[pipeline->head].span.last < cycle)
        free(pipeline->row[pipeline->head++].parts);
    while (!is_complete(pipeline, cycle)) {
        const struct trace_row *row = trace_rows_next(pipeline->rows, diag);
        if (row && !take_row(pipeline, row))
            return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        if (!row)
            pipeline->is_at_end = true;
    }
    return diag->status == EXIT_STATUS_OK;
}

const struct trace_row *trace_pipeline_row(const struct trace_pipeline *pipeline, size_t i)
{
    return i < pipeline->nr_rows - pipeline->head ? &pipeline->row[pipeline->head + i] : NULL;
}
