/* Making a cache, and looking at one. */
#include "cache/cache_internal.h"

#include <stdlib.h>

enum { HOST_LINE_BYTES = 64 };

/* Aligned, so that the tags of eight ways share a line of the host; `nr_words` is rounded up. */
static uint64_t *words(uint64_t nr_words)
{
    const uint64_t per_line = HOST_LINE_BYTES / sizeof(uint64_t);
    uint64_t rounded = (nr_words + per_line - 1) / per_line * per_line;
    uint64_t *memory = aligned_alloc(HOST_LINE_BYTES, rounded * sizeof(uint64_t));
    for (uint64_t i = 0; memory && i < rounded; i++)
        memory[i] = CACHE_NO_LINE;
    return memory;
}

struct cache *cache_create(const struct cache_params *params, enum served_by level, struct cache *below,
                           struct dram *dram)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    cache->params = *params;
    cache->params.seed = params->seed ? params->seed : 1;
    cache->level = (uint8_t)level;
    cache->latency_cycles = params->latency_cycles;
    cache->replacement = params->replacement;
    cache->has_lru_words = params->replacement == CACHE_LRU && params->nr_ways <= LRU_WORD_WAYS;
    cache->last_shift = 4 * ((unsigned)params->nr_ways - 1) & 63;
    cache->order_mask = UINT64_MAX >> (60 - cache->last_shift);
    cache->has_front = level == SERVED_BY_L1;
    cache->writes_back = params->write == CACHE_WRITE_BACK;
    cache->is_exclusive = params->inclusion == CACHE_EXCLUSIVE;
    cache->is_inclusive = params->inclusion == CACHE_INCLUSIVE;
    cache->is_below_exclusive = below && below->is_exclusive;
    cache->below = below;
    cache->dram = dram;
    cache->nr_ways = (unsigned)params->nr_ways;
    cache->nr_sets = params->size_bytes / params->nr_ways / params->line_bytes;
    cache->hint_shift = (unsigned)__builtin_ctzll(cache->nr_sets);
    while (1u << cache->set_shift < 2 + (params->nr_ways + HINT_WORD_WAYS - 1) / HINT_WORD_WAYS)
        cache->set_shift++;
    cache->mshrs.nr = (unsigned)params->mshrs;
    cache->write_buffers.nr = (unsigned)params->write_buffers;
    cache->path.bytes_per_cycle = params->bytes_per_cycle;
    cache->last_touched = CACHE_NO_LINE;
    cache->front.set_mask = cache->nr_sets - 1;
    cache->front.line_shift = (unsigned)__builtin_ctzll(params->line_bytes);
    cache->front.read_line = words(cache->nr_sets);
    cache->front.write_line = words(cache->nr_sets);
    cache->lines = (struct cache_line *)words(cache->nr_sets * params->nr_ways * 2);
    cache->sets = words(cache->nr_sets << cache->set_shift);
    for (uint64_t i = 0; cache->lines && i < cache->nr_sets * params->nr_ways; i++)
        cache->lines[i].info = 0;
    for (uint64_t set = 0; cache->sets && set < cache->nr_sets; set++)
        cache_set_at(cache, set)->nr_lines = 0;
    if (params->prefetch.kind != PREFETCH_NONE)
        cache->prefetcher = prefetcher_create(&params->prefetch);
    cache->tells_prefetchers = cache->prefetcher || (below && below->tells_prefetchers);
    cache->is_plain = cache->has_lru_words && params->nr_ways <= HINT_WORD_WAYS && cache->writes_back &&
                      !params->no_write_allocate && !cache->is_exclusive && !cache->tells_prefetchers &&
                      (!below || below->is_plain);
    cache->has_afterwork = cache->tells_prefetchers;
    bool has_memory = cache->front.read_line && cache->front.write_line && cache->lines && cache->sets &&
                      cache_replacement_init(cache) &&
                      (params->prefetch.kind == PREFETCH_NONE || cache->prefetcher);
    if (!has_memory) {
        cache_destroy(cache);
        return NULL;
    }
    if (below && below->nr_above < MAX_ABOVE)
        below->above[below->nr_above++] = cache;
    return cache;
}

void cache_destroy(struct cache *cache)
{
    if (!cache)
        return;
    cache_replacement_fini(cache);
    prefetcher_destroy(cache->prefetcher);
    free(cache->front.read_line);
    free(cache->front.write_line);
    free(cache->lines);
    free(cache->sets);
    free(cache);
}

void cache_let_stores_hit(struct cache *cache, struct paddr at)
{
    uint64_t number = cache_line_number(cache, at);
    if (cache->last_touched == number && cache->writes_back)
        cache->front.write_line[cache_set_of(cache, number)] = number;
}

void cache_unpublish(struct cache *cache, uint64_t number)
{
    uint64_t set = cache_set_of(cache, number);
    if (cache->front.read_line[set] == number)
        cache->front.read_line[set] = CACHE_NO_LINE;
    if (cache->front.write_line[set] == number)
        cache->front.write_line[set] = CACHE_NO_LINE;
    if (cache->last_touched == number)
        cache->last_touched = CACHE_NO_LINE;
}

void cache_keep_content(struct cache *cache, struct cache_content *content)
{
    cache->content = content;
    cache->has_afterwork = true;
    cache->is_plain = false;
}

enum cache_state cache_state(const struct cache *cache, struct paddr at)
{
    uint64_t number = cache_line_number(cache, at);
    int way = cache_find(cache, number);
    if (way < 0)
        return CACHE_STATE_I;
    return cache_info_state(cache->lines[cache_set_of(cache, number) * cache->nr_ways + (unsigned)way].info);
}

bool cache_contains(const struct cache *cache, struct paddr at)
{
    return cache_find(cache, cache_line_number(cache, at)) >= 0;
}

const struct cache_front *cache_front(const struct cache *cache)
{
    return &cache->front;
}

void cache_add_front_hits(struct cache *cache, uint64_t nr_hits)
{
    cache->stats.accesses += nr_hits;
    cache->stats.hits += nr_hits;
}

cycle_t cache_hit_cycles(const struct cache *cache)
{
    return cache->latency_cycles;
}

struct cache *cache_below(const struct cache *cache)
{
    return cache->below;
}

const struct cache_stats *cache_stats(const struct cache *cache)
{
    return &cache->stats;
}

bool cache_register_stats(struct cache *cache, struct stat_registry *registry, const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct cache_stats, name, unit, sentence),
#include "cache/cache_stats.def"
#undef STAT
    };
    return stat_register(registry, path, rows, sizeof rows / sizeof *rows, &cache->stats);
}

void cache_count_fills(struct cache *cache, uint16_t *nr_fills, uint64_t nr_frames)
{
    cache->nr_fills = nr_fills;
    cache->nr_frames = nr_fills ? nr_frames : 0;
}

bool cache_view(const struct cache *cache, uint64_t set, uint64_t way, struct cache_line_view *view)
{
    bool has_order = (cache->replacement == CACHE_LRU || cache->replacement == CACHE_FIFO) &&
                     cache->nr_ways <= LRU_WORD_WAYS;
    if (has_order)
        way = cache_set_at(cache, set)->order >> 4 * way & (LRU_WORD_WAYS - 1);
    uint64_t index = set * cache->nr_ways + way;
    *view = (struct cache_line_view){
        .line = cache->lines[index].tag,
        .is_dirty = cache_info_state(cache->lines[index].info) == CACHE_STATE_M,
    };
    return view->line != CACHE_NO_LINE;
}

uint64_t cache_nr_sets(const struct cache *cache)
{
    return cache->nr_sets;
}

uint64_t cache_nr_ways(const struct cache *cache)
{
    return cache->nr_ways;
}
