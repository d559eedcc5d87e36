/*
 * TLBs as one would write them down first: tables that are searched from end to end, with the time of the
 * last use in each entry. They share no code with tlb/, whose counts they check.
 */
#ifndef LK_TESTS_ORACLE_NAIVE_STRUCTURES_H
#define LK_TESTS_ORACLE_NAIVE_STRUCTURES_H

#include <stdbool.h>
#include <stdint.h>

struct naive_counts {
    uint64_t accesses, hits, misses, fills, evictions, flushes, invalidations;
};

/* Of a paging-structure cache: what the entry spans, and where the table is. */
struct naive_page {
    bool is_valid, is_user, is_writable, is_executable, is_dirty, is_global;
    uint64_t page_bytes, table;
    uint64_t number; /* linear address / page size */
    uint64_t pcid;
    uint64_t last_used, filled;
    uint64_t ready; /* the cycle in which the walk that found it was over, or the L2 TLB answered */
};

enum naive_pages { NAIVE_SMALL = 1, NAIVE_LARGE = 2 };

enum naive_tlb_policy { NAIVE_TLB_LRU, NAIVE_TLB_PLRU, NAIVE_TLB_RANDOM, NAIVE_TLB_FIFO };

struct naive_array {
    unsigned pages; /* naive_pages ORed */
    enum naive_tlb_policy policy;
    uint64_t nr_sets, nr_ways;
    uint64_t random;            /* the generator's state */
    bool *tree;                 /* nr_sets x nr_ways: of each set the bits of a tree, the root's is bit 1 */
    struct naive_page *entries; /* nr_sets x nr_ways, in no order */
};

struct naive_tlb {
    unsigned nr_arrays;
    struct naive_array array[2];
    uint64_t time;
    struct naive_counts counts;
};

void naive_tlb_add_array(struct naive_tlb *tlb, unsigned pages, enum naive_tlb_policy policy,
                         uint64_t nr_entries, uint64_t nr_ways, uint64_t seed);
/* The entry that translates `linear`, or NULL; counted and used. */
struct naive_page *naive_tlb_lookup(struct naive_tlb *tlb, uint64_t linear, uint64_t pcid);
void naive_tlb_fill(struct naive_tlb *tlb, struct naive_page page);
void naive_tlb_flush(struct naive_tlb *tlb, bool keep_global);
void naive_tlb_flush_pcid(struct naive_tlb *tlb, uint64_t pcid);
void naive_tlb_invalidate(struct naive_tlb *tlb, uint64_t linear, uint64_t pcid, bool keep_global);
void naive_tlb_free(struct naive_tlb *tlb);

#endif
