#include "sim/observe/profile_rows.h"

#include "sim/base/fnv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME_CHARS = 512 };

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

/* What a row is called, cut off where it is longer. */
static void row_name(const struct profile_place *place, unsigned cpl, enum profile_grouping grouping,
                     char text[MAX_NAME_CHARS])
{
    if (grouping == PROFILE_BY_PROCESS)
        snprintf(text, MAX_NAME_CHARS, "%s", cpl == 3 ? "user" : "kernel");
    else if (!place->function)
        snprintf(text, MAX_NAME_CHARS, "[unknown]");
    else if (grouping == PROFILE_BY_FUNCTION)
        snprintf(text, MAX_NAME_CHARS, "%s", place->function);
    else if (place->source)
        snprintf(text, MAX_NAME_CHARS, "%s:%u", place->source, place->line);
    else
        snprintf(text, MAX_NAME_CHARS, "%s [no line]", place->function);
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

/* ---- Rows by name, while they are being made ---- */

struct table {
    struct profile_rows *rows;
    size_t rows_room;
    uint32_t *index; /* number of a row + 1; 0: free */
    size_t index_room;
};

static size_t place_in(const struct table *table, const char *where, const char *name)
{
    uint64_t hash = fnv_add(fnv_add(FNV_BEGIN, where, strlen(where)), name, strlen(name));
    size_t at = (size_t)(hash ^ hash >> 32) & (table->index_room - 1);
    for (; table->index[at]; at = (at + 1) & (table->index_room - 1)) {
        const struct profile_row *row = &table->rows->row[table->index[at] - 1];
        if (strcmp(row->name, name) == 0 && strcmp(row->where, where) == 0)
            break;
    }
    return at;
}

static bool grow(struct table *table)
{
    enum { FIRST_ROOM = 256 };
    size_t room = table->rows_room ? table->rows_room * 2 : FIRST_ROOM;
    struct profile_row *row = realloc(table->rows->row, room * sizeof *row);
    if (!row)
        return false;
    table->rows->row = row;
    uint32_t *index = calloc(room * 2, sizeof *index);
    if (!index)
        return false;
    free(table->index);
    table->rows_room = room;
    table->index = index;
    table->index_room = room * 2;
    for (size_t i = 0; i < table->rows->nr_rows; i++)
        index[place_in(table, row[i].where, row[i].name)] = (uint32_t)i + 1;
    return true;
}

/* The row of that name, which is made if there is none. NULL when memory is short. */
static struct profile_row *row_like(struct table *table, const char *where, const char *name)
{
    struct profile_rows *rows = table->rows;
    if (rows->nr_rows == table->rows_room && !grow(table))
        return NULL;
    size_t at = place_in(table, where, name);
    if (table->index[at])
        return &rows->row[table->index[at] - 1];
    struct profile_row *row = &rows->row[rows->nr_rows];
    *row = (struct profile_row){.name = strdup(name)};
    if (!row->name)
        return NULL;
    snprintf(row->where, sizeof row->where, "%s", where);
    table->index[at] = (uint32_t)++rows->nr_rows;
    return row;
}

static int compare_counts(const void *left, const void *right, void *opaque)
{
    const struct profile_row *a = left, *b = right;
    enum profile_event event = *(const enum profile_event *)opaque;
    uint64_t ours = a->counts.of[event], theirs = b->counts.of[event];
    return ours != theirs ? (ours < theirs ? 1 : -1) : compare_names(left, right);
}

/* Whether one has the other's row without a look at its name. */
static bool is_same_place(const struct profile_place *a, const struct profile_place *b)
{
    return a->function == b->function && a->source == b->source && a->line == b->line;
}

/* Code comes sorted by address, so that most of it is of the row before. */
static bool add_code(struct table *table, const struct profile *profile,
                     const struct profile_symbols *symbols, enum profile_grouping grouping,
                     const char *process)
{
    const struct profile_code *last = NULL;
    struct profile_place last_place = {.function = NULL};
    struct profile_row *row = NULL;
    bool is_process_wanted = false;
    for (size_t i = 0; i < profile->nr_code; i++) {
        const struct profile_code *code = &profile->code[i];
        bool is_same_space = last && last->process == code->process && last->cpl == code->cpl;
        struct profile_place place = {.function = NULL};
        if (!is_same_space)
            is_process_wanted = is_wanted(profile, code, process);
        last = code;
        if (!is_process_wanted)
            continue;
        if (grouping != PROFILE_BY_PROCESS)
            profile_symbols_find(symbols, profile->processes[code->process].name, code->cpl, code->linear,
                                 &place);
        if (grouping == PROFILE_BY_LINE)
            profile_symbols_line(code->linear, &place);
        if (!is_same_space || !row || !is_same_place(&place, &last_place)) {
            char where[PROFILE_LABEL_CHARS], name[MAX_NAME_CHARS];
            space_label(profile, code, grouping, where);
            row_name(&place, code->cpl, grouping, name);
            row = row_like(table, where, name);
            if (!row)
                return false;
            last_place = place;
        }
        profile_add(&row->counts, &code->counts);
    }
    return true;
}

bool profile_rows_make(struct profile_rows *rows, const struct profile *profile,
                       const struct profile_symbols *symbols, enum profile_grouping grouping,
                       enum profile_event event, const char *process)
{
    struct table table = {.rows = rows};
    *rows = (struct profile_rows){.row = NULL};
    bool is_good = grow(&table) && add_code(&table, profile, symbols, grouping, process);
    free(table.index);
    if (is_good)
        qsort_r(rows->row, rows->nr_rows, sizeof *rows->row, compare_counts, &event);
    return is_good;
}

void profile_rows_fini(struct profile_rows *rows)
{
    for (size_t i = 0; i < rows->nr_rows; i++)
        free(rows->row[i].name);
    free(rows->row);
    *rows = (struct profile_rows){.row = NULL};
}
