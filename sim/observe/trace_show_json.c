#include "sim/base/jsonout.h"
#include "sim/observe/trace_disasm.h"
#include "sim/observe/trace_show.h"
#include "sim/observe/trace_text.h"

#include <inttypes.h>

static const char *const stage_names[NR_TRACE_STAGES] = {"", "fetch", "decode", "execute", "memory", "write"};

static void put_header(const struct trace_info *info, FILE *out)
{
    fputs("{\n  \"lookaside\": ", out);
    json_put_string(out, info->version);
    fprintf(out, ",\n  \"trace_version\": %d,\n  \"config\": ", TRACE_VERSION);
    json_put_string(out, info->config_digest);
    fputs(",\n  \"image\": ", out);
    json_put_string(out, info->image);
    fprintf(out, ",\n  \"clock_hz\": %" PRIu64, info->clock_hz);
}

static void put_stage(FILE *out, const struct trace_pipeline *pipeline, enum trace_stage stage, cycle_t cycle)
{
    const struct trace_row *row;
    bool is_first = true;
    fprintf(out, ", \"%s\": [", stage_names[stage]);
    for (size_t i = 0; (row = trace_pipeline_row(pipeline, i)); i++) {
        if (trace_row_stage(row, cycle) != stage)
            continue;
        fprintf(out, "%s%" PRIu64, is_first ? "" : ", ", row->insn.number);
        is_first = false;
    }
    fputc(']', out);
}

/* Why nothing issued: of the oldest that has not, if none issues in this cycle. */
static void put_wait(FILE *out, const struct trace_pipeline *pipeline, cycle_t cycle)
{
    const struct trace_row *row;
    for (size_t i = 0; (row = trace_pipeline_row(pipeline, i)); i++) {
        if (row->is_exception || row->insn.issued < cycle)
            continue;
        if (row->insn.issued > cycle && row->insn.waited_for)
            fprintf(out, ", \"wait\": \"%s\"", trace_reason_name(row->insn.waited_for));
        return;
    }
}

static void put_cycles(const struct trace_show *show, struct diag *diag)
{
    struct trace_pipeline *pipeline = trace_pipeline_create(show->reader, show->from, show->to);
    if (!pipeline)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    for (cycle_t cycle = show->from; pipeline && !ferror(show->out); cycle++) {
        if (!trace_pipeline_advance(pipeline, cycle, diag))
            break;
        fprintf(show->out, "%s\n    {\"cycle\": %" PRIu64, cycle == show->from ? "" : ",", cycle);
        for (enum trace_stage stage = TRACE_STAGE_FETCH; stage < NR_TRACE_STAGES; stage++)
            put_stage(show->out, pipeline, stage, cycle);
        put_wait(show->out, pipeline, cycle);
        fputc('}', show->out);
        if (cycle == show->to)
            break;
    }
    trace_pipeline_destroy(pipeline);
}

static void put_translation(FILE *out, const struct trace_record *part)
{
    const struct cpu_seen_translation *seen = &part->translation;
    static const char *const names[] = {[MMU_READ] = "read", [MMU_WRITE] = "write", [MMU_FETCH] = "fetch"};
    fprintf(out,
            "{\"translation\": \"%s\", \"linear\": \"0x%" PRIx64 "\", \"user\": %s, \"asked\": %" PRIu64
            ", \"ready\": %" PRIu64 ", \"tlb\": \"%s\"",
            names[seen->access], seen->linear.v, seen->is_user ? "true" : "false", seen->asked, seen->ready,
            seen->is_l1_hit   ? "l1"
            : seen->is_l2_hit ? "l2"
                              : "miss");
    if (part->has_walk) {
        fputs(", \"walk\": [", out);
        for (unsigned i = 0; i < part->walk.nr_steps; i++) {
            const struct walk_step *step = &part->walk.step[i];
            fprintf(out,
                    "%s{\"at\": \"0x%" PRIx64 "\", \"value\": \"0x%" PRIx64
                    "\", \"index\": %u, \"served_by\": \"%s\", \"ready\": %" PRIu64 "}",
                    i ? ", " : "", step->at.v, step->value, step->index, trace_served_name(step->served_by),
                    step->ready);
        }
        fputc(']', out);
        if (part->walk.first_level)
            fprintf(out, ", \"first_level\": %u", part->walk.first_level);
        if (part->walk.is_fault)
            fprintf(out, ", \"fault\": %" PRIu32, part->walk.error_code);
        if (seen->is_refuted)
            fputs(", \"refuted\": true", out);
    }
    fputc('}', out);
}

static void put_access(FILE *out, const struct cpu_seen_access *seen)
{
    static const char *const verbs[NR_ACCESS_KINDS] = {"fetch", "load", "store"};
    fprintf(out,
            "{\"access\": \"%s\", \"linear\": \"0x%" PRIx64 "\", \"physical\": \"0x%" PRIx64
            "\", \"bytes\": %u, \"asked\": %" PRIu64 ", \"ready\": %" PRIu64 ", \"served_by\": \"%s\"%s}",
            verbs[seen->kind], seen->linear.v, seen->physical.v, seen->size_bytes, seen->asked, seen->ready,
            seen->is_ram ? trace_served_name(seen->served_by) : "device",
            seen->is_in_flight ? ", \"in_flight\": true" : "");
}

static void put_device(FILE *out, const struct dma_seen_line *seen)
{
    fprintf(out,
            "{\"device\": \"0x%x\", \"is_write\": %s, \"physical\": \"0x%" PRIx64 "\", \"asked\": %" PRIu64
            ", \"ready\": %" PRIu64 ", \"snoop\": \"%s\"}",
            seen->source_id, seen->is_write ? "true" : "false", seen->at.v, seen->asked, seen->ready,
            !seen->is_snooped ? "none"
            : seen->was_dirty ? "dirty"
            : seen->was_here  ? "clean"
                              : "absent");
}

static void put_parts(FILE *out, const struct trace_row *row)
{
    fputs(", \"parts\": [", out);
    for (unsigned i = 0; i < row->nr_parts; i++) {
        const struct trace_record *part = &row->parts[i];
        fputs(i ? ", " : "", out);
        if (part->kind == TRACE_TRANSLATION) {
            put_translation(out, part);
        } else if (part->kind == TRACE_ACCESS) {
            put_access(out, &part->access);
        } else if (part->kind == TRACE_DEVICE) {
            put_device(out, &part->device);
        } else if (part->kind == TRACE_MARK) {
            struct trace_text words;
            char buffer[128];
            trace_text_init(&words, buffer, sizeof buffer);
            trace_part_sentence(&words, part);
            fputs("{\"mark\": ", out);
            json_put_string(out, buffer);
            fputc('}', out);
        } else {
            fputs("{\"control\": ", out);
            json_put_string(out, part->control.what);
            fprintf(out, ", \"value\": \"0x%" PRIx64 "\"}", part->control.value);
        }
    }
    fputc(']', out);
    if (row->nr_parts_lost)
        fprintf(out, ", \"parts_left_out\": %u", row->nr_parts_lost);
}

static void put_insn(FILE *out, const struct cpu_seen_insn *insn, const struct trace_disasm *disasm)
{
    char words[TRACE_DISASM_CHARS];
    trace_disasm(disasm, insn, words);
    fprintf(out,
            "{\"number\": %" PRIu64 ", \"rip\": \"0x%" PRIx64 "\", \"linear\": \"0x%" PRIx64
            "\", \"cpl\": %u",
            insn->number, insn->rip, insn->linear.v, insn->cpl);
    fputs(", \"text\": ", out);
    json_put_string(out, words);
    fputs(", \"bytes\": \"", out);
    for (unsigned i = 0; i < insn->length_bytes; i++)
        fprintf(out, "%02x", insn->bytes[i]);
    fprintf(out, "\", \"fetched\": %" PRIu64 ", \"issued\": %" PRIu64 ", \"done\": %" PRIu64, insn->fetched,
            insn->issued, insn->done);
}

static void put_exception(FILE *out, const struct cpu_seen_exception *seen)
{
    char name[16];
    struct trace_text text;
    trace_text_init(&text, name, sizeof name);
    trace_vector_name(&text, seen);
    fprintf(out, "{\"exception\": \"%s\", \"vector\": %u, \"rip\": \"0x%" PRIx64 "\", \"cycle\": %" PRIu64,
            name, seen->vector, seen->rip, seen->cycle);
    if (seen->has_error_code && !seen->is_interrupt)
        fprintf(out, ", \"error_code\": %" PRIu32, seen->error_code);
    if (seen->vector == 14 && !seen->is_interrupt)
        fprintf(out, ", \"cr2\": \"0x%" PRIx64 "\"", seen->cr2);
}

static void put_instructions(const struct trace_show *show, struct diag *diag)
{
    struct trace_rows *rows = trace_rows_create(show->reader, show->from, show->to);
    struct trace_disasm *disasm = trace_disasm_create();
    if (!rows || !disasm)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    const struct trace_row *row;
    for (bool is_first = true; rows && disasm && !ferror(show->out) && (row = trace_rows_next(rows, diag));
         is_first = false) {
        fputs(is_first ? "\n    " : ",\n    ", show->out);
        if (row->is_exception)
            put_exception(show->out, &row->exception);
        else
            put_insn(show->out, &row->insn, disasm);
        put_parts(show->out, row);
        fputc('}', show->out);
    }
    trace_rows_destroy(rows);
    trace_disasm_destroy(disasm);
}

bool trace_show_json(const struct trace_show *show, struct diag *diag)
{
    put_header(trace_info(show->reader), show->out);
    fprintf(show->out, ",\n  \"from\": %" PRIu64 ",\n  \"to\": %" PRIu64 ",\n  \"cycles\": [", show->from,
            show->to);
    put_cycles(show, diag);
    fputs("\n  ],\n  \"instructions\": [", show->out);
    if (diag->status == EXIT_STATUS_OK)
        put_instructions(show, diag);
    fputs("\n  ]\n}\n", show->out);
    return diag->status == EXIT_STATUS_OK;
}

void trace_show_info_json(const struct trace_info *info, const char *file, FILE *out)
{
    static const char *const kinds[NR_TRACE_KINDS] = {"instructions", "translations", "accesses",
                                                      "exceptions",   "controls",     "requests",
                                                      "device_lines", "marks"};
    put_header(info, out);
    fputs(",\n  \"file\": ", out);
    json_put_string(out, file);
    fprintf(out, ",\n  \"file_bytes\": %" PRIu64 ",\n  \"chunks\": %" PRIu64 ",\n  \"records\": %" PRIu64,
            info->file_bytes, info->nr_chunks, info->nr_records);
    for (unsigned i = 0; i < NR_TRACE_KINDS && !info->is_cut; i++)
        fprintf(out, ",\n  \"%s\": %" PRIu64, kinds[i], info->nr_by_kind[i]);
    if (info->cycles.first <= info->cycles.last)
        fprintf(out, ",\n  \"first_cycle\": %" PRIu64 ",\n  \"last_cycle\": %" PRIu64, info->cycles.first,
                info->cycles.last);
    if (info->first_insn <= info->last_insn)
        fprintf(out, ",\n  \"first_instruction\": %" PRIu64 ",\n  \"last_instruction\": %" PRIu64,
                info->first_insn, info->last_insn);
    fprintf(out, ",\n  \"is_cut\": %s,\n  \"is_at_limit\": %s\n}\n", info->is_cut ? "true" : "false",
            info->ending == TRACE_ENDED_BY_LIMIT ? "true" : "false");
}
