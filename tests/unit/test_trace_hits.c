/* Hits, which are told in short, and instructions. */
#include "tests/unit/trace_fixture.h"

TestSuite(trace_hits, .init = setup, .fini = teardown);

static void add_said(struct trace_record record)
{
    cr_assert_lt(core->nr_said, (size_t)NR_RECORDS);
    core->said[core->nr_said++] = record;
}

/* What one stands for. */
static void add_hit(const struct cpu_seen_hit *hit)
{
    bool is_fetch = hit->form.kind == CPU_ACCESS_FETCH, is_store = hit->form.kind == CPU_ACCESS_STORE;
    enum mmu_access asks = is_store || hit->form.is_for_write ? MMU_WRITE : MMU_READ;
    if (hit->form.is_paged)
        add_said((struct trace_record){.kind = TRACE_TRANSLATION,
                                       .translation = {.instruction = core->nr_insns,
                                                       .access = is_fetch ? MMU_FETCH : asks,
                                                       .is_user = hit->form.is_user,
                                                       .linear = is_fetch ? laddr(hit->ip) : hit->linear,
                                                       .is_l1_hit = true,
                                                       .asked = hit->asked,
                                                       .ready = hit->asked}});
    add_said((struct trace_record){.kind = TRACE_REQUEST,
                                   .request = {.kind = is_store ? CPU_REQUEST_WRITE : CPU_REQUEST_READ,
                                               .cache = hit->form.cache,
                                               .use = CACHE_USE_ALL,
                                               .at = hit->physical,
                                               .ip = is_fetch ? hit->linear.v : hit->ip,
                                               .asked = hit->asked,
                                               .ready = hit->asked + hit->form.hit_cycles}});
    add_said((struct trace_record){.kind = TRACE_ACCESS,
                                   .access = {.instruction = core->nr_insns,
                                              .kind = hit->form.kind,
                                              .linear = hit->linear,
                                              .physical = hit->physical,
                                              .size_bytes = hit->form.size_bytes,
                                              .is_ram = true,
                                              .asked = hit->asked,
                                              .translated = hit->asked,
                                              .ready = hit->asked + (is_fetch ? 0 : hit->form.hit_cycles)}});
}

/* One of the place-th instruction, which is of the same form each time, mostly. */
static struct cpu_seen_hit make_hit(uint64_t linear, unsigned place, unsigned i, cycle_t issued)
{
    bool is_fetch = i == 0 && place % 3 == 0;
    uint64_t page = pick(5);
    struct cpu_seen_hit hit = {.linear = laddr(0xd0000000 + (page << 12) + pick(64) * 4),
                               .ip = pick(30) ? linear : linear + 2,
                               .asked = pick(20) ? issued : issued - pick(3),
                               .form = {.brief = CPU_BRIEF_HIT,
                                        .hit_cycles = (uint16_t)(3 + (place == 7) * 400),
                                        .kind = (uint8_t)(1 + place % 2),
                                        .cache = CPU_REQUEST_L1D,
                                        .size_bytes = (uint8_t)(1 << place % 4),
                                        .is_user = place % 4 == 1,
                                        .is_paged = place % 5 != 0}};
    hit.form.is_for_write = hit.form.kind == CPU_ACCESS_LOAD && place % 7 == 1;
    hit.physical = paddr(hit.linear.v - 0xc0000000 + (pick(50) ? page : pick(9)) * 0x3000);
    if (pick(4) == 0) { /* an address like any other */
        hit.linear = laddr(0);
        hit.physical = paddr(0x5000);
    }
    if (is_fetch) {
        hit.linear = laddr(linear & ~63ull);
        hit.physical = paddr(hit.linear.v - 0xc0000000);
        hit.asked = core->now;
        hit.form = (struct cpu_hit_form){.brief = CPU_BRIEF_HIT,
                                         .hit_cycles = 1,
                                         .kind = CPU_ACCESS_FETCH,
                                         .cache = CPU_REQUEST_L1I,
                                         .size_bytes = 1,
                                         .is_paged = hit.form.is_paged};
    }
    return hit;
}

/* As a core tells: in short what it last told of in full at that place, unless it has forgotten. */
static void tell_insn(const struct cpu_observer *to, const struct cpu_seen_insn *insn,
                      struct cpu_seen_insn told[CPU_SEEN_PLACES])
{
    unsigned place = cpu_seen_place(insn->linear.v);
    const struct cpu_seen_insn *last = &told[place];
    bool is_same = last->rip == insn->rip && last->linear.v == insn->linear.v &&
                   last->length_bytes == insn->length_bytes && last->code_bits == insn->code_bits &&
                   memcmp(last->bytes, insn->bytes, sizeof insn->bytes) == 0;
    if (is_same && pick(50)) {
        struct cpu_seen_again *again = cpu_brief_take(to->room, sizeof *again);
        *again = (struct cpu_seen_again){.brief = CPU_BRIEF_INSN,
                                         .waited_for = insn->waited_for,
                                         .place = (uint16_t)place,
                                         .done_cycles = (uint32_t)(insn->done - insn->issued),
                                         .issued_quarter = insn->issued << 2 | insn->slot,
                                         .fetched = insn->fetched};
        core->nr_again++;
        return;
    }
    told[place] = *insn;
    *to->insn_room(to->opaque) = *insn;
}

/* Goes round in a loop of 24 instructions, with something else in between now and then. */
static void run_steps(struct trace_writer *writer)
{
    const struct cpu_observer *to = trace_observer(writer);
    struct cpu_seen_insn told[CPU_SEEN_PLACES];
    unsigned place = 0;
    memset(told, 0, sizeof told);
    while (core->nr_said < NR_RECORDS - 40) {
        core->now += place % 4 == 0 ? 1 + (pick(10) == 0) * pick(40) : 0;
        cycle_t issued = core->now + 5;
        uint64_t rip = 0x1000 + place * 3 + (pick(30) ? 0u : 0x400000u); /* another in the same place */
        unsigned nr_hits = place % 6 == 5 ? (unsigned)pick(12) : place % 3;
        for (unsigned i = 0; i < nr_hits; i++) {
            struct cpu_seen_hit hit = make_hit(0xc0000000 + rip, place, i, issued);
            add_hit(&hit);
            *(struct cpu_seen_hit *)cpu_brief_take(to->room, sizeof hit) = hit;
        }
        if (pick(15) == 0) {
            struct trace_record record = make_translation();
            tell(writer, &record);
            add_said(record);
        }
        struct cpu_seen_insn insn = {.number = core->nr_insns++,
                                     .rip = rip,
                                     .linear = laddr(0xc0000000 + rip),
                                     .bytes = {0x8b, 0x46, (uint8_t)(pick(100) ? 4 : 8)},
                                     .length_bytes = 3,
                                     .code_bits = pick(200) ? 32 : 16,
                                     .fetched = core->now,
                                     .issued = issued,
                                     .slot = (uint8_t)(place % 2 * 2),
                                     .done = issued + 1 + (pick(20) == 0) * pick(100),
                                     .waited_for = (uint8_t)(place % 3)};
        add_said((struct trace_record){.kind = TRACE_INSN, .insn = insn});
        tell_insn(to, &insn, told);
        place = pick(40) ? (place + 1) % 24 : (unsigned)pick(24);
    }
}

static void expect_steps(const struct trace_params *params)
{
    struct trace_writer *writer = trace_writer_create(file, params, &diag);
    cr_assert_not_null(writer);
    run_steps(writer);
    cr_expect_gt(core->nr_again, core->nr_insns / 4);
    cr_assert(trace_writer_finish(writer, &diag));
    struct trace_reader *reader = trace_open(file, &diag);
    cr_assert_not_null(reader);
    cycle_t to = params->to ? params->to : UINT64_MAX;
    uint64_t nr_by_kind[NR_TRACE_KINDS] = {0};
    struct trace_span cycles = {.first = UINT64_MAX}, numbers = {.first = UINT64_MAX};
    struct trace_record record;
    for (size_t i = 0; i < core->nr_said; i++) {
        struct trace_span span = trace_record_span(&core->said[i]);
        if (span.last < params->from || span.first > to ||
            (params->filter.kinds && !trace_filter_takes(&params->filter, &core->said[i])))
            continue;
        cr_assert(trace_next(reader, &record, &diag), "record %zu is missing", i);
        expect_same(&record, &core->said[i], i);
        nr_by_kind[record.kind]++;
        if (record.kind == TRACE_INSN) {
            numbers.first = record.insn.number < numbers.first ? record.insn.number : numbers.first;
            numbers.last = record.insn.number > numbers.last ? record.insn.number : numbers.last;
        }
        cycles.first = span.first < cycles.first ? span.first : cycles.first;
        cycles.last = span.last > cycles.last ? span.last : cycles.last;
    }
    cr_expect_not(trace_next(reader, &record, &diag));
    cr_expect_eq(diag.nr_lines, 0);
    cr_expect_arr_eq(trace_info(reader)->nr_by_kind, nr_by_kind, sizeof nr_by_kind);
    cr_expect_eq(trace_info(reader)->cycles.first, cycles.first);
    cr_expect_eq(trace_info(reader)->cycles.last, cycles.last);
    cr_expect_eq(trace_info(reader)->first_insn, numbers.first);
    cr_expect_eq(trace_info(reader)->last_insn, numbers.last);
    trace_close(reader);
}

Test(trace_hits, hits_read_as_what_they_stand_for)
{
    struct trace_params params = usual;
    params.records_per_chunk = 1000;
    expect_steps(&params);
}

Test(trace_hits, hits_in_short_obey_a_window)
{
    struct trace_params params = usual;
    params.from = 60;
    params.to = 200;
    expect_steps(&params);
}

Test(trace_hits, a_window_begins_or_ends_among_known_instructions)
{
    for (cycle_t cycle = 100; cycle < 700; cycle += 9) {
        struct trace_params params = usual;
        params.records_per_chunk = 1000;
        if (cycle % 2)
            params.from = cycle;
        else
            params.to = cycle;
        memset(core, 0, sizeof *core);
        core->seed = cycle;
        expect_steps(&params);
    }
}

Test(trace_hits, hits_in_short_obey_a_filter)
{
    struct trace_params params = usual;
    params.filter = (struct trace_filter){.kinds = 1u << TRACE_REQUEST | 1u << TRACE_INSN,
                                          .first = laddr(0xc0001000),
                                          .last = laddr(0xc0001020)};
    expect_steps(&params);
}
