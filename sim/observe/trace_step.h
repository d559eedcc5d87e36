/*
 * The short form of what happens most: instructions whose accesses were nothing but hits. It says only in
 * what an instruction differs from the last time it ran.
 */
#ifndef LK_SIM_OBSERVE_TRACE_STEP_H
#define LK_SIM_OBSERVE_TRACE_STEP_H

#include "sim/observe/trace_bytes.h"
#include "sim/observe/trace_record.h"

/* Bit 0 of a record's first byte says whether it is a step; else bits 1-3 have its kind, this for a hit. */
enum { TRACE_IS_STEP = 1, TRACE_HEAD_SHIFT = 1, TRACE_HEAD_MASK = 7, TRACE_HEAD_HIT = 0 };

/* Flags of a step's first byte, above TRACE_IS_STEP: what is as it was to be expected, and not said. */
enum trace_step_flag {
    TRACE_STEP_IS_NEXT = 2,   /* it follows the last instruction */
    TRACE_STEP_SAME_MODE = 4, /* base of CS, width of code, privilege level */
    TRACE_STEP_KNOWN = 8,     /* the instruction there has the same bytes as before */
    TRACE_STEP_SAME_TIMES = 16,
    TRACE_STEP_SAME_HITS = 32,
    TRACE_STEP_SAME_FRAMES = 64,
    TRACE_STEP_AS_FORESEEN = 127 - TRACE_IS_STEP,
};

static inline struct trace_code *trace_code_at(struct trace_codec *codec, uint64_t linear)
{
    struct trace_code *code = &codec->code[cpu_seen_place(linear)];
    __asm__("" : "+r"(code)); /* else gcc forgets the sum and makes it anew from its parts for each field */
    return code;
}

static inline struct trace_frame *trace_frame_at(struct trace_codec *codec, uint64_t linear)
{
    uint64_t page = linear >> PAGE_SHIFT;
    return &codec->frame[(page ^ page >> 8) % TRACE_FRAME_ENTRIES];
}

static inline bool trace_is_fetch(const struct cpu_seen_hit *hit)
{
    return hit->form.kind == CPU_ACCESS_FETCH;
}

/* What there is of two forms that is not the same. */
static inline uint64_t trace_form_differs(const struct cpu_hit_form *a, const struct cpu_hit_form *b)
{
    uint64_t bits[2];
    memcpy(&bits[0], a, sizeof bits[0]);
    memcpy(&bits[1], b, sizeof bits[1]);
    return bits[0] ^ bits[1];
}

/* The same of the bytes of two instructions and of their length, which lies behind them. */
static inline uint64_t trace_bytes_differ(const struct trace_code *code, const struct cpu_seen_insn *insn)
{
    uint64_t a[2], b[2];
    _Static_assert(offsetof(struct trace_code, length_bytes) == offsetof(struct trace_code, bytes) + 15, "");
    _Static_assert(offsetof(struct cpu_seen_insn, length_bytes) == offsetof(struct cpu_seen_insn, bytes) + 15,
                   "");
    memcpy(a, (const uint8_t *)code + offsetof(struct trace_code, bytes), sizeof a);
    memcpy(b, (const uint8_t *)insn + offsetof(struct cpu_seen_insn, bytes), sizeof b);
    return (a[0] ^ b[0]) | (a[1] ^ b[1]);
}

/* What a known instruction must be like: in the mode of that number, with so many hits. */
static inline uint32_t trace_told_like(uint32_t mode_number, unsigned nr_hits)
{
    _Static_assert(TRACE_STEP_HITS < 8, "");
    return mode_number << 3 | nr_hits;
}

/* What the times of an instruction span; and its hits as well. `latest` is the latest that began in it. */
TRACE_INLINE struct trace_span trace_times_span(cycle_t fetched, cycle_t issued, cycle_t done)
{
    cycle_t first = issued < done ? issued : done, last = issued > done ? issued : done;
    return (struct trace_span){fetched < first ? fetched : first, fetched > last ? fetched : last};
}

TRACE_INLINE void trace_span_hit(struct trace_span *span, cycle_t *latest, const struct cpu_seen_hit *hit)
{
    cycle_t asked = hit->asked, ready = asked + hit->form.hit_cycles;
    *latest = asked > *latest ? asked : *latest;
    span->first = asked < span->first ? asked : span->first;
    span->last = ready > span->last ? ready : span->last;
}

TRACE_INLINE void trace_note_span(struct trace_code *code, cycle_t issued, struct trace_span span,
                                  cycle_t latest)
{
    code->first = span.first - issued;
    code->last = span.last - issued;
    code->latest = latest - issued;
}

/* trace_code.counts of an instruction with these hits. */
TRACE_INLINE uint64_t trace_counts_of(const struct cpu_seen_hit *const *hits, unsigned nr_hits)
{
    uint64_t nr_paged = 0;
    for (unsigned i = 0; i < nr_hits; i++)
        nr_paged += hits[i]->form.is_paged;
    return 1 | (uint64_t)nr_hits << TRACE_COUNT_BITS | nr_paged << 2 * TRACE_COUNT_BITS;
}

/* Writes which instruction it is, where it does not follow the last one. */
TRACE_INLINE void trace_put_where(struct trace_out *out, struct trace_codec *codec, uint64_t number,
                                  uint64_t rip)
{
    trace_out_delta(out, number, codec->next_insn);
    trace_out_delta(out, rip, codec->next_rip);
    if (codec->last)
        codec->last->goes_to = rip;
}

/* Writes its times, and makes them those of `code`. */
TRACE_INLINE void trace_put_times(struct trace_out *out, struct trace_code *code, uint64_t fetched,
                                  uint64_t issued, cycle_t done, uint8_t waited_for)
{
    trace_out_delta(out, fetched, 0);
    trace_out_delta(out, issued, 0);
    trace_out_delta(out, done, 0);
    trace_out_byte(out, waited_for);
    code->fetched = fetched;
    code->issued = issued;
    code->done = done;
    code->waited_for = waited_for;
}

/* Writes what hits it has, and makes them those of `code`. */
void trace_put_hit_forms(struct trace_out *out, struct trace_code *code,
                         const struct cpu_seen_hit *const *hits, unsigned nr_hits,
                         const struct cpu_seen_insn *insn);

/* Of so many-th data of an instruction. */
static inline uint64_t trace_likely_address(const struct trace_codec *codec, const struct trace_code *code,
                                            unsigned data, unsigned kind)
{
    return code->address[data] ? code->address[data] : codec->linear[kind];
}

static inline uint64_t trace_issue_quarter(const struct cpu_seen_insn *insn)
{
    return insn->issued << 2 | insn->slot;
}

/* Makes it know nothing, as if zeroed: the rest of an instruction is not looked at while it has no length. */
static inline void trace_codec_begin(struct trace_codec *codec)
{
    memset(codec, 0, offsetof(struct trace_codec, code));
    memset(codec->frame, 0, sizeof codec->frame);
    memset(codec->mode, 0, sizeof codec->mode);
    codec->mode_number = codec->nr_modes = 0;
    for (unsigned i = 0; i < TRACE_CODE_ENTRIES; i++) {
        codec->code[i].linear = 0;
        codec->code[i].length_bytes = 0;
        codec->code[i].told_like = 0;
    }
}

/* Reads what the first byte, `head`, begins, into codec->step. What is wrong is in `in`. */
void trace_in_step(struct trace_in *in, struct trace_codec *codec, unsigned head);
void trace_in_hit(struct trace_in *in, struct trace_codec *codec);

/* The next record of codec->step; false: there is none left. */
bool trace_take_step(struct trace_codec *codec, struct trace_record *record);

#endif
