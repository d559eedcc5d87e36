#include "sim/observe/trace_disasm.h"
#include "sim/observe/trace_show.h"
#include "sim/observe/trace_text.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_CHARS = 34, LINE_CHARS = 110, NOTE_INDENT = 24, SENTENCE_CHARS = 512, NR_NOTED_STAGES = 4 };

/* Writes words from column NOTE_INDENT on, in as many lines as it takes. */
static void print_note(FILE *out, const char *sentence)
{
    enum { ROOM = LINE_CHARS - NOTE_INDENT };
    bool is_first = true;
    for (const char *at = sentence; *at;) {
        size_t length = strlen(at), room = is_first ? ROOM : ROOM - 2;
        if (length > room) {
            length = room;
            while (length > 0 && at[length] != ' ')
                length--;
            if (length == 0)
                length = room;
        }
        fprintf(out, "%*s%s%.*s\n", NOTE_INDENT, "", is_first ? "" : "  ", (int)length, at);
        at += length;
        while (*at == ' ')
            at++;
        is_first = false;
    }
}

static void print_parts(FILE *out, const struct trace_row *row)
{
    for (unsigned i = 0; i < row->nr_parts; i++) {
        if (!trace_part_is_notable(&row->parts[i]))
            continue;
        char sentence[SENTENCE_CHARS];
        struct trace_text text;
        trace_text_init(&text, sentence, sizeof sentence);
        trace_part_sentence(&text, &row->parts[i]);
        print_note(out, sentence);
    }
    if (row->nr_parts_lost) {
        char sentence[SENTENCE_CHARS];
        snprintf(sentence, sizeof sentence, "and %u more translations and accesses", row->nr_parts_lost);
        print_note(out, sentence);
    }
}

/* "r c1fe0004 w c1fe0004": what it reads and writes. */
static void add_addresses(struct trace_text *text, const struct trace_row *row)
{
    enum { MAX_SHOWN = 2 };
    unsigned nr_shown = 0;
    for (unsigned i = 0; i < row->nr_parts; i++) {
        const struct trace_record *part = &row->parts[i];
        if (part->kind != TRACE_ACCESS || part->access.kind == CPU_ACCESS_FETCH)
            continue;
        if (nr_shown++ < MAX_SHOWN)
            trace_text_add(text, "%s%c %08" PRIx64, nr_shown > 1 ? " " : "",
                           part->access.kind == CPU_ACCESS_LOAD ? 'r' : 'w', part->access.linear.v);
    }
    nr_shown += row->nr_parts_lost;
    if (nr_shown > MAX_SHOWN)
        trace_text_add(text, " +%u", nr_shown - MAX_SHOWN);
}

static void print_insn(FILE *out, const struct trace_row *row, const struct trace_disasm *disasm)
{
    static const enum trace_stage noted[NR_NOTED_STAGES] = {TRACE_STAGE_DECODE, TRACE_STAGE_EXECUTE,
                                                            TRACE_STAGE_MEMORY, TRACE_STAGE_WRITE};
    const struct cpu_seen_insn *insn = &row->insn;
    char words[TRACE_DISASM_CHARS], addresses[64], line[256];
    struct trace_text text;
    trace_disasm(disasm, insn, words);
    if (strlen(words) > TEXT_CHARS)
        snprintf(words + TEXT_CHARS - 1, 2, "~");
    trace_text_init(&text, line, sizeof line);
    trace_text_add(&text, "%10" PRIu64 " %u %08" PRIx64 " %-*s %10" PRIu64, insn->number, insn->cpl,
                   insn->linear.v, TEXT_CHARS, words, row->asked);
    for (unsigned i = 0; i < NR_NOTED_STAGES; i++) {
        cycle_t cycle;
        char offset[32] = "";
        if (trace_row_enters(row, noted[i], &cycle))
            snprintf(offset, sizeof offset, "+%" PRIu64, cycle - row->asked);
        trace_text_add(&text, " %4s", offset);
    }
    struct trace_text where;
    trace_text_init(&where, addresses, sizeof addresses);
    add_addresses(&where, row);
    trace_text_add(&text, " %s", addresses);
    while (text.length > 0 && line[text.length - 1] == ' ')
        line[--text.length] = 0;
    fprintf(out, "%s\n", line);
}

static void print_exception(FILE *out, const struct trace_row *row)
{
    const struct cpu_seen_exception *seen = &row->exception;
    char name[16], line[256];
    struct trace_text text;
    trace_text_init(&text, name, sizeof name);
    trace_vector_name(&text, seen);
    trace_text_init(&text, line, sizeof line);
    trace_text_add(&text, "%10s   %08" PRIx64 " %s in cycle %" PRIu64, "---", seen->rip, name, seen->cycle);
    if (seen->has_error_code && !seen->is_interrupt)
        trace_text_add(&text, ", error code %04" PRIx32, seen->error_code);
    if (seen->vector == 14 && !seen->is_interrupt)
        trace_text_add(&text, ", address %08" PRIx64, seen->cr2);
    fprintf(out, "%s\n", line);
}

bool trace_show_instructions(const struct trace_show *show, struct diag *diag)
{
    struct trace_rows *rows = trace_rows_create(show->reader, show->from, show->to);
    struct trace_disasm *disasm = trace_disasm_create();
    if (!rows || !disasm)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    else
        fprintf(show->out, "%10s %s %-8s %-*s %10s %4s %4s %4s %4s %s\n", "number", "p", "linear", TEXT_CHARS,
                "instruction", "F", "D", "X", "M", "W", "reads, writes");
    const struct trace_row *row;
    while (rows && disasm && !ferror(show->out) && (row = trace_rows_next(rows, diag))) {
        if (row->is_exception)
            print_exception(show->out, row);
        else
            print_insn(show->out, row, disasm);
        print_parts(show->out, row);
    }
    trace_rows_destroy(rows);
    trace_disasm_destroy(disasm);
    return diag->status == EXIT_STATUS_OK;
}
