/*
 * A core that makes up what it sees, and what it said beside what a trace says, for the tests of traces.
 */
#ifndef LK_TESTS_TRACE_FIXTURE_H
#define LK_TESTS_TRACE_FIXTURE_H

#include "sim/observe/trace_reader.h"
#include "sim/observe/trace_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NR_RECORDS = 5000, RECORDS_PER_CHUNK = 100 };

/* A core that makes up what it sees; and a copy of all that it said. */
struct fake_core {
    uint64_t seed;
    cycle_t now;
    uint64_t nr_insns, nr_again; /* all; those told of in short */
    struct trace_record said[NR_RECORDS];
    size_t nr_said;
};

static char directory[] = "/tmp/test_trace.XXXXXX";
static char file[64], other_file[64];
static struct fake_core *core;
static struct diag diag;

static inline void setup(void)
{
    strcpy(directory, "/tmp/test_trace.XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/trace", directory);
    snprintf(other_file, sizeof other_file, "%s/other", directory);
    core = calloc(1, sizeof *core);
    core->seed = 12345;
    diag_init(&diag);
}

static inline void teardown(void)
{
    unlink(file);
    unlink(other_file);
    rmdir(directory);
    free(core);
    diag_fini(&diag);
}

static inline uint64_t pick(uint64_t limit)
{
    core->seed = core->seed * 6364136223846793005u + 1442695040888963407u;
    return (core->seed >> 33) % limit;
}

static inline struct trace_record make_insn(void)
{
    static const uint8_t code[] = {0x8b, 0x46, 0x04}; /* mov eax,[esi+4] */
    struct cpu_seen_insn insn = {.number = core->nr_insns++,
                                 .rip = 0x1000 + pick(0x1000),
                                 .length_bytes = sizeof code,
                                 .code_bits = pick(50) ? 32 : 16,
                                 .cpl = pick(40) ? 0 : 3,
                                 .fetched = core->now,
                                 .issued = core->now + 5,
                                 .done = core->now + 6 + pick(70),
                                 .waited_for = (uint8_t)pick(NR_REASONS)};
    insn.linear = laddr(insn.rip + 0xc0000000);
    memcpy(insn.bytes, code, sizeof code);
    return (struct trace_record){.kind = TRACE_INSN, .insn = insn};
}

static inline struct trace_record make_translation(void)
{
    struct trace_record record = {.kind = TRACE_TRANSLATION, .has_walk = pick(3) == 0};
    record.translation = (struct cpu_seen_translation){.instruction = core->nr_insns,
                                                       .access = (enum mmu_access)pick(3),
                                                       .is_user = pick(2),
                                                       .linear = laddr(0xc0000000 + pick(1 << 24)),
                                                       .is_l1_hit = pick(2),
                                                       .is_l2_hit = pick(2),
                                                       .asked = core->now,
                                                       .ready = core->now + pick(100)};
    if (!record.has_walk)
        return record;
    record.translation.is_fault = pick(4) == 0;
    record.walk = (struct walk){.linear = record.translation.linear,
                                .access = record.translation.access,
                                .asker = record.translation.is_user ? MMU_USER : MMU_SUPERVISOR,
                                .kind = (enum paging_kind)(PAGING_TWO_LEVEL + pick(4)),
                                .first_level = (unsigned)pick(2),
                                .nr_steps = 1,
                                .is_fault = record.translation.is_fault,
                                .error_code = record.translation.is_fault ? (uint32_t)pick(32) : 0};
    record.walk.nr_steps += (unsigned)pick(paging_nr_levels(record.walk.kind) - record.walk.first_level);
    record.translation.is_refuted = record.walk.first_level && record.walk.is_fault && pick(2);
    for (unsigned i = 0; i < record.walk.nr_steps; i++)
        record.walk.step[i] = (struct walk_step){.at = paddr(pick(1 << 20) * 4),
                                                 .value = pick(UINT32_MAX),
                                                 .index = (unsigned)pick(1024),
                                                 .served_by = (unsigned)pick(NR_SERVED_BY),
                                                 .ready = core->now + 10 * i};
    return record;
}

static inline struct trace_record make_access(void)
{
    struct cpu_seen_access access = {.instruction = core->nr_insns,
                                     .kind = (enum cpu_access_kind)pick(NR_ACCESS_KINDS),
                                     .linear = laddr(0xc0000000 + pick(1 << 24)),
                                     .size_bytes = (uint8_t)pick(65),
                                     .is_ram = pick(10),
                                     .served_by = (unsigned)pick(NR_SERVED_BY),
                                     .is_in_flight = pick(4) == 0,
                                     .asked = core->now,
                                     .translated = core->now + pick(3),
                                     .ready = core->now + 3 + pick(60)};
    access.physical = paddr(access.linear.v - (pick(3) ? 0xc0000000 : 0x12345000));
    return (struct trace_record){.kind = TRACE_ACCESS, .access = access};
}

static inline struct trace_record make_exception(void)
{
    return (struct trace_record){.kind = TRACE_EXCEPTION,
                                 .exception = {.instruction = core->nr_insns,
                                               .vector = (uint8_t)pick(256),
                                               .is_interrupt = pick(2),
                                               .has_error_code = pick(2),
                                               .error_code = (uint32_t)pick(UINT32_MAX),
                                               .rip = pick(UINT32_MAX),
                                               .cr2 = pick(UINT32_MAX),
                                               .cycle = core->now}};
}

static inline struct trace_record make_request(void)
{
    bool is_flush = pick(8) == 0;
    cycle_t asked = core->now + pick(40) - (core->now ? pick(2) : 0);
    return (struct trace_record){
        .kind = TRACE_REQUEST,
        .request = {.kind = is_flush ? CPU_REQUEST_FLUSH_LINE : (enum cpu_request_kind)pick(2),
                    .cache = (enum cpu_request_cache)pick(NR_CPU_REQUEST_CACHES),
                    .use = (enum cache_use)pick(CACHE_USE_NONE + 1),
                    .at = paddr(pick(1 << 30)),
                    .ip = pick(3) ? pick(1 << 20) : 0,
                    .asked = asked,
                    .ready = is_flush ? asked : asked + pick(100),
                    .served_by = is_flush ? 0 : (unsigned)pick(NR_SERVED_BY)}};
}

static inline struct trace_record make_line(void)
{
    cycle_t asked = core->now + pick(40);
    bool is_snooped = pick(2);
    return (struct trace_record){.kind = TRACE_DEVICE,
                                 .device = {.is_write = pick(2),
                                            .is_snooped = is_snooped,
                                            .was_here = is_snooped && pick(2),
                                            .was_dirty = is_snooped && pick(2),
                                            .source_id = (uint16_t)pick(1 << 16),
                                            .at = paddr(pick(UINT32_MAX)),
                                            .asked = asked,
                                            .ready = asked + pick(100)}};
}

static inline void tell(struct trace_writer *writer, const struct trace_record *record)
{
    const struct cpu_observer *to = trace_observer(writer);
    const struct dma_observer *devices = trace_dma_observer(writer);
    switch (record->kind) {
    case TRACE_INSN:
        *to->insn_room(to->opaque) = record->insn;
        break;
    case TRACE_TRANSLATION:
        to->translation(to->opaque, &record->translation, record->has_walk ? &record->walk : NULL);
        break;
    case TRACE_ACCESS:
        to->access(to->opaque, &record->access, NULL);
        break;
    case TRACE_EXCEPTION:
        to->exception(to->opaque, &record->exception);
        break;
    case TRACE_CONTROL:
        to->control(to->opaque, record->control.what, record->control.value);
        break;
    case TRACE_REQUEST:
        to->request(to->opaque, &record->request);
        break;
    case TRACE_DEVICE:
        devices->line(devices->opaque, &record->device);
        break;
    case TRACE_MARK:
        trace_writer_mark(writer, record->mark.kind, record->mark.id, record->mark.text);
        break;
    case NR_TRACE_KINDS:
        break;
    }
}

/* Makes up NR_RECORDS records and tells them. */
static inline void run_core(struct trace_writer *writer)
{
    cycle_t latest = 0;
    while (core->nr_said < NR_RECORDS) {
        struct trace_record record;
        uint64_t which = pick(24);
        core->now += pick(3);
        if (which < 10)
            record = make_insn();
        else if (which < 14)
            record = make_translation();
        else if (which < 18)
            record = make_access();
        else if (which < 19)
            record = make_exception();
        else if (which < 21)
            record = make_request();
        else if (which < 22)
            record = make_line();
        else if (which < 23)
            record = (struct trace_record){.kind = TRACE_MARK,
                                           .mark = {.kind = (enum trace_mark_kind)pick(NR_TRACE_MARKS),
                                                    .id = (uint32_t)pick(UINT32_MAX),
                                                    .text = "a mark",
                                                    .cycle = latest}};
        else
            record = (struct trace_record){
                .kind = TRACE_CONTROL, .control = {.what = "cr3", .value = pick(1 << 20), .cycle = latest}};
        struct trace_span span = trace_record_span(&record);
        latest = span.first > latest ? span.first : latest;
        tell(writer, &record);
        core->said[core->nr_said++] = record;
    }
}

static inline void write_trace(const char *name, const struct trace_params *params)
{
    struct trace_writer *writer = trace_writer_create(name, params, &diag);
    cr_assert_not_null(writer);
    run_core(writer);
    cr_assert(trace_writer_finish(writer, &diag));
}

static const struct trace_params usual = {.version = "lookaside 0.1.0 (test)",
                                          .config_digest = "0123456789abcdef",
                                          .image = "kernel.elf",
                                          .clock_hz = 1000000000,
                                          .records_per_chunk = RECORDS_PER_CHUNK};

static inline bool same_walk(const struct walk *a, const struct walk *b)
{
    bool is_same = a->linear.v == b->linear.v && a->access == b->access && a->asker == b->asker &&
                   a->kind == b->kind && a->first_level == b->first_level && a->nr_steps == b->nr_steps &&
                   a->is_fault == b->is_fault && a->error_code == b->error_code;
    for (unsigned i = 0; is_same && i < a->nr_steps; i++)
        is_same = a->step[i].at.v == b->step[i].at.v && a->step[i].value == b->step[i].value &&
                  a->step[i].index == b->step[i].index && a->step[i].served_by == b->step[i].served_by &&
                  a->step[i].ready == b->step[i].ready;
    return is_same;
}

static inline bool same_insn(const struct cpu_seen_insn *a, const struct cpu_seen_insn *b)
{
    return a->number == b->number && a->rip == b->rip && a->linear.v == b->linear.v &&
           a->length_bytes == b->length_bytes && a->code_bits == b->code_bits && a->cpl == b->cpl &&
           a->fetched == b->fetched && a->issued == b->issued && a->slot == b->slot && a->done == b->done &&
           a->waited_for == b->waited_for && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static inline bool same_translation(const struct cpu_seen_translation *a,
                                    const struct cpu_seen_translation *b)
{
    return a->instruction == b->instruction && a->access == b->access && a->is_user == b->is_user &&
           a->linear.v == b->linear.v && a->is_l1_hit == b->is_l1_hit && a->is_l2_hit == b->is_l2_hit &&
           a->is_fault == b->is_fault && a->is_refuted == b->is_refuted && a->asked == b->asked &&
           a->ready == b->ready;
}

static inline bool same_access(const struct cpu_seen_access *a, const struct cpu_seen_access *b)
{
    return a->instruction == b->instruction && a->kind == b->kind && a->linear.v == b->linear.v &&
           a->physical.v == b->physical.v && a->size_bytes == b->size_bytes && a->is_ram == b->is_ram &&
           a->served_by == b->served_by && a->is_in_flight == b->is_in_flight && a->asked == b->asked &&
           a->translated == b->translated && a->ready == b->ready;
}

static inline bool same_exception(const struct cpu_seen_exception *a, const struct cpu_seen_exception *b)
{
    return a->instruction == b->instruction && a->vector == b->vector && a->is_interrupt == b->is_interrupt &&
           a->has_error_code == b->has_error_code && a->error_code == b->error_code && a->rip == b->rip &&
           a->cr2 == b->cr2 && a->cycle == b->cycle;
}

static inline bool same_request(const struct cpu_seen_request *a, const struct cpu_seen_request *b)
{
    return a->kind == b->kind && a->cache == b->cache && a->use == b->use && a->at.v == b->at.v &&
           a->ip == b->ip && a->asked == b->asked && a->ready == b->ready && a->served_by == b->served_by;
}

static inline bool same_line(const struct dma_seen_line *a, const struct dma_seen_line *b)
{
    return a->is_write == b->is_write && a->is_snooped == b->is_snooped && a->was_here == b->was_here &&
           a->was_dirty == b->was_dirty && a->source_id == b->source_id && a->at.v == b->at.v &&
           a->asked == b->asked && a->ready == b->ready;
}

static inline bool same_record(const struct trace_record *a, const struct trace_record *b)
{
    switch (a->kind) {
    case TRACE_INSN:
        return same_insn(&a->insn, &b->insn);
    case TRACE_TRANSLATION:
        return same_translation(&a->translation, &b->translation) && a->has_walk == b->has_walk &&
               (!a->has_walk || same_walk(&a->walk, &b->walk));
    case TRACE_ACCESS:
        return same_access(&a->access, &b->access);
    case TRACE_EXCEPTION:
        return same_exception(&a->exception, &b->exception);
    case TRACE_CONTROL:
        return strcmp(a->control.what, b->control.what) == 0 && a->control.value == b->control.value &&
               a->control.cycle == b->control.cycle;
    case TRACE_REQUEST:
        return same_request(&a->request, &b->request);
    case TRACE_DEVICE:
        return same_line(&a->device, &b->device);
    case TRACE_MARK:
        return a->mark.kind == b->mark.kind && a->mark.id == b->mark.id && a->mark.cycle == b->mark.cycle &&
               strcmp(a->mark.text, b->mark.text) == 0;
    case NR_TRACE_KINDS:
        break;
    }
    return false;
}

static inline void expect_same(const struct trace_record *got, const struct trace_record *want, size_t i)
{
    cr_assert_eq(got->kind, want->kind, "record %zu: kind %d, not %d", i, got->kind, want->kind);
    cr_assert(same_record(got, want), "record %zu: another one of kind %d", i, got->kind);
}

#endif
