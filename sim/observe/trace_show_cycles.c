#include "sim/observe/trace_disasm.h"
#include "sim/observe/trace_show.h"
#include "sim/observe/trace_text.h"

#include <inttypes.h>
#include <string.h>

/*
 * Instructions are called by the last three digits of their number: no two of one name are on their way at
 * once.
 */
#define ID_FORMAT "%03u"
enum { NR_IDS = 1000 };

enum {
    FETCH_CHARS = 12,
    DECODE_CHARS = 7,
    EXECUTE_CHARS = 36,
    MEMORY_CHARS = 7,
    WRITE_CHARS = 7,
    MARKS_CHARS = 22,
    MAX_IN_STAGE = 8
};

/* What stands in one line. */
struct line {
    struct {
        unsigned nr_rows;
        const struct trace_row *row[MAX_IN_STAGE]; /* the oldest */
    } stage[NR_TRACE_STAGES];
    const struct trace_row *next; /* the oldest that has not issued; NULL: not known */
    char marks[MARKS_CHARS + 4];  /* and " +n" */
};

static unsigned id(const struct trace_row *row)
{
    return (unsigned)(row->insn.number % NR_IDS);
}

/* Marks of a line as they are found: those that fit, and how many do not. */
struct marks {
    struct trace_text text;
    unsigned nr_left_out;
};

static void add_mark(struct marks *marks, const char *mark)
{
    size_t needs = strlen(mark) + (marks->text.length ? 2 : 0);
    if (marks->nr_left_out || marks->text.length + needs > MARKS_CHARS)
        marks->nr_left_out++;
    else
        trace_text_add(&marks->text, "%s%s", marks->text.length ? ", " : "", mark);
}

static void mark_row(struct marks *marks, const struct trace_row *row, cycle_t cycle)
{
    char buffer[MARKS_CHARS + 1];
    struct trace_text mark;
    if (row->is_exception && row->exception.cycle == cycle) {
        trace_text_init(&mark, buffer, sizeof buffer);
        trace_vector_name(&mark, &row->exception);
        add_mark(marks, buffer);
    }
    for (unsigned i = 0; i < row->nr_parts; i++) {
        const struct trace_record *part = &row->parts[i];
        if (!trace_part_is_notable(part) || trace_part_cycle(part) != cycle)
            continue;
        trace_text_init(&mark, buffer, sizeof buffer);
        if (!row->is_exception && part->kind != TRACE_DEVICE)
            trace_text_add(&mark, ID_FORMAT " ", id(row));
        trace_part_mark(&mark, part);
        add_mark(marks, buffer);
    }
}

static void fill_line(struct line *line, const struct trace_pipeline *pipeline, cycle_t cycle)
{
    struct marks marks = {.nr_left_out = 0};
    *line = (struct line){.next = NULL};
    trace_text_init(&marks.text, line->marks, sizeof line->marks);
    const struct trace_row *row;
    for (size_t i = 0; (row = trace_pipeline_row(pipeline, i)); i++) {
        enum trace_stage stage = trace_row_stage(row, cycle);
        unsigned nr_rows = line->stage[stage].nr_rows++;
        if (nr_rows < MAX_IN_STAGE)
            line->stage[stage].row[nr_rows] = row;
        if (!line->next && !row->is_exception && row->insn.issued > cycle)
            line->next = row;
        mark_row(&marks, row, cycle);
    }
    unsigned nr_issued = 0;
    for (unsigned i = 0; i < line->stage[TRACE_STAGE_EXECUTE].nr_rows && i < MAX_IN_STAGE; i++)
        nr_issued += line->stage[TRACE_STAGE_EXECUTE].row[i]->insn.issued == cycle;
    if (nr_issued == 0 && line->next) {
        unsigned reason = line->next->insn.waited_for;
        char wait[MARKS_CHARS + 1];
        snprintf(wait, sizeof wait, reason ? "wait %s" : "busy", trace_reason_name(reason));
        add_mark(&marks, wait);
    }
    if (marks.nr_left_out)
        trace_text_add(&marks.text, " +%u", marks.nr_left_out < 9 ? marks.nr_left_out : 9);
}

static void put_fetch(const struct line *line, struct trace_text *text)
{
    const struct trace_row *first = line->stage[TRACE_STAGE_FETCH].row[0];
    if (!line->stage[TRACE_STAGE_FETCH].nr_rows)
        return;
    trace_text_add(text, "%08" PRIx64, first->insn.linear.v & UINT32_MAX);
    if (line->stage[TRACE_STAGE_FETCH].nr_rows > 1)
        trace_text_add(text, " +%u", line->stage[TRACE_STAGE_FETCH].nr_rows - 1);
}

/* "015 +5": the oldest, and how many more. */
static void put_count(const struct line *line, enum trace_stage stage, struct trace_text *text)
{
    unsigned nr_rows = line->stage[stage].nr_rows;
    if (nr_rows)
        trace_text_add(text, ID_FORMAT, id(line->stage[stage].row[0]));
    if (nr_rows > 1)
        trace_text_add(text, " +%u", nr_rows - 1);
}

/* "015 016" as long as that fits. */
static void put_ids(const struct line *line, enum trace_stage stage, struct trace_text *text)
{
    enum { MAX_IDS = (WRITE_CHARS + 1) / 4 };
    if (line->stage[stage].nr_rows > MAX_IDS) {
        put_count(line, stage, text);
        return;
    }
    for (unsigned i = 0; i < line->stage[stage].nr_rows && i < MAX_IN_STAGE; i++)
        trace_text_add(text, "%s" ID_FORMAT, i ? " " : "", id(line->stage[stage].row[i]));
}

/* Takes letters from the longest text until all fit into `room`. */
static void share_room(size_t *length, unsigned nr_texts, size_t room)
{
    for (;;) {
        size_t sum = 0;
        unsigned longest = 0;
        for (unsigned i = 0; i < nr_texts; i++) {
            sum += length[i];
            longest = length[i] > length[longest] ? i : longest;
        }
        if (sum <= room || length[longest] == 0)
            return;
        length[longest]--;
    }
}

/* Each instruction shows its text in the cycle in which it issues, and its number alone while it goes on. */
static void put_execute(const struct line *line, const struct trace_disasm *disasm, cycle_t cycle,
                        struct trace_text *text)
{
    enum { ID_CHARS = 3, FIXED_CHARS = ID_CHARS + 3 }; /* a number, a blank, and "; " */
    char words[MAX_IN_STAGE][TRACE_DISASM_CHARS];
    size_t length[MAX_IN_STAGE];
    unsigned nr_rows = line->stage[TRACE_STAGE_EXECUTE].nr_rows;
    if (nr_rows > MAX_IN_STAGE)
        nr_rows = MAX_IN_STAGE;
    for (unsigned i = 0; i < nr_rows; i++) {
        const struct trace_row *row = line->stage[TRACE_STAGE_EXECUTE].row[i];
        words[i][0] = 0;
        if (row->insn.issued == cycle)
            trace_disasm(disasm, &row->insn, words[i]);
        length[i] = strlen(words[i]);
    }
    size_t fixed = nr_rows * FIXED_CHARS;
    share_room(length, nr_rows, fixed < EXECUTE_CHARS + 2 ? EXECUTE_CHARS + 2 - fixed : 0);
    for (unsigned i = 0; i < nr_rows; i++) {
        bool is_cut = length[i] < strlen(words[i]);
        trace_text_add(text, "%s" ID_FORMAT, i ? "; " : "", id(line->stage[TRACE_STAGE_EXECUTE].row[i]));
        if (length[i] > 0)
            trace_text_add(text, " %.*s%s", (int)(length[i] - is_cut), words[i], is_cut ? "~" : "");
    }
}

static void print_line(const struct trace_show *show, const struct line *line,
                       const struct trace_disasm *disasm, cycle_t cycle)
{
    char fetch[FETCH_CHARS + 1], decode[DECODE_CHARS + 1], execute[EXECUTE_CHARS + 1],
        memory[MEMORY_CHARS + 1], write[WRITE_CHARS + 1];
    struct trace_text text;
    trace_text_init(&text, fetch, sizeof fetch);
    put_fetch(line, &text);
    trace_text_init(&text, decode, sizeof decode);
    put_count(line, TRACE_STAGE_DECODE, &text);
    trace_text_init(&text, execute, sizeof execute);
    put_execute(line, disasm, cycle, &text);
    trace_text_init(&text, memory, sizeof memory);
    put_count(line, TRACE_STAGE_MEMORY, &text);
    trace_text_init(&text, write, sizeof write);
    put_ids(line, TRACE_STAGE_WRITE, &text);
    char whole[256];
    int length = snprintf(whole, sizeof whole, "%10" PRIu64 " %-*s %-*s %-*s %-*s %-*s %s", cycle,
                          FETCH_CHARS, fetch, DECODE_CHARS, decode, EXECUTE_CHARS, execute, MEMORY_CHARS,
                          memory, WRITE_CHARS, write, line->marks);
    while (length > 0 && whole[length - 1] == ' ')
        length--;
    fprintf(show->out, "%.*s\n", length, whole);
}

bool trace_show_cycles(const struct trace_show *show, struct diag *diag)
{
    struct trace_pipeline *pipeline = trace_pipeline_create(show->reader, show->from, show->to);
    struct trace_disasm *disasm = trace_disasm_create();
    bool is_good = pipeline && disasm;
    if (!is_good)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    else
        fprintf(show->out, "%10s %-*s %-*s %-*s %-*s %-*s %s\n", "cycle", FETCH_CHARS, "F", DECODE_CHARS, "D",
                EXECUTE_CHARS, "X", MEMORY_CHARS, "M", WRITE_CHARS, "W", "marks");
    for (cycle_t cycle = show->from; is_good && !ferror(show->out); cycle++) {
        struct line line;
        is_good = trace_pipeline_advance(pipeline, cycle, diag);
        if (!is_good)
            break;
        fill_line(&line, pipeline, cycle);
        print_line(show, &line, disasm, cycle);
        if (cycle == show->to)
            break;
    }
    trace_pipeline_destroy(pipeline);
    trace_disasm_destroy(disasm);
    return is_good;
}

void trace_show_legend(FILE *out)
{
    fputs(
        "\n"
        "F block being fetched (address of its first instruction, +n more)  D oldest in decode, +n waiting\n"
        "X issued: number (last three digits) and text; the number alone while it executes  M oldest in "
        "memory\n"
        "W result is there.  Marks: l1d>dram: missed the L1D, DRAM served; itlb, dtlb: L1 TLB missed (l2tlb: "
        "the L2\n"
        "TLB had it; walk: page walk; walk!: it faulted); wait x: nothing issued because of x, a part of the "
        "CPI\n"
        "stack; busy: nothing issued because what issued before takes several slots; irq, #PF: delivered "
        "here\n",
        out);
}
