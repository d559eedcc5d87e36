/* The state of a cache, for checkpoints (sim/base/snap.h). */
#include "cache/cache_internal.h"
#include "sim/base/snap.h"

enum { NR_RRPV = 4, DIGIT_BITS = 4 };

static void busy_snap(struct cache_busy *busy, struct snap *snap)
{
    SNAP_OPEN(snap, busy);
    SNAP_SKIP(snap, busy->nr); /* of the configuration */
    SNAP_BELOW(snap, busy->next, busy->nr ? busy->nr : 1);
    SNAP_ARRAY(snap, busy->until);
    SNAP_CLOSE(snap, busy);
}

static void path_snap(struct cache_path *path, struct snap *snap)
{
    SNAP_OPEN(snap, path);
    SNAP_SKIP(snap, path->bytes_per_cycle); /* of the configuration */
    SNAP_BELOW(snap, path->next, CACHE_PATH_TRANSFERS);
    for (unsigned i = 0; i < CACHE_PATH_TRANSFERS; i++) {
        SNAP(snap, path->transfer[i].from);
        SNAP(snap, path->transfer[i].until);
    }
    SNAP_CLOSE(snap, path);
}

/* Whether the digits of an order name each way once. */
static bool is_order(const struct cache *cache, uint64_t order)
{
    unsigned seen = 0;
    for (unsigned i = 0; i < cache->nr_ways; i++)
        seen |= 1u << (order >> DIGIT_BITS * i & (LRU_WORD_WAYS - 1));
    return seen == (1u << cache->nr_ways) - 1;
}

static void check_set(const struct cache *cache, uint64_t set, struct snap *snap)
{
    const struct cache_set *at = cache_set_at(cache, set);
    uint64_t nr_lines = 0;
    for (unsigned way = 0; way < cache->nr_ways; way++)
        nr_lines += cache->lines[set * cache->nr_ways + way].tag != CACHE_NO_LINE;
    SNAP_REQUIRE(snap, at->nr_lines == nr_lines);
    bool has_order = cache->replacement == CACHE_LRU || cache->replacement == CACHE_FIFO;
    SNAP_REQUIRE(snap, !has_order || cache->nr_ways > LRU_WORD_WAYS || is_order(cache, at->order));
}

static void event_snap(struct prefetch_event *event, struct snap *snap)
{
    SNAP_OPEN(snap, event);
    SNAP(snap, event->line);
    SNAP(snap, event->ip);
    SNAP_FLAG(snap, event->is_miss);
    SNAP_FLAG(snap, event->is_write);
    SNAP_CLOSE(snap, event);
}

static void lines_snap(struct cache *cache, struct snap *snap)
{
    uint64_t nr_lines = cache->nr_sets * cache->nr_ways;
    SNAP_VALUES(snap, cache->front.read_line, cache->nr_sets);
    SNAP_VALUES(snap, cache->front.write_line, cache->nr_sets);
    for (uint64_t i = 0; i < nr_lines; i++) {
        SNAP(snap, cache->lines[i].tag);
        SNAP(snap, cache->lines[i].info);
    }
    SNAP_VALUES(snap, cache->sets, cache->nr_sets << cache->set_shift);
    for (uint64_t set = 0; snap->is_load && set < cache->nr_sets; set++)
        check_set(cache, set, snap);
    if (cache->age)
        SNAP_VALUES(snap, cache->age, nr_lines);
    for (uint64_t i = 0; cache->rrpv && i < nr_lines; i++)
        SNAP_BELOW(snap, cache->rrpv[i], NR_RRPV);
}

static void skip_fixed_fields(struct cache *cache, struct snap *snap)
{
    SNAP_SKIP(snap, cache->front);
    SNAP_SKIP(snap, cache->lines);
    SNAP_SKIP(snap, cache->sets);
    SNAP_SKIP(snap, cache->latency_cycles);
    SNAP_SKIP(snap, cache->nr_ways);
    SNAP_SKIP(snap, cache->set_shift);
    SNAP_SKIP(snap, cache->hint_shift);
    SNAP_SKIP(snap, cache->last_shift);
    SNAP_SKIP(snap, cache->order_mask);
    SNAP_SKIP(snap, cache->level);
    SNAP_SKIP(snap, cache->has_lru_words);
    SNAP_SKIP(snap, cache->has_front);
    SNAP_SKIP(snap, cache->writes_back);
    SNAP_SKIP(snap, cache->is_exclusive);
    SNAP_SKIP(snap, cache->is_below_exclusive);
    SNAP_SKIP(snap, cache->is_inclusive);
    SNAP_SKIP(snap, cache->tells_prefetchers);
    SNAP_SKIP(snap, cache->is_plain);
    SNAP_SKIP(snap, cache->has_afterwork);
    SNAP_SKIP(snap, cache->replacement);
    SNAP_SKIP(snap, cache->below);
    SNAP_SKIP(snap, cache->dram);
    SNAP_SKIP(snap, cache->content);
    SNAP_SKIP(snap, cache->prefetcher);
    SNAP_SKIP(snap, cache->age);
    SNAP_SKIP(snap, cache->rrpv);
    SNAP_SKIP(snap, cache->nr_sets);
    SNAP_SKIP(snap, cache->nr_fills); /* who looks at this machine, not its state */
    SNAP_SKIP(snap, cache->nr_frames);
    SNAP_SKIP(snap, cache->above);
    SNAP_SKIP(snap, cache->nr_above);
    SNAP_SKIP(snap, cache->params);
}

void cache_snap(struct cache *cache, struct snap *snap)
{
    SNAP_OPEN(snap, cache);
    skip_fixed_fields(cache, snap);
    SNAP_BELOW(snap, cache->last_way, cache->nr_ways);
    SNAP(snap, cache->last_touched);
    SNAP_COUNTERS(snap, cache->stats);
    busy_snap(&cache->mshrs, snap);
    busy_snap(&cache->write_buffers, snap);
    path_snap(&cache->path, snap);
    SNAP_FLAG(snap, cache->has_event);
    SNAP(snap, cache->event_at);
    event_snap(&cache->event, snap);
    SNAP(snap, cache->clock);
    SNAP(snap, cache->random);
    SNAP_CLOSE(snap, cache);
    lines_snap(cache, snap);
    if (cache->prefetcher)
        prefetcher_snap(cache->prefetcher, snap);
}
