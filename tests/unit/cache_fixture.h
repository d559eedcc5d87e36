/* Caches of up to three levels over a DRAM of constant latency, small enough that everything happens. */
#ifndef LK_TESTS_UNIT_CACHE_FIXTURE_H
#define LK_TESTS_UNIT_CACHE_FIXTURE_H

#include "cache/hierarchy.h"

#include <criterion/criterion.h>

enum { LINE = 64, DRAM_CYCLES = 50 };

struct stack_of_caches {
    struct dram *dram;
    struct cache_hierarchy at;
};

static inline uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return *state >> 33;
}

static inline struct dram *plain_dram(void)
{
    const struct dram_params params = {.nr_banks = 1,
                                       .row_bytes = 1 << 20,
                                       .row_hit_cycles = DRAM_CYCLES,
                                       .row_miss_cycles = DRAM_CYCLES,
                                       .row_conflict_cycles = DRAM_CYCLES,
                                       .burst_cycles = 0};
    struct dram *dram = dram_create(&params);
    cr_assert_not_null(dram);
    return dram;
}

/* As the settings say ("cache.l1d.ways=2"), the last one NULL. */
static inline struct stack_of_caches make_caches(const char *const *settings)
{
    struct stack_of_caches made = {.dram = plain_dram()};
    struct diag diag;
    struct cfg *cfg = cfg_create();
    diag_init(&diag);
    for (; *settings; settings++)
        cr_assert(cfg_set(cfg, *settings, &diag), "%s", diag.nr_lines ? diag.lines[0] : *settings);
    cr_assert(cfg_check(cfg, &diag), "%s", diag.nr_lines ? diag.lines[0] : "");
    cr_assert(cache_hierarchy_create(&made.at, cfg_values(cfg), made.dram));
    diag_fini(&diag);
    cfg_destroy(cfg);
    return made;
}

static inline void destroy_caches(struct stack_of_caches *caches)
{
    cache_hierarchy_destroy(&caches->at);
    dram_destroy(caches->dram);
}

#endif
