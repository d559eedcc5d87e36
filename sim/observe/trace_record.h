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

/* In a byte, so that a record begins with it as what is told in short begins with its `brief`. */
enum __attribute__((packed)) trace_kind {
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
    NR_WALK_ACCESSES = MMU_FETCH + 1,
    TRACE_STEP_HITS = 4,
    TRACE_COUNT_BITS = 21, /* more than a chunk has records */
    TRACE_COUNT_MASK = (1 << TRACE_COUNT_BITS) - 1,
    TRACE_CODE_ENTRIES = CPU_SEEN_PLACES,
    TRACE_FRAME_ENTRIES = 256,
    TRACE_MODE_ENTRIES = 16
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

/* An instruction as it was when it last ran, for the short form of the next time (trace_step.c). */
struct trace_code {
    uint64_t linear;
    uint8_t bytes[15];
    uint8_t length_bytes;
    uint8_t waited_for, nr_hits;
    uint64_t counts;          /* 1, its hits, and those for which the TLB was asked, TRACE_COUNT_BITS each */
    uint64_t fetched, issued; /* since the last fetch block and issue; issue in quarters of a cycle */
    cycle_t done;             /* since issue */
    uint64_t goes_to;         /* rip of what followed it */
    /*
     * Of who writes (trace_known.c): trace_told_like its mode and hits, while the codec knows it and the core
     * tells of it in short; else 0.
     */
    uint32_t told_like;
    uint64_t rip;
    uint64_t brief; /* the first bytes of its struct cpu_seen_again the last time; 0: unlike any */
    /* The first and last cycle of all, and the latest that anything was asked for in, from `issued`. */
    uint64_t first, last, latest;
    struct trace_code_hit {
        struct cpu_hit_form form;
        uint32_t asked; /* before its block was there, or before issue */
        uint32_t back;  /* of a fetch: from where it begins to its line */
        uint32_t ahead; /* of a fetch: from the instruction to where it begins */
    } hit[TRACE_STEP_HITS];
    uint64_t address[TRACE_STEP_HITS]; /* of data: linear; 0: none yet */
};

/* Base of CS, width of code and privilege level, by a number. */
struct trace_mode {
    uint64_t code_base;
    uint8_t code_bits, cpl;
    uint32_t number; /* 0: none */
};

/* Where a page was last found. */
struct trace_frame {
    uint64_t page, offset; /* number of the linear page; physical - linear */
};

/* What was read, on its way out record by record: hits, and the instruction that they were of. */
struct trace_step {
    struct cpu_seen_insn insn;
    bool has_insn;
    uint64_t number; /* of the instruction that they are for */
    unsigned nr_hits, next_hit, next_part;
    struct cpu_seen_hit hit[TRACE_STEP_HITS];
};

/* What the next record is told apart from. */
struct trace_codec {
    uint64_t next_insn, next_rip, code_base; /* of the instruction after the last; linear - rip */
    uint8_t code_bits, cpl;
    uint64_t issued;         /* in quarters of a cycle */
    struct trace_code *last; /* the last instruction */
    cycle_t fetched, cycle;  /* its block was there; it issued, or the latest record since was asked for */
    uint64_t linear[NR_ACCESS_KINDS], offset[NR_ACCESS_KINDS]; /* by kind: last address; physical - linear */
    uint64_t requested[NR_CPU_REQUEST_CACHES];                 /* by cache: the last address */
    uint64_t device_at;                                        /* a device's last line */
    uint64_t step_at[WALK_MAX_STEPS], step_value[WALK_MAX_STEPS];
    struct trace_code code[TRACE_CODE_ENTRIES]; /* by a hash of the linear address */
    struct trace_frame frame[TRACE_FRAME_ENTRIES];
    struct trace_mode mode[TRACE_MODE_ENTRIES]; /* of who writes, for trace_known.c */
    uint32_t mode_number, nr_modes;
    struct trace_step step; /* of who reads */
};

/* No record takes more bytes than this. */
enum { TRACE_MAX_RECORD_BYTES = 512 };

/* Returns how many bytes were written to `to`. */
size_t trace_encode(struct trace_codec *codec, const struct trace_record *record,
                    uint8_t to[TRACE_MAX_RECORD_BYTES]);

/*
 * An instruction and the hits (at most TRACE_STEP_HITS) that are all that was told since the last one, in
 * short; it reads as if each had been written by itself. Only if trace_is_step says so: they name it as
 * theirs. Returns how many bytes were written to `to`.
 */
bool trace_is_step(const struct cpu_seen_hit *const *hits, unsigned nr_hits,
                   const struct cpu_seen_insn *insn);
size_t trace_encode_step(struct trace_codec *codec, const struct cpu_seen_hit *const *hits, unsigned nr_hits,
                         const struct cpu_seen_insn *insn, uint8_t to[TRACE_MAX_RECORD_BYTES]);

/* What these span, and the latest cycle in which one of them began. */
struct trace_span trace_step_span(const struct cpu_seen_hit *const *hits, unsigned nr_hits,
                                  const struct cpu_seen_insn *insn, cycle_t *latest);

/* Any hit, by itself, of the instruction with that number. */
size_t trace_encode_hit(struct trace_codec *codec, const struct cpu_seen_hit *hit, uint64_t number,
                        uint8_t to[TRACE_MAX_RECORD_BYTES]);

/*
 * The records that a hit stands for, of the instruction with that number: part 0, and then what was
 * returned, until that is 0. `walk` of the record is left alone.
 */
unsigned trace_expand_hit(const struct cpu_seen_hit *hit, uint64_t number, unsigned part,
                          struct trace_record *record);

/*
 * Reads one record at *at, which moves, or stays where several were written as one. NULL; or what is wrong
 * with it, whatever the bytes are.
 */
const char *trace_decode(struct trace_codec *codec, const uint8_t **at, const uint8_t *end,
                         struct trace_record *record) __attribute__((warn_unused_result));

#endif
