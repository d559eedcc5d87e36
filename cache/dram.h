/*
 * DRAM behind the last cache: channels, ranks and banks with at most one open row each, by the rules of
 * docs/dram.md. Either three latencies in CPU cycles (the preset `fixed`), or commands at the edges of the
 * memory's clock with the distances of its standard. Requests are served in the order of the calls, also
 * where the cycles in which they are asked for go backwards.
 */
#ifndef LK_CACHE_DRAM_H
#define LK_CACHE_DRAM_H

#include "sim/base/addr.h"
#include "sim/base/config_dram.h"
#include "sim/base/stats.h"

enum { DRAM_MAX_CHANNELS = 8 };

/* What is left zero stands for one channel, rank and group, 64-byte lines, and the preset `fixed`. */
struct dram_params {
    uint64_t nr_banks, row_bytes; /* powers of two, as are all counts here; banks of a rank */
    cycle_t row_hit_cycles, row_miss_cycles, row_conflict_cycles, burst_cycles; /* of `fixed` */
    uint64_t nr_channels, nr_ranks, nr_groups, line_bytes, nr_bursts;
    unsigned mapping; /* as in the names of `dram.mapping` */
    bool is_closed, keeps_bank_bits;
    uint64_t cpu_hz;
    struct dram_timing timing; /* clock_hz 0: `fixed` */
};

/* What the configuration says; it must have passed cfg_check. */
struct dram_params dram_params_of(const struct config *config);

struct dram_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "cache/dram_stats.def"
#undef STAT
};

struct dram;

/* NULL when memory is short. */
struct dram *dram_create(const struct dram_params *params);
void dram_destroy(struct dram *dram);

/*
 * A line at `at` is asked for in cycle `now`. Returns the cycle in which it is there (or, for a write,
 * taken).
 */
cycle_t dram_access(struct dram *dram, struct paddr at, bool is_write, cycle_t now);

/* Where an address lies. */
struct dram_place {
    uint64_t channel, rank, bank, row;
};
struct dram_place dram_place(const struct dram *dram, struct paddr at);

const struct dram_stats *dram_stats(const struct dram *dram);
bool dram_register_stats(struct dram *dram, struct stat_registry *registry, const char *path);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void dram_snap(struct dram *dram, struct snap *snap);

#endif
