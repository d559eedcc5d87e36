#include "sim/observe/trace_step.h"

/* The first byte of a record that is no step has flags above its kind. */
enum translation_flag {
    TRANSLATION_L1_HIT = 16,
    TRANSLATION_L2_HIT = 32,
    TRANSLATION_WALK = 64,
    TRANSLATION_FAULT = 128
};
/* Above the kind of access in the second byte. */
enum { TRANSLATION_REFUTED = 4, TRANSLATION_USER = 8 };
enum access_flag { ACCESS_IS_RAM = 16, ACCESS_IN_FLIGHT = 32 };
/* A cache's number and a flag in the first byte; kind, use and server in the second. */
enum { REQUEST_CACHE_SHIFT = 4, REQUEST_HAS_IP = 1 << 6 };
enum { REQUEST_USE_SHIFT = 3, REQUEST_SERVED_SHIFT = 5, REQUEST_FIELD_MASK = 7, REQUEST_USE_MASK = 3 };
enum device_flag { DEVICE_WRITE = 16, DEVICE_SNOOPED = 32, DEVICE_HERE = 64, DEVICE_DIRTY = 128 };
enum exception_flag { EXCEPTION_INTERRUPT = 16, EXCEPTION_ERROR_CODE = 32 };

/* The kind of access that a translation is (mostly) for: they share the last address. */
static enum cpu_access_kind kind_for(enum mmu_access access)
{
    return access == MMU_FETCH ? CPU_ACCESS_FETCH : access == MMU_READ ? CPU_ACCESS_LOAD : CPU_ACCESS_STORE;
}

static unsigned head_of(enum trace_kind kind)
{
    return (unsigned)kind << TRACE_HEAD_SHIFT;
}

/*
 * Records are small because they say only what could not be foreseen: most instructions follow the one
 * before, most accesses are near the last of their kind, most cycles are a few later. zstd then finds the
 * loops.
 */

/* A number says how many steps a walk has, above that by which kind of paging and at which level it began. */
enum { WALK_STEPS_MASK = 7, WALK_KIND_SHIFT = 3, WALK_KIND_MASK = 7, WALK_LEVEL_SHIFT = 6 };

static void put_walk(struct trace_out *out, struct trace_codec *codec, const struct walk *walk, cycle_t asked)
{
    trace_out_number(out, walk->nr_steps | (unsigned)walk->kind << WALK_KIND_SHIFT |
                              walk->first_level << WALK_LEVEL_SHIFT);
    if (walk->is_fault)
        trace_out_number(out, walk->error_code);
    for (unsigned i = 0; i < walk->nr_steps; i++) {
        const struct walk_step *step = &walk->step[i];
        trace_out_delta(out, step->at.v, codec->step_at[walk->first_level + i]);
        trace_out_delta(out, step->value, codec->step_value[walk->first_level + i]);
        trace_out_number(out, step->index);
        trace_out_byte(out, step->served_by);
        trace_out_delta(out, step->ready, asked);
        codec->step_at[walk->first_level + i] = step->at.v;
        codec->step_value[walk->first_level + i] = step->value;
    }
}

static void put_translation(struct trace_out *out, struct trace_codec *codec,
                            const struct trace_record *record)
{
    const struct cpu_seen_translation *seen = &record->translation;
    trace_out_byte(out, head_of(TRACE_TRANSLATION) | (seen->is_l1_hit ? TRANSLATION_L1_HIT : 0u) |
                            (seen->is_l2_hit ? TRANSLATION_L2_HIT : 0u) |
                            (record->has_walk ? TRANSLATION_WALK : 0u) |
                            (seen->is_fault ? TRANSLATION_FAULT : 0u));
    trace_out_byte(out, seen->access | (seen->is_refuted ? TRANSLATION_REFUTED : 0u) |
                            (seen->is_user ? TRANSLATION_USER : 0u));
    trace_out_delta(out, seen->instruction, codec->next_insn);
    trace_out_delta(out, seen->linear.v, codec->linear[kind_for(seen->access)]);
    trace_out_delta(out, seen->asked, codec->cycle);
    trace_out_delta(out, seen->ready, seen->asked);
    if (record->has_walk)
        put_walk(out, codec, &record->walk, seen->asked);
}

TRACE_INLINE void put_access(struct trace_out *out, struct trace_codec *codec,
                             const struct cpu_seen_access *seen)
{
    trace_out_byte(out, head_of(TRACE_ACCESS) | (seen->is_ram ? ACCESS_IS_RAM : 0u) |
                            (seen->is_in_flight ? ACCESS_IN_FLIGHT : 0u));
    trace_out_byte(out, (unsigned)seen->kind | seen->served_by << 4);
    trace_out_delta(out, seen->instruction, codec->next_insn);
    trace_out_delta(out, seen->linear.v, codec->linear[seen->kind]);
    trace_out_delta(out, seen->physical.v - seen->linear.v, codec->offset[seen->kind]);
    trace_out_byte(out, seen->size_bytes);
    trace_out_delta(out, seen->asked, codec->cycle);
    trace_out_delta(out, seen->translated, seen->asked);
    trace_out_delta(out, seen->ready, seen->translated);
    codec->offset[seen->kind] = seen->physical.v - seen->linear.v;
}

/* Where the instruction that makes a request probably lies. */
static uint64_t likely_ip(const struct trace_codec *codec, const struct cpu_seen_request *seen)
{
    return seen->cache == CPU_REQUEST_L1I ? codec->linear[CPU_ACCESS_FETCH]
                                          : codec->next_rip + codec->code_base;
}

TRACE_INLINE void put_request(struct trace_out *out, const struct trace_codec *codec,
                              const struct cpu_seen_request *seen)
{
    trace_out_byte(out, head_of(TRACE_REQUEST) | (unsigned)seen->cache << REQUEST_CACHE_SHIFT |
                            (seen->ip ? REQUEST_HAS_IP : 0u));
    trace_out_byte(out, (unsigned)seen->kind | (unsigned)seen->use << REQUEST_USE_SHIFT |
                            seen->served_by << REQUEST_SERVED_SHIFT);
    trace_out_delta(out, seen->at.v, codec->requested[seen->cache]);
    trace_out_delta(out, seen->asked, codec->cycle);
    trace_out_delta(out, seen->ready, seen->asked);
    if (seen->ip)
        trace_out_delta(out, seen->ip, likely_ip(codec, seen));
}

static void put_device(struct trace_out *out, const struct trace_codec *codec,
                       const struct dma_seen_line *seen)
{
    trace_out_byte(out, head_of(TRACE_DEVICE) | (seen->is_write ? DEVICE_WRITE : 0u) |
                            (seen->is_snooped ? DEVICE_SNOOPED : 0u) | (seen->was_here ? DEVICE_HERE : 0u) |
                            (seen->was_dirty ? DEVICE_DIRTY : 0u));
    trace_out_number(out, seen->source_id);
    trace_out_delta(out, seen->at.v, codec->device_at);
    trace_out_delta(out, seen->asked, codec->cycle);
    trace_out_delta(out, seen->ready, seen->asked);
}

static void put_exception(struct trace_out *out, const struct trace_codec *codec,
                          const struct cpu_seen_exception *seen)
{
    trace_out_byte(out, head_of(TRACE_EXCEPTION) | (seen->is_interrupt ? EXCEPTION_INTERRUPT : 0u) |
                            (seen->has_error_code ? EXCEPTION_ERROR_CODE : 0u));
    trace_out_byte(out, seen->vector);
    trace_out_delta(out, seen->instruction, codec->next_insn);
    trace_out_number(out, seen->error_code);
    trace_out_delta(out, seen->rip, codec->next_rip);
    trace_out_number(out, seen->cr2);
    trace_out_delta(out, seen->cycle, codec->cycle);
}

static void put_control(struct trace_out *out, const struct trace_codec *codec,
                        const struct trace_control *control)
{
    size_t length = strlen(control->what);
    trace_out_byte(out, head_of(TRACE_CONTROL));
    trace_out_byte(out, (unsigned)length);
    trace_out_bytes(out, control->what, length);
    trace_out_number(out, control->value);
    trace_out_delta(out, control->cycle, codec->cycle);
}

static void put_mark(struct trace_out *out, const struct trace_codec *codec, const struct trace_mark *mark)
{
    size_t length = strnlen(mark->text, TRACE_MARK_CHARS - 1);
    trace_out_byte(out, head_of(TRACE_MARK));
    trace_out_byte(out, mark->kind);
    trace_out_number(out, mark->id);
    trace_out_byte(out, (unsigned)length);
    trace_out_bytes(out, mark->text, length);
    trace_out_delta(out, mark->cycle, codec->cycle);
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
    struct trace_out out = {to},
                     own = {to}; /* nobody is told where `own` is, so that it need not be in memory */
    switch (record->kind) {
    case TRACE_INSN:
        return trace_encode_step(codec, NULL, 0, &record->insn, to);
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

static void get_walk(struct trace_in *in, struct trace_codec *codec, const struct cpu_seen_translation *of,
                     struct walk *walk)
{
    memset(walk, 0, sizeof *walk);
    walk->linear = of->linear;
    walk->access = of->access;
    walk->asker = of->is_user ? MMU_USER : MMU_SUPERVISOR;
    walk->is_fault = of->is_fault;
    uint64_t shape = trace_in_number(in), kind = shape >> WALK_KIND_SHIFT & WALK_KIND_MASK;
    walk->kind = (enum paging_kind)trace_in_check(in, kind, NR_PAGING_KINDS, "a kind of paging is unknown");
    unsigned nr_levels = paging_nr_levels(walk->kind);
    walk->first_level = trace_in_check(in, shape >> WALK_LEVEL_SHIFT, nr_levels + 1, "a walk begins too low");
    walk->nr_steps = trace_in_check(in, shape & WALK_STEPS_MASK, nr_levels - walk->first_level + 1,
                                    "a walk has too many steps");
    if (walk->is_fault)
        walk->error_code = (uint32_t)trace_in_number(in);
    for (unsigned i = 0; i < walk->nr_steps; i++) {
        struct walk_step *step = &walk->step[i];
        step->at = paddr(trace_in_delta(in, codec->step_at[walk->first_level + i]));
        step->value = trace_in_delta(in, codec->step_value[walk->first_level + i]);
        step->size_bytes = paging_entry_bytes(walk->kind);
        step->index = (unsigned)trace_in_number(in);
        step->served_by = trace_in_below(in, NR_SERVED_BY, "a server is unknown");
        step->ready = trace_in_delta(in, of->asked);
        codec->step_at[walk->first_level + i] = step->at.v;
        codec->step_value[walk->first_level + i] = step->value;
    }
}

static void get_translation(struct trace_in *in, struct trace_codec *codec, unsigned flags,
                            struct trace_record *record)
{
    struct cpu_seen_translation *seen = &record->translation;
    seen->is_l1_hit = flags & TRANSLATION_L1_HIT;
    seen->is_l2_hit = flags & TRANSLATION_L2_HIT;
    seen->is_fault = flags & TRANSLATION_FAULT;
    unsigned access = trace_in_byte(in);
    seen->is_refuted = access & TRANSLATION_REFUTED;
    seen->is_user = access & TRANSLATION_USER;
    seen->access =
        (enum mmu_access)trace_in_check(in, access & ~(unsigned)(TRANSLATION_REFUTED | TRANSLATION_USER),
                                        NR_WALK_ACCESSES, "a kind of translation is unknown");
    seen->instruction = trace_in_delta(in, codec->next_insn);
    seen->linear = laddr(trace_in_delta(in, codec->linear[kind_for(seen->access)]));
    seen->asked = trace_in_delta(in, codec->cycle);
    seen->ready = trace_in_delta(in, seen->asked);
    record->has_walk = flags & TRANSLATION_WALK;
    if (record->has_walk)
        get_walk(in, codec, seen, &record->walk);
}

static void get_access(struct trace_in *in, struct trace_codec *codec, unsigned flags,
                       struct cpu_seen_access *seen)
{
    unsigned packed = trace_in_byte(in);
    if (((packed & 15) >= NR_ACCESS_KINDS || packed >> 4 >= NR_SERVED_BY) && !in->what)
        in->what = "a kind of access or its server is unknown";
    if (in->what)
        return;
    seen->kind = (enum cpu_access_kind)(packed & 15);
    seen->served_by = packed >> 4;
    seen->is_ram = flags & ACCESS_IS_RAM;
    seen->is_in_flight = flags & ACCESS_IN_FLIGHT;
    seen->instruction = trace_in_delta(in, codec->next_insn);
    seen->linear = laddr(trace_in_delta(in, codec->linear[seen->kind]));
    seen->physical = paddr(seen->linear.v + trace_in_delta(in, codec->offset[seen->kind]));
    seen->size_bytes = (uint8_t)trace_in_byte(in);
    seen->asked = trace_in_delta(in, codec->cycle);
    seen->translated = trace_in_delta(in, seen->asked);
    seen->ready = trace_in_delta(in, seen->translated);
    codec->offset[seen->kind] = seen->physical.v - seen->linear.v;
}

static void get_request(struct trace_in *in, const struct trace_codec *codec, unsigned flags,
                        struct cpu_seen_request *seen)
{
    unsigned packed = trace_in_byte(in);
    seen->cache = (enum cpu_request_cache)(flags >> REQUEST_CACHE_SHIFT & (NR_CPU_REQUEST_CACHES - 1));
    seen->kind = (enum cpu_request_kind)trace_in_check(in, packed & REQUEST_FIELD_MASK, NR_CPU_REQUEST_KINDS,
                                                       "a kind of request is unknown");
    seen->use = (enum cache_use)(packed >> REQUEST_USE_SHIFT & REQUEST_USE_MASK);
    seen->served_by = trace_in_check(in, packed >> REQUEST_SERVED_SHIFT, NR_SERVED_BY, "a server is unknown");
    seen->at = paddr(trace_in_delta(in, codec->requested[seen->cache]));
    seen->asked = trace_in_delta(in, codec->cycle);
    seen->ready = trace_in_delta(in, seen->asked);
    if (flags & REQUEST_HAS_IP)
        seen->ip = trace_in_delta(in, likely_ip(codec, seen));
}

static void get_device(struct trace_in *in, const struct trace_codec *codec, unsigned flags,
                       struct dma_seen_line *seen)
{
    seen->is_write = flags & DEVICE_WRITE;
    seen->is_snooped = flags & DEVICE_SNOOPED;
    seen->was_here = flags & DEVICE_HERE;
    seen->was_dirty = flags & DEVICE_DIRTY;
    seen->source_id = (uint16_t)trace_in_number(in);
    seen->at = paddr(trace_in_delta(in, codec->device_at));
    seen->asked = trace_in_delta(in, codec->cycle);
    seen->ready = trace_in_delta(in, seen->asked);
}

static void get_exception(struct trace_in *in, const struct trace_codec *codec, unsigned flags,
                          struct cpu_seen_exception *seen)
{
    seen->is_interrupt = flags & EXCEPTION_INTERRUPT;
    seen->has_error_code = flags & EXCEPTION_ERROR_CODE;
    seen->vector = (uint8_t)trace_in_byte(in);
    seen->instruction = trace_in_delta(in, codec->next_insn);
    seen->error_code = (uint32_t)trace_in_number(in);
    seen->rip = trace_in_delta(in, codec->next_rip);
    seen->cr2 = trace_in_number(in);
    seen->cycle = trace_in_delta(in, codec->cycle);
}

static void get_control(struct trace_in *in, const struct trace_codec *codec, struct trace_control *control)
{
    unsigned length = trace_in_below(in, TRACE_CONTROL_CHARS, "a name is too long");
    trace_in_bytes(in, control->what, length);
    control->value = trace_in_number(in);
    control->cycle = trace_in_delta(in, codec->cycle);
}

static void get_mark(struct trace_in *in, const struct trace_codec *codec, struct trace_mark *mark)
{
    mark->kind = (enum trace_mark_kind)trace_in_below(in, NR_TRACE_MARKS, "a kind of mark is unknown");
    mark->id = (uint32_t)trace_in_number(in);
    unsigned length = trace_in_below(in, TRACE_MARK_CHARS, "a mark's text is too long");
    trace_in_bytes(in, mark->text, length);
    for (unsigned i = 0; i < length; i++)
        if (mark->text[i] < 0x20 || mark->text[i] > 0x7e)
            mark->text[i] = '?';
    mark->cycle = trace_in_delta(in, codec->cycle);
}

const char *trace_decode(struct trace_codec *codec, const uint8_t **at, const uint8_t *end,
                         struct trace_record *record)
{
    if (trace_take_step(codec, record))
        return NULL;
    struct trace_in in = {.at = *at, .end = end};
    unsigned head = trace_in_byte(&in), kind = head >> TRACE_HEAD_SHIFT & TRACE_HEAD_MASK;
    unsigned flags = head & ~(unsigned)(TRACE_IS_STEP | TRACE_HEAD_MASK << TRACE_HEAD_SHIFT);
    if ((head & TRACE_IS_STEP) || kind == TRACE_HEAD_HIT) {
        if (head & TRACE_IS_STEP)
            trace_in_step(&in, codec, head);
        else
            trace_in_hit(&in, codec);
        *at = in.at;
        if (in.what)
            codec->step = (struct trace_step){0};
        else
            (void)trace_take_step(codec, record);
        return in.what;
    }
    memset(record, 0, offsetof(struct trace_record, walk)); /* the walk is large, and rare */
    record->kind = (enum trace_kind)kind;
    switch (record->kind) {
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
    case TRACE_INSN: /* a step, or a hit */
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
