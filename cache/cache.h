/*
 * One cache: tags and states; guest RAM keeps the bytes. Below it is another cache or the DRAM; whoever
 * creates one cache hands it what lies below. What each request does, and in which order, is in
 * docs/memory.md.
 *
 * The hit path of the CPU does not call in here: `struct cache_front` publishes, for each set, the line that
 * was touched last, if a read of it changes no state and costs the hit latency; so the CPU compares, counts,
 * and goes on. A write may do the same where the line is dirty already. Everything else comes to cache_ask.
 * What the CPU counted it hands in by cache_add_front_hits before statistics are read.
 */
#ifndef LK_CACHE_CACHE_H
#define LK_CACHE_CACHE_H

#include "cache/dram.h"
#include "cache/prefetch.h"
#include "sim/base/addr.h"
#include "sim/base/stats.h"

#define CACHE_NO_LINE UINT64_MAX

/* In the order of the names in `cache.*.replacement`, `.inclusion`, `.write`. */
enum cache_replacement { CACHE_LRU, CACHE_PLRU, CACHE_SRRIP, CACHE_RANDOM, CACHE_FIFO };
enum cache_inclusion { CACHE_NON_INCLUSIVE, CACHE_INCLUSIVE, CACHE_EXCLUSIVE };
enum cache_write { CACHE_WRITE_BACK, CACHE_WRITE_THROUGH };

/* Of a line, as coherence protocols have them. */
enum cache_state { CACHE_STATE_I, CACHE_STATE_S, CACHE_STATE_E, CACHE_STATE_M };

/* What is left 0 is the plainest: write-back, write-allocate, LRU, non-inclusive, nothing ever busy. */
struct cache_params {
    uint64_t size_bytes, nr_ways, line_bytes; /* size = ways x line x a power of two; line a power of two */
    cycle_t latency_cycles;                   /* of a hit */
    enum cache_replacement replacement;       /* PLRU: ways are a power of two, at most 64 */
    enum cache_inclusion inclusion;           /* of what the caches above hold */
    enum cache_write write;
    bool no_write_allocate;
    bool is_for_code;              /* never holds what is newer than below */
    uint64_t mshrs, write_buffers; /* 0: as many as are asked for; at most 64 */
    uint64_t bytes_per_cycle;      /* to and from the level below; 0: all at once */
    struct prefetch_params prefetch;
    uint64_t seed; /* of random replacement; 0 stands for 1 */
};

struct cache_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "cache/cache_stats.def"
#undef STAT
};

/* What serves a request, from near to far. */
enum served_by { SERVED_BY_L1, SERVED_BY_L2, SERVED_BY_L3, SERVED_BY_DRAM, NR_SERVED_BY };

/* Inline for the CPU's hit path; written by the cache only. */
struct cache_front {
    /*
     * By set: the number of the line (address / line size) that a read or a write may hit, or CACHE_NO_LINE.
     * Kept up in caches of level SERVED_BY_L1.
     */
    uint64_t *read_line, *write_line;
    uint64_t set_mask;
    unsigned line_shift;
};

struct cache;

/*
 * Exactly one of `below` and `dram` is given. `level` is what a hit here is counted as: not SERVED_BY_DRAM.
 * A cache that is below others is destroyed after them. NULL when memory is short.
 */
struct cache *cache_create(const struct cache_params *params, enum served_by level, struct cache *below,
                           struct dram *dram);
void cache_destroy(struct cache *cache);

struct cache_answer {
    cycle_t ready;            /* the cycle in which the data are there */
    enum served_by served_by; /* for a line that is still on its way: who sends it */
};

/*
 * How an access uses the caches: all do as they are asked; or a miss leaves them as they are (CR0.CD, SDM 3A
 * table 11-5); or a write goes down to memory, by way of the lines that are there; or it passes by, and lines
 * that are there are written back and dropped.
 */
enum cache_use { CACHE_USE_ALL, CACHE_USE_NO_FILL, CACHE_USE_WRITE_THROUGH, CACHE_USE_NONE };

/*
 * A read, or a write (which makes the line dirty), of the line that holds `at`, asked for in cycle `now` by
 * the instruction at the linear address `ip`, or 0.
 */
struct cache_answer cache_ask(struct cache *cache, enum cache_use use, struct paddr at, bool is_write,
                              cycle_t now, uint64_t ip);

static inline struct cache_answer cache_access_as(struct cache *cache, enum cache_use use, struct paddr at,
                                                  bool is_write, cycle_t now)
{
    return cache_ask(cache, use, at, is_write, now, 0);
}

static inline struct cache_answer cache_access(struct cache *cache, struct paddr at, bool is_write,
                                               cycle_t now)
{
    return cache_ask(cache, CACHE_USE_ALL, at, is_write, now, 0);
}

/*
 * A store to the line that holds `at`, whose fill may be under way, has just been made: until another line of
 * its set is touched, further stores may take the front's word. For a requester whose stores take effect in
 * order, so that those behind the first wait for the line through it.
 */
void cache_let_stores_hit(struct cache *cache, struct paddr at);

/* Whether the line that holds `at` is here or on its way, and its state; changes nothing. */
bool cache_contains(const struct cache *cache, struct paddr at);
enum cache_state cache_state(const struct cache *cache, struct paddr at);

const struct cache_front *cache_front(const struct cache *cache);
void cache_add_front_hits(struct cache *cache, uint64_t nr_hits);

/* What a hit takes. */
cycle_t cache_hit_cycles(const struct cache *cache);

/* The cache that misses go to, NULL when it is the DRAM. */
struct cache *cache_below(const struct cache *cache);

/* Writes all dirty lines back and forgets everything (WBINVD); or forgets without writing (INVD). */
void cache_flush(struct cache *cache, bool write_back, cycle_t now);
/*
 * The line that holds `at`, if it is here, is dropped; if it was dirty it is written to memory, and no cache
 * on the way keeps a copy (CLFLUSH). Or it is forgotten without writing.
 */
void cache_flush_line(struct cache *cache, struct paddr at, bool write_back, cycle_t now);

/* Another core or a device wants to read the line, or to have it alone. One cache's part of a snoop. */
enum cache_snoop { CACHE_SNOOP_READ, CACHE_SNOOP_ALONE };
/* `is_supplier`: no cache above had it dirty; if it is dirty here, it is written to memory. */
enum cache_state cache_snoop_line(struct cache *cache, struct paddr at, enum cache_snoop kind,
                                  bool is_supplier, cycle_t now);

const struct cache_stats *cache_stats(const struct cache *cache);
bool cache_register_stats(struct cache *cache, struct stat_registry *registry, const char *path);

/*
 * For windows and tests: the line in a place of a set; with LRU and FIFO the latest first. False for an empty
 * way.
 */
struct cache_line_view {
    uint64_t line;
    bool is_dirty;
};
bool cache_view(const struct cache *cache, uint64_t set, uint64_t way, struct cache_line_view *view);
uint64_t cache_nr_sets(const struct cache *cache);
uint64_t cache_nr_ways(const struct cache *cache);

/*
 * For windows: from now on each line that comes to lie here counts in nr_fills[its frame of 4 KiB], as far as
 * there are frames and to UINT16_MAX at most. NULL ends it. Nothing else changes.
 */
void cache_count_fills(struct cache *cache, uint16_t *nr_fills, uint64_t nr_frames);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void cache_snap(struct cache *cache, struct snap *snap);

#endif
