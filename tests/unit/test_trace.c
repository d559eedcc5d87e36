#include "sim/observe/trace_export.h"
#include "tests/unit/trace_fixture.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(trace, .init = setup, .fini = teardown);

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
            raw[b] = (uint8_t)(pick(3) ? pick(256) : pick(16));
        static struct trace_codec codec;
        memset(&codec, 0, sizeof codec);
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
            static struct trace_codec codec;
            memset(&codec, 0, sizeof codec);
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
