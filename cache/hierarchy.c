#include "cache/hierarchy.h"

static bool create_level(struct cache **level, const struct cache_params *params, enum served_by served_by,
                         struct cache *below, struct dram *dram)
{
    *level = cache_create(params, served_by, below, below ? NULL : dram);
    return *level != NULL;
}

bool cache_hierarchy_create(struct cache_hierarchy *caches, const struct config *c, struct dram *dram)
{
    const struct cache_params l1i = {c->cache_l1i_size_bytes, c->cache_l1i_ways, c->cache_l1i_line_bytes,
                                     c->cache_l1i_latency_cycles};
    const struct cache_params l1d = {c->cache_l1d_size_bytes, c->cache_l1d_ways, c->cache_l1d_line_bytes,
                                     c->cache_l1d_latency_cycles};
    const struct cache_params l2 = {c->cache_l2_size_bytes, c->cache_l2_ways, c->cache_l2_line_bytes,
                                    c->cache_l2_latency_cycles};
    const struct cache_params l3 = {c->cache_l3_size_bytes, c->cache_l3_ways, c->cache_l3_line_bytes,
                                    c->cache_l3_latency_cycles};
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

bool cache_hierarchy_register_stats(const struct cache_hierarchy *caches, struct stat_registry *registry)
{
    return (caches->l1i == caches->l1d || cache_register_stats(caches->l1i, registry, "cache.l1i0")) &&
           cache_register_stats(caches->l1d, registry, "cache.l1d0") &&
           (!caches->l2 || cache_register_stats(caches->l2, registry, "cache.l2")) &&
           (!caches->l3 || cache_register_stats(caches->l3, registry, "cache.l3"));
}
