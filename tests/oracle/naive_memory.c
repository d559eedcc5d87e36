#include "tests/oracle/naive_memory.h"

#include "tests/oracle/naive_dram_config.h"

#include <inttypes.h>
#include <stdio.h>

/* What the configuration says of one cache; keys that only some caches have are set by the caller. */
#define CACHE_OF(cache, c, level_of_it)                                                                      \
    (struct naive_cache)                                                                                     \
    {                                                                                                        \
        .level = (level_of_it), .nr_ways = (c)->cache_##cache##_ways,                                        \
        .line_bytes = (c)->cache_##cache##_line_bytes,                                                       \
        .latency_cycles = (c)->cache_##cache##_latency_cycles,                                               \
        .policy = policies[(c)->cache_##cache##_replacement], .mshrs = {.nr = (c)->cache_##cache##_mshrs},   \
        .path = {.bytes_per_cycle = (c)->cache_##cache##_bytes_per_cycle}, .random = (c)->cache_random_seed, \
        .prefetch = {.kind = prefetchers[(c)->cache_##cache##_prefetcher],                                   \
                     .line_bytes = (c)->cache_##cache##_line_bytes,                                          \
                     .degree = (c)->cache_##cache##_prefetch_degree,                                         \
                     .distance = (c)->cache_##cache##_prefetch_distance,                                     \
                     .nr_entries = (c)->cache_##cache##_prefetch_entries},                                   \
        .dram = &memory->dram                                                                                \
    }
#define WRITES_OF(cache, c)                                                                                  \
    memory->cache.is_write_through = (c)->cache_##cache##_write != 0;                                        \
    memory->cache.has_no_write_allocate = !(c)->cache_##cache##_write_allocate;                              \
    memory->cache.write_buffers.nr = (c)->cache_##cache##_write_buffers

static void is_below(struct naive_cache *cache, struct naive_cache *above)
{
    above->below = cache;
    cache->above[cache->nr_above++] = above;
}

bool naive_memory_init(struct naive_memory *memory, const struct config *c)
{
    /* In the order of the names of the keys. */
    static const enum naive_policy policies[] = {NAIVE_LRU, NAIVE_PLRU, NAIVE_SRRIP, NAIVE_RANDOM,
                                                 NAIVE_FIFO};
    static const enum naive_inclusion inclusions[] = {NAIVE_NON_INCLUSIVE, NAIVE_INCLUSIVE, NAIVE_EXCLUSIVE};
    static const enum naive_prefetcher prefetchers[] = {NAIVE_PREFETCH_NONE, NAIVE_PREFETCH_NEXT_LINE,
                                                        NAIVE_PREFETCH_STRIDE, NAIVE_PREFETCH_STREAM};
    *memory =
        (struct naive_memory){.nr_levels = (unsigned)c->cache_levels, .is_unified = c->cache_unified_l1};
    struct naive_dram_config dram = naive_dram_config_of(c);
    if (!naive_dram_init(&memory->dram, &dram))
        return false;
    memory->l1i = CACHE_OF(l1i, c, NAIVE_FROM_L1);
    memory->l1d = CACHE_OF(l1d, c, NAIVE_FROM_L1);
    memory->l2 = CACHE_OF(l2, c, NAIVE_FROM_L2);
    memory->l3 = CACHE_OF(l3, c, NAIVE_FROM_L3);
    WRITES_OF(l1d, c);
    WRITES_OF(l2, c);
    WRITES_OF(l3, c);
    memory->l1i.is_for_code = true;
    memory->l2.inclusion = inclusions[c->cache_l2_inclusion];
    memory->l3.inclusion = inclusions[c->cache_l3_inclusion];
    if (memory->nr_levels >= 2 && !memory->is_unified)
        is_below(&memory->l2, &memory->l1i);
    if (memory->nr_levels >= 2)
        is_below(&memory->l2, &memory->l1d);
    if (memory->nr_levels >= 3)
        is_below(&memory->l3, &memory->l2);
    naive_cache_init(&memory->l1i, c->cache_l1i_size_bytes);
    naive_cache_init(&memory->l1d, c->cache_l1d_size_bytes);
    naive_cache_init(&memory->l2, c->cache_l2_size_bytes);
    naive_cache_init(&memory->l3, c->cache_l3_size_bytes);
    return true;
}

void naive_memory_free(struct naive_memory *memory)
{
    naive_cache_free(&memory->l1i);
    naive_cache_free(&memory->l1d);
    naive_cache_free(&memory->l2);
    naive_cache_free(&memory->l3);
    naive_dram_free(&memory->dram);
}

/* Of a cache, by enum cpu_request_cache. */
static const char *cache_name(unsigned cache)
{
    static const char *const names[] = {"l1i", "l1d", "l2", "l3"};
    return cache < sizeof names / sizeof *names ? names[cache] : "?";
}

static const char *server_name(unsigned from)
{
    static const char *const names[] = {"l1", "l2", "l3", "dram"};
    return from < sizeof names / sizeof *names ? names[from] : "?";
}

static struct naive_cache *cache_of(struct naive_memory *memory, enum cpu_request_cache name)
{
    switch (name) {
    case CPU_REQUEST_L1I:
        return memory->is_unified ? &memory->l1d : &memory->l1i;
    case CPU_REQUEST_L1D:
        return &memory->l1d;
    case CPU_REQUEST_L2:
        return memory->nr_levels >= 2 ? &memory->l2 : NULL;
    case CPU_REQUEST_L3:
        return memory->nr_levels >= 3 ? &memory->l3 : NULL;
    case NR_CPU_REQUEST_CACHES:
        break;
    }
    return NULL;
}

bool naive_memory_request(struct naive_memory *memory, const struct cpu_seen_request *seen,
                          char why[NAIVE_WHY_CHARS])
{
    static const enum naive_use uses[] = {[CACHE_USE_ALL] = NAIVE_USE_ALL,
                                          [CACHE_USE_NO_FILL] = NAIVE_USE_NO_FILL,
                                          [CACHE_USE_WRITE_THROUGH] = NAIVE_USE_WRITE_THROUGH,
                                          [CACHE_USE_NONE] = NAIVE_USE_NONE};
    static const unsigned servers[NR_SERVED_BY] = {[SERVED_BY_L1] = NAIVE_FROM_L1,
                                                   [SERVED_BY_L2] = NAIVE_FROM_L2,
                                                   [SERVED_BY_L3] = NAIVE_FROM_L3,
                                                   [SERVED_BY_DRAM] = NAIVE_FROM_DRAM};
    struct naive_cache *cache = cache_of(memory, seen->cache);
    bool is_write = seen->kind == CPU_REQUEST_WRITE;
    struct naive_answer answer = {0};
    if (!cache) {
        snprintf(why, NAIVE_WHY_CHARS, "the %s is asked, which is not there", cache_name(seen->cache));
        return false;
    }
    switch (seen->kind) {
    case CPU_REQUEST_READ:
    case CPU_REQUEST_WRITE:
        answer = naive_cache_access(cache, uses[seen->use], seen->at.v, is_write, seen->asked, seen->ip);
        if (answer.ready == seen->ready && answer.from == servers[seen->served_by])
            return true;
        snprintf(why, NAIVE_WHY_CHARS,
                 "%s of the %s at %" PRIx64 ", use %d, asked in cycle %" PRIu64 ": answered in cycle %" PRIu64
                 " from %s, by the model in cycle %" PRIu64 " from %s",
                 is_write ? "write" : "read", cache_name(seen->cache), seen->at.v, seen->use, seen->asked,
                 seen->ready, server_name(servers[seen->served_by]), answer.ready, server_name(answer.from));
        return false;
    case CPU_REQUEST_FLUSH:
    case CPU_REQUEST_FORGET:
        naive_cache_flush(cache, seen->kind == CPU_REQUEST_FLUSH, seen->asked);
        return true;
    case CPU_REQUEST_FLUSH_LINE:
    case CPU_REQUEST_FORGET_LINE:
        naive_cache_flush_line(cache, seen->at.v, seen->kind == CPU_REQUEST_FLUSH_LINE, seen->asked);
        return true;
    case NR_CPU_REQUEST_KINDS:
        break;
    }
    return true;
}

bool naive_memory_device(struct naive_memory *memory, const struct dma_seen_line *seen,
                         char why[NAIVE_WHY_CHARS])
{
    struct naive_cache *const all[] = {&memory->l1i, &memory->l1d, &memory->l2, &memory->l3};
    unsigned first = memory->is_unified, nr_caches = memory->nr_levels + 1 - first;
    struct naive_snoop_answer answer = {.ready = seen->asked};
    if (seen->is_snooped)
        answer = naive_snoop(all + first, nr_caches, seen->at.v, seen->is_write, seen->asked);
    if (!answer.was_modified || seen->is_write)
        answer.ready = naive_dram_access(&memory->dram, seen->at.v, seen->is_write, seen->asked);
    if (answer.is_here == seen->was_here && answer.was_modified == seen->was_dirty &&
        answer.ready == seen->ready)
        return true;
    snprintf(why, NAIVE_WHY_CHARS,
             "%s of a device at %" PRIx64 " in cycle %" PRIu64 ": here %d, dirty %d, cycle %" PRIu64
             "; by the model %d, %d, cycle %" PRIu64,
             seen->is_write ? "write" : "read", seen->at.v, seen->asked, seen->was_here, seen->was_dirty,
             seen->ready, answer.is_here, answer.was_modified, answer.ready);
    return false;
}

static void tell_cache(const struct naive_cache *cache, const char *path, naive_count_fn *tell, void *opaque)
{
    const struct {
        const char *name;
        uint64_t counted;
    } counts[] = {
#define COUNT(name) {#name, cache->counts.name}
        COUNT(accesses),
        COUNT(hits),
        COUNT(misses),
        COUNT(hits_in_flight),
        COUNT(mshr_wait_cycles),
        COUNT(fills),
        COUNT(evictions),
        COUNT(write_throughs),
        COUNT(uncached),
        COUNT(writebacks),
        COUNT(clean_puts),
        COUNT(write_buffer_wait_cycles),
        COUNT(back_invalidations),
        COUNT(upgrades),
        COUNT(snoops),
        COUNT(snoop_hits),
        COUNT(interventions),
        COUNT(snoop_invalidations),
        COUNT(prefetches),
        COUNT(prefetch_useful),
        COUNT(prefetch_late),
        COUNT(prefetch_late_cycles),
        COUNT(prefetch_useless),
        COUNT(prefetch_dropped),
#undef COUNT
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char name[64];
        snprintf(name, sizeof name, "cache.%s.%s", path, counts[i].name);
        tell(opaque, name, counts[i].counted);
    }
}

void naive_memory_counts(const struct naive_memory *memory, naive_count_fn *tell, void *opaque)
{
    if (!memory->is_unified)
        tell_cache(&memory->l1i, "l1i0", tell, opaque);
    tell_cache(&memory->l1d, "l1d0", tell, opaque);
    if (memory->nr_levels >= 2)
        tell_cache(&memory->l2, "l2", tell, opaque);
    if (memory->nr_levels >= 3)
        tell_cache(&memory->l3, "l3", tell, opaque);
#define STAT(name, unit, sentence) tell(opaque, "dram." #name, memory->dram.counts.name);
#include "cache/dram_stats.def"
#undef STAT
}
