#include "sim/base/stats.h"

#include "sim/base/jsonout.h"
#include "sim/base/outfile.h"
#include "sim/base/snap.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STAT_NAME_CHARS = 256 };

struct entry {
    char *name; /* in full, owned */
    const char *unit, *sentence;
    const uint64_t *counter; /* one of these three is set */
    stat_count_fn *count;
    stat_ratio_fn *ratio;
    const void *opaque;
};

struct stat_registry {
    struct entry *entries; /* in the order of registration */
    size_t nr_entries, capacity;
    const struct stat_snapshot *since; /* NULL: the beginning */
};

struct stat_snapshot {
    size_t nr_counts; /* entries registered later count from their beginning */
    uint64_t counts[];
};

struct stat_registry *stat_registry_create(void)
{
    return calloc(1, sizeof(struct stat_registry));
}

void stat_registry_destroy(struct stat_registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->nr_entries; i++)
        free(registry->entries[i].name);
    free(registry->entries);
    free(registry);
}

static const struct entry *find(const struct stat_registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->nr_entries; i++) {
        if (strcmp(registry->entries[i].name, name) == 0)
            return &registry->entries[i];
    }
    return NULL;
}

/* Takes entry.name, which may be NULL for lack of memory; frees it on failure. */
static bool add(struct stat_registry *registry, struct entry entry)
{
    if (!entry.name || find(registry, entry.name)) {
        free(entry.name);
        return false;
    }
    if (registry->nr_entries == registry->capacity) {
        size_t capacity = registry->capacity ? registry->capacity * 2 : 64;
        struct entry *entries = realloc(registry->entries, capacity * sizeof(*entries));
        if (!entries) {
            free(entry.name);
            return false;
        }
        registry->entries = entries;
        registry->capacity = capacity;
    }
    registry->entries[registry->nr_entries++] = entry;
    return true;
}

static char *join(const char *path, const char *name)
{
    size_t room = strlen(path) + strlen(name) + 2;
    char *joined = malloc(room);
    if (joined)
        snprintf(joined, room, "%s%s%s", path, *path ? "." : "", name);
    return joined;
}

bool stat_register(struct stat_registry *registry, const char *path, const struct stat_row *rows,
                   size_t nr_rows, const void *counters)
{
    for (size_t i = 0; i < nr_rows; i++) {
        const void *counter = (const char *)counters + rows[i].offset;
        struct entry entry = {
            .name = join(path, rows[i].name),
            .unit = rows[i].unit,
            .sentence = rows[i].sentence,
            .counter = counter,
        };
        if (!add(registry, entry))
            return false;
    }
    return true;
}

bool stat_register_count(struct stat_registry *registry, const char *name, const char *unit,
                         const char *sentence, stat_count_fn *compute, const void *opaque)
{
    struct entry entry = {
        .name = strdup(name), .unit = unit, .sentence = sentence, .count = compute, .opaque = opaque};
    return add(registry, entry);
}

bool stat_register_ratio(struct stat_registry *registry, const char *name, const char *unit,
                         const char *sentence, stat_ratio_fn *compute, const void *opaque)
{
    struct entry entry = {
        .name = strdup(name), .unit = unit, .sentence = sentence, .ratio = compute, .opaque = opaque};
    return add(registry, entry);
}

/* Since the beginning. A ratio counts nothing. */
static uint64_t whole_count(const struct entry *entry)
{
    if (entry->ratio)
        return 0;
    return entry->counter ? *entry->counter : entry->count(entry->opaque);
}

static uint64_t count_of(const struct stat_registry *registry, const struct entry *entry)
{
    size_t index = (size_t)(entry - registry->entries);
    bool has_base = registry->since && index < registry->since->nr_counts;
    return whole_count(entry) - (has_base ? registry->since->counts[index] : 0);
}

struct stat_snapshot *stat_snapshot_take(const struct stat_registry *registry)
{
    struct stat_snapshot *snapshot = malloc(sizeof(*snapshot) + registry->nr_entries * sizeof(uint64_t));
    if (!snapshot)
        return NULL;
    snapshot->nr_counts = registry->nr_entries;
    for (size_t i = 0; i < registry->nr_entries; i++)
        snapshot->counts[i] = whole_count(&registry->entries[i]);
    return snapshot;
}

void stat_snapshot_free(struct stat_snapshot *snapshot)
{
    free(snapshot);
}

static struct stat_snapshot *load_counts(const struct stat_registry *registry, struct snap *snap)
{
    struct stat_snapshot *snapshot = calloc(1, sizeof *snapshot + registry->nr_entries * sizeof(uint64_t));
    uint32_t nr = 0;
    if (!snapshot) {
        snap_out_of_memory(snap);
        return NULL;
    }
    snapshot->nr_counts = registry->nr_entries;
    SNAP(snap, nr);
    for (uint32_t i = 0; i < nr && snap_is_good(snap); i++) {
        char name[STAT_NAME_CHARS] = {0};
        uint64_t count = 0;
        snap_string(snap, name, sizeof name);
        SNAP(snap, count);
        const struct entry *entry = find(registry, name);
        if (!entry)
            continue;
        /* Not more than now: the counter has begun anew then. */
        uint64_t now = whole_count(entry);
        snapshot->counts[entry - registry->entries] = count < now ? count : now;
    }
    return snapshot;
}

static void save_counts(const struct stat_snapshot *snapshot, const struct stat_registry *registry,
                        struct snap *snap)
{
    uint32_t nr = (uint32_t)snapshot->nr_counts;
    SNAP(snap, nr);
    for (uint32_t i = 0; i < nr; i++) {
        char name[STAT_NAME_CHARS] = {0};
        uint64_t count = snapshot->counts[i];
        strncpy(name, registry->entries[i].name, sizeof name - 1);
        snap_string(snap, name, sizeof name);
        SNAP(snap, count);
    }
}

void stat_snapshot_snap(struct stat_snapshot **snapshot, const struct stat_registry *registry,
                        struct snap *snap)
{
    bool is_there = *snapshot != NULL;
    SNAP_FLAG(snap, is_there);
    if (snap->is_load) {
        stat_snapshot_free(*snapshot);
        *snapshot = is_there ? load_counts(registry, snap) : NULL;
    } else if (*snapshot) {
        save_counts(*snapshot, registry, snap);
    }
}

void stat_count_since(struct stat_registry *registry, const struct stat_snapshot *snapshot)
{
    registry->since = snapshot;
}

bool stat_get(const struct stat_registry *registry, const char *name, double *value)
{
    const struct entry *entry = find(registry, name);
    if (!entry || (entry->ratio && registry->since))
        return false;
    *value = entry->ratio ? entry->ratio(entry->opaque) : (double)count_of(registry, entry);
    return true;
}

bool stat_get_count(const struct stat_registry *registry, const char *name, uint64_t *value)
{
    const struct entry *entry = find(registry, name);
    if (!entry || entry->ratio)
        return false;
    *value = count_of(registry, entry);
    return true;
}

uint64_t stat_count(const struct stat_registry *registry, const char *name)
{
    uint64_t value = 0;
    stat_get_count(registry, name, &value);
    return value;
}

/* False for a ratio that is not finite (such a value has no place in JSON), or of a part of a run. */
static bool format_value(const struct stat_registry *registry, const struct entry *entry,
                         char text[JSON_RATIO_CHARS])
{
    if (!entry->ratio) {
        snprintf(text, JSON_RATIO_CHARS, "%" PRIu64, count_of(registry, entry));
        return true;
    }
    if (registry->since)
        return false;
    double ratio = entry->ratio(entry->opaque);
    if (!isfinite(ratio))
        return false;
    json_format_ratio(text, ratio);
    return true;
}

bool stat_write_json(const struct stat_registry *registry, const char *file, const struct stat_header *header,
                     size_t nr_header, struct diag *diag)
{
    struct outfile out;
    if (!outfile_open(&out, file, diag))
        return false;
    fputs("{\n  \"lookaside\": {", out.to);
    for (size_t i = 0; i < nr_header; i++) {
        fputs(i ? ",\n    " : "\n    ", out.to);
        json_put_string(out.to, header[i].key);
        fputs(": ", out.to);
        json_put_string(out.to, header[i].value);
    }
    fputs(nr_header ? "\n  }" : "}", out.to);
    for (size_t i = 0; i < registry->nr_entries; i++) {
        char value[JSON_RATIO_CHARS];
        if (!format_value(registry, &registry->entries[i], value))
            continue;
        fputs(",\n  ", out.to);
        json_put_string(out.to, registry->entries[i].name);
        fprintf(out.to, ": %s", value);
    }
    fputs("\n}\n", out.to);
    return outfile_commit(&out, diag);
}

void stat_print(const struct stat_registry *registry, const char *part, FILE *to)
{
    for (size_t i = 0; i < registry->nr_entries; i++) {
        const struct entry *entry = &registry->entries[i];
        char value[JSON_RATIO_CHARS];
        if (strstr(entry->name, part) && format_value(registry, entry, value))
            fprintf(to, "%-40s %20s  %-16s %s\n", entry->name, value, entry->unit, entry->sentence);
    }
}

bool stat_write_text(const struct stat_registry *registry, const char *file, const struct stat_header *header,
                     size_t nr_header, struct diag *diag)
{
    struct outfile out;
    if (!outfile_open(&out, file, diag))
        return false;
    for (size_t i = 0; i < nr_header; i++)
        fprintf(out.to, "# %s: %s\n", header[i].key, header[i].value);
    stat_print(registry, "", out.to);
    return outfile_commit(&out, diag);
}
