#include "sim/base/config_internal.h"

#include <stdlib.h>
#include <string.h>

static uint64_t *field_of(struct cfg *cfg, const struct cfg_row *row)
{
    return (uint64_t *)(void *)((char *)&cfg->values + row->offset);
}

uint64_t cfg_value(const struct cfg *cfg, const struct cfg_row *row)
{
    uint64_t value;
    memcpy(&value, (const char *)&cfg->values + row->offset, sizeof(value));
    return value;
}

struct cfg *cfg_create(void)
{
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    struct cfg *cfg = calloc(1, sizeof(*cfg));
    if (!cfg)
        return NULL;
    cfg->next_order = 1;
    cfg->origins = calloc(nr_rows, sizeof(*cfg->origins));
    if (!cfg->origins) {
        free(cfg);
        return NULL;
    }
    for (size_t i = 0; i < nr_rows; i++) {
        char problem[CFG_TEXT_CHARS];
        if (rows[i].kind == CFG_ENUM)
            cfg_parse(&rows[i], rows[i].initial_name, field_of(cfg, &rows[i]), problem);
        else
            *field_of(cfg, &rows[i]) = rows[i].initial;
    }
    return cfg;
}

void cfg_destroy(struct cfg *cfg)
{
    if (!cfg)
        return;
    size_t nr_rows;
    cfg_rows(&nr_rows);
    for (size_t i = 0; i < nr_rows; i++)
        free(cfg->origins[i].place);
    free(cfg->origins);
    free(cfg);
}

const struct config *cfg_values(const struct cfg *cfg)
{
    return &cfg->values;
}

size_t cfg_find_row(const char *path)
{
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    size_t i = 0;
    while (i < nr_rows && strcmp(rows[i].path, path) != 0)
        i++;
    return i;
}

static bool is_inside(const char *path, const char *group)
{
    size_t length = strlen(group);
    return strncmp(path, group, length) == 0 && path[length] == '.';
}

bool cfg_is_group(const char *path)
{
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    for (size_t i = 0; i < nr_rows; i++) {
        if (is_inside(rows[i].path, path))
            return true;
    }
    return false;
}

/* Keeps the nearest of the candidates seen so far. */
static void consider(const char *candidate, const char *path, size_t *best, char nearest[CFG_TEXT_CHARS])
{
    size_t distance = cfg_edit_distance(path, candidate);
    if (distance < *best) {
        *best = distance;
        snprintf(nearest, CFG_TEXT_CHARS, "%s", candidate);
    }
}

bool cfg_refuse_path(const char *path, const char *place, enum exit_status status, struct diag *diag)
{
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    char nearest[CFG_TEXT_CHARS] = "";
    const char *last = strrchr(path, '.');
    size_t best = 2 + strlen(last ? last : path) / 3;
    for (size_t i = 0; i < nr_rows; i++) {
        consider(rows[i].path, path, &best, nearest);
        for (const char *dot = strchr(rows[i].path, '.'); dot; dot = strchr(dot + 1, '.')) {
            char group[CFG_TEXT_CHARS];
            snprintf(group, sizeof(group), "%.*s", (int)(dot - rows[i].path), rows[i].path);
            consider(group, path, &best, nearest);
        }
    }
    size_t row = cfg_find_row(nearest);
    if (row < nr_rows) {
        char allowed[CFG_TEXT_CHARS];
        cfg_describe(&rows[row], allowed);
        return diag_add(diag, status, "%s: %.100s: no such key (did you mean \"%s\": %s?)", place, path,
                        nearest, allowed);
    }
    if (*nearest)
        return diag_add(diag, status, "%s: %.100s: no such key (did you mean \"%s\"?)", place, path, nearest);
    return diag_add(diag, status, "%s: %.100s: no such key; allowed: those of `lookaside config show`", place,
                    path);
}

static bool is_type_allowed(const struct cfg_row *row, const struct cfg_found *found)
{
    switch (found->type) {
    case CFG_FOUND_BARE:
        return true;
    case CFG_FOUND_NUMBER:
        return row->kind == CFG_SIZE || row->kind == CFG_COUNT || row->kind == CFG_HZ ||
               row->kind == CFG_TIME;
    case CFG_FOUND_STRING:
        return row->kind == CFG_SIZE || row->kind == CFG_HZ || row->kind == CFG_ENUM || row->kind == CFG_TIME;
    case CFG_FOUND_BOOL:
        return row->kind == CFG_BOOL;
    default:
        return false;
    }
}

bool cfg_assign(struct cfg *cfg, size_t row_index, const struct cfg_found *found, struct diag *diag)
{
    size_t nr_rows;
    const struct cfg_row *row = &cfg_rows(&nr_rows)[row_index];
    struct cfg_origin *origin = &cfg->origins[row_index];
    char problem[CFG_TEXT_CHARS] = "", allowed[CFG_TEXT_CHARS];
    uint64_t value = 0;
    origin->is_bad = !is_type_allowed(row, found) || !cfg_parse(row, found->text, &value, problem);
    if (origin->is_bad) {
        const char *quote = found->type == CFG_FOUND_STRING ? "\"" : "";
        cfg_describe(row, allowed);
        return diag_add(diag, found->status, "%s: %s: %s%.60s%s; allowed: %s%s", found->place, row->path,
                        quote, found->text, quote, allowed, problem);
    }
    char *place = strdup(found->place);
    if (!place)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", found->place);
    free(origin->place);
    origin->place = place;
    origin->status = found->status;
    origin->order = cfg->next_order++;
    *field_of(cfg, row) = value;
    return true;
}

bool cfg_set(struct cfg *cfg, const char *assignment, struct diag *diag)
{
    const char *equals = strchr(assignment, '=');
    char path[CFG_TEXT_CHARS];
    size_t nr_rows;
    cfg_rows(&nr_rows);
    if (!equals || equals == assignment)
        return diag_add(diag, EXIT_STATUS_USAGE, "-s: %.100s; allowed: path=value, such as tlb.l1d.ways=4",
                        assignment);
    snprintf(path, sizeof(path), "%.*s", (int)(equals - assignment < 200 ? equals - assignment : 200),
             assignment);
    size_t row_index = cfg_find_row(path);
    if (row_index == nr_rows && cfg_is_group(path))
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "-s: %s: %.60s; allowed: a value for a key inside %s, not for all of it", path,
                        equals + 1, path);
    if (row_index == nr_rows)
        return cfg_refuse_path(path, "-s", EXIT_STATUS_USAGE, diag);
    struct cfg_found found = {
        .type = CFG_FOUND_BARE, .text = equals + 1, .place = "-s", .status = EXIT_STATUS_USAGE};
    return cfg_assign(cfg, row_index, &found, diag);
}

uint64_t cfg_digest(const struct config *config)
{
    const uint64_t *values = (const uint64_t *)config;
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < sizeof *config / sizeof *values; i++)
        for (unsigned shift = 0; shift < 64; shift += 8)
            hash = (hash ^ (values[i] >> shift & 0xff)) * 0x100000001b3;
    return hash;
}
