/*
 * The callgrind format: `ob=`, `fl=` and `fn=` say whose lines follow; a line has a position (address and
 * source line) and the costs there; `calls=` says that the costs in the next line are those of a function
 * called.
 */
#include "sim/observe/profile_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What an instruction took itself, or what it called. */
struct entry {
    char where[PROFILE_LABEL_CHARS], called_where[PROFILE_LABEL_CHARS];
    const char *function, *called; /* called NULL: itself */
    const char *source, *called_source;
    unsigned line, called_line;
    uint64_t at, called_at, nr_calls;
    struct profile_counts counts;
};

static void locate(const struct profile_report *report, uint32_t process, unsigned cpl, uint64_t linear,
                   struct profile_place *place, char where[PROFILE_LABEL_CHARS])
{
    profile_symbols_find(report->symbols, report->profile->processes[process].name, cpl, linear, place);
    profile_symbols_line(linear, place);
    if (!place->function)
        place->function = "[unknown]";
    if (!place->source)
        place->source = "???";
    if (cpl < 3)
        snprintf(where, PROFILE_LABEL_CHARS, "kernel");
    else
        profile_process_label(report->profile, process, where);
}

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = strcmp(a->where, b->where);
    order = order ? order : strcmp(a->function, b->function);
    order = order ? order : strcmp(a->source, b->source);
    if (order)
        return order;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (!a->called || !b->called)
        return (a->called != NULL) - (b->called != NULL);
    order = strcmp(a->called_where, b->called_where);
    order = order ? order : strcmp(a->called, b->called);
    if (order)
        return order;
    return a->called_at < b->called_at ? -1 : a->called_at > b->called_at;
}

static size_t merge(struct entry *entry, size_t nr_entries)
{
    size_t nr = 0;
    qsort(entry, nr_entries, sizeof *entry, compare);
    for (size_t i = 0; i < nr_entries; i++) {
        if (nr > 0 && compare(&entry[nr - 1], &entry[i]) == 0) {
            profile_add(&entry[nr - 1].counts, &entry[i].counts);
            entry[nr - 1].nr_calls += entry[i].nr_calls;
        } else {
            entry[nr++] = entry[i];
        }
    }
    return nr;
}

static void add_code(const struct profile_report *report, const struct profile_code *code,
                     struct entry *entry)
{
    struct profile_place place;
    *entry = (struct entry){.at = code->linear, .counts = code->counts};
    locate(report, code->process, code->cpl, code->linear, &place, entry->where);
    entry->function = place.function;
    entry->source = place.source;
    entry->line = place.line;
}

static void add_call(const struct profile_report *report, const struct profile_node *node,
                     const struct profile_counts *inclusive, struct entry *entry)
{
    const struct profile_node *caller = &report->profile->nodes[node->parent];
    struct profile_place place;
    *entry = (struct entry){
        .at = node->from, .called_at = node->to, .nr_calls = node->nr_calls, .counts = *inclusive};
    locate(report, caller->process, caller->cpl, node->from, &place, entry->where);
    entry->function = place.function;
    entry->source = place.source;
    entry->line = place.line;
    locate(report, node->process, node->cpl, node->to, &place, entry->called_where);
    entry->called = place.function;
    entry->called_source = place.source;
    entry->called_line = place.line;
}

static void put_costs(FILE *out, uint64_t at, unsigned line, uint64_t cycles,
                      const struct profile_counts *counts)
{
    fprintf(out, "0x%" PRIx64 " %u %" PRIu64, at, line, cycles);
    for (enum profile_event event = PROFILE_CYCLES + 1; event < NR_PROFILE_EVENTS; event++)
        fprintf(out, " %" PRIu64, counts->of[event]);
    fputc('\n', out);
}

static void put_entries(FILE *out, const struct entry *entry, size_t nr_entries)
{
    uint64_t ticks = 0, cycles = 0; /* what is cut off one line goes into the next */
    for (size_t i = 0; i < nr_entries; i++) {
        const struct entry *here = &entry[i], *before = i ? here - 1 : NULL;
        bool is_same_object = before && strcmp(before->where, here->where) == 0;
        if (!is_same_object)
            fprintf(out, "\nob=%s\n", here->where);
        if (!is_same_object || strcmp(before->function, here->function) != 0 ||
            strcmp(before->source, here->source) != 0)
            fprintf(out, "\nfl=%s\nfn=%s\n", here->source, here->function);
        if (here->called) {
            fprintf(out, "cob=%s\ncfi=%s\ncfn=%s\ncalls=%" PRIu64 " 0x%" PRIx64 " %u\n", here->called_where,
                    here->called_source, here->called, here->nr_calls, here->called_at, here->called_line);
            put_costs(out, here->at, here->line, profile_value(&here->counts, PROFILE_CYCLES), &here->counts);
            continue;
        }
        ticks += here->counts.of[PROFILE_CYCLES];
        put_costs(out, here->at, here->line, ticks / PROFILE_TICKS_PER_CYCLE - cycles, &here->counts);
        cycles = ticks / PROFILE_TICKS_PER_CYCLE;
    }
}

static void put_header(const struct profile_report *report)
{
    FILE *out = report->out;
    fprintf(out, "# callgrind format\nversion: 1\ncreator: lookaside %s\npid: 0\ncmd: %s\npart: 1\n\n",
            report->profile->version, report->profile->image);
    fputs("positions: instr line\nevents:", out);
    for (enum profile_event event = 0; event < NR_PROFILE_EVENTS; event++)
        fprintf(out, " %s", profile_event_names[event]);
    fputs("\nsummary:", out);
    for (enum profile_event event = 0; event < NR_PROFILE_EVENTS; event++)
        fprintf(out, " %" PRIu64, profile_value(&report->profile->total, event));
    fputc('\n', out);
}

bool profile_report_callgrind(const struct profile_report *report, struct diag *diag)
{
    const struct profile *profile = report->profile;
    struct entry *entry = calloc(profile->nr_code + profile->nr_nodes + 1, sizeof *entry);
    struct profile_counts *inclusive = calloc(profile->nr_nodes + 1, sizeof *inclusive);
    size_t nr_entries = 0;
    bool is_good = entry && inclusive;
    for (size_t i = 0; is_good && i < profile->nr_code; i++)
        add_code(report, &profile->code[i], &entry[nr_entries++]);
    for (size_t i = profile->nr_nodes; is_good && i-- > 0;) {
        const struct profile_node *node = &profile->nodes[i];
        profile_add(&inclusive[i], &node->counts);
        if (node->kind == PROFILE_THREAD)
            continue;
        profile_add(&inclusive[node->parent], &inclusive[i]);
        add_call(report, node, &inclusive[i], &entry[nr_entries++]);
    }
    if (is_good) {
        nr_entries = merge(entry, nr_entries);
        put_header(report);
        put_entries(report->out, entry, nr_entries);
    }
    free(entry);
    free(inclusive);
    return is_good || diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
}
