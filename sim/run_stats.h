/*
 * The statistics that a run writes: at its end, and where the guest asks by a marker. Regions of interest
 * have files of their own, roi-ID.N.json, the N-th time that region ID was run through; dumps are
 * dump.N.json.
 */
#ifndef LK_SIM_RUN_STATS_H
#define LK_SIM_RUN_STATS_H

#include "sim/machine.h"

struct run_stats_params {
    const char *output; /* directory; the caller's, as the header is */
    const struct stat_header *header;
    size_t nr_header;
};

struct run_stats;

/* NULL with a line when memory is short. */
struct run_stats *run_stats_create(const struct run_stats_params *params, struct diag *diag);
void run_stats_destroy(struct run_stats *stats);

/* A marker of the guest's. What cannot be written adds a line. */
void run_stats_note(struct run_stats *stats, struct machine *machine, enum machine_note note, uint32_t id,
                    struct diag *diag);

/* From now on the machine's registry counts since the last reset, as stats.json does; or all again. */
void run_stats_count_since_reset(const struct run_stats *stats, struct machine *machine, bool since_reset);

/* stats.json and stats.txt, since the last reset; a region that was begun and not ended is told on stderr. */
bool run_stats_finish(struct run_stats *stats, struct machine *machine, struct diag *diag);

/*
 * For checkpoints (sim/base/snap.h): the regions that are under way and the last reset, of this machine. What
 * another model has not counted has counted nothing.
 */
struct snap;
void run_stats_snap(struct run_stats *stats, struct machine *machine, struct snap *snap);

#endif
