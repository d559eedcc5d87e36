#include "sim/observe/profile_report.h"
#include "sim/observe/trace_disasm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SOURCE_LINE_BYTES = 4096, MAX_FUNCTION_BYTES = 1 << 20 };

/* Source files are read as they are asked for, mostly one line after the other. */
struct source {
    FILE *file;
    char *name;
    unsigned line; /* the next one to be read */
};

static void close_source(struct source *source)
{
    if (source->file)
        fclose(source->file);
    free(source->name);
    *source = (struct source){.file = NULL};
}

/* The text of a line, without what is at its end; "" when it cannot be had. */
static void source_line(struct source *source, const char *name, unsigned line, char *text, size_t room)
{
    text[0] = 0;
    if (!source->name || strcmp(source->name, name) != 0 || line < source->line) {
        close_source(source);
        source->name = strdup(name);
        source->file = source->name ? fopen(name, "r") : NULL;
        source->line = 1;
    }
    while (source->file && source->line <= line) {
        if (!fgets(text, (int)room, source->file)) {
            text[0] = 0;
            return;
        }
        source->line++;
    }
    text[strcspn(text, "\r\n")] = 0;
}

struct function {
    const struct profile_report *report;
    const char *name;
    struct profile_place place;
    uint64_t end;
};

static bool is_wanted(const struct profile_report *report, const struct profile_code *code)
{
    char label[PROFILE_LABEL_CHARS];
    if (!report->process)
        return true;
    profile_process_label(report->profile, code->process, label);
    return strcmp(label, report->process) == 0 ||
           strcmp(report->profile->processes[code->process].name, report->process) == 0;
}

/* Whether code that ran is this function's: user programs lie at the same addresses. */
static bool is_of(const struct function *function, const struct profile_code *code)
{
    struct profile_place place;
    const struct profile *profile = function->report->profile;
    if (code->linear < function->place.begin || code->linear >= function->end ||
        !is_wanted(function->report, code))
        return false;
    profile_symbols_find(function->report->symbols, profile->processes[code->process].name, code->cpl,
                         code->linear, &place);
    return place.object == function->place.object;
}

/* Where the function ends: as its symbol says, else behind the last instruction of it that ran. */
static void find_end(struct function *function)
{
    const struct profile *profile = function->report->profile;
    function->end = function->place.begin + function->place.size_bytes;
    if (function->place.size_bytes)
        return;
    for (size_t i = 0; i < profile->nr_code; i++) {
        const struct profile_code *code = &profile->code[i];
        struct profile_place place;
        if (code->linear < function->end || code->linear - function->place.begin > MAX_FUNCTION_BYTES)
            continue;
        profile_symbols_find(function->report->symbols, profile->processes[code->process].name, code->cpl,
                             code->linear, &place);
        if (place.object == function->place.object && place.begin == function->place.begin)
            function->end = code->linear + 1;
    }
}

static struct profile_counts counts_between(const struct function *function, uint64_t begin, uint64_t end)
{
    const struct profile *profile = function->report->profile;
    struct profile_counts counts = {{0}};
    for (size_t i = 0; i < profile->nr_code; i++)
        if (profile->code[i].linear >= begin && profile->code[i].linear < end &&
            is_of(function, &profile->code[i]))
            profile_add(&counts, &profile->code[i].counts);
    return counts;
}

static void put_source(const struct function *function, struct source *source, uint64_t linear,
                       const char **last_file, unsigned *last_line)
{
    struct profile_place here;
    char text[MAX_SOURCE_LINE_BYTES];
    const struct profile *profile = function->report->profile;
    /* Asked of the function's own object: any process that ran it gives the same. */
    for (size_t i = 0; i < profile->nr_code; i++) {
        const struct profile_code *code = &profile->code[i];
        if (code->linear != linear || !is_of(function, code))
            continue;
        profile_symbols_find(function->report->symbols, profile->processes[code->process].name, code->cpl,
                             linear, &here);
        profile_symbols_line(linear, &here);
        if (!here.source || (*last_file == here.source && *last_line == here.line))
            return;
        source_line(source, here.source, here.line, text, sizeof text);
        fprintf(function->report->out, "%45s; %s:%u %s\n", "", here.source, here.line, text);
        *last_file = here.source;
        *last_line = here.line;
        return;
    }
}

static void put_columns(FILE *out, enum profile_event event)
{
    fprintf(out, "%12s %10s %10s  %-8s  %s\n", "cycles", "insns",
            event > PROFILE_INSTRUCTIONS ? profile_event_names[event] : "l1d", "address", "instruction");
}

static void put_insns(const struct function *function, const struct trace_disasm *disasm)
{
    const struct profile_report *report = function->report;
    enum profile_event third = report->event > PROFILE_INSTRUCTIONS ? report->event : PROFILE_L1D_MISSES;
    struct source source = {.file = NULL};
    const char *last_file = NULL;
    unsigned last_line = 0;
    put_columns(report->out, report->event);
    for (uint64_t at = function->place.begin; at < function->end;) {
        struct cpu_seen_insn insn = {.rip = at, .linear = laddr(at)};
        char words[TRACE_DISASM_CHARS];
        insn.code_bits = (uint8_t)profile_symbols_code_bits(function->place.object);
        insn.length_bytes =
            (uint8_t)profile_symbols_code(function->place.object, at, insn.bytes, sizeof insn.bytes);
        unsigned length = trace_disasm(disasm, &insn, words);
        length = length ? length : 1;
        struct profile_counts counts = counts_between(function, at, at + length);
        put_source(function, &source, at, &last_file, &last_line);
        if (counts.of[PROFILE_INSTRUCTIONS] || counts.of[PROFILE_CYCLES])
            fprintf(report->out, "%12" PRIu64 " %10" PRIu64 " %10" PRIu64,
                    profile_value(&counts, PROFILE_CYCLES), counts.of[PROFILE_INSTRUCTIONS],
                    counts.of[third]);
        else
            fprintf(report->out, "%34s", "");
        fprintf(report->out, "  %08" PRIx64 "  %s\n", at, words);
        at += length;
    }
    close_source(&source);
}

bool profile_report_annotate(const struct profile_report *report, const char *name, struct diag *diag)
{
    struct function function = {.report = report, .name = name};
    if (!profile_symbols_address(report->symbols, name, &function.place))
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "profile annotate: %s: no function of this name in %s or what --symbols names", name,
                        report->profile->image);
    find_end(&function);
    if (function.end <= function.place.begin || function.end - function.place.begin > MAX_FUNCTION_BYTES)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "profile annotate: %s: its end is not known, and it never ran", name);
    struct trace_disasm *disasm = trace_disasm_create();
    if (!disasm)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    put_insns(&function, disasm);
    trace_disasm_destroy(disasm);
    struct profile_counts all = counts_between(&function, function.place.begin, function.end);
    fprintf(report->out, "%12" PRIu64 " %10" PRIu64 "%13s%s\n", profile_value(&all, PROFILE_CYCLES),
            all.of[PROFILE_INSTRUCTIONS], "", name);
    return true;
}
