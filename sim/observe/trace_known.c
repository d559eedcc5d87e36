#include "sim/observe/trace_known.h"

#include "sim/observe/trace_step.h"

/* Of an instruction that is as foreseen. */
enum { MAX_STEP_RECORDS = 1 + 3 * TRACE_STEP_HITS, MAX_STEP_BYTES = 1 + 10 * TRACE_STEP_HITS };

/* So many instructions surely have room in the chunk. */
static uint64_t sure_insns(const struct trace_tally *tally)
{
    uint64_t by_bytes = (uint64_t)(tally->to_end - tally->to) / MAX_STEP_BYTES;
    uint64_t by_records = (tally->max_records - tally->nr_records) / MAX_STEP_RECORDS;
    return by_bytes < by_records ? by_bytes : by_records;
}

TRACE_INLINE bool is_where_page_was(struct trace_codec *codec, const struct cpu_seen_hit *hit)
{
    const struct trace_frame *frame = trace_frame_at(codec, hit->linear.v);
    return frame->page == hit->linear.v >> PAGE_SHIFT && frame->offset == hit->physical.v - hit->linear.v;
}

/* ip, translation and time of a hit, and what else it is, are as they were foreseen. */
TRACE_INLINE bool is_same_hit(struct trace_codec *codec, const struct trace_code *code,
                              const struct trace_code_hit *like, const struct cpu_seen_hit *hit,
                              const struct cpu_seen_again *again)
{
    if (trace_form_differs(&hit->form, &like->form) || !is_where_page_was(codec, hit) ||
        hit->ip - code->linear != like->ahead)
        return false;
    if (trace_is_fetch(hit))
        return again->fetched - hit->asked == like->asked && hit->ip - hit->linear.v == like->back;
    return (again->issued_quarter >> 2) - hit->asked == like->asked;
}

/* The addresses of data, which are what differs. */
TRACE_INLINE void put_addresses(struct trace_out *out, struct trace_codec *codec, struct trace_code *code,
                                const struct cpu_seen_hit *hits, unsigned nr_hits)
{
    for (unsigned i = 0, data = 0; i < nr_hits; i++) {
        if (trace_is_fetch(&hits[i]))
            continue;
        trace_out_delta(out, hits[i].linear.v, trace_likely_address(codec, code, data, hits[i].form.kind));
        code->address[data++] = hits[i].linear.v;
    }
    for (unsigned i = 0; i < nr_hits; i++)
        if (!trace_is_fetch(&hits[i]))
            codec->linear[hits[i].form.kind] = hits[i].linear.v;
}

static inline uint64_t brief_of(const struct cpu_seen_again *again)
{
    uint64_t brief;
    memcpy(&brief, again, sizeof brief);
    return brief;
}

static inline const struct cpu_seen_again *again_at(const uint8_t *at)
{
    return (const struct cpu_seen_again *)(const void *)at;
}

/* What hits lie before `at`. */
static inline unsigned nr_hits_from(const uint8_t *first, const uint8_t *at)
{
    return (unsigned)((size_t)(at - first) / sizeof(struct cpu_seen_hit));
}

static inline const uint8_t *behind_hits(const uint8_t *at)
{
    while (*at == CPU_BRIEF_HIT)
        at += sizeof(struct cpu_seen_hit);
    return at;
}

/* So many more were written, the last of which is this. */
TRACE_INLINE void goes_on(struct trace_codec *codec, struct trace_code *code, uint64_t nr_insns,
                          const struct cpu_seen_again *again)
{
    codec->last = code;
    codec->next_insn += nr_insns;
    codec->next_rip = code->goes_to;
    codec->issued = again->issued_quarter;
    codec->cycle = again->issued_quarter >> 2;
    codec->fetched = again->fetched;
}

/*
 * Those that are all as foreseen, but for the addresses of their data. Right before `first` lies the codec's
 * last instruction. It calls nothing, so that what changes stays in registers: the bytes that it writes
 * might, for all the compiler knows, be the codec's. Returns where it stopped.
 */
TRACE_INLINE const uint8_t *encode_foreseen(struct trace_codec *codec, struct trace_tally *tally,
                                            const uint8_t *first, const uint8_t *end, bool has_window)
{
    const uint32_t like = trace_told_like(codec->mode_number, 0);
    struct trace_out out = {tally->to};
    uint64_t next_rip = codec->next_rip, counts = 0;
    struct trace_span cycles = tally->cycles;
    cycle_t latest = tally->latest;
    do {
        const struct cpu_seen_hit *hits = (const struct cpu_seen_hit *)(const void *)first;
        const uint8_t *at = behind_hits(first);
        const struct cpu_seen_again *again = again_at(at), *before = again_at(first) - 1;
        if (again->brief != CPU_BRIEF_INSN)
            break;
        struct trace_code *code = &codec->code[again->place];
        unsigned nr_hits = at == first ? 0 : nr_hits_from(first, at);
        if (code->told_like != like + nr_hits || brief_of(again) != code->brief ||
            again->issued_quarter - before->issued_quarter != code->issued ||
            again->fetched - before->fetched != code->fetched || code->rip != next_rip)
            break;
        uint64_t cycle = again->issued_quarter >> 2;
        struct trace_span span = {cycle + code->first, cycle + code->last};
        if (has_window && (span.first < tally->window.first || span.last > tally->window.last))
            break;
        if (nr_hits) {
            unsigned i = 0;
            if (nr_hits > TRACE_STEP_HITS)
                break;
            while (i < nr_hits && is_same_hit(codec, code, &code->hit[i], &hits[i], again))
                i++;
            if (i < nr_hits)
                break;
        }
        trace_out_byte(&out, TRACE_IS_STEP | TRACE_STEP_AS_FORESEEN);
        if (nr_hits)
            put_addresses(&out, codec, code, hits, nr_hits);
        next_rip = code->goes_to;
        counts += code->counts;
        latest = cycle + code->latest > latest ? cycle + code->latest : latest;
        cycles.first = span.first < cycles.first ? span.first : cycles.first;
        cycles.last = span.last > cycles.last ? span.last : cycles.last;
        first = at + sizeof *again;
    } while (first < end);
    if (!counts)
        return first;
    tally->to = out.at;
    trace_tally_count(tally, counts);
    tally->cycles = cycles;
    tally->latest = latest;
    goes_on(codec, &codec->code[again_at(first)[-1].place], counts & TRACE_COUNT_MASK, &again_at(first)[-1]);
    return first;
}

static __attribute__((noinline)) const uint8_t *encode_foreseen_all(struct trace_codec *codec,
                                                                    struct trace_tally *tally,
                                                                    const uint8_t *first, const uint8_t *end)
{
    return encode_foreseen(codec, tally, first, end, false);
}

static __attribute__((noinline)) const uint8_t *encode_foreseen_within(struct trace_codec *codec,
                                                                       struct trace_tally *tally,
                                                                       const uint8_t *first,
                                                                       const uint8_t *end)
{
    return encode_foreseen(codec, tally, first, end, true);
}

/*
 * One in the mode of the one before it, that may follow another than the last time, at other times, with
 * other hits. Returns what is behind it, or `first`: it is none.
 */
static __attribute__((noinline)) const uint8_t *
encode_unforeseen(struct trace_codec *codec, struct trace_tally *tally, const uint8_t *first)
{
    const uint8_t *at = behind_hits(first);
    const struct cpu_seen_hit *hits = (const struct cpu_seen_hit *)(const void *)first;
    unsigned nr_hits = nr_hits_from(first, at);
    if (*at != CPU_BRIEF_INSN || nr_hits > TRACE_STEP_HITS)
        return first;
    const struct cpu_seen_again *again = again_at(at);
    struct trace_code *code = &codec->code[again->place];
    if (!code->told_like || code->told_like >> 3 != codec->mode_number)
        return first;
    bool has_hits = nr_hits == code->nr_hits;
    for (unsigned i = 0; has_hits && i < nr_hits; i++)
        has_hits = is_same_hit(codec, code, &code->hit[i], &hits[i], again);
    uint64_t issued = again->issued_quarter - codec->issued, cycle = again->issued_quarter >> 2;
    cycle_t fetched = again->fetched - codec->fetched;
    bool is_next = code->rip == codec->next_rip;
    bool is_then = brief_of(again) == code->brief && issued == code->issued && fetched == code->fetched;
    const struct cpu_seen_hit *hit[TRACE_STEP_HITS] = {NULL};
    struct cpu_seen_insn insn;
    if (!has_hits) {
        bool is_there = true;
        for (unsigned i = 0; i < nr_hits; i++) {
            hit[i] = &hits[i];
            is_there &= is_where_page_was(codec, hit[i]);
        }
        insn.linear = laddr(code->linear);
        trace_set_times(&insn, again);
        if (!is_there || !trace_is_step(hit, nr_hits, &insn))
            return first;
    }
    struct trace_span span = {cycle + code->first, cycle + code->last};
    cycle_t latest = cycle + code->latest;
    if (!has_hits || !is_then) {
        span = trace_times_span(again->fetched, cycle, cycle + again->done_cycles);
        latest = span.first;
        for (unsigned i = 0; i < nr_hits; i++)
            trace_span_hit(&span, &latest, &hits[i]);
    }
    if (span.first < tally->window.first || span.last > tally->window.last)
        return first;
    struct trace_out out = {tally->to};
    trace_out_byte(&out, (TRACE_IS_STEP | TRACE_STEP_AS_FORESEEN) & ~(is_next ? 0u : TRACE_STEP_IS_NEXT) &
                             ~(is_then ? 0u : TRACE_STEP_SAME_TIMES) &
                             ~(has_hits ? 0u : TRACE_STEP_SAME_HITS));
    if (!is_next)
        trace_put_where(&out, codec, codec->next_insn, code->rip);
    if (!is_then) {
        trace_put_times(&out, code, fetched, issued, again->done_cycles, again->waited_for);
        code->brief = brief_of(again);
    }
    if (!has_hits) {
        trace_put_hit_forms(&out, code, hit, nr_hits, &insn);
        code->counts = trace_counts_of(hit, nr_hits);
        code->told_like = trace_told_like(codec->mode_number, nr_hits);
    }
    trace_note_span(code, cycle, span, latest);
    put_addresses(&out, codec, code, hits, nr_hits);
    tally->to = out.at;
    trace_tally_count(tally, code->counts);
    trace_tally_span(tally, span, latest);
    goes_on(codec, code, 1, again);
    return at + sizeof *again;
}

const uint8_t *trace_encode_known(struct trace_codec *codec, struct trace_tally *tally, const uint8_t *at,
                                  const uint8_t *end)
{
    const bool has_window = tally->window.first > 0 || tally->window.last < UINT64_MAX;
    while (at < end && !trace_tally_is_full(tally)) {
        const uint8_t *first = encode_unforeseen(codec, tally, at);
        if (first == at)
            break;
        at = first;
        size_t sure_bytes = sure_insns(tally) * sizeof(struct cpu_seen_again);
        const uint8_t *sure_end = (size_t)(end - at) < sure_bytes ? end : at + sure_bytes;
        if (at < sure_end)
            at = has_window ? encode_foreseen_within(codec, tally, at, sure_end)
                            : encode_foreseen_all(codec, tally, at, sure_end);
    }
    return at;
}
