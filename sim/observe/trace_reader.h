/*
 * Reads a trace file. The file may be anybody's: whatever is wrong with it ends in one line, never in harm. A
 * trace without index (the run was killed, the file was cut) can be read up to where it ends.
 */
#ifndef LK_SIM_OBSERVE_TRACE_READER_H
#define LK_SIM_OBSERVE_TRACE_READER_H

#include "sim/base/diag.h"
#include "sim/observe/trace_filter.h"
#include "sim/observe/trace_format.h"

struct trace_reader;

struct trace_info {
    const char *version, *config_digest, *image; /* "" where the file says nothing */
    uint64_t clock_hz;                           /* 0: unknown */
    cycle_t from, to;                            /* the window that was asked for; to 0: none */
    uint64_t file_bytes, nr_chunks, nr_records, raw_bytes;
    uint64_t nr_by_kind[NR_TRACE_KINDS]; /* all 0 where there is no index */
    struct trace_span cycles;            /* empty (first > last): no records */
    uint64_t first_insn, last_insn;
    enum trace_ending ending;
    cycle_t stopped_at;  /* TRACE_ENDED_BY_LIMIT: the first cycle that was lost */
    bool is_cut;         /* no index: this is what could be read */
    uint64_t good_bytes; /* is_cut: where the damage begins */
};

/*
 * NULL with a line in `diag`: EXIT_STATUS_NO_INPUT when the file cannot be read, EXIT_STATUS_BAD_DATA when it
 * is no trace or damaged. After opening, all of it is selected.
 */
struct trace_reader *trace_open(const char *file, struct diag *diag);
void trace_close(struct trace_reader *reader);
const struct trace_info *trace_info(const struct trace_reader *reader);

/*
 * Begins anew: trace_next will give all records of these cycles (and others; it skips what it can by the
 * index).
 */
void trace_select(struct trace_reader *reader, cycle_t from, cycle_t to);

/* From now on trace_next leaves out what the filter does not take. */
void trace_set_filter(struct trace_reader *reader, const struct trace_filter *filter);

/* The next record, in the order in which they were written. False at the end, or with a line in `diag`. */
bool trace_next(struct trace_reader *reader, struct trace_record *record, struct diag *diag)
    __attribute__((warn_unused_result));

#endif
