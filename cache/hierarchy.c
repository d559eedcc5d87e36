#include "cache/hierarchy.h"

#include "sim/base/snap.h"

/* The keys that caches have: all; all that are written to; all that are below others. */
#define ANY(x)                                                                                               \
    .size_bytes = c->cache_##x##_size_bytes, .nr_ways = c->cache_##x##_ways,                                 \
    .line_bytes = c->cache_##x##_line_bytes, .latency_cycles = c->cache_##x##_latency_cycles,                \
    .replacement = (enum cache_replacement)c->cache_##x##_replacement, .mshrs = c->cache_##x##_mshrs,        \
    .bytes_per_cycle = c->cache_##x##_bytes_per_cycle, .seed = c->cache_random_seed,                         \
    .prefetch = {.kind = (enum prefetch_kind)c->cache_##x##_prefetcher,                                      \
                 .line_bytes = c->cache_##x##_line_bytes,                                                    \
                 .degree = c->cache_##x##_prefetch_degree,                                                   \
                 .distance = c->cache_##x##_prefetch_distance,                                               \
                 .nr_entries = c->cache_##x##_prefetch_entries}
#define WRITTEN(x)                                                                                           \
    .write = (enum cache_write)c->cache_##x##_write, .no_write_allocate = !c->cache_##x##_write_allocate,    \
    .write_buffers = c->cache_##x##_write_buffers
#define BELOW(x) .inclusion = (enum cache_inclusion)c->cache_##x##_inclusion

static bool create_level(struct cache **level, const struct cache_params *params, enum served_by served_by,
                         struct cache *below, struct dram *dram)
{
    *level = cache_create(params, served_by, below, below ? NULL : dram);
    return *level != NULL;
}

bool cache_hierarchy_create(struct cache_hierarchy *caches, const struct config *c, struct dram *dram)
{
    const struct cache_params l1i = {ANY(l1i), .is_for_code = true};
    const struct cache_params l1d = {ANY(l1d), WRITTEN(l1d)};
    const struct cache_params l2 = {ANY(l2), WRITTEN(l2), BELOW(l2)};
    const struct cache_params l3 = {ANY(l3), WRITTEN(l3), BELOW(l3)};
    *caches = (struct cache_hierarchy){0};
    bool is_good = c->cache_levels < 3 || create_level(&caches->l3, &l3, SERVED_BY_L3, NULL, dram);
    is_good =
        is_good && (c->cache_levels < 2 || create_level(&caches->l2, &l2, SERVED_BY_L2, caches->l3, dram));
    is_good = is_good && create_level(&caches->l1d, &l1d, SERVED_BY_L1, caches->l2, dram);
    caches->l1i = caches->l1d;
    if (is_good && !c->cache_unified_l1)
        is_good = create_level(&caches->l1i, &l1i, SERVED_BY_L1, caches->l2, dram);
    if (!is_good)
        cache_hierarchy_destroy(caches);
    return is_good;
}

void cache_hierarchy_destroy(struct cache_hierarchy *caches)
{
    if (caches->l1i != caches->l1d)
        cache_destroy(caches->l1i);
    cache_destroy(caches->l1d);
    cache_destroy(caches->l2);
    cache_destroy(caches->l3);
    *caches = (struct cache_hierarchy){0};
}

struct cache *cache_hierarchy_walk(const struct cache_hierarchy *caches, const struct config *config)
{
    return config->mmu_walk_through == CFG_WALK_L1D ? caches->l1d : caches->l2;
}

struct cache *cache_hierarchy_last(const struct cache_hierarchy *caches)
{
    return caches->l3 ? caches->l3 : caches->l2 ? caches->l2 : caches->l1d;
}

struct cache_snoop_answer cache_hierarchy_snoop(const struct cache_hierarchy *caches, struct paddr at,
                                                enum cache_snoop kind, cycle_t now)
{
    enum { MAX_CACHES = 4 };
    struct cache *const order[MAX_CACHES] = {caches->l1i, caches->l1d, caches->l2, caches->l3};
    struct cache_snoop_answer answer = {.ready = now};
    for (unsigned i = caches->l1i == caches->l1d; i < MAX_CACHES && order[i]; i++) {
        enum cache_state state = cache_snoop_line(order[i], at, kind, !answer.was_dirty, now);
        if (state != CACHE_STATE_I && !answer.was_here)
            answer.ready = now + cache_hit_cycles(order[i]);
        answer.was_here |= state != CACHE_STATE_I;
        answer.was_dirty |= state == CACHE_STATE_M;
    }
    return answer;
}

bool cache_hierarchy_register_stats(const struct cache_hierarchy *caches, struct stat_registry *registry)
{
    return (caches->l1i == caches->l1d || cache_register_stats(caches->l1i, registry, "cache.l1i0")) &&
           cache_register_stats(caches->l1d, registry, "cache.l1d0") &&
           (!caches->l2 || cache_register_stats(caches->l2, registry, "cache.l2")) &&
           (!caches->l3 || cache_register_stats(caches->l3, registry, "cache.l3"));
}

void cache_hierarchy_snap(const struct cache_hierarchy *caches, struct snap *snap)
{
    const struct {
        const char *name;
        struct cache *cache;
    } all[] = {{"cache l1d", caches->l1d},
               {"cache l1i", caches->l1i == caches->l1d ? NULL : caches->l1i},
               {"cache l2", caches->l2},
               {"cache l3", caches->l3}};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].cache)
            continue;
        snap_section(snap, all[i].name);
        cache_snap(all[i].cache, snap);
    }
}
