/* Memory types other than write-back, flushes, and snoops: what is done to lines but asking for them. */
#include "cache/cache_internal.h"

/*
 * A dropped line goes down to memory. No cache on its way keeps a copy; nothing is allocated for it, and no
 * buffer waited for.
 */
static void go_down(struct cache *cache, uint64_t number, cycle_t now)
{
    cache->stats.writebacks++;
    for (struct cache *below = cache->below; below; below = below->below) {
        int way = cache_find(below, number);
        below->stats.accesses++;
        below->stats.hits += way >= 0;
        below->stats.misses += way < 0;
        below->stats.writebacks++;
        if (below->is_inclusive)
            (void)cache_remove_above(below, number);
        if (way >= 0)
            cache_remove(below, number, (unsigned)way);
        cache = below;
    }
    if (cache->content)
        cache_content_line_written(cache->content, number, now);
    (void)dram_access(cache->dram, cache_line_address(cache, number), true, now);
}

static void drop(struct cache *cache, uint64_t number, bool write_back, cycle_t now)
{
    int way = cache_find(cache, number);
    if (way < 0)
        return;
    uint64_t index = cache_set_of(cache, number) * cache->nr_ways + (unsigned)way;
    bool is_dirty = cache_info_state(cache->lines[index].info) == CACHE_STATE_M;
    if (cache->is_inclusive)
        is_dirty |= cache_remove_above(cache, number);
    cache_remove(cache, number, (unsigned)way);
    if (is_dirty && write_back)
        go_down(cache, number, now);
}

/* What becomes of an access that this cache does not serve. */
static struct cache_answer pass_on(struct cache *cache, enum cache_use use, struct paddr at, bool is_write,
                                   cycle_t now)
{
    if (cache->below)
        return cache_ask(cache->below, use, at, is_write, now, 0);
    if (cache->content && is_write)
        cache_content_part_written(cache->content);
    if (cache->content)
        cache_content_asked(cache->content, at, is_write, now, 0);
    return (struct cache_answer){dram_access(cache->dram, at, is_write, now), SERVED_BY_DRAM};
}

struct cache_answer cache_ask_specially(struct cache *cache, enum cache_use use, struct paddr at,
                                        bool is_write, cycle_t now)
{
    uint64_t number = cache_line_number(cache, at);
    if (use == CACHE_USE_NONE) {
        cache->stats.uncached++;
        drop(cache, number, true, now);
        return pass_on(cache, use, at, is_write, now);
    }
    int way = cache_find(cache, number);
    cache->stats.accesses++;
    cache->stats.hits += way >= 0;
    cache->stats.misses += way < 0;
    cache->stats.write_throughs += use == CACHE_USE_WRITE_THROUGH;
    if (way >= 0) {
        uint64_t set = cache_set_of(cache, number);
        uint64_t *info = &cache->lines[set * cache->nr_ways + (unsigned)way].info;
        cache_touch(cache, set, (unsigned)way);
        if (*info >> LINE_FILLED_SHIFT <= now)
            *info &= (1 << LINE_FILLED_SHIFT) - 1;
        cache->front.read_line[set] = cache->front.write_line[set] = cache->last_touched = CACHE_NO_LINE;
    }
    return pass_on(cache, use, at, is_write, now + cache->latency_cycles);
}

void cache_flush(struct cache *cache, bool write_back, cycle_t now)
{
    uint64_t nr_lines = cache->nr_sets * cache->nr_ways;
    for (uint64_t i = 0; write_back && i < nr_lines; i++) {
        if (cache_info_state(cache->lines[i].info) != CACHE_STATE_M)
            continue;
        cache->stats.writebacks++;
        (void)cache_put_down(cache, cache->lines[i].tag, CACHE_STATE_M, now);
    }
    for (uint64_t i = 0; i < nr_lines; i++)
        if (cache->lines[i].tag != CACHE_NO_LINE)
            cache_remove(cache, cache->lines[i].tag, (unsigned)(i % cache->nr_ways));
    if (cache->content)
        cache_content_flushed(cache->content);
}

void cache_flush_line(struct cache *cache, struct paddr at, bool write_back, cycle_t now)
{
    drop(cache, cache_line_number(cache, at), write_back, now);
    if (cache->content)
        cache_content_flushed(cache->content);
}

enum cache_state cache_snoop_line(struct cache *cache, struct paddr at, enum cache_snoop kind,
                                  bool is_supplier, cycle_t now)
{
    uint64_t number = cache_line_number(cache, at), set = cache_set_of(cache, number);
    int way = cache_find(cache, number);
    cache->stats.snoops++;
    if (way < 0)
        return CACHE_STATE_I;
    uint64_t *info = &cache->lines[set * cache->nr_ways + (unsigned)way].info;
    enum cache_state state = cache_info_state(*info);
    cache->stats.snoop_hits++;
    if (state == CACHE_STATE_M && is_supplier) {
        const struct cache *last = cache;
        while (last->below)
            last = last->below;
        cache->stats.interventions++;
        if (cache->content)
            cache_content_line_written(cache->content, number, now);
        (void)dram_access(last->dram, cache_line_address(cache, number), true, now);
    }
    if (kind == CACHE_SNOOP_ALONE) {
        cache->stats.snoop_invalidations++;
        cache_remove(cache, number, (unsigned)way);
        if (cache->content)
            cache_content_flushed(cache->content);
        return state;
    }
    *info = (*info & ~(uint64_t)LINE_STATE_MASK) | CACHE_STATE_S;
    if (cache->front.write_line[set] == number)
        cache->front.write_line[set] = CACHE_NO_LINE;
    cache->last_touched = CACHE_NO_LINE; /* the next store has to say that it needs the line alone */
    return state;
}
