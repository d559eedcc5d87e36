/*
 * A prefetcher watches the demand accesses of one cache that a hit path need not hide: misses, and first hits
 * on lines that a prefetch brought in. It answers with lines to bring in; whether they are there already,
 * whether there is an MSHR for them, and what becomes of them is the cache's business (docs/memory.md).
 * Lines are numbers: physical address / line size.
 */
#ifndef LK_CACHE_PREFETCH_H
#define LK_CACHE_PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of the names in `cache.*.prefetcher`. */
enum prefetch_kind { PREFETCH_NONE, PREFETCH_NEXT_LINE, PREFETCH_STRIDE, PREFETCH_STREAM };

enum { PREFETCH_MAX_LINES = 16 }; /* asked for by one access */

struct prefetch_params {
    enum prefetch_kind kind;
    uint64_t line_bytes;
    uint64_t degree;     /* lines asked for by one access, at most: 1 to PREFETCH_MAX_LINES */
    uint64_t distance;   /* how far ahead of the access they lie; not 0 */
    uint64_t nr_entries; /* instructions or pages that are remembered: stride, stream */
};

/* One demand access, after the cache has dealt with it. */
struct prefetch_event {
    uint64_t line;
    uint64_t ip;  /* linear address of the instruction, 0 where it is not known */
    bool is_miss; /* false: the first hit on a line that was prefetched */
    bool is_write;
};

struct prefetch_list {
    unsigned nr_lines;
    uint64_t line[PREFETCH_MAX_LINES];
};

struct prefetcher;

/* NULL when memory is short. A cache whose prefetcher is of kind PREFETCH_NONE has none. */
struct prefetcher *prefetcher_create(const struct prefetch_params *params);
void prefetcher_destroy(struct prefetcher *prefetcher);

/* Learns from `event`. What is to be brought in, in order, is in `list`, which need not be cleared. */
void prefetcher_train(struct prefetcher *prefetcher, const struct prefetch_event *event,
                      struct prefetch_list *list);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void prefetcher_snap(struct prefetcher *prefetcher, struct snap *snap);

#endif
