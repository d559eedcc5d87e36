#include "sim/observe/profile_report.h"

#include "sim/base/jsonout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *profile_function_of(const struct profile_report *report, uint32_t process, unsigned cpl,
                                uint64_t linear)
{
    struct profile_place place;
    profile_symbols_find(report->symbols, report->profile->processes[process].name, cpl, linear, &place);
    return place.function ? place.function : "[unknown]";
}

/* Columns are called by the events' names, but shorter. */
static const char *const columns[NR_PROFILE_EVENTS] = {
    [PROFILE_CYCLES] = "cycles",      [PROFILE_INSTRUCTIONS] = "insns",  [PROFILE_ITLB_MISSES] = "itlb",
    [PROFILE_DTLB_MISSES] = "dtlb",   [PROFILE_WALKS] = "walks",         [PROFILE_WALK_CYCLES] = "walk cyc",
    [PROFILE_L1I_MISSES] = "l1i",     [PROFILE_L1D_MISSES] = "l1d",      [PROFILE_L2_MISSES] = "l2",
    [PROFILE_PAGE_FAULTS] = "faults", [PROFILE_MISPREDICTS] = "mispred",
};

static void put_counts_json(FILE *out, const struct profile_counts *counts)
{
    for (enum profile_event event = 0; event < NR_PROFILE_EVENTS; event++)
        fprintf(out, "%s\"%s\": %" PRIu64, event ? ", " : "", profile_event_names[event],
                profile_value(counts, event));
}

static void put_header_json(const struct profile *profile, FILE *out)
{
    fputs("{\n  \"lookaside\": ", out);
    json_put_string(out, profile->version);
    fputs(",\n  \"config\": ", out);
    json_put_string(out, profile->config_digest);
    fputs(",\n  \"image\": ", out);
    json_put_string(out, profile->image);
    fprintf(out, ",\n  \"is_cut\": %s,\n  \"total\": {", profile->is_cut ? "true" : "false");
    put_counts_json(out, &profile->total);
    fputs("},\n  \"rows\": [", out);
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void put_columns(FILE *out)
{
    fprintf(out, "%7s", "%");
    for (enum profile_event event = 0; event < NR_PROFILE_EVENTS; event++)
        fprintf(out, " %*s", event < PROFILE_ITLB_MISSES ? 11 : 8, columns[event]);
    fputs("  what\n", out);
}

static void put_row(FILE *out, double share, const struct profile_counts *counts, const char *name,
                    const char *where)
{
    fprintf(out, "%6.2f%%", share);
    for (enum profile_event event = 0; event < NR_PROFILE_EVENTS; event++)
        fprintf(out, " %*" PRIu64, event < PROFILE_ITLB_MISSES ? 11 : 8, profile_value(counts, event));
    fprintf(out, "  %s%s%s\n", name, *where ? " - " : "", where);
}

bool profile_report_top(const struct profile_report *report, struct diag *diag)
{
    struct profile_rows rows;
    FILE *out = report->out;
    bool is_good = profile_rows_make(&rows, report->profile, report->symbols, report->grouping, report->event,
                                     report->process);
    size_t limit = report->limit && report->limit < rows.nr_rows ? report->limit : rows.nr_rows;
    uint64_t whole = report->profile->total.of[report->event];
    struct profile_counts rest = {{0}};
    if (report->is_json)
        put_header_json(report->profile, out);
    else
        put_columns(out);
    for (size_t i = 0; is_good && i < rows.nr_rows; i++) {
        const struct profile_row *row = &rows.row[i];
        if (i >= limit) {
            profile_add(&rest, &row->counts);
            continue;
        }
        if (!report->is_json) {
            put_row(out, percent(row->counts.of[report->event], whole), &row->counts, row->name, row->where);
            continue;
        }
        fprintf(out, "%s\n    {\"name\": ", i ? "," : "");
        json_put_string(out, row->name);
        fputs(", \"where\": ", out);
        json_put_string(out, row->where);
        fputs(", ", out);
        put_counts_json(out, &row->counts);
        fputc('}', out);
    }
    if (report->is_json) {
        fputs("\n  ]\n}\n", out);
    } else {
        char others[64];
        snprintf(others, sizeof others, "[%zu more]", rows.nr_rows - limit);
        if (limit < rows.nr_rows)
            put_row(out, percent(rest.of[report->event], whole), &rest, others, "");
        put_row(out, 100, &report->profile->total, "[all]", "");
    }
    profile_rows_fini(&rows);
    return is_good || diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
}

/* ---- Two runs ---- */

struct pair {
    const struct profile_row *before, *after; /* NULL: not there */
    int64_t more;
};

static int compare_rows(const struct profile_row *a, const struct profile_row *b)
{
    int order = strcmp(a->where, b->where);
    return order ? order : strcmp(a->name, b->name);
}

static int by_name(const void *left, const void *right)
{
    return compare_rows(left, right);
}

static int by_change(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    uint64_t ours = a->more < 0 ? -(uint64_t)a->more : (uint64_t)a->more;
    uint64_t theirs = b->more < 0 ? -(uint64_t)b->more : (uint64_t)b->more;
    if (ours != theirs)
        return ours < theirs ? 1 : -1;
    return compare_rows(a->after ? a->after : a->before, b->after ? b->after : b->before);
}

static uint64_t value_of(const struct profile_row *row, enum profile_event event)
{
    return row ? profile_value(&row->counts, event) : 0;
}

/* Both lists are sorted by name: goes through them side by side. */
static size_t join(const struct profile_rows *before, const struct profile_rows *after, struct pair *pair,
                   enum profile_event event)
{
    size_t nr = 0;
    for (size_t b = 0, a = 0; b < before->nr_rows || a < after->nr_rows; nr++) {
        int order = b == before->nr_rows  ? 1
                    : a == after->nr_rows ? -1
                                          : compare_rows(&before->row[b], &after->row[a]);
        pair[nr] = (struct pair){.before = order <= 0 ? &before->row[b++] : NULL,
                                 .after = order >= 0 ? &after->row[a++] : NULL};
        pair[nr].more = (int64_t)value_of(pair[nr].after, event) - (int64_t)value_of(pair[nr].before, event);
    }
    return nr;
}

static void put_pair(const struct profile_report *report, const struct pair *pair, bool is_first)
{
    const struct profile_row *row = pair->after ? pair->after : pair->before;
    uint64_t before = value_of(pair->before, report->event), after = value_of(pair->after, report->event);
    FILE *out = report->out;
    if (!report->is_json) {
        char change[32] = "new";
        if (before)
            snprintf(change, sizeof change, "%+.1f%%", 100.0 * (double)pair->more / (double)before);
        fprintf(out, "%14" PRIu64 " %14" PRIu64 " %+14" PRId64 " %9s  %s - %s\n", before, after, pair->more,
                pair->more ? change : "", row->name, row->where);
        return;
    }
    fprintf(out, "%s\n    {\"name\": ", is_first ? "" : ",");
    json_put_string(out, row->name);
    fputs(", \"where\": ", out);
    json_put_string(out, row->where);
    fprintf(out, ", \"before\": %" PRIu64 ", \"after\": %" PRIu64 ", \"change\": %" PRId64 "}", before, after,
            pair->more);
}

static void put_pairs(const struct profile_report *before, const struct profile_report *report,
                      const struct pair *pair, size_t nr_pairs)
{
    FILE *out = report->out;
    uint64_t old_total = profile_value(&before->profile->total, report->event);
    uint64_t new_total = profile_value(&report->profile->total, report->event);
    if (report->is_json)
        fprintf(out,
                "{\n  \"event\": \"%s\",\n  \"before\": %" PRIu64 ",\n  \"after\": %" PRIu64
                ",\n  \"rows\": [",
                profile_event_names[report->event], old_total, new_total);
    else
        fprintf(out, "%14s %14s %14s %9s  %s\n", "before", "after", "change", "",
                profile_event_names[report->event]);
    for (size_t i = 0; i < nr_pairs && (report->limit == 0 || i < report->limit); i++)
        put_pair(report, &pair[i], i == 0);
    if (report->is_json)
        fputs("\n  ]\n}\n", out);
    else
        fprintf(out, "%14" PRIu64 " %14" PRIu64 " %+14" PRId64 " %9s  [all]\n", old_total, new_total,
                (int64_t)(new_total - old_total), "");
}

bool profile_report_diff(const struct profile_report *before, const struct profile_report *report,
                         struct diag *diag)
{
    struct profile_rows old_rows, new_rows;
    bool is_good = profile_rows_make(&old_rows, before->profile, before->symbols, report->grouping,
                                     report->event, report->process);
    is_good &= profile_rows_make(&new_rows, report->profile, report->symbols, report->grouping, report->event,
                                 report->process);
    struct pair *pair = is_good ? calloc(old_rows.nr_rows + new_rows.nr_rows + 1, sizeof *pair) : NULL;
    if (pair) {
        qsort(old_rows.row, old_rows.nr_rows, sizeof *old_rows.row, by_name);
        qsort(new_rows.row, new_rows.nr_rows, sizeof *new_rows.row, by_name);
        size_t nr_pairs = join(&old_rows, &new_rows, pair, report->event);
        qsort(pair, nr_pairs, sizeof *pair, by_change);
        put_pairs(before, report, pair, nr_pairs);
    }
    is_good = pair != NULL;
    free(pair);
    profile_rows_fini(&old_rows);
    profile_rows_fini(&new_rows);
    return is_good || diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
}
