/*
 * Replacement: which line of a full set goes. Tree-PLRU: the bits on the way from the root to a line point
 * away from it when it is touched. SRRIP: Jaleel et al., "High Performance Cache Replacement Using
 * Re-Reference Interval Prediction (RRIP)", ISCA 2010, with two bits and hit priority. Random: xorshift64
 * (Marsaglia, "Xorshift RNGs", 2003), stepped once for each line that has to go.
 */
#include "cache/cache_internal.h"

#include <stdlib.h>

enum { RRPV_FAR = 3, RRPV_LONG = 2, DIGIT_BITS = 4 };

static void point_away(struct cache *cache, uint64_t set, unsigned way)
{
    uint64_t bits = cache_set_at(cache, set)->order;
    unsigned node = 1;
    for (unsigned half = cache->nr_ways / 2; half > 0; half /= 2) {
        bool is_right = way & half;
        bits = is_right ? bits & ~((uint64_t)1 << node) : bits | (uint64_t)1 << node;
        node = 2 * node + is_right;
    }
    cache_set_at(cache, set)->order = bits;
}

static unsigned follow(const struct cache *cache, uint64_t set)
{
    uint64_t bits = cache_set_at(cache, set)->order;
    unsigned node = 1;
    while (node < cache->nr_ways)
        node = 2 * node + (unsigned)(bits >> node & 1);
    return node - cache->nr_ways;
}

static void put_first(struct cache *cache, uint64_t set, unsigned way)
{
    if (cache->nr_ways <= LRU_WORD_WAYS)
        cache_set_at(cache, set)->order = cache_order_first(cache_set_at(cache, set)->order, way);
    else
        cache->age[set * cache->nr_ways + way] = ++cache->clock;
}

static unsigned last_of(const struct cache *cache, uint64_t set)
{
    if (cache->nr_ways <= LRU_WORD_WAYS)
        return cache_set_at(cache, set)->order >> DIGIT_BITS * (cache->nr_ways - 1) & (LRU_WORD_WAYS - 1);
    const uint64_t *age = &cache->age[set * cache->nr_ways];
    unsigned oldest = 0;
    for (unsigned way = 1; way < cache->nr_ways; way++)
        oldest = age[way] < age[oldest] ? way : oldest;
    return oldest;
}

static unsigned first_far(struct cache *cache, uint64_t set)
{
    uint8_t *rrpv = &cache->rrpv[set * cache->nr_ways];
    for (;;) {
        for (unsigned way = 0; way < cache->nr_ways; way++)
            if (rrpv[way] == RRPV_FAR)
                return way;
        for (unsigned way = 0; way < cache->nr_ways; way++)
            rrpv[way]++;
    }
}

static unsigned any(struct cache *cache)
{
    uint64_t x = cache->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    cache->random = x;
    return (unsigned)(x % cache->nr_ways);
}

void cache_touch_slowly(struct cache *cache, uint64_t set, unsigned way)
{
    switch (cache->replacement) {
    case CACHE_LRU:
        put_first(cache, set, way);
        break;
    case CACHE_PLRU:
        point_away(cache, set, way);
        break;
    case CACHE_SRRIP:
        cache->rrpv[set * cache->nr_ways + way] = 0;
        break;
    case CACHE_RANDOM:
    case CACHE_FIFO:
        break;
    }
}

void cache_note_fill_slowly(struct cache *cache, uint64_t set, unsigned way)
{
    if (cache->replacement == CACHE_SRRIP)
        cache->rrpv[set * cache->nr_ways + way] = RRPV_LONG;
    else if (cache->replacement == CACHE_FIFO)
        put_first(cache, set, way);
    else
        cache_touch_slowly(cache, set, way);
}

unsigned cache_choose_victim_slowly(struct cache *cache, uint64_t set)
{
    switch (cache->replacement) {
    case CACHE_PLRU:
        return follow(cache, set);
    case CACHE_SRRIP:
        return first_far(cache, set);
    case CACHE_RANDOM:
        return any(cache);
    case CACHE_LRU:
    case CACHE_FIFO:
        break;
    }
    return last_of(cache, set);
}

bool cache_replacement_init(struct cache *cache)
{
    const uint64_t in_order = 0xfedcba9876543210;
    bool has_order = cache->replacement == CACHE_LRU || cache->replacement == CACHE_FIFO;
    uint64_t nr_lines = cache->nr_sets * cache->nr_ways;
    for (uint64_t set = 0; set < cache->nr_sets; set++)
        cache_set_at(cache, set)->order = has_order ? in_order : 0;
    cache->random = cache->params.seed;
    if (has_order && cache->nr_ways > LRU_WORD_WAYS)
        cache->age = calloc(nr_lines, sizeof *cache->age);
    if (cache->replacement == CACHE_SRRIP)
        cache->rrpv = calloc(nr_lines, sizeof *cache->rrpv);
    return (cache->replacement != CACHE_SRRIP || cache->rrpv) &&
           (!has_order || cache->nr_ways <= LRU_WORD_WAYS || cache->age);
}

void cache_replacement_fini(struct cache *cache)
{
    free(cache->age);
    free(cache->rrpv);
}
