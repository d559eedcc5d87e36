#include "sim/observe/trace_step.h"

/* A hit's form as a number, but for the cycles. */
enum {
    FORM_KIND_MASK = 3,
    FORM_FOR_WRITE = 4,
    FORM_USER = 8,
    FORM_PAGED = 16,
    FORM_CACHE_SHIFT = 5,
    FORM_SIZE_SHIFT = 7,
    FORM_BITS = 15,
};

static void put_form(struct trace_out *out, const struct cpu_hit_form *form)
{
    trace_out_number(out, form->kind | (form->is_for_write ? FORM_FOR_WRITE : 0u) |
                              (form->is_user ? FORM_USER : 0u) | (form->is_paged ? FORM_PAGED : 0u) |
                              (unsigned)form->cache << FORM_CACHE_SHIFT |
                              (unsigned)form->size_bytes << FORM_SIZE_SHIFT);
    trace_out_number(out, form->hit_cycles);
}

/* How much earlier than its fetch block was there, or than the instruction issued, a hit asked. */
TRACE_INLINE uint64_t asked_before(const struct cpu_seen_hit *hit, const struct cpu_seen_insn *insn)
{
    return (trace_is_fetch(hit) ? insn->fetched : insn->issued) - hit->asked;
}

/* From where a fetch begins to its line. */
TRACE_INLINE uint64_t back_of(const struct cpu_seen_hit *hit)
{
    return trace_is_fetch(hit) ? hit->ip - hit->linear.v : 0;
}

/* Physical - linear, as it was the last time in this page. */
TRACE_INLINE uint64_t likely_offset(struct trace_codec *codec, const struct cpu_seen_hit *hit)
{
    const struct trace_frame *frame = trace_frame_at(codec, hit->linear.v);
    return frame->page == hit->linear.v >> PAGE_SHIFT ? frame->offset : codec->offset[hit->form.kind];
}

TRACE_INLINE void hit_seen(struct trace_codec *codec, const struct cpu_seen_hit *hit)
{
    *trace_frame_at(codec, hit->linear.v) =
        (struct trace_frame){hit->linear.v >> PAGE_SHIFT, hit->physical.v - hit->linear.v};
    if (!trace_is_fetch(hit))
        codec->linear[hit->form.kind] = hit->linear.v;
}

TRACE_INLINE void insn_seen(struct trace_codec *codec, struct trace_code *code,
                            const struct cpu_seen_insn *insn)
{
    codec->next_insn = insn->number + 1;
    codec->next_rip = code->goes_to;
    codec->last = code;
    codec->code_base = insn->linear.v - insn->rip;
    codec->code_bits = insn->code_bits;
    codec->cpl = insn->cpl;
    codec->fetched = insn->fetched;
    codec->issued = trace_issue_quarter(insn);
    codec->cycle = insn->issued;
}

/* What the next step of this instruction is told apart from. */
TRACE_INLINE void hits_seen(struct trace_codec *codec, struct trace_code *code,
                            const struct cpu_seen_hit *const *hits, unsigned nr_hits)
{
    unsigned data = 0;
    for (unsigned i = 0; i < nr_hits; i++) {
        if (!trace_is_fetch(hits[i]))
            code->address[data++] = hits[i]->linear.v;
        hit_seen(codec, hits[i]);
    }
}

/* Which it is, unless it follows the last. Returns what needs not be said. */
TRACE_INLINE unsigned put_next(struct trace_out *out, struct trace_codec *codec,
                               const struct cpu_seen_insn *insn)
{
    if (((insn->number ^ codec->next_insn) | (insn->rip ^ codec->next_rip)) == 0)
        return TRACE_STEP_IS_NEXT;
    trace_put_where(out, codec, insn->number, insn->rip);
    return 0;
}

TRACE_INLINE unsigned put_mode(struct trace_out *out, const struct trace_codec *codec,
                               const struct cpu_seen_insn *insn)
{
    uint64_t base = insn->linear.v - insn->rip;
    if (((base ^ codec->code_base) | (uint64_t)(insn->code_bits ^ codec->code_bits) |
         (uint64_t)(insn->cpl ^ codec->cpl)) == 0)
        return TRACE_STEP_SAME_MODE;
    trace_out_number(out, base);
    trace_out_byte(out, insn->code_bits);
    trace_out_byte(out, insn->cpl);
    return 0;
}

/* What it is; makes `code` the one that it is. */
TRACE_INLINE unsigned put_code(struct trace_out *out, struct trace_code *code,
                               const struct cpu_seen_insn *insn)
{
    if (((code->linear ^ insn->linear.v) | trace_bytes_differ(code, insn)) == 0)
        return TRACE_STEP_KNOWN;
    *code = (struct trace_code){.linear = insn->linear.v, .length_bytes = insn->length_bytes};
    code->goes_to = insn->rip + insn->length_bytes;
    memcpy(code->bytes, insn->bytes, sizeof code->bytes);
    trace_out_byte(out, insn->length_bytes);
    trace_out_bytes(out, insn->bytes, insn->length_bytes);
    return 0;
}

TRACE_INLINE unsigned put_times(struct trace_out *out, const struct trace_codec *codec,
                                struct trace_code *code, const struct cpu_seen_insn *insn)
{
    uint64_t fetched = insn->fetched - codec->fetched, issued = trace_issue_quarter(insn) - codec->issued;
    uint64_t done = insn->done - insn->issued;
    if (((fetched ^ code->fetched) | (issued ^ code->issued) | (done ^ code->done) |
         (uint64_t)(insn->waited_for ^ code->waited_for)) == 0)
        return TRACE_STEP_SAME_TIMES;
    trace_put_times(out, code, fetched, issued, done, insn->waited_for);
    return 0;
}

void trace_put_hit_forms(struct trace_out *out, struct trace_code *code,
                         const struct cpu_seen_hit *const *hits, unsigned nr_hits,
                         const struct cpu_seen_insn *insn)
{
    trace_out_byte(out, nr_hits);
    for (unsigned i = 0; i < nr_hits; i++) {
        struct trace_code_hit *hit = &code->hit[i];
        *hit = (struct trace_code_hit){.form = hits[i]->form,
                                       .asked = (uint32_t)asked_before(hits[i], insn),
                                       .back = (uint32_t)back_of(hits[i]),
                                       .ahead = (uint32_t)(hits[i]->ip - insn->linear.v)};
        put_form(out, &hit->form);
        trace_out_number(out, hit->asked);
        if (!trace_is_fetch(hits[i]))
            continue;
        trace_out_number(out, hit->back);
        trace_out_number(out, hit->ahead);
    }
    code->nr_hits = (uint8_t)nr_hits;
}

/* Addresses of data are always said: they are what differs. */
TRACE_INLINE unsigned put_hits(struct trace_out *out, struct trace_codec *codec, struct trace_code *code,
                               const struct cpu_seen_hit *const *hits, unsigned nr_hits,
                               const struct cpu_seen_insn *insn)
{
    uint64_t others = code->nr_hits ^ nr_hits, elsewhere = 0;
    for (unsigned i = 0; i < nr_hits; i++) {
        const struct cpu_seen_hit *hit = hits[i];
        others |= (asked_before(hit, insn) ^ code->hit[i].asked) | (back_of(hit) ^ code->hit[i].back) |
                  ((hit->ip - insn->linear.v) ^ code->hit[i].ahead) |
                  trace_form_differs(&hit->form, &code->hit[i].form);
        elsewhere |= likely_offset(codec, hit) ^ (hit->physical.v - hit->linear.v);
    }
    if (others)
        trace_put_hit_forms(out, code, hits, nr_hits, insn);
    for (unsigned i = 0, data = 0; i < nr_hits; i++)
        if (!trace_is_fetch(hits[i]))
            trace_out_delta(out, hits[i]->linear.v,
                            trace_likely_address(codec, code, data++, hits[i]->form.kind));
    for (unsigned i = 0; elsewhere && i < nr_hits; i++)
        trace_out_delta(out, hits[i]->physical.v - hits[i]->linear.v, likely_offset(codec, hits[i]));
    return (others ? 0u : TRACE_STEP_SAME_HITS) | (elsewhere ? 0u : TRACE_STEP_SAME_FRAMES);
}

bool trace_is_step(const struct cpu_seen_hit *const *hits, unsigned nr_hits, const struct cpu_seen_insn *insn)
{
    for (unsigned i = 0; i < nr_hits; i++) {
        uint64_t ahead = hits[i]->ip - insn->linear.v;
        if (asked_before(hits[i], insn) > UINT32_MAX || back_of(hits[i]) > UINT32_MAX ||
            ahead > (trace_is_fetch(hits[i]) ? UINT32_MAX : 0))
            return false;
    }
    return true;
}

struct trace_span trace_step_span(const struct cpu_seen_hit *const *hits, unsigned nr_hits,
                                  const struct cpu_seen_insn *insn, cycle_t *latest)
{
    struct trace_span span = trace_times_span(insn->fetched, insn->issued, insn->done);
    *latest = span.first;
    for (unsigned i = 0; i < nr_hits; i++)
        trace_span_hit(&span, latest, hits[i]);
    return span;
}

/* For the writer, who counts; a reader has no use for it. */
static void note_sums(struct trace_code *code, const struct cpu_seen_hit *const *hits, unsigned nr_hits,
                      const struct cpu_seen_insn *insn)
{
    cycle_t latest;
    struct trace_span span = trace_step_span(hits, nr_hits, insn, &latest);
    trace_note_span(code, insn->issued, span, latest);
    code->counts = trace_counts_of(hits, nr_hits);
}

/* Of the mode that the codec is in. */
static uint32_t mode_number(struct trace_codec *codec)
{
    struct trace_mode *mode =
        &codec->mode[(codec->code_base >> 4 ^ codec->code_base >> 16 ^ codec->code_bits >> 2 ^ codec->cpl) %
                     TRACE_MODE_ENTRIES];
    if (!mode->number || mode->code_base != codec->code_base || mode->code_bits != codec->code_bits ||
        mode->cpl != codec->cpl)
        *mode = (struct trace_mode){codec->code_base, codec->code_bits, codec->cpl, ++codec->nr_modes};
    return mode->number;
}

/* For who is told of it in short the next time. */
static void note_told(struct trace_codec *codec, struct trace_code *code, unsigned nr_hits,
                      const struct cpu_seen_insn *insn)
{
    struct cpu_seen_again again = {.brief = CPU_BRIEF_INSN,
                                   .waited_for = insn->waited_for,
                                   .place = (uint16_t)cpu_seen_place(insn->linear.v),
                                   .done_cycles = (uint32_t)(insn->done - insn->issued)};
    codec->mode_number = mode_number(codec);
    code->told_like = trace_told_like(codec->mode_number, nr_hits);
    code->rip = insn->rip;
    memcpy(&code->brief, &again, sizeof code->brief);
    if (insn->done - insn->issued > UINT32_MAX)
        code->brief = 0;
}

size_t trace_encode_step(struct trace_codec *codec, const struct cpu_seen_hit *const *hits, unsigned nr_hits,
                         const struct cpu_seen_insn *insn, uint8_t to[TRACE_MAX_RECORD_BYTES])
{
    struct trace_out out = {to + 1};
    struct trace_code *code = trace_code_at(codec, insn->linear.v);
    unsigned head = TRACE_IS_STEP;
    head |= put_next(&out, codec, insn);
    head |= put_mode(&out, codec, insn);
    head |= put_code(&out, code, insn);
    head |= put_times(&out, codec, code, insn);
    if (nr_hits | code->nr_hits)
        head |= put_hits(&out, codec, code, hits, nr_hits, insn);
    else
        head |= TRACE_STEP_SAME_HITS | TRACE_STEP_SAME_FRAMES;
    *to = (uint8_t)head;
    hits_seen(codec, code, hits, nr_hits);
    insn_seen(codec, code, insn);
    note_sums(code, hits, nr_hits, insn);
    note_told(codec, code, nr_hits, insn);
    return (size_t)(out.at - to);
}

/* Where the instruction that makes a hit probably lies. */
static uint64_t likely_ip(const struct trace_codec *codec, const struct cpu_seen_hit *hit)
{
    return trace_is_fetch(hit) ? hit->linear.v : codec->next_rip + codec->code_base;
}

size_t trace_encode_hit(struct trace_codec *codec, const struct cpu_seen_hit *hit, uint64_t number,
                        uint8_t to[TRACE_MAX_RECORD_BYTES])
{
    struct trace_out out = {to};
    trace_out_byte(&out, TRACE_HEAD_HIT << TRACE_HEAD_SHIFT);
    trace_out_delta(&out, number, codec->next_insn);
    put_form(&out, &hit->form);
    trace_out_delta(&out, hit->linear.v, codec->linear[hit->form.kind]);
    trace_out_delta(&out, hit->physical.v - hit->linear.v, likely_offset(codec, hit));
    trace_out_delta(&out, hit->asked, codec->cycle);
    trace_out_delta(&out, hit->ip, likely_ip(codec, hit));
    hit_seen(codec, hit);
    codec->cycle = hit->asked;
    return (size_t)(out.at - to);
}

/* ---- The way back ---- */

static struct cpu_hit_form get_form(struct trace_in *in)
{
    unsigned bits = trace_in_check(in, trace_in_number(in), 1 << FORM_BITS, "a hit is unknown");
    unsigned kind = trace_in_check(in, bits & FORM_KIND_MASK, NR_ACCESS_KINDS, "a kind of access is unknown");
    return (struct cpu_hit_form){
        .brief = CPU_BRIEF_HIT,
        .hit_cycles = (uint16_t)trace_in_check(in, trace_in_number(in), 1 << 16, "a hit takes too long"),
        .kind = (uint8_t)kind,
        .cache = bits >> FORM_CACHE_SHIFT & (NR_CPU_REQUEST_CACHES - 1),
        .size_bytes = (uint8_t)(bits >> FORM_SIZE_SHIFT),
        .is_for_write = (bits & FORM_FOR_WRITE) != 0,
        .is_user = (bits & FORM_USER) != 0,
        .is_paged = (bits & FORM_PAGED) != 0,
    };
}

static void get_where(struct trace_in *in, struct trace_codec *codec, unsigned head,
                      struct cpu_seen_insn *insn)
{
    bool is_next = head & TRACE_STEP_IS_NEXT;
    insn->number = is_next ? codec->next_insn : trace_in_delta(in, codec->next_insn);
    insn->rip = is_next ? codec->next_rip : trace_in_delta(in, codec->next_rip);
    if (!is_next && codec->last)
        codec->last->goes_to = insn->rip;
    insn->linear = laddr(insn->rip + (head & TRACE_STEP_SAME_MODE ? codec->code_base : trace_in_number(in)));
    insn->code_bits = codec->code_bits;
    insn->cpl = codec->cpl;
    if (!(head & TRACE_STEP_SAME_MODE)) {
        insn->code_bits = (uint8_t)trace_in_byte(in);
        insn->cpl = (uint8_t)trace_in_below(in, 4, "a privilege level is above 3");
    }
    if (insn->code_bits != 16 && insn->code_bits != 32 && insn->code_bits != 64 && !in->what)
        in->what = "code is neither 16, 32 nor 64 bits";
}

static void get_code(struct trace_in *in, struct trace_code *code, unsigned head, struct cpu_seen_insn *insn)
{
    if (!(head & TRACE_STEP_KNOWN)) {
        *code = (struct trace_code){.linear = insn->linear.v};
        code->length_bytes =
            (uint8_t)trace_in_below(in, sizeof code->bytes + 1, "an instruction is too long");
        trace_in_bytes(in, code->bytes, code->length_bytes);
        code->goes_to = insn->rip + code->length_bytes;
    } else if (code->linear != insn->linear.v && !in->what) {
        in->what = "an instruction is not known yet";
    }
    insn->length_bytes = code->length_bytes;
    memcpy(insn->bytes, code->bytes, sizeof code->bytes);
}

static void get_times(struct trace_in *in, const struct trace_codec *codec, struct trace_code *code,
                      unsigned head, struct cpu_seen_insn *insn)
{
    if (!(head & TRACE_STEP_SAME_TIMES)) {
        code->fetched = trace_in_delta(in, 0);
        code->issued = trace_in_delta(in, 0);
        code->done = trace_in_delta(in, 0);
        code->waited_for = (uint8_t)trace_in_below(in, NR_REASONS, "a reason to wait is unknown");
    }
    insn->fetched = codec->fetched + code->fetched;
    insn->issued = (codec->issued + code->issued) >> 2;
    insn->slot = (codec->issued + code->issued) & 3;
    insn->done = insn->issued + code->done;
    insn->waited_for = code->waited_for;
}

static uint32_t get32(struct trace_in *in)
{
    uint64_t value = trace_in_number(in);
    if (value > UINT32_MAX && !in->what)
        in->what = "a distance is longer than 32 bits";
    return (uint32_t)value;
}

static void get_hit_forms(struct trace_in *in, struct trace_code *code)
{
    code->nr_hits = (uint8_t)trace_in_below(in, TRACE_STEP_HITS + 1, "an instruction hits too often");
    for (unsigned i = 0; i < code->nr_hits; i++) {
        code->hit[i].form = get_form(in);
        code->hit[i].asked = get32(in);
        code->hit[i].back = code->hit[i].form.kind == CPU_ACCESS_FETCH ? get32(in) : 0;
        code->hit[i].ahead = code->hit[i].form.kind == CPU_ACCESS_FETCH ? get32(in) : 0;
    }
}

static void get_hits(struct trace_in *in, struct trace_codec *codec, struct trace_code *code, unsigned head,
                     struct trace_step *step)
{
    const struct cpu_seen_insn *insn = &step->insn;
    if (!(head & TRACE_STEP_SAME_HITS))
        get_hit_forms(in, code);
    step->nr_hits = in->what ? 0 : code->nr_hits;
    for (unsigned i = 0, data = 0; i < step->nr_hits; i++) {
        struct cpu_seen_hit *hit = &step->hit[i];
        hit->form = code->hit[i].form;
        hit->asked = (trace_is_fetch(hit) ? insn->fetched : insn->issued) - code->hit[i].asked;
        hit->ip = insn->linear.v + code->hit[i].ahead;
        hit->linear =
            trace_is_fetch(hit)
                ? laddr(hit->ip - code->hit[i].back)
                : laddr(trace_in_delta(in, trace_likely_address(codec, code, data++, hit->form.kind)));
    }
    for (unsigned i = 0; i < step->nr_hits; i++) {
        struct cpu_seen_hit *hit = &step->hit[i];
        uint64_t likely = likely_offset(codec, hit);
        hit->physical =
            paddr(hit->linear.v + (head & TRACE_STEP_SAME_FRAMES ? likely : trace_in_delta(in, likely)));
    }
}

void trace_in_step(struct trace_in *in, struct trace_codec *codec, unsigned head)
{
    struct trace_step *step = &codec->step;
    struct cpu_seen_insn *insn = &step->insn;
    *step = (struct trace_step){.has_insn = true};
    get_where(in, codec, head, insn);
    struct trace_code *code = trace_code_at(codec, insn->linear.v);
    get_code(in, code, head, insn);
    get_times(in, codec, code, head, insn);
    get_hits(in, codec, code, head, step);
    step->number = insn->number;
    if (in->what)
        return;
    const struct cpu_seen_hit *hits[TRACE_STEP_HITS];
    for (unsigned i = 0; i < step->nr_hits; i++)
        hits[i] = &step->hit[i];
    hits_seen(codec, code, hits, step->nr_hits);
    insn_seen(codec, code, insn);
}

void trace_in_hit(struct trace_in *in, struct trace_codec *codec)
{
    struct trace_step *step = &codec->step;
    struct cpu_seen_hit *hit = &step->hit[0];
    *step = (struct trace_step){.nr_hits = 1};
    step->number = trace_in_delta(in, codec->next_insn);
    hit->form = get_form(in);
    if (in->what)
        return;
    hit->linear = laddr(trace_in_delta(in, codec->linear[hit->form.kind]));
    hit->physical = paddr(hit->linear.v + trace_in_delta(in, likely_offset(codec, hit)));
    hit->asked = trace_in_delta(in, codec->cycle);
    hit->ip = trace_in_delta(in, likely_ip(codec, hit));
    hit_seen(codec, hit);
    codec->cycle = hit->asked;
}

/* ---- What a hit stands for ---- */

static struct cpu_seen_translation translation_of(const struct cpu_seen_hit *hit, uint64_t number)
{
    bool is_write = hit->form.kind == CPU_ACCESS_STORE || hit->form.is_for_write;
    return (struct cpu_seen_translation){
        .instruction = number,
        .access = trace_is_fetch(hit) ? MMU_FETCH
                  : is_write          ? MMU_WRITE
                                      : MMU_READ,
        .is_user = hit->form.is_user,
        .linear = trace_is_fetch(hit) ? laddr(hit->ip) : hit->linear,
        .is_l1_hit = true,
        .asked = hit->asked,
        .ready = hit->asked,
    };
}

static struct cpu_seen_request request_of(const struct cpu_seen_hit *hit)
{
    return (struct cpu_seen_request){
        .kind = hit->form.kind == CPU_ACCESS_STORE ? CPU_REQUEST_WRITE : CPU_REQUEST_READ,
        .cache = (enum cpu_request_cache)hit->form.cache,
        .use = CACHE_USE_ALL,
        .at = hit->physical,
        .ip = trace_is_fetch(hit) ? hit->linear.v : hit->ip,
        .asked = hit->asked,
        .ready = hit->asked + hit->form.hit_cycles,
        .served_by = SERVED_BY_L1,
    };
}

/* The bytes of a fetch block that hits are there when the pipeline wants them. */
static struct cpu_seen_access access_of(const struct cpu_seen_hit *hit, uint64_t number)
{
    return (struct cpu_seen_access){
        .instruction = number,
        .kind = (enum cpu_access_kind)hit->form.kind,
        .linear = hit->linear,
        .physical = hit->physical,
        .size_bytes = hit->form.size_bytes,
        .is_ram = true,
        .served_by = SERVED_BY_L1,
        .asked = hit->asked,
        .translated = hit->asked,
        .ready = hit->asked + (trace_is_fetch(hit) ? 0 : hit->form.hit_cycles),
    };
}

unsigned trace_expand_hit(const struct cpu_seen_hit *hit, uint64_t number, unsigned part,
                          struct trace_record *record)
{
    record->has_walk = false;
    if (part == 0 && hit->form.is_paged) {
        record->kind = TRACE_TRANSLATION;
        record->translation = translation_of(hit, number);
        return 1;
    }
    if (part <= 1) {
        record->kind = TRACE_REQUEST;
        record->request = request_of(hit);
        return 2;
    }
    record->kind = TRACE_ACCESS;
    record->access = access_of(hit, number);
    return 0;
}

bool trace_take_step(struct trace_codec *codec, struct trace_record *record)
{
    struct trace_step *step = &codec->step;
    if (step->next_hit < step->nr_hits) {
        step->next_part = trace_expand_hit(&step->hit[step->next_hit], step->number, step->next_part, record);
        step->next_hit += step->next_part == 0;
        return true;
    }
    if (!step->has_insn)
        return false;
    step->has_insn = false;
    record->kind = TRACE_INSN;
    record->has_walk = false;
    record->insn = step->insn;
    return true;
}
