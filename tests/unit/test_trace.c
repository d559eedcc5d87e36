#include "sim/observe/trace_export.h"
#include "sim/observe/trace_reader.h"
#include "sim/observe/trace_writer.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NR_RECORDS = 5000, RECORDS_PER_CHUNK = 100 };

/* A core that makes up what it sees; and a copy of all that it said. */
struct fake_core {
    uint64_t seed;
    cycle_t now;
    uint64_t nr_insns;
    struct trace_record said[NR_RECORDS];
    size_t nr_said;
};

static char directory[] = "/tmp/test_trace.XXXXXX";
static char file[64], other_file[64];
static struct fake_core *core;
static struct diag diag;

static void setup(void)
{
    strcpy(directory, "/tmp/test_trace.XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/trace", directory);
    snprintf(other_file, sizeof other_file, "%s/other", directory);
    core = calloc(1, sizeof *core);
    core->seed = 12345;
    diag_init(&diag);
}

static void teardown(void)
{
    unlink(file);
    unlink(other_file);
    rmdir(directory);
    free(core);
    diag_fini(&diag);
}

TestSuite(trace, .init = setup, .fini = teardown);

static uint64_t pick(uint64_t limit)
{
    core->seed = core->seed * 6364136223846793005u + 1442695040888963407u;
    return (core->seed >> 33) % limit;
}

static struct trace_record make_insn(void)
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

static struct trace_record make_translation(void)
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

static struct trace_record make_access(void)
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

static struct trace_record make_exception(void)
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

static struct trace_record make_request(void)
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

static struct trace_record make_line(void)
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

static void tell(struct trace_writer *writer, const struct trace_record *record)
{
    const struct cpu_observer *to = trace_observer(writer);
    const struct dma_observer *devices = trace_dma_observer(writer);
    switch (record->kind) {
    case TRACE_INSN:
        to->insn(to->opaque, &record->insn);
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
static void run_core(struct trace_writer *writer)
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

static void write_trace(const char *name, const struct trace_params *params)
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

static bool same_walk(const struct walk *a, const struct walk *b)
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

static bool same_insn(const struct cpu_seen_insn *a, const struct cpu_seen_insn *b)
{
    return a->number == b->number && a->rip == b->rip && a->linear.v == b->linear.v &&
           a->length_bytes == b->length_bytes && a->code_bits == b->code_bits && a->cpl == b->cpl &&
           a->fetched == b->fetched && a->issued == b->issued && a->done == b->done &&
           a->waited_for == b->waited_for && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static bool same_translation(const struct cpu_seen_translation *a, const struct cpu_seen_translation *b)
{
    return a->instruction == b->instruction && a->access == b->access && a->is_user == b->is_user &&
           a->linear.v == b->linear.v && a->is_l1_hit == b->is_l1_hit && a->is_l2_hit == b->is_l2_hit &&
           a->is_fault == b->is_fault && a->is_refuted == b->is_refuted && a->asked == b->asked &&
           a->ready == b->ready;
}

static bool same_access(const struct cpu_seen_access *a, const struct cpu_seen_access *b)
{
    return a->instruction == b->instruction && a->kind == b->kind && a->linear.v == b->linear.v &&
           a->physical.v == b->physical.v && a->size_bytes == b->size_bytes && a->is_ram == b->is_ram &&
           a->served_by == b->served_by && a->is_in_flight == b->is_in_flight && a->asked == b->asked &&
           a->translated == b->translated && a->ready == b->ready;
}

static bool same_exception(const struct cpu_seen_exception *a, const struct cpu_seen_exception *b)
{
    return a->instruction == b->instruction && a->vector == b->vector && a->is_interrupt == b->is_interrupt &&
           a->has_error_code == b->has_error_code && a->error_code == b->error_code && a->rip == b->rip &&
           a->cr2 == b->cr2 && a->cycle == b->cycle;
}

static bool same_request(const struct cpu_seen_request *a, const struct cpu_seen_request *b)
{
    return a->kind == b->kind && a->cache == b->cache && a->use == b->use && a->at.v == b->at.v &&
           a->ip == b->ip && a->asked == b->asked && a->ready == b->ready && a->served_by == b->served_by;
}

static bool same_line(const struct dma_seen_line *a, const struct dma_seen_line *b)
{
    return a->is_write == b->is_write && a->is_snooped == b->is_snooped && a->was_here == b->was_here &&
           a->was_dirty == b->was_dirty && a->source_id == b->source_id && a->at.v == b->at.v &&
           a->asked == b->asked && a->ready == b->ready;
}

static bool same_record(const struct trace_record *a, const struct trace_record *b)
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

static void expect_same(const struct trace_record *got, const struct trace_record *want, size_t i)
{
    cr_assert_eq(got->kind, want->kind, "record %zu: kind %d, not %d", i, got->kind, want->kind);
    cr_assert(same_record(got, want), "record %zu: another one of kind %d", i, got->kind);
}

Test(trace, what_was_told_is_read_back)
{
    write_trace(file, &usual);
    struct trace_reader *reader = trace_open(file, &diag);
    cr_assert_not_null(reader);
    struct trace_record record;
    size_t nr_read = 0;
    while (trace_next(reader, &record, &diag)) {
        cr_assert_lt(nr_read, (size_t)NR_RECORDS);
        expect_same(&record, &core->said[nr_read], nr_read);
        nr_read++;
    }
    cr_expect_eq(nr_read, NR_RECORDS);
    cr_expect_eq(diag.nr_lines, 0);
    trace_close(reader);
}

Test(trace, info_tells_header_counts_and_range)
{
    write_trace(file, &usual);
    struct trace_reader *reader = trace_open(file, &diag);
    cr_assert_not_null(reader);
    const struct trace_info *info = trace_info(reader);
    cr_expect_str_eq(info->version, usual.version);
    cr_expect_str_eq(info->config_digest, usual.config_digest);
    cr_expect_str_eq(info->image, usual.image);
    cr_expect_eq(info->clock_hz, usual.clock_hz);
    cr_expect_eq(info->nr_records, NR_RECORDS);
    cr_expect_eq(info->nr_chunks, NR_RECORDS / RECORDS_PER_CHUNK);
    uint64_t nr_by_kind[NR_TRACE_KINDS] = {0};
    struct trace_span cycles = {.first = UINT64_MAX};
    for (size_t i = 0; i < NR_RECORDS; i++) {
        struct trace_span span = trace_record_span(&core->said[i]);
        nr_by_kind[core->said[i].kind]++;
        cycles.first = span.first < cycles.first ? span.first : cycles.first;
        cycles.last = span.last > cycles.last ? span.last : cycles.last;
    }
    cr_expect_arr_eq(info->nr_by_kind, nr_by_kind, sizeof nr_by_kind);
    cr_expect_eq(info->cycles.first, cycles.first);
    cr_expect_eq(info->cycles.last, cycles.last);
    cr_expect_eq(info->first_insn, 0);
    cr_expect_eq(info->last_insn, core->nr_insns - 1);
    cr_expect_not(info->is_cut);
    trace_close(reader);
}

Test(trace, chosen_cycles_are_found_without_reading_all)
{
    write_trace(file, &usual);
    struct trace_reader *reader = trace_open(file, &diag);
    cr_assert_not_null(reader);
    cycle_t from = core->now / 2, to = from + 50;
    trace_select(reader, from, to);
    struct trace_record record;
    size_t nr_read = 0, next = 0;
    while (trace_next(reader, &record, &diag)) {
        struct trace_span span = trace_record_span(&record);
        nr_read++;
        if (span.last < from || span.first > to)
            continue;
        /* Each that should come comes, in order: `next` is the next that should. */
        while (trace_record_span(&core->said[next]).last < from ||
               trace_record_span(&core->said[next]).first > to)
            next++;
        expect_same(&record, &core->said[next], next);
        next++;
    }
    for (; next < NR_RECORDS; next++) {
        struct trace_span span = trace_record_span(&core->said[next]);
        cr_expect(span.last < from || span.first > to, "record %zu was left out", next);
    }
    cr_expect_gt(nr_read, 0);
    cr_expect_lt(nr_read, (size_t)NR_RECORDS / 4);
    trace_close(reader);
}

static uint8_t *slurp(const char *name, size_t *size)
{
    struct stat stat_;
    cr_assert_eq(stat(name, &stat_), 0);
    *size = (size_t)stat_.st_size;
    uint8_t *bytes = malloc(*size + 1);
    FILE *from = fopen(name, "r");
    cr_assert_not_null(from);
    cr_assert_eq(fread(bytes, 1, *size, from), *size);
    fclose(from);
    return bytes;
}

static void spill(const char *name, const uint8_t *bytes, size_t size)
{
    FILE *to = fopen(name, "w");
    cr_assert_not_null(to);
    cr_assert_eq(fwrite(bytes, 1, size, to), size);
    fclose(to);
}

Test(trace, two_traces_of_one_run_are_the_same_bytes)
{
    size_t size, other_size;
    write_trace(file, &usual);
    memset(core, 0, sizeof *core);
    core->seed = 12345;
    write_trace(other_file, &usual);
    uint8_t *bytes = slurp(file, &size), *other = slurp(other_file, &other_size);
    cr_assert_eq(size, other_size);
    cr_expect_arr_eq(bytes, other, size);
    free(bytes);
    free(other);
}

Test(trace, a_window_keeps_what_touches_it)
{
    struct trace_params params = usual;
    params.from = 1000;
    params.to = 1100;
    write_trace(file, &params);
    struct trace_reader *reader = trace_open(file, &diag);
    cr_assert_not_null(reader);
    size_t nr_expected = 0;
    for (size_t i = 0; i < NR_RECORDS; i++) {
        struct trace_span span = trace_record_span(&core->said[i]);
        nr_expected += span.last >= params.from && span.first <= params.to;
    }
    cr_expect_gt(nr_expected, 0);
    cr_expect_eq(trace_info(reader)->nr_records, nr_expected);
    cr_expect_eq(trace_info(reader)->to, params.to);
    trace_close(reader);
}

Test(trace, the_limit_is_kept_and_noted)
{
    struct trace_params params = usual;
    params.limit_bytes = 20000;
    write_trace(file, &params);
    size_t size;
    free(slurp(file, &size));
    cr_expect_leq(size, params.limit_bytes);
    struct trace_reader *reader = trace_open(file, &diag);
    cr_assert_not_null(reader);
    const struct trace_info *info = trace_info(reader);
    cr_expect_eq(info->ending, TRACE_ENDED_BY_LIMIT);
    cr_expect_gt(info->nr_records, 0);
    cr_expect_lt(info->nr_records, (uint64_t)NR_RECORDS);
    uint64_t nr_counted = 0;
    for (unsigned i = 0; i < NR_TRACE_KINDS; i++)
        nr_counted += info->nr_by_kind[i];
    cr_expect_eq(nr_counted, info->nr_records);
    struct trace_span lost = trace_record_span(&core->said[info->nr_records]);
    cr_expect_leq(info->stopped_at, lost.first);
    trace_close(reader);
}

Test(trace, an_empty_trace_is_a_trace)
{
    struct trace_writer *writer = trace_writer_create(file, &usual, &diag);
    cr_assert_not_null(writer);
    cr_assert(trace_writer_finish(writer, &diag));
    struct trace_reader *reader = trace_open(file, &diag);
    cr_assert_not_null(reader);
    struct trace_record record;
    cr_expect_not(trace_next(reader, &record, &diag));
    cr_expect_eq(diag.nr_lines, 0);
    cr_expect_not(trace_info(reader)->is_cut);
    trace_close(reader);
}

Test(trace, a_directory_that_is_not_there_is_status_73)
{
    cr_expect_null(trace_writer_create("/no/such/place/trace", &usual, &diag));
    cr_expect_eq(diag.status, EXIT_STATUS_NO_OUTPUT);
    cr_expect_eq(diag.nr_lines, 1);
}

Test(trace, an_abandoned_trace_leaves_no_file)
{
    struct trace_writer *writer = trace_writer_create(file, &usual, &diag);
    cr_assert_not_null(writer);
    run_core(writer);
    trace_writer_abandon(writer);
    cr_expect_eq(rmdir(directory), 0, "something is left in %s", directory);
}

/* The disk is full: a limit on the size of files stands in for it. */
Test(trace, a_full_disk_is_status_73_and_leaves_no_file)
{
    struct trace_writer *writer = trace_writer_create(file, &usual, &diag);
    cr_assert_not_null(writer);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 10000, .rlim_max = RLIM_INFINITY}), 0);
    run_core(writer);
    cr_expect_not(trace_writer_finish(writer, &diag));
    cr_expect_eq(diag.status, EXIT_STATUS_NO_OUTPUT);
    cr_expect_eq(diag.nr_lines, 1);
    cr_expect_eq(rmdir(directory), 0, "something is left in %s", directory);
}

/* ---- Strangers' files ---- */

/* Reads all there is, in every way; returns whether it was found whole. */
static bool read_everything(const char *name)
{
    struct diag lines;
    diag_init(&lines);
    struct trace_reader *reader = trace_open(name, &lines);
    bool is_whole = false;
    if (reader) {
        struct trace_record record;
        while (trace_next(reader, &record, &lines))
            ;
        is_whole = lines.nr_lines == 0 && !trace_info(reader)->is_cut;
        struct diag more;
        diag_init(&more);
        FILE *nowhere = fopen("/dev/null", "w");
        const struct trace_info *info = trace_info(reader);
        cycle_t first = info->cycles.first > info->cycles.last ? 0 : info->cycles.first;
        struct trace_show show = {.reader = reader, .from = first, .to = first + 20, .out = nowhere};
        if (trace_show_cycles(&show, &more) && trace_show_instructions(&show, &more))
            (void)trace_show_json(&show, &more);
        trace_show_info(info, name, nowhere);
        fclose(nowhere);
        diag_fini(&more);
    }
    cr_assert(reader || lines.nr_lines == 1, "refused without a line, or with many");
    cr_assert(lines.nr_lines <= 1);
    cr_assert(lines.nr_lines == 0 || lines.status == EXIT_STATUS_BAD_DATA, "status %d: %s", lines.status,
              lines.lines[0]);
    trace_close(reader);
    diag_fini(&lines);
    return is_whole;
}

Test(trace, a_flipped_byte_anywhere_is_noticed)
{
    write_trace(file, &usual);
    size_t size;
    uint8_t *bytes = slurp(file, &size);
    cr_assert(read_everything(file));
    for (int i = 0; i < 400; i++) {
        size_t at = i < 100 ? (size_t)i : i < 200 ? size - 1 - (size_t)(i - 100) : pick(size);
        uint8_t old = bytes[at];
        bytes[at] ^= (uint8_t)(1 + pick(255));
        spill(other_file, bytes, size);
        cr_expect_not(read_everything(other_file), "byte %zu of %zu", at, size);
        bytes[at] = old;
    }
    free(bytes);
}

Test(trace, a_cut_file_is_read_as_far_as_it_goes)
{
    write_trace(file, &usual);
    size_t size;
    uint8_t *bytes = slurp(file, &size);
    for (int i = 0; i < 60; i++) {
        spill(other_file, bytes, i ? pick(size) : size - 1);
        cr_expect_not(read_everything(other_file));
    }
    spill(other_file, bytes, size / 2);
    struct trace_reader *reader = trace_open(other_file, &diag);
    cr_assert_not_null(reader);
    cr_expect(trace_info(reader)->is_cut);
    struct trace_record record;
    size_t nr_read = 0;
    for (; trace_next(reader, &record, &diag); nr_read++)
        expect_same(&record, &core->said[nr_read], nr_read);
    cr_expect_eq(nr_read, trace_info(reader)->nr_records);
    cr_expect_gt(nr_read, (size_t)NR_RECORDS / 5);
    cr_expect_eq(diag.nr_lines, 0);
    trace_close(reader);
    free(bytes);
}

/* Damage that the hashes cannot see, because whoever made it counted them anew. */
Test(trace, forged_chunks_do_no_harm)
{
    uint8_t raw[TRACE_MAX_RECORD_BYTES];
    for (int i = 0; i < 20000; i++) {
        size_t size = 1 + pick(sizeof raw);
        for (size_t b = 0; b < size; b++)
            raw[b] = (uint8_t)(b == 0 ? pick(6) | pick(32) << 3 : pick(256));
        struct trace_codec codec = {0};
        struct trace_record record;
        const uint8_t *at = raw;
        while (at < raw + size && !trace_decode(&codec, &at, raw + size, &record))
            cr_assert_lt(record.kind, NR_TRACE_KINDS);
        cr_assert_leq(at, raw + size);
    }
}

/* Whole files of records that no core would tell: every number may be anything. */
Test(trace, forged_records_do_no_harm_to_what_converts)
{
    uint8_t raw[TRACE_MAX_RECORD_BYTES];
    for (int i = 0; i < 20; i++) {
        struct trace_writer *writer = trace_writer_create(other_file, &usual, &diag);
        for (int j = 0; j < 300; j++) {
            for (size_t b = 0; b < sizeof raw; b++)
                raw[b] = (uint8_t)(b == 0 ? pick(256) : pick(2) ? pick(256) : pick(16));
            struct trace_codec codec = {0};
            struct trace_record record;
            const uint8_t *at = raw;
            if (!trace_decode(&codec, &at, raw + sizeof raw, &record))
                tell(writer, &record);
        }
        cr_assert(trace_writer_finish(writer, &diag));
        struct trace_reader *reader = trace_open(other_file, &diag);
        cr_assert_not_null(reader);
        FILE *nowhere = fopen("/dev/null", "w");
        struct trace_show show = {
            .reader = reader, .from = pick(2) ? 0 : pick(1000), .to = UINT64_MAX, .out = nowhere};
        cycle_t stopped_at;
        cr_expect(trace_export_konata(&show, &diag));
        cr_expect(trace_export_perfetto(&show, &stopped_at, &diag));
        cr_expect(trace_export_vcd(&show, &diag));
        cr_expect(trace_export_csv(&show, &diag));
        cr_expect_eq(diag.nr_lines, 0);
        fclose(nowhere);
        trace_close(reader);
    }
}

Test(trace, what_is_no_trace_is_refused_in_one_line)
{
    static const struct {
        const char *name;
        enum exit_status status;
    } cases[] = {{"/no/such/file", EXIT_STATUS_NO_INPUT},
                 {"/tmp", EXIT_STATUS_NO_INPUT},
                 {"/dev/zero", EXIT_STATUS_NO_INPUT},
                 {"/etc/passwd", EXIT_STATUS_BAD_DATA}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct diag lines;
        diag_init(&lines);
        cr_expect_null(trace_open(cases[i].name, &lines));
        cr_expect_eq(lines.status, cases[i].status, "%s: status %d", cases[i].name, lines.status);
        cr_expect_eq(lines.nr_lines, 1);
        diag_fini(&lines);
    }
    spill(file, (const uint8_t *)"", 0);
    cr_expect_null(trace_open(file, &diag));
    cr_expect_eq(diag.status, EXIT_STATUS_BAD_DATA);
}
