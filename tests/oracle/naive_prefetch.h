/* Prefetchers as docs/memory.md has them, in tables searched from end to end. Shares no code with cache/. */
#ifndef LK_TESTS_ORACLE_NAIVE_PREFETCH_H
#define LK_TESTS_ORACLE_NAIVE_PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

enum naive_prefetcher {
    NAIVE_PREFETCH_NONE,
    NAIVE_PREFETCH_NEXT_LINE,
    NAIVE_PREFETCH_STRIDE,
    NAIVE_PREFETCH_STREAM
};

/* What is remembered of an instruction (stride) or of a page (stream). */
struct naive_pattern {
    bool is_valid;
    uint64_t key; /* the instruction's address, or the page's number */
    int64_t last_line, stride, direction, furthest;
    char state; /* stride: 'i'nitial, 't'ransient, 's'teady, 'n'o prediction */
    uint64_t last_event;
};

enum { NAIVE_MAX_PREFETCHES = 64 };

struct naive_prefetch {
    enum naive_prefetcher kind;
    uint64_t line_bytes, degree, distance, nr_entries;
    struct naive_pattern *pattern; /* nr_entries */
    uint64_t events;
    unsigned nr_lines; /* asked for by the last event */
    uint64_t line[NAIVE_MAX_PREFETCHES];
};

/* All up to nr_entries is filled in. */
void naive_prefetch_init(struct naive_prefetch *prefetch);
void naive_prefetch_free(struct naive_prefetch *prefetch);
void naive_prefetch_event(struct naive_prefetch *prefetch, uint64_t line, uint64_t ip);

#endif
