/*
 * Most of what a traced run writes: instructions that the core tells of in short, and that are like the last
 * time. trace_step.c says what their records look like; here is the way that costs little.
 */
#ifndef LK_SIM_OBSERVE_TRACE_KNOWN_H
#define LK_SIM_OBSERVE_TRACE_KNOWN_H

#include "sim/observe/trace_record.h"

/* The sums that who writes a chunk keeps of it, and where the next record goes. */
struct trace_tally {
    uint8_t *to, *to_end; /* the chunk is full where they meet */
    uint64_t nr_records, max_records;
    uint64_t counts; /* of steps: the sum of trace_code.counts */
    struct trace_span cycles;
    cycle_t latest;           /* in which anything was asked for, in this chunk or before it */
    struct trace_span window; /* only what is all within is written as a step */
};

static inline bool trace_tally_is_full(const struct trace_tally *tally)
{
    return tally->to >= tally->to_end || tally->nr_records >= tally->max_records;
}

/* Steps were written: the sum of their trace_code.counts. */
static inline void trace_tally_count(struct trace_tally *tally, uint64_t counts)
{
    uint64_t nr_insns = counts & TRACE_COUNT_MASK, nr_hits = counts >> TRACE_COUNT_BITS & TRACE_COUNT_MASK;
    tally->counts += counts;
    tally->nr_records += nr_insns + 2 * nr_hits + (counts >> 2 * TRACE_COUNT_BITS);
}

/* What was written spans these, and the last of it began in `latest`. */
static inline void trace_tally_span(struct trace_tally *tally, struct trace_span span, cycle_t latest)
{
    if (latest > tally->latest)
        tally->latest = latest;
    if (span.first < tally->cycles.first)
        tally->cycles.first = span.first;
    if (span.last > tally->cycles.last)
        tally->cycles.last = span.last;
}

/*
 * Encodes what was told in short from `at` on, as long as each instruction is known and is in the mode of the
 * one before it, and the chunk has room. Returns where it stopped; hits there are of an instruction that was
 * not written. The one at `at` follows the codec's last one, and no hits were told of before it.
 */
const uint8_t *trace_encode_known(struct trace_codec *codec, struct trace_tally *tally, const uint8_t *at,
                                  const uint8_t *end);

/* What an instruction that was told of in short has of its own, but for its number. */
static inline void trace_set_times(struct cpu_seen_insn *insn, const struct cpu_seen_again *again)
{
    insn->fetched = again->fetched;
    insn->issued = again->issued_quarter >> 2;
    insn->slot = again->issued_quarter & 3;
    insn->done = insn->issued + again->done_cycles;
    insn->waited_for = again->waited_for;
}

#endif
