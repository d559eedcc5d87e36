#include "sim/run_stats.h"

#include "sim/base/snap.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_REGIONS = 64 };

struct region {
    uint32_t id;
    unsigned nr_ended;
    struct stat_snapshot *begin; /* NULL: not running */
};

struct run_stats {
    struct run_stats_params params;
    struct stat_snapshot *reset; /* NULL: never */
    struct region regions[MAX_REGIONS];
    unsigned nr_regions, nr_dumps;
    bool has_too_many;
};

struct run_stats *run_stats_create(const struct run_stats_params *params, struct diag *diag)
{
    struct run_stats *stats = calloc(1, sizeof *stats);
    if (!stats) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        return NULL;
    }
    stats->params = *params;
    return stats;
}

void run_stats_destroy(struct run_stats *stats)
{
    if (!stats)
        return;
    for (unsigned i = 0; i < stats->nr_regions; i++)
        stat_snapshot_free(stats->regions[i].begin);
    stat_snapshot_free(stats->reset);
    free(stats);
}

/* OUTPUT/NAME.json and .txt, of what was counted since `since`. */
static bool write_both(const struct run_stats *stats, struct machine *machine,
                       const struct stat_snapshot *since, const char *name, struct diag *diag)
{
    const struct run_stats_params *p = &stats->params;
    struct stat_registry *registry = machine_stats(machine);
    char json[4096], text[4096];
    if ((size_t)snprintf(json, sizeof json, "%s/%s.json", p->output, name) >= sizeof json)
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: this path is too long", p->output);
    snprintf(text, sizeof text, "%s/%s.txt", p->output, name);
    stat_count_since(registry, since);
    bool is_good = stat_write_json(registry, json, p->header, p->nr_header, diag);
    is_good = is_good && stat_write_text(registry, text, p->header, p->nr_header, diag);
    stat_count_since(registry, NULL);
    return is_good;
}

/* NULL when there are too many to keep. */
static struct region *find_region(struct run_stats *stats, uint32_t id)
{
    for (unsigned i = 0; i < stats->nr_regions; i++)
        if (stats->regions[i].id == id)
            return &stats->regions[i];
    if (stats->nr_regions == MAX_REGIONS) {
        stats->has_too_many = true;
        return NULL;
    }
    stats->regions[stats->nr_regions].id = id;
    return &stats->regions[stats->nr_regions++];
}

static void end_region(struct run_stats *stats, struct machine *machine, struct region *region,
                       struct diag *diag)
{
    char name[64];
    if (!region->begin) {
        fprintf(stderr, "lookaside: the guest ended region %" PRIu32 ", which it had not begun\n",
                region->id);
        return;
    }
    snprintf(name, sizeof name, "roi-%" PRIu32 ".%u", region->id, ++region->nr_ended);
    write_both(stats, machine, region->begin, name, diag);
    stat_snapshot_free(region->begin);
    region->begin = NULL;
}

void run_stats_note(struct run_stats *stats, struct machine *machine, enum machine_note note, uint32_t id,
                    struct diag *diag)
{
    char name[64];
    struct region *region;
    switch (note) {
    case MACHINE_NOTE_ROI_BEGIN:
        region = find_region(stats, id);
        if (region && !region->begin)
            region->begin = stat_snapshot_take(machine_stats(machine));
        break;
    case MACHINE_NOTE_ROI_END:
        region = find_region(stats, id);
        if (region)
            end_region(stats, machine, region, diag);
        break;
    case MACHINE_NOTE_RESET_STATS:
        stat_snapshot_free(stats->reset);
        stats->reset = stat_snapshot_take(machine_stats(machine));
        break;
    case MACHINE_NOTE_DUMP_STATS:
        snprintf(name, sizeof name, "dump.%u", ++stats->nr_dumps);
        write_both(stats, machine, stats->reset, name, diag);
        break;
    case MACHINE_NOTE_MARK:
    case MACHINE_NOTE_CHECKPOINT:
        break;
    }
}

void run_stats_count_since_reset(const struct run_stats *stats, struct machine *machine, bool since_reset)
{
    stat_count_since(machine_stats(machine), since_reset ? stats->reset : NULL);
}

bool run_stats_finish(struct run_stats *stats, struct machine *machine, struct diag *diag)
{
    for (unsigned i = 0; i < stats->nr_regions; i++)
        if (stats->regions[i].begin)
            fprintf(stderr, "lookaside: the guest began region %" PRIu32 " and never ended it\n",
                    stats->regions[i].id);
    if (stats->has_too_many)
        fprintf(stderr,
                "lookaside: the guest has more than %d regions of interest; the rest have no statistics\n",
                MAX_REGIONS);
    return write_both(stats, machine, stats->reset, "stats", diag);
}

static void region_snap(struct region *region, struct stat_registry *registry, struct snap *snap)
{
    SNAP_OPEN(snap, region);
    SNAP(snap, region->id);
    SNAP(snap, region->nr_ended);
    SNAP_SKIP(snap, region->begin); /* what it points to */
    SNAP_CLOSE(snap, region);
    stat_snapshot_snap(&region->begin, registry, snap);
}

void run_stats_snap(struct run_stats *stats, struct machine *machine, struct snap *snap)
{
    struct stat_registry *registry = machine_stats(machine);
    snap_section(snap, "statistics");
    SNAP_OPEN(snap, stats);
    SNAP_SKIP(snap, stats->params);
    SNAP_SKIP(snap, stats->reset);
    SNAP_BELOW(snap, stats->nr_regions, MAX_REGIONS + 1);
    SNAP(snap, stats->nr_dumps);
    SNAP_FLAG(snap, stats->has_too_many);
    SNAP_SKIP(snap, stats->regions); /* those that there are, below */
    SNAP_CLOSE(snap, stats);
    stat_snapshot_snap(&stats->reset, registry, snap);
    for (unsigned i = 0; i < stats->nr_regions; i++)
        region_snap(&stats->regions[i], registry, snap);
}
