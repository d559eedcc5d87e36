#include "sim/observe/profile_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint64_t profile_value(const struct profile_counts *counts, enum profile_event event)
{
    return event == PROFILE_CYCLES ? counts->of[event] / PROFILE_TICKS_PER_CYCLE : counts->of[event];
}

void profile_process_label(const struct profile *profile, uint32_t process, char label[PROFILE_LABEL_CHARS])
{
    const struct profile_process *of = &profile->processes[process];
    if (!of->name[0]) {
        snprintf(label, PROFILE_LABEL_CHARS, "cr3 %08" PRIx64, of->cr3);
        return;
    }
    snprintf(label, PROFILE_LABEL_CHARS, "%s (%" PRIu32 ")", of->name, of->pid);
    for (char *at = label; *at; at++) /* of a stranger's file */
        if (*at < ' ' || *at > '~' || *at == ';')
            *at = '?';
}

/* Programs are known by name, so that one which ran twice is one. */
static void space_label(const struct profile *profile, const struct profile_code *code,
                        enum profile_grouping grouping, char label[PROFILE_LABEL_CHARS])
{
    profile_process_label(profile, code->process, label);
    if (grouping == PROFILE_BY_PROCESS)
        return;
    char *number = strrchr(label, '(');
    if (code->cpl < 3)
        snprintf(label, PROFILE_LABEL_CHARS, "kernel");
    else if (number && number > label)
        number[-1] = 0;
}

static char *row_name(const struct profile *profile, const struct profile_symbols *symbols,
                      const struct profile_code *code, enum profile_grouping grouping)
{
    struct profile_place place;
    char text[512];
    if (grouping == PROFILE_BY_PROCESS)
        return strdup(code->cpl == 3 ? "user" : "kernel");
    profile_symbols_find(symbols, profile->processes[code->process].name, code->cpl, code->linear, &place);
    if (grouping == PROFILE_BY_LINE)
        profile_symbols_line(code->linear, &place);
    if (!place.function)
        snprintf(text, sizeof text, "[unknown]");
    else if (grouping == PROFILE_BY_FUNCTION)
        snprintf(text, sizeof text, "%s", place.function);
    else if (place.source)
        snprintf(text, sizeof text, "%s:%u", place.source, place.line);
    else
        snprintf(text, sizeof text, "%s [no line]", place.function);
    return strdup(text);
}

static int compare_names(const void *left, const void *right)
{
    const struct profile_row *a = left, *b = right;
    int order = strcmp(a->where, b->where);
    return order ? order : strcmp(a->name, b->name);
}

static bool is_wanted(const struct profile *profile, const struct profile_code *code, const char *process)
{
    char label[PROFILE_LABEL_CHARS];
    if (!process)
        return true;
    profile_process_label(profile, code->process, label);
    return strcmp(profile->processes[code->process].name, process) == 0 || strcmp(label, process) == 0;
}

static void merge(struct profile_rows *rows)
{
    size_t nr = 0;
    qsort(rows->row, rows->nr_rows, sizeof *rows->row, compare_names);
    for (size_t i = 0; i < rows->nr_rows; i++) {
        if (nr > 0 && compare_names(&rows->row[nr - 1], &rows->row[i]) == 0) {
            profile_add(&rows->row[nr - 1].counts, &rows->row[i].counts);
            free(rows->row[i].name);
        } else {
            rows->row[nr++] = rows->row[i];
        }
    }
    rows->nr_rows = nr;
}

static int compare_counts(const void *left, const void *right, void *opaque)
{
    const struct profile_row *a = left, *b = right;
    enum profile_event event = *(const enum profile_event *)opaque;
    uint64_t ours = a->counts.of[event], theirs = b->counts.of[event];
    return ours != theirs ? (ours < theirs ? 1 : -1) : compare_names(left, right);
}

bool profile_rows_make(struct profile_rows *rows, const struct profile *profile,
                       const struct profile_symbols *symbols, enum profile_grouping grouping,
                       enum profile_event event, const char *process)
{
    *rows = (struct profile_rows){.row = calloc(profile->nr_code + 1, sizeof *rows->row)};
    if (!rows->row)
        return false;
    for (size_t i = 0; i < profile->nr_code; i++) {
        const struct profile_code *code = &profile->code[i];
        if (!is_wanted(profile, code, process))
            continue;
        struct profile_row *row = &rows->row[rows->nr_rows];
        row->name = row_name(profile, symbols, code, grouping);
        if (!row->name)
            return false;
        rows->nr_rows++;
        row->counts = code->counts;
        space_label(profile, code, grouping, row->where);
    }
    merge(rows);
    qsort_r(rows->row, rows->nr_rows, sizeof *rows->row, compare_counts, &event);
    return true;
}

void profile_rows_fini(struct profile_rows *rows)
{
    for (size_t i = 0; i < rows->nr_rows; i++)
        free(rows->row[i].name);
    free(rows->row);
    *rows = (struct profile_rows){.row = NULL};
}
