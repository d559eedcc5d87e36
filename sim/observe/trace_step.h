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
    struct trace_code *code = &codec->code[(linear ^ linear >> 11) % TRACE_CODE_ENTRIES];
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

/*
 * The beginning of a step of a known instruction, with hits as before, that does not follow the last one or
 * has other times. Returns what lies behind it in `to`.
 */
uint8_t *trace_encode_when(struct trace_codec *codec, const struct cpu_seen_hit *const *hits,
                           unsigned nr_hits, const struct cpu_seen_insn *insn, struct trace_code *code,
                           uint8_t *to);

TRACE_INLINE uint64_t trace_hit_differs(struct trace_codec *codec, const struct trace_code *code, unsigned i,
                                        const struct cpu_seen_hit *hit, const struct cpu_seen_insn *insn)
{
    const struct trace_frame *frame = trace_frame_at(codec, hit->linear.v);
    uint64_t differs =
        trace_form_differs(&hit->form, &code->form[i]) | (frame->page ^ hit->linear.v >> PAGE_SHIFT) |
        (frame->offset ^ (hit->physical.v - hit->linear.v)) | ((hit->ip - insn->linear.v) ^ code->ahead[i]);
    if (trace_is_fetch(hit))
        return differs | ((insn->fetched - hit->asked) ^ code->asked[i]) |
               ((hit->ip - hit->linear.v) ^ code->back[i]);
    return differs | ((insn->issued - hit->asked) ^ code->asked[i]);
}

/* Whether it is the instruction that last was at its address, in the mode of the one before it. */
TRACE_INLINE bool trace_is_known(const struct trace_codec *codec, const struct trace_code *code,
                                 const struct cpu_seen_insn *insn)
{
    if (((insn->linear.v - insn->rip) ^ codec->code_base) |
        (uint64_t)((insn->code_bits ^ codec->code_bits) | (insn->cpl ^ codec->cpl)))
        return false;
    return ((code->linear ^ insn->linear.v) | trace_bytes_differ(code, insn)) == 0;
}

/*
 * trace_encode_step of a known instruction with the hits that it had before, but for the addresses of its
 * data: most of what a traced run writes, and so inlined. `code` is the one at its address. 0: it is not.
 */
TRACE_INLINE size_t trace_encode_known(struct trace_codec *codec, const struct cpu_seen_hit *const *hits,
                                       unsigned nr_hits, const struct cpu_seen_insn *insn,
                                       struct trace_code *code, uint8_t *to)
{
    if (!trace_is_known(codec, code, insn) || code->nr_hits != nr_hits)
        return 0;
    for (unsigned i = 0; i < nr_hits; i++)
        if (trace_hit_differs(codec, code, i, hits[i], insn))
            return 0;
    uint64_t quarter = trace_issue_quarter(insn);
    struct trace_out out = {to + 1};
    *to = TRACE_IS_STEP | TRACE_STEP_AS_FORESEEN;
    if ((insn->number ^ codec->next_insn) | (insn->rip ^ codec->next_rip) |
        ((insn->fetched - codec->fetched) ^ code->fetched) | ((quarter - codec->issued) ^ code->issued) |
        ((insn->done - insn->issued) ^ code->done) | (uint64_t)(insn->waited_for ^ code->waited_for))
        out.at = trace_encode_when(codec, hits, nr_hits, insn, code, to);
    for (unsigned i = 0, data = 0; i < nr_hits; i++) {
        if (trace_is_fetch(hits[i]))
            continue;
        uint64_t linear = hits[i]->linear.v, kind = hits[i]->form.kind;
        trace_out_delta(&out, linear, trace_likely_address(codec, code, data, (unsigned)kind));
        code->address[data++] = linear;
    }
    for (unsigned i = 0; i < nr_hits; i++)
        if (!trace_is_fetch(hits[i]))
            codec->linear[hits[i]->form.kind] = hits[i]->linear.v;
    codec->next_insn = insn->number + 1;
    codec->next_rip = code->goes_to;
    codec->last = code;
    codec->fetched = insn->fetched;
    codec->issued = quarter;
    codec->cycle = insn->issued;
    return (size_t)(out.at - to);
}

/* Makes it know nothing, as if zeroed: the rest of an instruction is not looked at while it has no length. */
static inline void trace_codec_begin(struct trace_codec *codec)
{
    memset(codec, 0, offsetof(struct trace_codec, code));
    memset(codec->frame, 0, sizeof codec->frame);
    for (unsigned i = 0; i < TRACE_CODE_ENTRIES; i++) {
        codec->code[i].linear = 0;
        codec->code[i].length_bytes = 0;
    }
}

/* Reads what the first byte, `head`, begins, into codec->step. What is wrong is in `in`. */
void trace_in_step(struct trace_in *in, struct trace_codec *codec, unsigned head);
void trace_in_hit(struct trace_in *in, struct trace_codec *codec);

/* The next record of codec->step; false: there is none left. */
bool trace_take_step(struct trace_codec *codec, struct trace_record *record);

#endif
