/*
 * Statistics. A room declares its counters once, as rows in a `*_stats.def` file:
 *     STAT(name, unit, "sentence")
 * from which come the struct (uint64_t fields), and a table for printing:
 *     struct tlb_stats {
 *     #define STAT(name, unit, sentence) uint64_t name;
 *     #include "tlb/tlb_stats.def"
 *     };
 * The machine registers each struct under a path ("cpu0.tlb.l1d"); the full name of a counter is path.name.
 * Values that are computed from others (a CPI, a rate) are registered as formulas.
 */
#ifndef LK_SIM_BASE_STATS_H
#define LK_SIM_BASE_STATS_H

#include "sim/base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct stat_row {
    const char *name, *unit, *sentence;
    size_t offset; /* of the uint64_t in the struct; unused for formulas */
};

/* Builds one stat_row of `struct_name`; for use as the STAT macro while including a .def file. */
#define STAT_ROW(struct_name, field, unit_text, sentence_text)                                               \
    {                                                                                                        \
        .name = #field, .unit = (unit_text), .sentence = (sentence_text),                                    \
        .offset = offsetof(struct_name, field)                                                               \
    }

struct stat_registry;

struct stat_registry *stat_registry_create(void);
void stat_registry_destroy(struct stat_registry *registry);

/* Registers nr_rows counters that live in `counters` (which must outlive the registry). `path` is copied. */
bool stat_register(struct stat_registry *registry, const char *path, const struct stat_row *rows,
                   size_t nr_rows, const void *counters);

typedef uint64_t stat_count_fn(const void *opaque);
typedef double stat_ratio_fn(const void *opaque);

/*
 * A count or a ratio that is computed when it is asked for. A ratio that is not finite is left out of the
 * output.
 */
bool stat_register_count(struct stat_registry *registry, const char *name, const char *unit,
                         const char *sentence, stat_count_fn *compute, const void *opaque);
bool stat_register_ratio(struct stat_registry *registry, const char *name, const char *unit,
                         const char *sentence, stat_ratio_fn *compute, const void *opaque);

/*
 * One value by its full name; false when there is none of that name. Counts are exact up to 2^53 in `*value`.
 */
bool stat_get(const struct stat_registry *registry, const char *name, double *value);
bool stat_get_count(const struct stat_registry *registry, const char *name, uint64_t *value);
/* The same for what may be missing in a machine: 0 then. */
uint64_t stat_count(const struct stat_registry *registry, const char *name);

/* All counts at a moment. NULL when memory is short. */
struct stat_snapshot;
struct stat_snapshot *stat_snapshot_take(const struct stat_registry *registry);
void stat_snapshot_free(struct stat_snapshot *snapshot);

/*
 * For checkpoints (sim/base/snap.h): the counts by their names, or none where it is NULL. One that is read
 * is of this registry: names that it does not know are left out, and of those that only it knows nothing
 * had been counted.
 */
struct snap;
void stat_snapshot_snap(struct stat_snapshot **snapshot, const struct stat_registry *registry,
                        struct snap *snap);

/*
 * From now on counts are what was counted since `snapshot` (of this registry, which keeps no copy), and
 * ratios are left out, for they are of whole runs. NULL: since the beginning, again.
 */
void stat_count_since(struct stat_registry *registry, const struct stat_snapshot *snapshot);

/* Values whose names contain `part` ("": all), as stats.txt has them. */
void stat_print(const struct stat_registry *registry, const char *part, FILE *to);

/*
 * Writes all values in the order of registration: stats.json (one object, name -> number; 64-bit counts as
 * exact integers, ratios with six digits after the point) with a "lookaside" header object, and stats.txt
 * (name, value, unit, sentence; one a line). `header` holds what the caller wants in the header: pairs of
 * key, value strings. Files are written under a temporary name and renamed. On failure adds a line and
 * returns false.
 */
struct stat_header {
    const char *key, *value;
};
bool stat_write_json(const struct stat_registry *registry, const char *file, const struct stat_header *header,
                     size_t nr_header, struct diag *diag);
bool stat_write_text(const struct stat_registry *registry, const char *file, const struct stat_header *header,
                     size_t nr_header, struct diag *diag);

#endif
