/*
 * Rules of the format: tabs between fields; cycles only go forward; `I` declares an instruction before
 * anything is said of it, numbered from 0; every one ends in one `R`, those that retire with serial numbers.
 * Lane 0 has the stages, lane 1 why the instruction could not issue.
 */
#include "sim/observe/trace_disasm.h"
#include "sim/observe/trace_export.h"
#include "sim/observe/trace_queue.h"
#include "sim/observe/trace_text.h"

#include <inttypes.h>

enum what { WHAT_STAGE, WHAT_STALL, WHAT_STALL_END, WHAT_RETIRE, WHAT_FLUSH };
enum { SENTENCE_CHARS = 512 };

struct konata {
    FILE *out;
    struct trace_queue queue;
    cycle_t now;
    bool has_begun;
    uint64_t nr_rows, nr_retired;
    cycle_t last_issue;
};

static const char *const stage_names[NR_TRACE_STAGES] = {"", "F", "D", "X", "M", "W"};

static void go_to(struct konata *konata, cycle_t cycle)
{
    if (!konata->has_begun)
        fprintf(konata->out, "C=\t%" PRIu64 "\n", cycle);
    else if (cycle > konata->now)
        fprintf(konata->out, "C\t%" PRIu64 "\n", cycle - konata->now);
    if (!konata->has_begun || cycle > konata->now)
        konata->now = cycle;
    konata->has_begun = true;
}

static void put_event(struct konata *konata, const struct trace_event *event)
{
    go_to(konata, event->cycle);
    switch ((enum what)event->what) {
    case WHAT_STAGE:
        fprintf(konata->out, "S\t%" PRIu64 "\t0\t%s\n", event->id, stage_names[event->value]);
        break;
    case WHAT_STALL:
    case WHAT_STALL_END:
        fprintf(konata->out, "%c\t%" PRIu64 "\t1\t%s\n", event->what == WHAT_STALL ? 'S' : 'E', event->id,
                trace_reason_name((unsigned)event->value));
        break;
    case WHAT_RETIRE:
        fprintf(konata->out, "R\t%" PRIu64 "\t%" PRIu64 "\t0\n", event->id, konata->nr_retired++);
        break;
    case WHAT_FLUSH:
        fprintf(konata->out, "R\t%" PRIu64 "\t%" PRIu64 "\t1\n", event->id, konata->nr_retired);
        break;
    }
}

static void put_until(struct konata *konata, cycle_t before)
{
    struct trace_event event;
    while (trace_queue_take(&konata->queue, before, &event))
        put_event(konata, &event);
}

/* A field's text: what would end it is left out. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
}

static void put_parts(FILE *out, const struct trace_row *row)
{
    for (unsigned i = 0; i < row->nr_parts; i++) {
        if (!trace_part_is_notable(&row->parts[i]))
            continue;
        char sentence[SENTENCE_CHARS];
        struct trace_text text;
        trace_text_init(&text, sentence, sizeof sentence);
        trace_part_sentence(&text, &row->parts[i]);
        fputs("\\n", out); /* the two characters */
        put_text(out, sentence);
    }
    if (row->nr_parts_lost)
        fprintf(out, "\\nand %u more translations and accesses", row->nr_parts_lost);
}

static bool add_insn(struct konata *konata, const struct trace_row *row, uint64_t id,
                     const struct trace_disasm *disasm)
{
    const struct cpu_seen_insn *insn = &row->insn;
    char words[TRACE_DISASM_CHARS];
    trace_disasm(disasm, insn, words);
    fprintf(konata->out, "L\t%" PRIu64 "\t0\t%" PRIu64 " %08" PRIx64 " ", id, insn->number, insn->linear.v);
    put_text(konata->out, words);
    fprintf(konata->out,
            "\nL\t%" PRIu64 "\t1\tprivilege level %u, asked for in cycle %" PRIu64 ", issued in %" PRIu64
            ", result in %" PRIu64,
            id, insn->cpl, row->asked, insn->issued, insn->done);
    put_parts(konata->out, row);
    fprintf(konata->out, "\nS\t%" PRIu64 "\t0\tF\n", id);
    bool is_good = true;
    for (enum trace_stage stage = TRACE_STAGE_DECODE; stage < NR_TRACE_STAGES; stage++) {
        cycle_t cycle;
        if (trace_row_enters(row, stage, &cycle))
            is_good &= trace_queue_add(
                &konata->queue,
                (struct trace_event){.cycle = cycle, .what = WHAT_STAGE, .id = id, .value = stage});
    }
    cycle_t stalled = konata->last_issue + 1 > row->asked ? konata->last_issue + 1 : row->asked;
    if (insn->waited_for && stalled < insn->issued) {
        is_good &= trace_queue_add(
            &konata->queue,
            (struct trace_event){.cycle = stalled, .what = WHAT_STALL, .id = id, .value = insn->waited_for});
        is_good &= trace_queue_add(&konata->queue, (struct trace_event){.cycle = insn->issued,
                                                                        .what = WHAT_STALL_END,
                                                                        .id = id,
                                                                        .value = insn->waited_for});
    }
    konata->last_issue = insn->issued;
    return is_good &
           trace_queue_add(&konata->queue,
                           (struct trace_event){.cycle = row->span.last + 1, .what = WHAT_RETIRE, .id = id});
}

/* An exception is an instruction that is flushed. */
static bool add_exception(struct konata *konata, const struct trace_row *row, uint64_t id)
{
    const struct cpu_seen_exception *seen = &row->exception;
    char name[16];
    struct trace_text text;
    trace_text_init(&text, name, sizeof name);
    trace_vector_name(&text, seen);
    fprintf(konata->out, "L\t%" PRIu64 "\t0\t%s at %08" PRIx64 "\n", id, name, seen->rip);
    fprintf(konata->out, "L\t%" PRIu64 "\t1\tin cycle %" PRIu64, id, seen->cycle);
    if (seen->has_error_code && !seen->is_interrupt)
        fprintf(konata->out, ", error code %04" PRIx32, seen->error_code);
    if (seen->vector == 14 && !seen->is_interrupt)
        fprintf(konata->out, ", address %08" PRIx64, seen->cr2);
    put_parts(konata->out, row);
    fprintf(konata->out, "\nS\t%" PRIu64 "\t0\tE\nS\t%" PRIu64 "\t1\t%s\n", id, id,
            seen->is_interrupt ? "irq" : "fault");
    return trace_queue_add(&konata->queue,
                           (struct trace_event){.cycle = seen->cycle + 1, .what = WHAT_FLUSH, .id = id});
}

static bool add_row(struct konata *konata, const struct trace_row *row, const struct trace_disasm *disasm)
{
    cycle_t begin = row->is_exception ? row->exception.cycle : row->asked;
    put_until(konata, begin);
    go_to(konata, begin);
    uint64_t id = konata->nr_rows++;
    fprintf(konata->out, "I\t%" PRIu64 "\t%" PRIu64 "\t0\n", id,
            row->is_exception ? row->exception.instruction : row->insn.number);
    return row->is_exception ? add_exception(konata, row, id) : add_insn(konata, row, id, disasm);
}

bool trace_export_konata(const struct trace_show *show, struct diag *diag)
{
    struct trace_rows *rows = trace_rows_create(show->reader, show->from, show->to);
    struct trace_disasm *disasm = trace_disasm_create();
    struct konata konata = {.out = show->out};
    bool is_good = rows && disasm;
    fputs("Kanata\t0004\n", show->out);
    const struct trace_row *row;
    while (is_good && !ferror(show->out) && (row = trace_rows_next(rows, diag)))
        is_good = add_row(&konata, row, disasm);
    if (!is_good)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    put_until(&konata, UINT64_MAX);
    trace_queue_fini(&konata.queue);
    trace_rows_destroy(rows);
    trace_disasm_destroy(disasm);
    return diag->status == EXIT_STATUS_OK;
}
