/* All caches of a machine and its DRAM, as naive models, from the machine's configuration. */
#ifndef LK_TESTS_ORACLE_NAIVE_MEMORY_H
#define LK_TESTS_ORACLE_NAIVE_MEMORY_H

#include "cpu/observe.h"
#include "dma/master.h"
#include "sim/base/config.h"
#include "tests/oracle/naive_cache.h"

struct naive_memory {
    unsigned nr_levels;
    bool is_unified; /* there is no L1I */
    struct naive_cache l1i, l1d, l2, l3;
    struct naive_dram dram;
};

/* False when it cannot be built. */
bool naive_memory_init(struct naive_memory *memory, const struct config *config);
void naive_memory_free(struct naive_memory *memory);

/* Makes the request. False when its answer is another; then that is written to `why`. */
enum { NAIVE_WHY_CHARS = 256 };
bool naive_memory_request(struct naive_memory *memory, const struct cpu_seen_request *seen,
                          char why[NAIVE_WHY_CHARS]);

/* The same of a line that a device asks for. */
bool naive_memory_device(struct naive_memory *memory, const struct dma_seen_line *seen,
                         char why[NAIVE_WHY_CHARS]);

/*
 * Hands each count over by its full name ("cache.l1d0.misses"): all that a run's statistics have of caches
 * and DRAM.
 */
typedef void naive_count_fn(void *opaque, const char *name, uint64_t counted);
void naive_memory_counts(const struct naive_memory *memory, naive_count_fn *tell, void *opaque);

#endif
