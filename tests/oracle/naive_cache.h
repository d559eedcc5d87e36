/*
 * Caches as docs/memory.md has them, written down first and plainly: tables that are searched from end to
 * end, with times of last use in each entry. They share no code with cache/, whose counts and answers they
 * check.
 */
#ifndef LK_TESTS_ORACLE_NAIVE_CACHE_H
#define LK_TESTS_ORACLE_NAIVE_CACHE_H

#include "tests/oracle/naive_dram.h"
#include "tests/oracle/naive_prefetch.h"

/* Numbers of our own: enum served_by and enum cache_use are the other side's. */
enum { NAIVE_FROM_L1, NAIVE_FROM_L2, NAIVE_FROM_L3, NAIVE_FROM_DRAM };
enum naive_use { NAIVE_USE_ALL, NAIVE_USE_NO_FILL, NAIVE_USE_WRITE_THROUGH, NAIVE_USE_NONE };
enum naive_policy { NAIVE_LRU, NAIVE_PLRU, NAIVE_SRRIP, NAIVE_RANDOM, NAIVE_FIFO };
enum naive_inclusion { NAIVE_NON_INCLUSIVE, NAIVE_INCLUSIVE, NAIVE_EXCLUSIVE };

struct naive_line {
    char state; /* 'M', 'E', 'S'; 'I' or 0: an empty way */
    bool is_marked, is_settled;
    uint64_t number;          /* physical address / line size */
    uint64_t there_at;        /* the cycle of its fill */
    unsigned from;            /* who sent it */
    uint64_t touched, filled; /* when, by the cache's own count of such events */
    unsigned rrpv;            /* of the way: it stays when the line goes */
};

/* Registers that are busy until some cycle. */
enum { NAIVE_MAX_REGISTERS = 64, NAIVE_TRANSFERS = 16, NAIVE_MAX_ABOVE = 2, NAIVE_TREE_NODES = 64 };
struct naive_registers {
    uint64_t nr;       /* 0: no limit */
    uint64_t begin_at; /* behind the one taken last */
    uint64_t until[NAIVE_MAX_REGISTERS];
};

struct naive_path {
    uint64_t bytes_per_cycle; /* 0: no limit */
    uint64_t nr_transfers;
    struct {
        uint64_t begin, end;
    } transfer[NAIVE_TRANSFERS]; /* the last ones */
};

/* Names as in cache/cache_stats.def. */
struct naive_cache_counts {
    uint64_t accesses, hits, misses, hits_in_flight, mshr_wait_cycles, fills, evictions, write_throughs,
        uncached, writebacks, clean_puts, write_buffer_wait_cycles, back_invalidations, upgrades, snoops,
        snoop_hits, interventions, snoop_invalidations, prefetches, prefetch_useful, prefetch_late,
        prefetch_late_cycles, prefetch_useless, prefetch_dropped;
};

struct naive_cache {
    uint64_t nr_sets, nr_ways, line_bytes, latency_cycles;
    unsigned level; /* NAIVE_FROM_L1, ... */
    enum naive_policy policy;
    enum naive_inclusion inclusion;
    bool is_write_through, has_no_write_allocate, is_for_code;
    uint64_t random;
    struct naive_registers mshrs, write_buffers;
    struct naive_path path;
    struct naive_prefetch prefetch;
    bool is_told; /* its prefetcher, of a demand; it acts when all levels have done with that */
    uint64_t told_line, told_ip, told_at;
    struct naive_cache *below; /* NULL: the DRAM */
    struct naive_dram *dram;
    struct naive_cache *above[NAIVE_MAX_ABOVE]; /* directly */
    unsigned nr_above;
    struct naive_line *lines; /* nr_sets x nr_ways */
    bool (*tree)
        [NAIVE_TREE_NODES]; /* by set: bits of the PLRU tree, the root is 1; true points to the higher half */
    uint64_t time;
    struct naive_cache_counts counts;
};

struct naive_answer {
    uint64_t ready;
    unsigned from;
    char state; /* with which the line comes */
};

/* All above `lines` but nr_sets and `above` is filled in; whoever is above adds itself. */
void naive_cache_init(struct naive_cache *cache, uint64_t size_bytes);
void naive_cache_free(struct naive_cache *cache);

/* A request of the core. */
struct naive_answer naive_cache_access(struct naive_cache *cache, enum naive_use how, uint64_t physical,
                                       bool is_write, uint64_t now, uint64_t ip);
/* One cache's part of WBINVD, INVD; CLFLUSH. */
void naive_cache_flush(struct naive_cache *cache, bool write_back, uint64_t now);
void naive_cache_flush_line(struct naive_cache *cache, uint64_t physical, bool write_back, uint64_t now);

/* Of the caches of a core, from the highest down, with the L1I before the L1D. */
struct naive_snoop_answer {
    bool is_here, was_modified;
    uint64_t ready;
};
struct naive_snoop_answer naive_snoop(struct naive_cache *const caches[], unsigned nr_caches,
                                      uint64_t physical, bool wants_alone, uint64_t now);

/* naive_replace.c: what a cache's policy is told, and asked. */
void naive_policy_touch(struct naive_cache *cache, struct naive_line *line);
void naive_policy_fill(struct naive_cache *cache, struct naive_line *line);
struct naive_line *naive_policy_victim(struct naive_cache *cache, struct naive_line *set);

/* naive_busy.c */
/* Takes one; its number is in *which. Returns the cycle. */
uint64_t naive_registers_take(struct naive_registers *registers, uint64_t now, uint64_t *which);
bool naive_registers_has_free(const struct naive_registers *registers, uint64_t now);
void naive_registers_busy(struct naive_registers *registers, uint64_t which, uint64_t until);
/* The cycle in which a transfer begins. */
uint64_t naive_path_move(struct naive_path *path, uint64_t nr_bytes, uint64_t now);

#endif
