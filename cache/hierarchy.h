/*
 * The caches of one core: an L1I and an L1D (or one L1 for both), and below them up to two levels for both.
 * What concerns a line in all of them, wherever it is, goes through here.
 */
#ifndef LK_CACHE_HIERARCHY_H
#define LK_CACHE_HIERARCHY_H

#include "cache/cache.h"
#include "sim/base/config.h"

struct cache_hierarchy {
    struct cache *l1i, *l1d; /* the same cache where the L1 is unified */
    struct cache *l2, *l3;   /* NULL where there is none */
};

/* As the configuration says (`cache.*`), above `dram`. False when memory is short; then nothing is left. */
bool cache_hierarchy_create(struct cache_hierarchy *caches, const struct config *config, struct dram *dram);
void cache_hierarchy_destroy(struct cache_hierarchy *caches);

/* In which the page walker looks first (`mmu.walk_through`). */
struct cache *cache_hierarchy_walk(const struct cache_hierarchy *caches, const struct config *config);

/* The cache that stands before the DRAM. */
struct cache *cache_hierarchy_last(const struct cache_hierarchy *caches);

/*
 * Another core or a device wants the line that holds `at`: to read it, after which all have it shared; or
 * alone, after which none has it. What is dirty is written to memory, in cycle `now`.
 */
struct cache_snoop_answer {
    bool was_here, was_dirty;
    cycle_t ready; /* when the nearest copy's data are there */
};
struct cache_snoop_answer cache_hierarchy_snoop(const struct cache_hierarchy *caches, struct paddr at,
                                                enum cache_snoop kind, cycle_t now);

/* Under "cache.l1i0", "cache.l1d0", "cache.l2", "cache.l3": those that are there. */
bool cache_hierarchy_register_stats(const struct cache_hierarchy *caches, struct stat_registry *registry);

/* The state of all of them, for checkpoints (sim/base/snap.h). */
struct snap;
void cache_hierarchy_snap(const struct cache_hierarchy *caches, struct snap *snap);

#endif
