#include "sim/observe/trace_disasm.h"
#include "sim/observe/trace_export.h"
#include "sim/observe/trace_text.h"

#include <inttypes.h>

static const char heading[] =
    "event,number,privilege,linear,bytes,text,asked,fetched,issued,done,waited_for,loads,stores,devices,"
    "itlb_misses,dtlb_misses,l2tlb_hits,walks,walk_cycles,l1i_misses,l1d_misses,first_load,first_store,"
    "error_code,cr2\n";

/* In quotes, as a text has commas. Quotes of its own are doubled. */
static void put_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
    fputc('"', out);
}

static void put_tally(FILE *out, const struct trace_tally *tally)
{
    fprintf(out,
            ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
            ",%" PRIu64 ",%" PRIu64,
            tally->loads, tally->stores, tally->devices, tally->itlb_misses, tally->dtlb_misses,
            tally->l2_tlb_hits, tally->walks, tally->walk_cycles, tally->l1i_misses, tally->l1d_misses);
    fputc(',', out);
    if (tally->loads)
        fprintf(out, "0x%" PRIx64, tally->first_load.v);
    fputc(',', out);
    if (tally->stores)
        fprintf(out, "0x%" PRIx64, tally->first_store.v);
}

static void put_insn(FILE *out, const struct trace_row *row, const struct trace_disasm *disasm)
{
    const struct cpu_seen_insn *insn = &row->insn;
    char words[TRACE_DISASM_CHARS];
    fprintf(out, "insn,%" PRIu64 ",%u,0x%" PRIx64 ",", insn->number, insn->cpl, insn->linear.v);
    for (unsigned i = 0; i < insn->length_bytes; i++)
        fprintf(out, "%02x", insn->bytes[i]);
    fputc(',', out);
    trace_disasm(disasm, insn, words);
    put_quoted(out, words);
    fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s", row->asked, insn->fetched,
            insn->issued, insn->done, trace_reason_name(insn->waited_for));
    put_tally(out, &row->tally);
    fputs(",,\n", out);
}

static void put_exception(FILE *out, const struct trace_row *row)
{
    const struct cpu_seen_exception *seen = &row->exception;
    char name[16];
    struct trace_text text;
    trace_text_init(&text, name, sizeof name);
    trace_vector_name(&text, seen);
    fprintf(out, "%s,%" PRIu64 ",,0x%" PRIx64 ",,", seen->is_interrupt ? "interrupt" : "exception",
            seen->instruction, seen->rip);
    put_quoted(out, name);
    fprintf(out, ",,,%" PRIu64 ",,", seen->cycle);
    put_tally(out, &row->tally);
    fputc(',', out);
    if (seen->has_error_code && !seen->is_interrupt)
        fprintf(out, "0x%" PRIx32, seen->error_code);
    fputc(',', out);
    if (seen->vector == 14 && !seen->is_interrupt)
        fprintf(out, "0x%" PRIx64, seen->cr2);
    fputc('\n', out);
}

bool trace_export_csv(const struct trace_show *show, struct diag *diag)
{
    struct trace_rows *rows = trace_rows_create(show->reader, show->from, show->to);
    struct trace_disasm *disasm = trace_disasm_create();
    if (!rows || !disasm)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    fputs(heading, show->out);
    const struct trace_row *row;
    while (rows && disasm && !ferror(show->out) && (row = trace_rows_next(rows, diag))) {
        if (row->is_exception)
            put_exception(show->out, row);
        else
            put_insn(show->out, row, disasm);
    }
    trace_rows_destroy(rows);
    trace_disasm_destroy(disasm);
    return diag->status == EXIT_STATUS_OK;
}
