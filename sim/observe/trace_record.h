/*
 * What a trace holds: one record for each call of a core's observer (cpu/observe.h) and of the devices'
 * (dma/master.h), in the order of the calls. And records as bytes: deltas against the records before, so that
 * a chunk of a file can be read without those before it as long as both sides begin it with a zeroed
 * `struct trace_codec`.
 */
#ifndef LK_SIM_OBSERVE_TRACE_RECORD_H
#define LK_SIM_OBSERVE_TRACE_RECORD_H

#include "cache/cache.h" /* enum served_by */
#include "cpu/observe.h"
#include "dma/master.h"

#include <stddef.h>

enum trace_kind {
    TRACE_INSN,
    TRACE_TRANSLATION,
    TRACE_ACCESS,
    TRACE_EXCEPTION,
    TRACE_CONTROL,
    TRACE_REQUEST,
    TRACE_DEVICE,
    TRACE_MARK,
    NR_TRACE_KINDS,
};

enum {
    TRACE_CONTROL_CHARS = 16,
    TRACE_MARK_CHARS = 64,
    NR_ACCESS_KINDS = CPU_ACCESS_STORE + 1,
    NR_WALK_ACCESSES = MMU_FETCH + 1
};

/*
 * A write that TLBs or caches care about. The observer is told no cycle: `cycle` is the latest that it had
 * seen.
 */
struct trace_control {
    char what[TRACE_CONTROL_CHARS];
    uint64_t value;
    cycle_t cycle;
};

/* What a marker of the guest said (docs/markers.md). */
enum trace_mark_kind {
    TRACE_MARK_ROI_BEGIN,
    TRACE_MARK_ROI_END,
    TRACE_MARK_TEXT,
    TRACE_MARK_RESET_STATS,
    TRACE_MARK_DUMP_STATS,
    TRACE_MARK_MM_EVENT, /* of memory management; the id is its kind */
    NR_TRACE_MARKS,
};
struct trace_mark {
    enum trace_mark_kind kind;
    uint32_t id;
    char text[TRACE_MARK_CHARS]; /* printable; what does not fit is cut */
    cycle_t cycle;               /* like that of a control write */
};

struct trace_record {
    enum trace_kind kind;
    bool has_walk; /* TRACE_TRANSLATION only; else `walk` holds nothing */
    union {
        struct cpu_seen_insn insn;
        struct cpu_seen_translation translation;
        struct cpu_seen_access access;
        struct cpu_seen_exception exception;
        struct trace_control control;
        struct cpu_seen_request request;
        struct dma_seen_line device;
        struct trace_mark mark;
    };
    struct walk walk;
};

/* The first and the last cycle that a record speaks of. */
struct trace_span {
    cycle_t first, last;
};
struct trace_span trace_record_span(const struct trace_record *record);

/* What the L1I or L1D counts as a miss. */
static inline bool trace_access_missed(const struct cpu_seen_access *seen)
{
    return seen->is_ram && seen->served_by != SERVED_BY_L1 && !seen->is_in_flight;
}

/* What the next record is told apart from. */
struct trace_codec {
    uint64_t next_insn, next_rip, code_base; /* of the instruction after the last; linear - rip */
    uint8_t code_bits, cpl;
    cycle_t fetched, cycle;
    uint64_t linear[NR_ACCESS_KINDS], offset[NR_ACCESS_KINDS]; /* by kind: last address; physical - linear */
    uint64_t requested[NR_CPU_REQUEST_CACHES];                 /* by cache: the last address */
    uint64_t device_at;                                        /* a device's last line */
    uint64_t step_at[WALK_MAX_STEPS], step_value[WALK_MAX_STEPS];
};

/* No record takes more bytes than this. */
enum { TRACE_MAX_RECORD_BYTES = 512 };

/* Returns how many bytes were written to `to`. */
size_t trace_encode(struct trace_codec *codec, const struct trace_record *record,
                    uint8_t to[TRACE_MAX_RECORD_BYTES]);

/* Reads one record at *at, which moves. NULL; or what is wrong with it, whatever the bytes are. */
const char *trace_decode(struct trace_codec *codec, const uint8_t **at, const uint8_t *end,
                         struct trace_record *record) __attribute__((warn_unused_result));

#endif
