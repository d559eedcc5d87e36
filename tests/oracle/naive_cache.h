/*
 * Caches as one would write them down first: tables that are searched from end to end, with the time of the
 * last use in each entry, and the cycle in which each line is there. They share no code with cache/, whose
 * counts and answers they check.
 */
#ifndef LK_TESTS_ORACLE_NAIVE_CACHE_H
#define LK_TESTS_ORACLE_NAIVE_CACHE_H

#include "tests/oracle/naive_dram.h"

/* Numbers of our own: enum served_by and enum cache_use are the other side's. */
enum { NAIVE_FROM_L1, NAIVE_FROM_L2, NAIVE_FROM_L3, NAIVE_FROM_DRAM };
enum naive_use { NAIVE_USE_ALL, NAIVE_USE_NO_FILL, NAIVE_USE_WRITE_THROUGH, NAIVE_USE_NONE };

struct naive_line {
    bool is_valid, is_dirty;
    uint64_t number; /* physical address / line size */
    uint64_t last_used;
    uint64_t there_at; /* the cycle in which its fill is done */
    unsigned from;     /* who fills it */
};

struct naive_cache_counts {
    uint64_t accesses, hits, misses, hits_in_flight, fills, evictions, write_throughs, uncached, writebacks;
};

struct naive_cache {
    uint64_t nr_sets, nr_ways, line_bytes, latency_cycles;
    unsigned level;            /* NAIVE_FROM_L1, ... */
    struct naive_cache *below; /* NULL: the DRAM */
    struct naive_dram *dram;
    struct naive_line *lines; /* nr_sets x nr_ways, in no order */
    uint64_t time;
    struct naive_cache_counts counts;
};

struct naive_answer {
    uint64_t ready;
    unsigned from;
};

/* All above `lines` but nr_sets is filled in. */
void naive_cache_init(struct naive_cache *cache, uint64_t size_bytes);
void naive_cache_free(struct naive_cache *cache);

struct naive_answer naive_cache_access(struct naive_cache *cache, enum naive_use how, uint64_t physical,
                                       bool is_write, uint64_t now);
void naive_cache_flush(struct naive_cache *cache, bool write_back, uint64_t now);
void naive_cache_flush_line(struct naive_cache *cache, uint64_t physical, bool write_back, uint64_t now);

#endif
