/*
 * One cache: tags and states; guest RAM keeps the bytes. Write-back, write-allocate, true LRU. Each set is
 * kept in recency order. Below it is another cache or the DRAM; whoever creates one cache hands it what lies
 * below.
 *
 * The hit path of the CPU does not call in here: `struct cache_front` publishes, for each set, the line that
 * is most recently used. A read of that line changes no replacement state and costs the hit latency, so the
 * CPU compares, counts, and goes on. A write may do the same where the line is dirty already. Everything else
 * comes to cache_access. What the CPU counted it hands in by cache_add_front_hits before statistics are read.
 */
#ifndef LK_CACHE_CACHE_H
#define LK_CACHE_CACHE_H

#include "cache/dram.h"
#include "sim/base/addr.h"
#include "sim/base/stats.h"

#define CACHE_NO_LINE UINT64_MAX

struct cache_params {
    uint64_t size_bytes, nr_ways, line_bytes; /* size = ways x line x a power of two; line a power of two */
    cycle_t latency_cycles;                   /* of a hit */
};

struct cache_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "cache/cache_stats.def"
#undef STAT
};

/* What serves a request, from near to far. */
enum served_by { SERVED_BY_L1, SERVED_BY_L2, SERVED_BY_L3, SERVED_BY_DRAM, NR_SERVED_BY };

/* Inline for the CPU's hit path; written by cache.c only. */
struct cache_front {
    /*
     * By set: the number of the line (address / line size) that a read or a write may hit, or CACHE_NO_LINE.
     */
    uint64_t *read_line, *write_line;
    uint64_t set_mask;
    unsigned line_shift;
};

struct cache;

/*
 * Exactly one of `below` and `dram` is given. `level` is what a hit here is counted as: not SERVED_BY_DRAM.
 * NULL when memory is short.
 */
struct cache *cache_create(const struct cache_params *params, enum served_by level, struct cache *below,
                           struct dram *dram);
void cache_destroy(struct cache *cache);

struct cache_answer {
    cycle_t ready;            /* the cycle in which the data are there */
    enum served_by served_by; /* for a line that is still on its way: who sends it */
};

/* A read, or a write (which makes the line dirty), of the line that holds `at`, asked for in cycle `now`. */
struct cache_answer cache_access(struct cache *cache, struct paddr at, bool is_write, cycle_t now);

/*
 * How an access uses the caches: all do as they are asked; or a miss leaves them as they are (CR0.CD, SDM 3A
 * table 11-5); or a write goes down to memory, by way of the lines that are there; or it passes by, and lines
 * that are there are written back and dropped.
 */
enum cache_use { CACHE_USE_ALL, CACHE_USE_NO_FILL, CACHE_USE_WRITE_THROUGH, CACHE_USE_NONE };
struct cache_answer cache_access_as(struct cache *cache, enum cache_use use, struct paddr at, bool is_write,
                                    cycle_t now);

/*
 * A store to the line that holds `at`, whose fill may be under way, has just been made: until the line is no
 * longer the most recently used of its set, further stores may take the front's word. For a requester whose
 * stores take effect in order, so that those behind the first wait for the line through it.
 */
void cache_let_stores_hit(struct cache *cache, struct paddr at);

/* Whether the line that holds `at` is here or on its way; changes nothing. */
bool cache_contains(const struct cache *cache, struct paddr at);

const struct cache_front *cache_front(const struct cache *cache);
void cache_add_front_hits(struct cache *cache, uint64_t nr_hits);

/* What a hit takes. */
cycle_t cache_hit_cycles(const struct cache *cache);

/* The cache that misses go to, NULL when it is the DRAM. */
struct cache *cache_below(const struct cache *cache);

/* Writes all dirty lines back and forgets everything (WBINVD); or forgets without writing (INVD). */
void cache_flush(struct cache *cache, bool write_back, cycle_t now);
/* The same for the line that holds `at`, if it is here (CLFLUSH). */
void cache_flush_line(struct cache *cache, struct paddr at, bool write_back, cycle_t now);

const struct cache_stats *cache_stats(const struct cache *cache);
bool cache_register_stats(struct cache *cache, struct stat_registry *registry, const char *path);

/* For windows and tests: the line in a way of a set, the most recently used first. False for an empty way. */
struct cache_line_view {
    uint64_t line;
    bool is_dirty;
};
bool cache_view(const struct cache *cache, uint64_t set, uint64_t way, struct cache_line_view *view);
uint64_t cache_nr_sets(const struct cache *cache);
uint64_t cache_nr_ways(const struct cache *cache);

#endif
