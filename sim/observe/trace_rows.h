/*
 * A trace as rows: one for each instruction, and one for each exception or interrupt, with all that happened
 * on its account. And the pipeline in a cycle, which is the rows that were on their way then.
 */
#ifndef LK_SIM_OBSERVE_TRACE_ROWS_H
#define LK_SIM_OBSERVE_TRACE_ROWS_H

#include "sim/observe/trace_reader.h"

enum { TRACE_MAX_PARTS = 64, TRACE_MAX_LINES = 32 };

/* What happened on a row's account, counted whether it is kept among its parts or not. */
struct trace_tally {
    uint64_t loads, stores, devices; /* accesses; of them, those that went to no RAM */
    uint64_t itlb_misses, dtlb_misses, l2_tlb_hits;
    uint64_t walks, walk_cycles;
    uint64_t l1i_misses, l1d_misses;
    struct laddr first_load, first_store; /* where there are any */
};

struct trace_row {
    bool is_exception;
    struct cpu_seen_insn insn;           /* is_exception: not used */
    struct cpu_seen_exception exception; /* is_exception only */
    cycle_t asked;  /* when its fetch block was asked for; insn.fetched is when its bytes were there */
    bool is_memory; /* it loads or stores */
    struct trace_span span;
    struct trace_tally tally;
    /*
     * Translations, accesses and control writes made for it, and lines that devices asked for since the row
     * before, in order; owned. Of many the first are kept.
     */
    struct trace_record *parts;
    unsigned nr_parts, nr_parts_lost;
    unsigned nr_lines; /* of devices, those not kept included */
};

/* The stages of a scalar view of the pipeline (docs/trace.md). */
enum trace_stage {
    TRACE_STAGE_NONE, /* not there yet, or gone */
    TRACE_STAGE_FETCH,
    TRACE_STAGE_DECODE,
    TRACE_STAGE_EXECUTE,
    TRACE_STAGE_MEMORY,
    TRACE_STAGE_WRITE,
    NR_TRACE_STAGES,
};
enum trace_stage trace_row_stage(const struct trace_row *row, cycle_t cycle);
/* The first cycle in which the row is in that stage; false where it skips it. Not for exceptions. */
bool trace_row_enters(const struct trace_row *row, enum trace_stage stage, cycle_t *cycle);

struct trace_rows;

/* Rows that touch cycles from..to, in program order. Selects in `reader`. NULL when memory is short. */
struct trace_rows *trace_rows_create(struct trace_reader *reader, cycle_t from, cycle_t to);
void trace_rows_destroy(struct trace_rows *rows);

/* The next row, until the call after it. NULL at the end, or with a line in `diag`. */
const struct trace_row *trace_rows_next(struct trace_rows *rows, struct diag *diag);

/* The rows of a stretch of cycles that goes by. */
struct trace_pipeline;
struct trace_pipeline *trace_pipeline_create(struct trace_reader *reader, cycle_t from, cycle_t to);
void trace_pipeline_destroy(struct trace_pipeline *pipeline);

/*
 * Goes to a cycle (never back). Then trace_pipeline_row(0 ...) are the rows that may be on their way, in
 * program order, and some that follow them, until NULL. False with a line in `diag`.
 */
bool trace_pipeline_advance(struct trace_pipeline *pipeline, cycle_t cycle, struct diag *diag)
    __attribute__((warn_unused_result));
const struct trace_row *trace_pipeline_row(const struct trace_pipeline *pipeline, size_t i);

#endif
