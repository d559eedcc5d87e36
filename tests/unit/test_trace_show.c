#include "sim/observe/trace_rows.h"
#include "sim/observe/trace_show.h"
#include "sim/observe/trace_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/test_trace_show.XXXXXX";
static struct diag diag;

static void setup(void)
{
    strcpy(file, "/tmp/test_trace_show.XXXXXX");
    int fd = mkstemp(file);
    cr_assert_geq(fd, 0);
    close(fd);
    diag_init(&diag);
}

static void teardown(void)
{
    unlink(file);
    diag_fini(&diag);
}

TestSuite(trace_show, .init = setup, .fini = teardown);

static void say_insn(const struct cpu_observer *to, uint64_t number, cycle_t fetched, cycle_t issued,
                     cycle_t done)
{
    struct cpu_seen_insn insn = {.number = number,
                                 .rip = 0x1000 + number,
                                 .linear = laddr(0x1000 + number),
                                 .bytes = {0x90},
                                 .length_bytes = 1,
                                 .code_bits = 32,
                                 .fetched = fetched,
                                 .issued = issued,
                                 .done = done,
                                 .waited_for = number == 1 ? REASON_DRAM : 0};
    *to->insn_room(to->opaque) = insn;
}

static void say_access(const struct cpu_observer *to, uint64_t number, enum cpu_access_kind kind,
                       cycle_t asked, cycle_t ready, enum served_by served_by)
{
    struct cpu_seen_access access = {.instruction = number,
                                     .kind = kind,
                                     .linear = laddr(0x2000),
                                     .physical = paddr(0x2000),
                                     .size_bytes = 4,
                                     .is_ram = true,
                                     .served_by = served_by,
                                     .asked = asked,
                                     .translated = asked,
                                     .ready = ready};
    to->access(to->opaque, &access, NULL);
}

/* A load that misses, and an instruction that waits for it. */
static void write_small_trace(void)
{
    struct trace_writer *writer = trace_writer_create(file, &(struct trace_params){.version = "test"}, &diag);
    const struct cpu_observer *to = trace_observer(writer);
    say_access(to, 0, CPU_ACCESS_FETCH, 10, 12, SERVED_BY_L2);
    say_access(to, 0, CPU_ACCESS_LOAD, 16, 60, SERVED_BY_DRAM);
    say_insn(to, 0, 12, 16, 60);
    say_insn(to, 1, 12, 60, 61);
    say_insn(to, 2, 12, 60, 63);
    to->exception(to->opaque, &(struct cpu_seen_exception){
                                  .instruction = 3, .vector = 0x20, .is_interrupt = true, .cycle = 64});
    say_access(to, 3, CPU_ACCESS_STORE, 64, 65, SERVED_BY_L1);
    say_access(to, 3, CPU_ACCESS_FETCH, 66, 66, SERVED_BY_L1);
    say_insn(to, 3, 66, 71, 72);
    cr_assert(trace_writer_finish(writer, &diag));
}

Test(trace_show, stages_follow_from_the_three_cycles)
{
    static const struct {
        cycle_t cycle;
        enum trace_stage load, user, nop; /* instructions 0, 1 and 2 */
    } expected[] = {
        {9, TRACE_STAGE_NONE, TRACE_STAGE_NONE, TRACE_STAGE_NONE},
        {10, TRACE_STAGE_FETCH, TRACE_STAGE_FETCH, TRACE_STAGE_FETCH},
        {12, TRACE_STAGE_FETCH, TRACE_STAGE_FETCH, TRACE_STAGE_FETCH},
        {13, TRACE_STAGE_DECODE, TRACE_STAGE_DECODE, TRACE_STAGE_DECODE},
        {16, TRACE_STAGE_EXECUTE, TRACE_STAGE_DECODE, TRACE_STAGE_DECODE},
        {17, TRACE_STAGE_MEMORY, TRACE_STAGE_DECODE, TRACE_STAGE_DECODE},
        {59, TRACE_STAGE_MEMORY, TRACE_STAGE_DECODE, TRACE_STAGE_DECODE},
        {60, TRACE_STAGE_WRITE, TRACE_STAGE_EXECUTE, TRACE_STAGE_EXECUTE},
        {61, TRACE_STAGE_NONE, TRACE_STAGE_WRITE, TRACE_STAGE_EXECUTE},
        {63, TRACE_STAGE_NONE, TRACE_STAGE_NONE, TRACE_STAGE_WRITE},
    };
    write_small_trace();
    struct trace_reader *reader = trace_open(file, &diag);
    struct trace_pipeline *pipeline = trace_pipeline_create(reader, 0, 100);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        cr_assert(trace_pipeline_advance(pipeline, expected[i].cycle, &diag));
        enum trace_stage found[3] = {TRACE_STAGE_NONE, TRACE_STAGE_NONE, TRACE_STAGE_NONE};
        const struct trace_row *row;
        for (size_t r = 0; (row = trace_pipeline_row(pipeline, r)); r++)
            if (!row->is_exception && row->insn.number < 3)
                found[row->insn.number] = trace_row_stage(row, expected[i].cycle);
        cr_expect_eq(found[0], expected[i].load, "load in cycle %lu: %d", expected[i].cycle, found[0]);
        cr_expect_eq(found[1], expected[i].user, "user in cycle %lu: %d", expected[i].cycle, found[1]);
        cr_expect_eq(found[2], expected[i].nop, "nop in cycle %lu: %d", expected[i].cycle, found[2]);
    }
    trace_pipeline_destroy(pipeline);
    trace_close(reader);
}

/* A trace that begins in the middle may have an access whose instruction it does not have. */
Test(trace_show, an_access_is_on_no_other_instructions_account)
{
    struct trace_writer *writer = trace_writer_create(file, &(struct trace_params){.version = "test"}, &diag);
    const struct cpu_observer *to = trace_observer(writer);
    say_access(to, 6, CPU_ACCESS_STORE, 16, 60, SERVED_BY_DRAM);
    say_access(to, 7, CPU_ACCESS_LOAD, 17, 20, SERVED_BY_L1);
    say_insn(to, 7, 12, 17, 20);
    say_access(to, 8, CPU_ACCESS_LOAD, 18, 21, SERVED_BY_L1);
    say_insn(to, 9, 12, 19, 20);
    cr_assert(trace_writer_finish(writer, &diag));
    struct trace_reader *reader = trace_open(file, &diag);
    struct trace_rows *rows = trace_rows_create(reader, 0, 100);
    const struct trace_row *row = trace_rows_next(rows, &diag);
    cr_assert_not_null(row);
    cr_expect(row->tally.loads == 1 && row->tally.stores == 0 && row->nr_parts == 1 && row->is_memory);
    row = trace_rows_next(rows, &diag);
    cr_assert_not_null(row);
    cr_expect(row->tally.loads == 0 && row->nr_parts == 0 && !row->is_memory);
    trace_rows_destroy(rows);
    trace_close(reader);
}

Test(trace_show, what_an_interrupt_pushes_is_its_own_account)
{
    write_small_trace();
    struct trace_reader *reader = trace_open(file, &diag);
    struct trace_rows *rows = trace_rows_create(reader, 0, 100);
    const unsigned nr_parts[] = {2, 0, 0, 1, 1};
    const struct trace_row *row;
    for (size_t i = 0; i < sizeof nr_parts / sizeof *nr_parts; i++) {
        cr_assert_not_null(row = trace_rows_next(rows, &diag));
        cr_expect_eq(row->is_exception, i == 3);
        cr_expect_eq(row->nr_parts, nr_parts[i], "row %zu has %u parts", i, row->nr_parts);
    }
    cr_expect_null(trace_rows_next(rows, &diag));
    trace_rows_destroy(rows);
    trace_close(reader);
}

static char *show(bool (*how)(const struct trace_show *, struct diag *), cycle_t from, cycle_t to)
{
    char *text = NULL;
    size_t size;
    struct trace_reader *reader = trace_open(file, &diag);
    struct trace_show what = {.reader = reader, .from = from, .to = to, .out = open_memstream(&text, &size)};
    cr_expect(how(&what, &diag));
    fclose(what.out);
    trace_close(reader);
    return text;
}

Test(trace_show, each_cycle_is_one_line_and_says_what_was_waited_for)
{
    write_small_trace();
    char *text = show(trace_show_cycles, 10, 72);
    unsigned nr_lines = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), nr_lines++) {
        cr_expect_leq(strlen(line), 110);
        if (strncmp(line, "        16 ", 11) == 0)
            cr_expect_not_null(strstr(line, "000 l1d>dram"), "%s", line);
        if (strncmp(line, "        30 ", 11) == 0)
            cr_expect_not_null(strstr(line, "wait dram"), "%s", line);
        if (strncmp(line, "        60 ", 11) == 0)
            cr_expect_not_null(strstr(line, "001 nop; 002 nop"), "%s", line);
        if (strncmp(line, "        64 ", 11) == 0)
            cr_expect_not_null(strstr(line, "irq 20h"), "%s", line);
    }
    cr_expect_eq(nr_lines, 1 + 63);
    free(text);
}

Test(trace_show, instructions_show_stages_addresses_and_misses)
{
    write_small_trace();
    char *text = show(trace_show_instructions, 10, 72);
    cr_expect_not_null(strstr(text, "0 00001000 nop"), "%s", text);
    cr_expect_not_null(strstr(text, "+3   +6   +7  +50 r 00002000"), "%s", text);
    cr_expect_not_null(strstr(text, "l1d miss, from dram, 44 cycles"), "%s", text);
    cr_expect_not_null(strstr(text, "irq 20h in cycle 64"), "%s", text);
    free(text);
}

/* Numbers that no core would tell, as a forged trace may hold them: all is shown, and comes to an end. */
Test(trace_show, nonsense_is_shown_without_harm)
{
    uint64_t seed = 1;
    for (unsigned round = 0; round < 50; round++) {
        struct trace_writer *writer = trace_writer_create(file, &(struct trace_params){.image = "?"}, &diag);
        const struct cpu_observer *to = trace_observer(writer);
        for (unsigned i = 0; i < 300; i++) {
            uint64_t number[6];
            for (unsigned n = 0; n < 6; n++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                number[n] = seed >> (seed >> 60) * 4; /* of all magnitudes */
            }
            struct cpu_seen_insn insn = {.number = number[0],
                                         .rip = number[1],
                                         .linear = laddr(number[2]),
                                         .length_bytes = number[0] & 15,
                                         .code_bits = 32,
                                         .fetched = number[3],
                                         .issued = number[4],
                                         .done = number[5],
                                         .waited_for = (uint8_t)(number[1] % NR_REASONS)};
            memcpy(insn.bytes, number, sizeof insn.bytes);
            *to->insn_room(to->opaque) = insn;
            say_access(to, number[0], (enum cpu_access_kind)(i % NR_ACCESS_KINDS), number[2], number[5],
                       SERVED_BY_L2);
            to->exception(to->opaque,
                          &(struct cpu_seen_exception){.vector = (uint8_t)number[3], .cycle = number[4]});
            to->control(to->opaque, "\033[2J", number[0]);
        }
        cr_assert(trace_writer_finish(writer, &diag));
        cycle_t from = round % 2 ? 0 : UINT64_MAX - 30;
        char *cycles = show(trace_show_cycles, from, from + 30);
        char *instructions = show(trace_show_instructions, from, from + 30);
        char *json = show(trace_show_json, from, from + 30);
        cr_expect(!strchr(cycles, '\033') && !strchr(instructions, '\033') && !strchr(json, '\033'),
                  "control characters reach the terminal");
        free(cycles);
        free(instructions);
        free(json);
    }
}
