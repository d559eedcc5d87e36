#include "sim/observe/trace_record.h"

#include <string.h>

/* The first byte of a record: its kind below, flags above. */
enum { KIND_BITS = 3, KIND_MASK = (1 << KIND_BITS) - 1 };

enum insn_flag { INSN_IS_NEXT = 8, INSN_IS_SAME_BASE = 16, INSN_IS_SAME_MODE = 32 };
enum translation_flag {
    TRANSLATION_USER = 8,
    TRANSLATION_L1_HIT = 16,
    TRANSLATION_L2_HIT = 32,
    TRANSLATION_WALK = 64,
    TRANSLATION_FAULT = 128
};
/* Above the kind of access in the second byte. */
enum { TRANSLATION_REFUTED = 4 };
enum access_flag { ACCESS_IS_RAM = 8, ACCESS_IN_FLIGHT = 16 };
/* A cache's number and a flag in the first byte; kind, use and server in the second. */
enum { REQUEST_CACHE_SHIFT = 3, REQUEST_HAS_IP = 1 << 5 };
enum { REQUEST_USE_SHIFT = 3, REQUEST_SERVED_SHIFT = 5, REQUEST_FIELD_MASK = 7, REQUEST_USE_MASK = 3 };
enum device_flag { DEVICE_WRITE = 8, DEVICE_SNOOPED = 16, DEVICE_HERE = 32, DEVICE_DIRTY = 64 };
enum exception_flag { EXCEPTION_INTERRUPT = 8, EXCEPTION_ERROR_CODE = 16 };

/* The kind of access that a translation is (mostly) for: they share the last address. */
static enum cpu_access_kind kind_for(enum mmu_access access)
{
    return access == MMU_FETCH ? CPU_ACCESS_FETCH : access == MMU_READ ? CPU_ACCESS_LOAD : CPU_ACCESS_STORE;
}

struct out {
    uint8_t *at;
};

/* The writers below are inlined, so that the place to write to stays in a register. */
#define INLINE static inline __attribute__((always_inline))

INLINE void put_byte(struct out *out, unsigned byte)
{
    *out->at++ = (uint8_t)byte;
}

/*
 * Records are small because they say only what could not be foreseen: most instructions follow the one
 * before, most accesses are near the last of their kind, most cycles are a few later. zstd then finds the
 * loops.
 */

static uint8_t *put_long(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value & 0x7f) | 0x80;
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Seven bits a byte, low ones first; bit 7 says that more follow. */
INLINE void put(struct out *out, uint64_t value)
{
    if (value < 0x80)
        *out->at++ = (uint8_t)value;
    else
        out->at = put_long(out->at, value);
}

/* How far `value` is from `from`, either way: small distances become small numbers. */
INLINE void put_delta(struct out *out, uint64_t value, uint64_t from)
{
    uint64_t delta = value - from;
    put(out, delta << 1 ^ (delta >> 63 ? UINT64_MAX : 0));
}

INLINE void put_insn(struct out *out, struct trace_codec *codec, const struct cpu_seen_insn *insn)
{
    uint64_t base = insn->linear.v - insn->rip;
    bool is_next = insn->number == codec->next_insn && insn->rip == codec->next_rip;
    bool is_same_base = base == codec->code_base;
    bool is_same_mode = insn->code_bits == codec->code_bits && insn->cpl == codec->cpl;
    put_byte(out, TRACE_INSN | (is_next ? INSN_IS_NEXT : 0u) | (is_same_base ? INSN_IS_SAME_BASE : 0u) |
                      (is_same_mode ? INSN_IS_SAME_MODE : 0u));
    if (!is_next) {
        put_delta(out, insn->number, codec->next_insn);
        put_delta(out, insn->rip, codec->next_rip);
    }
    if (!is_same_base)
        put(out, base);
    if (!is_same_mode) {
        put_byte(out, insn->code_bits);
        put_byte(out, insn->cpl);
    }
    put_byte(out, (unsigned)insn->length_bytes | (unsigned)insn->waited_for << 4);
    memcpy(out->at, insn->bytes, insn->length_bytes);
    out->at += insn->length_bytes;
    put_delta(out, insn->fetched, codec->fetched);
    put_delta(out, insn->issued, codec->cycle);
    put_delta(out, insn->done, insn->issued);
}

INLINE void insn_seen(struct trace_codec *codec, const struct cpu_seen_insn *insn)
{
    codec->next_insn = insn->number + 1;
    codec->next_rip = insn->rip + insn->length_bytes;
    codec->code_base = insn->linear.v - insn->rip;
    codec->code_bits = insn->code_bits;
    codec->cpl = insn->cpl;
    codec->fetched = insn->fetched;
    codec->cycle = insn->issued;
}

/* A number says how many steps a walk has, above that by which kind of paging and at which level it began. */
enum { WALK_STEPS_MASK = 7, WALK_KIND_SHIFT = 3, WALK_KIND_MASK = 7, WALK_LEVEL_SHIFT = 6 };

static void put_walk(struct out *out, struct trace_codec *codec, const struct walk *walk, cycle_t asked)
{
    put(out,
        walk->nr_steps | (unsigned)walk->kind << WALK_KIND_SHIFT | walk->first_level << WALK_LEVEL_SHIFT);
    if (walk->is_fault)
        put(out, walk->error_code);
    for (unsigned i = 0; i < walk->nr_steps; i++) {
        const struct walk_step *step = &walk->step[i];
        put_delta(out, step->at.v, codec->step_at[walk->first_level + i]);
        put_delta(out, step->value, codec->step_value[walk->first_level + i]);
        put(out, step->index);
        put_byte(out, step->served_by);
        put_delta(out, step->ready, asked);
        codec->step_at[walk->first_level + i] = step->at.v;
        codec->step_value[walk->first_level + i] = step->value;
    }
}

static void put_translation(struct out *out, struct trace_codec *codec, const struct trace_record *record)
{
    const struct cpu_seen_translation *seen = &record->translation;
    put_byte(out, TRACE_TRANSLATION | (seen->is_user ? TRANSLATION_USER : 0u) |
                      (seen->is_l1_hit ? TRANSLATION_L1_HIT : 0u) |
                      (seen->is_l2_hit ? TRANSLATION_L2_HIT : 0u) |
                      (record->has_walk ? TRANSLATION_WALK : 0u) | (seen->is_fault ? TRANSLATION_FAULT : 0u));
    put_byte(out, seen->access | (seen->is_refuted ? TRANSLATION_REFUTED : 0u));
    put_delta(out, seen->instruction, codec->next_insn);
    put_delta(out, seen->linear.v, codec->linear[kind_for(seen->access)]);
    put_delta(out, seen->asked, codec->cycle);
    put_delta(out, seen->ready, seen->asked);
    if (record->has_walk)
        put_walk(out, codec, &record->walk, seen->asked);
}

INLINE void put_access(struct out *out, struct trace_codec *codec, const struct cpu_seen_access *seen)
{
    put_byte(out, TRACE_ACCESS | (seen->is_ram ? ACCESS_IS_RAM : 0u) |
                      (seen->is_in_flight ? ACCESS_IN_FLIGHT : 0u));
    put_byte(out, (unsigned)seen->kind | seen->served_by << 4);
    put_delta(out, seen->instruction, codec->next_insn);
    put_delta(out, seen->linear.v, codec->linear[seen->kind]);
    put_delta(out, seen->physical.v - seen->linear.v, codec->offset[seen->kind]);
    put_byte(out, seen->size_bytes);
    put_delta(out, seen->asked, codec->cycle);
    put_delta(out, seen->translated, seen->asked);
    put_delta(out, seen->ready, seen->translated);
    codec->offset[seen->kind] = seen->physical.v - seen->linear.v;
}

/* Where the instruction that makes a request probably lies. */
static uint64_t likely_ip(const struct trace_codec *codec, const struct cpu_seen_request *seen)
{
    return seen->cache == CPU_REQUEST_L1I ? codec->linear[CPU_ACCESS_FETCH]
                                          : codec->next_rip + codec->code_base;
}

INLINE void put_request(struct out *out, const struct trace_codec *codec, const struct cpu_seen_request *seen)
{
    put_byte(out,
             TRACE_REQUEST | (unsigned)seen->cache << REQUEST_CACHE_SHIFT | (seen->ip ? REQUEST_HAS_IP : 0u));
    put_byte(out, (unsigned)seen->kind | (unsigned)seen->use << REQUEST_USE_SHIFT |
                      seen->served_by << REQUEST_SERVED_SHIFT);
    put_delta(out, seen->at.v, codec->requested[seen->cache]);
    put_delta(out, seen->asked, codec->cycle);
    put_delta(out, seen->ready, seen->asked);
    if (seen->ip)
        put_delta(out, seen->ip, likely_ip(codec, seen));
}

static void put_device(struct out *out, const struct trace_codec *codec, const struct dma_seen_line *seen)
{
    put_byte(out, TRACE_DEVICE | (seen->is_write ? DEVICE_WRITE : 0u) |
                      (seen->is_snooped ? DEVICE_SNOOPED : 0u) | (seen->was_here ? DEVICE_HERE : 0u) |
                      (seen->was_dirty ? DEVICE_DIRTY : 0u));
    put(out, seen->source_id);
    put_delta(out, seen->at.v, codec->device_at);
    put_delta(out, seen->asked, codec->cycle);
    put_delta(out, seen->ready, seen->asked);
}

static void put_exception(struct out *out, const struct trace_codec *codec,
                          const struct cpu_seen_exception *seen)
{
    put_byte(out, TRACE_EXCEPTION | (seen->is_interrupt ? EXCEPTION_INTERRUPT : 0u) |
                      (seen->has_error_code ? EXCEPTION_ERROR_CODE : 0u));
    put_byte(out, seen->vector);
    put_delta(out, seen->instruction, codec->next_insn);
    put(out, seen->error_code);
    put_delta(out, seen->rip, codec->next_rip);
    put(out, seen->cr2);
    put_delta(out, seen->cycle, codec->cycle);
}

static void put_control(struct out *out, const struct trace_codec *codec, const struct trace_control *control)
{
    size_t length = strlen(control->what);
    put_byte(out, TRACE_CONTROL);
    put_byte(out, (unsigned)length);
    memcpy(out->at, control->what, length);
    out->at += length;
    put(out, control->value);
    put_delta(out, control->cycle, codec->cycle);
}

static void put_mark(struct out *out, const struct trace_codec *codec, const struct trace_mark *mark)
{
    size_t length = strnlen(mark->text, TRACE_MARK_CHARS - 1);
    put_byte(out, TRACE_MARK);
    put_byte(out, mark->kind);
    put(out, mark->id);
    put_byte(out, (unsigned)length);
    memcpy(out->at, mark->text, length);
    out->at += length;
    put_delta(out, mark->cycle, codec->cycle);
}

/* What both sides learn from a record that is no instruction. */
static void remember(struct trace_codec *codec, const struct trace_record *record)
{
    switch (record->kind) {
    case TRACE_TRANSLATION:
        codec->linear[kind_for(record->translation.access)] = record->translation.linear.v;
        codec->cycle = record->translation.asked;
        break;
    case TRACE_ACCESS:
        codec->linear[record->access.kind] = record->access.linear.v;
        codec->cycle = record->access.asked;
        break;
    case TRACE_REQUEST:
        codec->requested[record->request.cache] = record->request.at.v;
        break;
    case TRACE_DEVICE:
        codec->device_at = record->device.at.v;
        break;
    case TRACE_EXCEPTION:
        codec->cycle = record->exception.cycle;
        break;
    case TRACE_INSN:
    case TRACE_CONTROL:
    case TRACE_MARK:
    case NR_TRACE_KINDS:
        break;
    }
}

size_t trace_encode(struct trace_codec *codec, const struct trace_record *record,
                    uint8_t to[TRACE_MAX_RECORD_BYTES])
{
    struct out out = {to}, own = {to}; /* nobody is told where `own` is, so that it need not be in memory */
    switch (record->kind) {
    case TRACE_INSN:
        put_insn(&own, codec, &record->insn);
        insn_seen(codec, &record->insn);
        return (size_t)(own.at - to);
    case TRACE_TRANSLATION:
        put_translation(&out, codec, record);
        break;
    case TRACE_ACCESS:
        put_access(&own, codec, &record->access);
        remember(codec, record);
        return (size_t)(own.at - to);
    case TRACE_EXCEPTION:
        put_exception(&out, codec, &record->exception);
        break;
    case TRACE_CONTROL:
        put_control(&out, codec, &record->control);
        break;
    case TRACE_REQUEST:
        put_request(&own, codec, &record->request);
        remember(codec, record);
        return (size_t)(own.at - to);
    case TRACE_DEVICE:
        put_device(&out, codec, &record->device);
        break;
    case TRACE_MARK:
        put_mark(&out, codec, &record->mark);
        break;
    case NR_TRACE_KINDS:
        break;
    }
    remember(codec, record);
    return (size_t)(out.at - to);
}

/* ---- The way back. Once something is wrong, what follows reads as zero and `what` stays. ---- */

struct in {
    const uint8_t *at, *end;
    const char *what;
};

static unsigned get_byte(struct in *in)
{
    if (in->at == in->end) {
        if (!in->what)
            in->what = "it ends too early";
        return 0;
    }
    return *in->at++;
}

static uint64_t get(struct in *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned byte = get_byte(in);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    if (!in->what)
        in->what = "a number is longer than 64 bits";
    return 0;
}

static uint64_t get_delta(struct in *in, uint64_t from)
{
    uint64_t coded = get(in);
    return from + (coded >> 1 ^ (coded & 1 ? UINT64_MAX : 0));
}

static unsigned below(struct in *in, uint64_t value, unsigned limit, const char *what)
{
    if (value < limit)
        return (unsigned)value;
    if (!in->what)
        in->what = what;
    return 0;
}

/* Reads a byte that must be below `limit`. */
static unsigned get_below(struct in *in, unsigned limit, const char *what)
{
    return below(in, get_byte(in), limit, what);
}

static void get_bytes(struct in *in, void *to, size_t nr_bytes)
{
    for (size_t i = 0; i < nr_bytes; i++)
        ((uint8_t *)to)[i] = (uint8_t)get_byte(in);
}

static void get_insn(struct in *in, struct trace_codec *codec, unsigned flags, struct cpu_seen_insn *insn)
{
    bool is_next = flags & INSN_IS_NEXT;
    insn->number = is_next ? codec->next_insn : get_delta(in, codec->next_insn);
    insn->rip = is_next ? codec->next_rip : get_delta(in, codec->next_rip);
    insn->linear = laddr(insn->rip + (flags & INSN_IS_SAME_BASE ? codec->code_base : get(in)));
    insn->code_bits = codec->code_bits;
    insn->cpl = codec->cpl;
    if (!(flags & INSN_IS_SAME_MODE)) {
        insn->code_bits = (uint8_t)get_byte(in);
        insn->cpl = (uint8_t)get_below(in, 4, "a privilege level is above 3");
    }
    if (insn->code_bits != 16 && insn->code_bits != 32 && insn->code_bits != 64 && !in->what)
        in->what = "code is neither 16, 32 nor 64 bits";
    unsigned packed = get_byte(in);
    insn->length_bytes = packed & 15;
    insn->waited_for = (uint8_t)(packed >> 4);
    if (insn->waited_for >= NR_REASONS && !in->what)
        in->what = "a reason to wait is unknown";
    get_bytes(in, insn->bytes, insn->length_bytes);
    insn->fetched = get_delta(in, codec->fetched);
    insn->issued = get_delta(in, codec->cycle);
    insn->done = get_delta(in, insn->issued);
}

static void get_walk(struct in *in, struct trace_codec *codec, const struct cpu_seen_translation *of,
                     struct walk *walk)
{
    memset(walk, 0, sizeof *walk);
    walk->linear = of->linear;
    walk->access = of->access;
    walk->asker = of->is_user ? MMU_USER : MMU_SUPERVISOR;
    walk->is_fault = of->is_fault;
    uint64_t shape = get(in), kind = shape >> WALK_KIND_SHIFT & WALK_KIND_MASK;
    walk->kind = (enum paging_kind)below(in, kind, NR_PAGING_KINDS, "a kind of paging is unknown");
    unsigned nr_levels = paging_nr_levels(walk->kind);
    walk->first_level = below(in, shape >> WALK_LEVEL_SHIFT, nr_levels + 1, "a walk begins too low");
    walk->nr_steps =
        below(in, shape & WALK_STEPS_MASK, nr_levels - walk->first_level + 1, "a walk has too many steps");
    if (walk->is_fault)
        walk->error_code = (uint32_t)get(in);
    for (unsigned i = 0; i < walk->nr_steps; i++) {
        struct walk_step *step = &walk->step[i];
        step->at = paddr(get_delta(in, codec->step_at[walk->first_level + i]));
        step->value = get_delta(in, codec->step_value[walk->first_level + i]);
        step->size_bytes = paging_entry_bytes(walk->kind);
        step->index = (unsigned)get(in);
        step->served_by = get_below(in, NR_SERVED_BY, "a server is unknown");
        step->ready = get_delta(in, of->asked);
        codec->step_at[walk->first_level + i] = step->at.v;
        codec->step_value[walk->first_level + i] = step->value;
    }
}

static void get_translation(struct in *in, struct trace_codec *codec, unsigned flags,
                            struct trace_record *record)
{
    struct cpu_seen_translation *seen = &record->translation;
    seen->is_user = flags & TRANSLATION_USER;
    seen->is_l1_hit = flags & TRANSLATION_L1_HIT;
    seen->is_l2_hit = flags & TRANSLATION_L2_HIT;
    seen->is_fault = flags & TRANSLATION_FAULT;
    unsigned access = get_byte(in);
    seen->is_refuted = access & TRANSLATION_REFUTED;
    seen->access = (enum mmu_access)below(in, access & ~(unsigned)TRANSLATION_REFUTED, NR_WALK_ACCESSES,
                                          "a kind of translation is unknown");
    seen->instruction = get_delta(in, codec->next_insn);
    seen->linear = laddr(get_delta(in, codec->linear[kind_for(seen->access)]));
    seen->asked = get_delta(in, codec->cycle);
    seen->ready = get_delta(in, seen->asked);
    record->has_walk = flags & TRANSLATION_WALK;
    if (record->has_walk)
        get_walk(in, codec, seen, &record->walk);
}

static void get_access(struct in *in, struct trace_codec *codec, unsigned flags, struct cpu_seen_access *seen)
{
    unsigned packed = get_byte(in);
    if (((packed & 15) >= NR_ACCESS_KINDS || packed >> 4 >= NR_SERVED_BY) && !in->what)
        in->what = "a kind of access or its server is unknown";
    if (in->what)
        return;
    seen->kind = (enum cpu_access_kind)(packed & 15);
    seen->served_by = packed >> 4;
    seen->is_ram = flags & ACCESS_IS_RAM;
    seen->is_in_flight = flags & ACCESS_IN_FLIGHT;
    seen->instruction = get_delta(in, codec->next_insn);
    seen->linear = laddr(get_delta(in, codec->linear[seen->kind]));
    seen->physical = paddr(seen->linear.v + get_delta(in, codec->offset[seen->kind]));
    seen->size_bytes = (uint8_t)get_byte(in);
    seen->asked = get_delta(in, codec->cycle);
    seen->translated = get_delta(in, seen->asked);
    seen->ready = get_delta(in, seen->translated);
    codec->offset[seen->kind] = seen->physical.v - seen->linear.v;
}

static void get_request(struct in *in, const struct trace_codec *codec, unsigned flags,
                        struct cpu_seen_request *seen)
{
    unsigned packed = get_byte(in);
    seen->cache = (enum cpu_request_cache)(flags >> REQUEST_CACHE_SHIFT & (NR_CPU_REQUEST_CACHES - 1));
    seen->kind = (enum cpu_request_kind)below(in, packed & REQUEST_FIELD_MASK, NR_CPU_REQUEST_KINDS,
                                              "a kind of request is unknown");
    seen->use = (enum cache_use)(packed >> REQUEST_USE_SHIFT & REQUEST_USE_MASK);
    seen->served_by = below(in, packed >> REQUEST_SERVED_SHIFT, NR_SERVED_BY, "a server is unknown");
    seen->at = paddr(get_delta(in, codec->requested[seen->cache]));
    seen->asked = get_delta(in, codec->cycle);
    seen->ready = get_delta(in, seen->asked);
    if (flags & REQUEST_HAS_IP)
        seen->ip = get_delta(in, likely_ip(codec, seen));
}

static void get_device(struct in *in, const struct trace_codec *codec, unsigned flags,
                       struct dma_seen_line *seen)
{
    seen->is_write = flags & DEVICE_WRITE;
    seen->is_snooped = flags & DEVICE_SNOOPED;
    seen->was_here = flags & DEVICE_HERE;
    seen->was_dirty = flags & DEVICE_DIRTY;
    seen->source_id = (uint16_t)get(in);
    seen->at = paddr(get_delta(in, codec->device_at));
    seen->asked = get_delta(in, codec->cycle);
    seen->ready = get_delta(in, seen->asked);
}

static void get_exception(struct in *in, const struct trace_codec *codec, unsigned flags,
                          struct cpu_seen_exception *seen)
{
    seen->is_interrupt = flags & EXCEPTION_INTERRUPT;
    seen->has_error_code = flags & EXCEPTION_ERROR_CODE;
    seen->vector = (uint8_t)get_byte(in);
    seen->instruction = get_delta(in, codec->next_insn);
    seen->error_code = (uint32_t)get(in);
    seen->rip = get_delta(in, codec->next_rip);
    seen->cr2 = get(in);
    seen->cycle = get_delta(in, codec->cycle);
}

static void get_control(struct in *in, const struct trace_codec *codec, struct trace_control *control)
{
    unsigned length = get_below(in, TRACE_CONTROL_CHARS, "a name is too long");
    get_bytes(in, control->what, length);
    control->value = get(in);
    control->cycle = get_delta(in, codec->cycle);
}

static void get_mark(struct in *in, const struct trace_codec *codec, struct trace_mark *mark)
{
    mark->kind = (enum trace_mark_kind)get_below(in, NR_TRACE_MARKS, "a kind of mark is unknown");
    mark->id = (uint32_t)get(in);
    unsigned length = get_below(in, TRACE_MARK_CHARS, "a mark's text is too long");
    get_bytes(in, mark->text, length);
    for (unsigned i = 0; i < length; i++)
        if (mark->text[i] < 0x20 || mark->text[i] > 0x7e)
            mark->text[i] = '?';
    mark->cycle = get_delta(in, codec->cycle);
}

const char *trace_decode(struct trace_codec *codec, const uint8_t **at, const uint8_t *end,
                         struct trace_record *record)
{
    struct in in = {.at = *at, .end = end};
    unsigned head = get_byte(&in), flags = head & ~(unsigned)KIND_MASK;
    memset(record, 0, offsetof(struct trace_record, walk)); /* the walk is large, and rare */
    record->kind = (enum trace_kind)(head & KIND_MASK);
    switch (record->kind) {
    case TRACE_INSN:
        get_insn(&in, codec, flags, &record->insn);
        insn_seen(codec, &record->insn);
        break;
    case TRACE_TRANSLATION:
        get_translation(&in, codec, flags, record);
        break;
    case TRACE_ACCESS:
        get_access(&in, codec, flags, &record->access);
        break;
    case TRACE_EXCEPTION:
        get_exception(&in, codec, flags, &record->exception);
        break;
    case TRACE_CONTROL:
        get_control(&in, codec, &record->control);
        break;
    case TRACE_REQUEST:
        get_request(&in, codec, flags, &record->request);
        break;
    case TRACE_DEVICE:
        get_device(&in, codec, flags, &record->device);
        break;
    case TRACE_MARK:
        get_mark(&in, codec, &record->mark);
        break;
    case NR_TRACE_KINDS:
    default:
        in.what = "its kind is unknown";
        break;
    }
    if (!in.what)
        remember(codec, record);
    *at = in.at;
    return in.what;
}

/* ---- */

static void widen(struct trace_span *span, cycle_t cycle)
{
    if (cycle < span->first)
        span->first = cycle;
    if (cycle > span->last)
        span->last = cycle;
}

struct trace_span trace_record_span(const struct trace_record *record)
{
    struct trace_span span = {.first = UINT64_MAX};
    switch (record->kind) {
    case TRACE_INSN:
        widen(&span, record->insn.fetched);
        widen(&span, record->insn.issued);
        widen(&span, record->insn.done);
        break;
    case TRACE_TRANSLATION:
        widen(&span, record->translation.asked);
        widen(&span, record->translation.ready);
        break;
    case TRACE_ACCESS:
        widen(&span, record->access.asked);
        widen(&span, record->access.ready);
        break;
    case TRACE_EXCEPTION:
        widen(&span, record->exception.cycle);
        break;
    case TRACE_REQUEST:
        widen(&span, record->request.asked);
        widen(&span, record->request.ready);
        break;
    case TRACE_DEVICE:
        widen(&span, record->device.asked);
        widen(&span, record->device.ready);
        break;
    case TRACE_CONTROL:
        widen(&span, record->control.cycle);
        break;
    case TRACE_MARK:
        widen(&span, record->mark.cycle);
        break;
    case NR_TRACE_KINDS:
        break;
    }
    return span;
}
