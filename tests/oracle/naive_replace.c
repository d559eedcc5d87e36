#include "tests/oracle/naive_cache.h"

static uint64_t set_of(const struct naive_cache *cache, const struct naive_line *line)
{
    return (uint64_t)(line - cache->lines) / cache->nr_ways;
}

/* Bits from the root to the way then point to the halves that it is not in. */
static void point_away(struct naive_cache *cache, const struct naive_line *line)
{
    bool *bits = cache->tree[set_of(cache, line)];
    uint64_t way = (uint64_t)(line - cache->lines) % cache->nr_ways, first = 0, nr_ways = cache->nr_ways;
    for (unsigned node = 1; nr_ways > 1;) {
        bool is_in_higher = way >= first + nr_ways / 2;
        bits[node] = !is_in_higher;
        nr_ways /= 2;
        first += is_in_higher ? nr_ways : 0;
        node = 2 * node + (is_in_higher ? 1 : 0);
    }
}

static struct naive_line *pointed_at(struct naive_cache *cache, struct naive_line *set)
{
    const bool *bits = cache->tree[set_of(cache, set)];
    uint64_t first = 0, nr_ways = cache->nr_ways;
    for (unsigned node = 1; nr_ways > 1;) {
        bool is_in_higher = bits[node];
        nr_ways /= 2;
        first += is_in_higher ? nr_ways : 0;
        node = 2 * node + (is_in_higher ? 1 : 0);
    }
    return &set[first];
}

void naive_policy_touch(struct naive_cache *cache, struct naive_line *line)
{
    line->touched = ++cache->time;
    line->rrpv = 0;
    if (cache->policy == NAIVE_PLRU)
        point_away(cache, line);
}

void naive_policy_fill(struct naive_cache *cache, struct naive_line *line)
{
    line->touched = line->filled = ++cache->time;
    line->rrpv = 2;
    if (cache->policy == NAIVE_PLRU)
        point_away(cache, line);
}

static struct naive_line *least(struct naive_cache *cache, struct naive_line *set, bool by_fill)
{
    struct naive_line *found = set;
    for (uint64_t way = 1; way < cache->nr_ways; way++) {
        uint64_t time = by_fill ? set[way].filled : set[way].touched;
        if (time < (by_fill ? found->filled : found->touched))
            found = &set[way];
    }
    return found;
}

static struct naive_line *least_likely(struct naive_cache *cache, struct naive_line *set)
{
    for (;;) {
        for (uint64_t way = 0; way < cache->nr_ways; way++) {
            if (set[way].rrpv == 3)
                return &set[way];
        }
        for (uint64_t way = 0; way < cache->nr_ways; way++)
            set[way].rrpv++;
    }
}

struct naive_line *naive_policy_victim(struct naive_cache *cache, struct naive_line *set)
{
    switch (cache->policy) {
    case NAIVE_LRU:
        return least(cache, set, false);
    case NAIVE_FIFO:
        return least(cache, set, true);
    case NAIVE_PLRU:
        return pointed_at(cache, set);
    case NAIVE_SRRIP:
        return least_likely(cache, set);
    case NAIVE_RANDOM:
        cache->random ^= cache->random << 13;
        cache->random ^= cache->random >> 7;
        cache->random ^= cache->random << 17;
        return &set[cache->random % cache->nr_ways];
    }
    return set;
}
