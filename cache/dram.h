/*
 * DRAM behind the last cache: banks, each with at most one open row (open-page policy). An access costs by
 * what its bank has open, and waits while the bank is busy. Addresses map as row : bank : column, and the
 * bank is permuted by the row's lowest bits and the ones above them, so that a line and the one that it puts
 * out of a cache do not meet in one bank (Zhang, Zhu and Zhang, "A permutation-based page interleaving
 * scheme", MICRO 2000).
 */
#ifndef LK_CACHE_DRAM_H
#define LK_CACHE_DRAM_H

#include "sim/base/addr.h"
#include "sim/base/stats.h"

struct dram_params {
    uint64_t nr_banks, row_bytes; /* powers of two */
    cycle_t row_hit_cycles, row_miss_cycles, row_conflict_cycles, burst_cycles;
};

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

const struct dram_stats *dram_stats(const struct dram *dram);
bool dram_register_stats(struct dram *dram, struct stat_registry *registry, const char *path);

#endif
