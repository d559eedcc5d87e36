#include "tests/oracle/naive_cache.h"

#include <stdlib.h>

void naive_cache_init(struct naive_cache *cache, uint64_t size_bytes)
{
    cache->nr_sets = size_bytes / cache->line_bytes / cache->nr_ways;
    cache->lines = calloc(cache->nr_sets * cache->nr_ways, sizeof *cache->lines);
    if (!cache->lines) /* a test that runs out of memory has nothing to say */
        abort();
}

void naive_cache_free(struct naive_cache *cache)
{
    free(cache->lines);
}

static struct naive_line *find_line(struct naive_cache *cache, uint64_t number)
{
    struct naive_line *set = &cache->lines[number % cache->nr_sets * cache->nr_ways];
    for (uint64_t way = 0; way < cache->nr_ways; way++) {
        if (set[way].is_valid && set[way].number == number)
            return &set[way];
    }
    return NULL;
}

static void use(struct naive_cache *cache, struct naive_line *line)
{
    line->last_used = ++cache->time;
}

/* A dirty line goes down in the cycle in which it is put out. */
static void take_from_above(struct naive_cache *cache, uint64_t physical, uint64_t now);

static void write_below(struct naive_cache *cache, uint64_t number, uint64_t now)
{
    cache->counts.writebacks++;
    if (cache->below)
        take_from_above(cache->below, number * cache->line_bytes, now);
    else
        naive_dram_access(cache->dram, number * cache->line_bytes, true, now);
}

/* Puts a line in: where a way is empty, else where the line is that was used longest ago. */
static void put_in(struct naive_cache *cache, struct naive_line line, uint64_t now)
{
    struct naive_line *set = &cache->lines[line.number % cache->nr_sets * cache->nr_ways], *place = set;
    cache->counts.fills++;
    for (uint64_t way = 1; way < cache->nr_ways && place->is_valid; way++) {
        if (!set[way].is_valid || set[way].last_used < place->last_used)
            place = &set[way];
    }
    struct naive_line old = *place;
    *place = line;
    place->is_valid = true;
    use(cache, place);
    if (!old.is_valid)
        return;
    cache->counts.evictions++;
    if (old.is_dirty)
        write_below(cache, old.number, now);
}

static void take_from_above(struct naive_cache *cache, uint64_t physical, uint64_t now)
{
    uint64_t number = physical / cache->line_bytes;
    struct naive_line *line = find_line(cache, number);
    cache->counts.accesses++;
    if (line) {
        cache->counts.hits++;
        line->is_dirty = true;
        use(cache, line);
        return;
    }
    cache->counts.misses++;
    put_in(cache,
           (struct naive_line){.number = number, .is_dirty = true, .there_at = now, .from = cache->level},
           now);
}

static struct naive_answer ask_below(struct naive_cache *cache, enum naive_use how, uint64_t physical,
                                     bool is_write, uint64_t now)
{
    if (cache->below)
        return naive_cache_access(cache->below, how, physical, is_write, now);
    uint64_t ready = naive_dram_access(cache->dram, physical, is_write, now);
    return (struct naive_answer){ready, NAIVE_FROM_DRAM};
}

static struct naive_answer hit(struct naive_cache *cache, struct naive_line *line, bool is_write,
                               uint64_t now)
{
    struct naive_answer answer = {now + cache->latency_cycles, cache->level};
    cache->counts.accesses++;
    cache->counts.hits++;
    use(cache, line);
    line->is_dirty |= is_write;
    if (line->there_at <= answer.ready)
        return answer;
    if (!is_write)
        cache->counts.hits_in_flight++;
    return (struct naive_answer){line->there_at, line->from};
}

static struct naive_answer miss(struct naive_cache *cache, uint64_t physical, bool is_write, uint64_t now)
{
    cache->counts.accesses++;
    cache->counts.misses++;
    struct naive_answer answer =
        ask_below(cache, NAIVE_USE_ALL, physical, false, now + cache->latency_cycles);
    put_in(cache,
           (struct naive_line){.number = physical / cache->line_bytes,
                               .is_dirty = is_write,
                               .there_at = answer.ready,
                               .from = answer.from},
           now);
    return answer;
}

struct naive_answer naive_cache_access(struct naive_cache *cache, enum naive_use how, uint64_t physical,
                                       bool is_write, uint64_t now)
{
    struct naive_line *line = find_line(cache, physical / cache->line_bytes);
    if (line && (how == NAIVE_USE_ALL || how == NAIVE_USE_NO_FILL))
        return hit(cache, line, is_write, now);
    if (how == NAIVE_USE_ALL)
        return miss(cache, physical, is_write, now);
    if (how == NAIVE_USE_NONE) {
        cache->counts.uncached++;
        naive_cache_flush_line(cache, physical, true, now);
        return ask_below(cache, how, physical, is_write, now);
    }
    cache->counts.accesses++;
    if (how == NAIVE_USE_WRITE_THROUGH)
        cache->counts.write_throughs++;
    if (line) {
        cache->counts.hits++;
        use(cache, line);
    } else {
        cache->counts.misses++;
    }
    return ask_below(cache, how, physical, is_write, now + cache->latency_cycles);
}

/* The line of a set that was used last, or NULL. */
static struct naive_line *latest(struct naive_line *set, uint64_t nr_ways)
{
    struct naive_line *found = NULL;
    for (uint64_t way = 0; way < nr_ways; way++) {
        if (set[way].is_valid && (!found || set[way].last_used > found->last_used))
            found = &set[way];
    }
    return found;
}

/* Set by set, in each the line used last first. */
void naive_cache_flush(struct naive_cache *cache, bool write_back, uint64_t now)
{
    for (uint64_t set = 0; set < cache->nr_sets; set++) {
        struct naive_line *line;
        while ((line = latest(&cache->lines[set * cache->nr_ways], cache->nr_ways))) {
            line->is_valid = false;
            if (line->is_dirty && write_back)
                write_below(cache, line->number, now);
        }
    }
}

void naive_cache_flush_line(struct naive_cache *cache, uint64_t physical, bool write_back, uint64_t now)
{
    struct naive_line *line = find_line(cache, physical / cache->line_bytes);
    if (!line)
        return;
    line->is_valid = false;
    if (write_back && line->is_dirty)
        write_below(cache, line->number, now);
}
