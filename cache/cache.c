#include "cache/cache.h"

#include <stdlib.h>
#include <string.h>

struct line {
    uint64_t number; /* physical address / line size; CACHE_NO_LINE when the way is empty */
    cycle_t filled_at;
    enum served_by filled_by;
    bool is_dirty;
};

struct cache {
    struct cache_front front;
    struct cache_stats stats;
    struct cache_params params;
    enum served_by level;
    struct cache *below;
    struct dram *dram;
    uint64_t nr_sets;
    struct line *lines; /* nr_sets x nr_ways, each set in recency order */
};

struct cache *cache_create(const struct cache_params *params, enum served_by level, struct cache *below,
                           struct dram *dram)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    cache->params = *params;
    cache->level = level;
    cache->below = below;
    cache->dram = dram;
    cache->nr_sets = params->size_bytes / params->nr_ways / params->line_bytes;
    cache->front.set_mask = cache->nr_sets - 1;
    cache->front.line_shift = (unsigned)__builtin_ctzll(params->line_bytes);
    cache->front.read_line = malloc(cache->nr_sets * sizeof(uint64_t));
    cache->front.write_line = malloc(cache->nr_sets * sizeof(uint64_t));
    cache->lines = calloc(cache->nr_sets * params->nr_ways, sizeof(struct line));
    if (!cache->front.read_line || !cache->front.write_line || !cache->lines) {
        cache_destroy(cache);
        return NULL;
    }
    cache_flush(cache, false, 0);
    return cache;
}

void cache_destroy(struct cache *cache)
{
    if (!cache)
        return;
    free(cache->front.read_line);
    free(cache->front.write_line);
    free(cache->lines);
    free(cache);
}

/* Way 0 of the set has changed: says what the CPU may now hit without asking. */
static void publish(struct cache *cache, uint64_t set, cycle_t now)
{
    const struct line *mru = &cache->lines[set * cache->params.nr_ways];
    bool is_here = mru->number != CACHE_NO_LINE && mru->filled_at <= now;
    cache->front.read_line[set] = is_here ? mru->number : CACHE_NO_LINE;
    cache->front.write_line[set] = is_here && mru->is_dirty ? mru->number : CACHE_NO_LINE;
}

static struct paddr line_address(const struct cache *cache, uint64_t number)
{
    return paddr(number << cache->front.line_shift);
}

static void move_to_front(struct line *set_lines, uint64_t way)
{
    struct line line = set_lines[way];
    memmove(set_lines + 1, set_lines, way * sizeof *set_lines);
    set_lines[0] = line;
}

/* A whole dirty line comes from above: nothing need be read from below to take it. */
static void take_writeback(struct cache *cache, struct paddr at, cycle_t now);

static void write_below(struct cache *cache, uint64_t number, cycle_t now)
{
    cache->stats.writebacks++;
    struct paddr at = line_address(cache, number);
    if (cache->below)
        take_writeback(cache->below, at, now);
    else
        dram_access(cache->dram, at, true, now);
}

/* Empties the least recently used way and puts `line` first. */
static void replace(struct cache *cache, struct line *set_lines, struct line line, cycle_t now)
{
    uint64_t last = cache->params.nr_ways - 1;
    struct line victim = set_lines[last];
    set_lines[last] = line;
    move_to_front(set_lines, last);
    if (victim.number == CACHE_NO_LINE)
        return;
    cache->stats.evictions++;
    if (victim.is_dirty)
        write_below(cache, victim.number, now);
}

/* The way that holds the line, or nr_ways. */
static uint64_t find(const struct cache *cache, const struct line *set_lines, uint64_t number)
{
    uint64_t way = 0;
    while (way < cache->params.nr_ways && set_lines[way].number != number)
        way++;
    return way;
}

static void take_writeback(struct cache *cache, struct paddr at, cycle_t now)
{
    uint64_t number = at.v >> cache->front.line_shift, set = number & cache->front.set_mask;
    struct line *set_lines = &cache->lines[set * cache->params.nr_ways];
    uint64_t way = find(cache, set_lines, number);
    cache->stats.accesses++;
    if (way < cache->params.nr_ways) {
        cache->stats.hits++;
        move_to_front(set_lines, way);
        set_lines[0].is_dirty = true;
    } else {
        cache->stats.misses++;
        cache->stats.fills++;
        struct line line = {.number = number, .filled_at = now, .filled_by = cache->level, .is_dirty = true};
        replace(cache, set_lines, line, now);
    }
    publish(cache, set, now);
}

struct cache_answer cache_access(struct cache *cache, struct paddr at, bool is_write, cycle_t now)
{
    uint64_t number = at.v >> cache->front.line_shift, set = number & cache->front.set_mask;
    struct line *set_lines = &cache->lines[set * cache->params.nr_ways];
    uint64_t way = find(cache, set_lines, number);
    struct cache_answer answer = {.ready = now + cache->params.latency_cycles, .served_by = cache->level};
    cache->stats.accesses++;
    if (way < cache->params.nr_ways) {
        cache->stats.hits++;
        move_to_front(set_lines, way);
        if (set_lines[0].filled_at > answer.ready) {
            cache->stats.hits_in_flight += !is_write;
            answer =
                (struct cache_answer){.ready = set_lines[0].filled_at, .served_by = set_lines[0].filled_by};
        }
        set_lines[0].is_dirty |= is_write;
    } else {
        cache->stats.misses++;
        cache->stats.fills++;
        if (cache->below)
            answer = cache_access(cache->below, at, false, answer.ready);
        else
            answer = (struct cache_answer){dram_access(cache->dram, at, false, answer.ready), SERVED_BY_DRAM};
        struct line line = {
            .number = number, .filled_at = answer.ready, .filled_by = answer.served_by, .is_dirty = is_write};
        replace(cache, set_lines, line, now);
    }
    publish(cache, set, now);
    return answer;
}

/* What becomes of an access that this cache does not serve. */
static struct cache_answer pass_on(struct cache *cache, enum cache_use use, struct paddr at, bool is_write,
                                   cycle_t now)
{
    if (cache->below)
        return cache_access_as(cache->below, use, at, is_write, now);
    return (struct cache_answer){dram_access(cache->dram, at, is_write, now), SERVED_BY_DRAM};
}

static void drop(struct cache *cache, uint64_t set, uint64_t way, cycle_t now)
{
    struct line *set_lines = &cache->lines[set * cache->params.nr_ways];
    struct line gone = set_lines[way];
    memmove(set_lines + way, set_lines + way + 1, (cache->params.nr_ways - 1 - way) * sizeof *set_lines);
    set_lines[cache->params.nr_ways - 1] = (struct line){.number = CACHE_NO_LINE};
    if (gone.is_dirty)
        write_below(cache, gone.number, now);
    publish(cache, set, now);
}

struct cache_answer cache_access_as(struct cache *cache, enum cache_use use, struct paddr at, bool is_write,
                                    cycle_t now)
{
    uint64_t number = at.v >> cache->front.line_shift, set = number & cache->front.set_mask;
    struct line *set_lines = &cache->lines[set * cache->params.nr_ways];
    uint64_t way = find(cache, set_lines, number);
    bool is_here = way < cache->params.nr_ways;
    if (use == CACHE_USE_ALL || (use == CACHE_USE_NO_FILL && is_here))
        return cache_access(cache, at, is_write, now);
    if (use == CACHE_USE_NONE) {
        cache->stats.uncached++;
        if (is_here)
            drop(cache, set, way, now);
        return pass_on(cache, use, at, is_write, now);
    }
    cache->stats.accesses++;
    cache->stats.hits += is_here;
    cache->stats.misses += !is_here;
    cache->stats.write_throughs += use == CACHE_USE_WRITE_THROUGH;
    if (is_here) {
        move_to_front(set_lines, way);
        publish(cache, set, now);
    }
    return pass_on(cache, use, at, is_write, now + cache->params.latency_cycles);
}

void cache_let_stores_hit(struct cache *cache, struct paddr at)
{
    uint64_t number = at.v >> cache->front.line_shift, set = number & cache->front.set_mask;
    if (cache->lines[set * cache->params.nr_ways].number == number)
        cache->front.write_line[set] = number;
}

bool cache_contains(const struct cache *cache, struct paddr at)
{
    uint64_t number = at.v >> cache->front.line_shift, set = number & cache->front.set_mask;
    return find(cache, &cache->lines[set * cache->params.nr_ways], number) < cache->params.nr_ways;
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
    return cache->params.latency_cycles;
}

struct cache *cache_below(const struct cache *cache)
{
    return cache->below;
}

void cache_flush(struct cache *cache, bool write_back, cycle_t now)
{
    for (uint64_t i = 0; i < cache->nr_sets * cache->params.nr_ways; i++) {
        struct line *line = &cache->lines[i];
        if (write_back && line->number != CACHE_NO_LINE && line->is_dirty)
            write_below(cache, line->number, now);
        *line = (struct line){.number = CACHE_NO_LINE};
    }
    for (uint64_t set = 0; set < cache->nr_sets; set++)
        publish(cache, set, now);
}

void cache_flush_line(struct cache *cache, struct paddr at, bool write_back, cycle_t now)
{
    uint64_t number = at.v >> cache->front.line_shift, set = number & cache->front.set_mask;
    struct line *set_lines = &cache->lines[set * cache->params.nr_ways];
    uint64_t way = find(cache, set_lines, number), last = cache->params.nr_ways - 1;
    if (way > last)
        return;
    bool is_dirty = set_lines[way].is_dirty;
    memmove(set_lines + way, set_lines + way + 1, (last - way) * sizeof *set_lines);
    set_lines[last] = (struct line){.number = CACHE_NO_LINE}; /* empty ways are filled first */
    publish(cache, set, now);
    if (write_back && is_dirty)
        write_below(cache, number, now);
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

bool cache_view(const struct cache *cache, uint64_t set, uint64_t way, struct cache_line_view *view)
{
    const struct line *line = &cache->lines[set * cache->params.nr_ways + way];
    *view = (struct cache_line_view){.line = line->number, .is_dirty = line->is_dirty};
    return line->number != CACHE_NO_LINE;
}

uint64_t cache_nr_sets(const struct cache *cache)
{
    return cache->nr_sets;
}

uint64_t cache_nr_ways(const struct cache *cache)
{
    return cache->params.nr_ways;
}
