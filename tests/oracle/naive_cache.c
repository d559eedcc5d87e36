#include "tests/oracle/naive_cache.h"

#include <stdlib.h>

void naive_cache_init(struct naive_cache *cache, uint64_t size_bytes)
{
    cache->nr_sets = size_bytes / cache->line_bytes / cache->nr_ways;
    cache->lines = calloc(cache->nr_sets * cache->nr_ways, sizeof *cache->lines);
    cache->tree = calloc(cache->nr_sets, sizeof *cache->tree);
    if (!cache->lines || !cache->tree) /* a test that runs out of memory has nothing to say */
        abort();
    naive_prefetch_init(&cache->prefetch);
}

void naive_cache_free(struct naive_cache *cache)
{
    free(cache->lines);
    free(cache->tree);
    naive_prefetch_free(&cache->prefetch);
}

/* ---- Lines ---- */

static bool is_empty(const struct naive_line *line)
{
    return line->state == 0 || line->state == 'I';
}

static struct naive_line *set_of(struct naive_cache *cache, uint64_t number)
{
    return &cache->lines[number % cache->nr_sets * cache->nr_ways];
}

static struct naive_line *find(struct naive_cache *cache, uint64_t number)
{
    struct naive_line *set = set_of(cache, number);
    for (uint64_t way = 0; way < cache->nr_ways; way++) {
        if (!is_empty(&set[way]) && set[way].number == number)
            return &set[way];
    }
    return NULL;
}

/* The line leaves its way. */
static void drop(struct naive_cache *cache, struct naive_line *line)
{
    if (line->is_marked)
        cache->counts.prefetch_useless++;
    line->is_marked = false;
    line->state = 'I';
}

/* All caches above, of whatever level, drop it. Whether one of them had it M. */
static bool drop_above(struct naive_cache *cache, uint64_t number)
{
    bool was_modified = false;
    for (unsigned i = 0; i < cache->nr_above; i++) {
        struct naive_cache *above = cache->above[i];
        struct naive_line *line = find(above, number);
        if (line) {
            above->counts.back_invalidations++;
            was_modified |= line->state == 'M';
            drop(above, line);
        }
        was_modified |= drop_above(above, number);
    }
    return was_modified;
}

/* A lookup in a cycle at which the line is there settles it. */
static struct naive_line *look_up(struct naive_cache *cache, uint64_t number, uint64_t now)
{
    struct naive_line *line = find(cache, number);
    cache->counts.accesses++;
    if (line)
        cache->counts.hits++;
    else
        cache->counts.misses++;
    if (line && line->there_at <= now)
        line->is_settled = true;
    return line;
}

static bool is_exclusive(const struct naive_cache *cache)
{
    return cache && cache->inclusion == NAIVE_EXCLUSIVE;
}

static bool can_hold_modified(const struct naive_cache *cache)
{
    return !cache->is_for_code && !cache->is_write_through;
}

/* ---- Down ---- */

static uint64_t put(struct naive_cache *cache, const struct naive_cache *from, uint64_t number, char state,
                    uint64_t now);

/* A line is put below. The cycle in which it is taken. */
static uint64_t put_below(struct naive_cache *cache, uint64_t number, char state, uint64_t now)
{
    if (state == 'M')
        cache->counts.writebacks++;
    else
        cache->counts.clean_puts++;
    if (cache->below)
        return put(cache->below, cache, number, state, now);
    return naive_dram_access(cache->dram, number * cache->line_bytes, true, now);
}

/*
 * What is newer than below goes down while a copy stays: exclusive caches do not take it, and only count it.
 * The cycle in which it is taken.
 */
static uint64_t put_past_exclusive(struct naive_cache *cache, uint64_t number, uint64_t now)
{
    while (is_exclusive(cache->below)) {
        cache->counts.writebacks++;
        cache = cache->below;
    }
    return put_below(cache, number, 'M', now);
}

/* Through a write buffer and the path. The cycle in which it got its buffer. */
static uint64_t put_victim_below(struct naive_cache *cache, uint64_t number, char state, bool a_copy_stays,
                                 uint64_t now)
{
    uint64_t which, got = naive_registers_take(&cache->write_buffers, now, &which);
    cache->counts.write_buffer_wait_cycles += got - now;
    uint64_t sent = naive_path_move(&cache->path, cache->line_bytes, got);
    uint64_t taken =
        a_copy_stays ? put_past_exclusive(cache, number, sent) : put_below(cache, number, state, sent);
    naive_registers_busy(&cache->write_buffers, which, taken);
    return got;
}

/*
 * The line takes a way. Its victim goes in cycle `now`, or when there is a buffer for it: that cycle is
 * answered. *placed is where it lies.
 */
static uint64_t place(struct naive_cache *cache, struct naive_line line, uint64_t now,
                      struct naive_line **placed)
{
    struct naive_line *set = set_of(cache, line.number), *way = NULL;
    char victim = 'I';
    uint64_t victim_number = 0;
    cache->counts.fills++;
    for (uint64_t i = 0; i < cache->nr_ways && !way; i++) {
        if (is_empty(&set[i]))
            way = &set[i];
    }
    if (!way) {
        way = naive_policy_victim(cache, set);
        victim = way->state;
        victim_number = way->number;
        cache->counts.evictions++;
        drop(cache, way);
        if (cache->inclusion == NAIVE_INCLUSIVE && drop_above(cache, victim_number))
            victim = 'M';
    }
    line.rrpv = way->rrpv;
    *way = line;
    naive_policy_fill(cache, way);
    if (placed)
        *placed = way;
    if (victim == 'M' || (victim != 'I' && is_exclusive(cache->below)))
        return put_victim_below(cache, victim_number, victim, false, now);
    return now;
}

/* A cache directly above, but for `other`, that holds the line. */
static struct naive_cache *sibling_with(struct naive_cache *cache, const struct naive_cache *other,
                                        uint64_t number)
{
    for (unsigned i = 0; i < cache->nr_above; i++) {
        if (cache->above[i] != other && find(cache->above[i], number))
            return cache->above[i];
    }
    return NULL;
}

/* An exclusive cache drops a line that has been placed above it. Whether that was M. */
static bool lose_to_above(struct naive_cache *cache, uint64_t number)
{
    struct naive_line *line = is_exclusive(cache) ? find(cache, number) : NULL;
    if (!line)
        return false;
    bool was_modified = line->state == 'M';
    cache->counts.back_invalidations++;
    drop(cache, line);
    return was_modified;
}

/* A line is put in from above. The cycle in which it is taken. */
static uint64_t put(struct naive_cache *cache, const struct naive_cache *from, uint64_t number, char state,
                    uint64_t now)
{
    struct naive_line *line = look_up(cache, number, now);
    bool goes_on = state == 'M' && cache->is_write_through;
    uint64_t taken = now;
    if (line) {
        naive_policy_touch(cache, line);
        if (state == 'M' && !goes_on)
            line->state = 'M';
    } else {
        struct naive_cache *sibling = is_exclusive(cache) ? sibling_with(cache, from, number) : NULL;
        if (!is_exclusive(cache) && cache->has_no_write_allocate)
            return put_below(cache, number, 'M', now);
        if (sibling && state != 'M')
            return now;
        if (sibling) {
            sibling->counts.back_invalidations++;
            drop(sibling, find(sibling, number));
        }
        struct naive_line fresh = {.number = number, .state = goes_on ? 'E' : state, .from = cache->level};
        if (lose_to_above(cache->below, number) && !cache->is_write_through)
            fresh.state = 'M';
        taken = place(cache, fresh, now, &line);
        line->there_at = taken;
    }
    if (goes_on) {
        uint64_t below = put_past_exclusive(cache, number, now);
        taken = below > taken ? below : taken;
    }
    return taken;
}

/* ---- Reads and writes ---- */

struct request {
    uint64_t number, ip;
    bool is_write, is_demand;
    bool takes_modified;       /* the cache that the line goes to can hold it M */
    struct naive_cache *asker; /* the cache above, or NULL: the core */
};

static struct naive_answer ask(struct naive_cache *cache, const struct request *request, uint64_t now);

/* The level below is asked to read or write; what comes from the DRAM is E. */
static struct naive_answer ask_below(struct naive_cache *cache, struct request request, uint64_t now)
{
    request.asker = cache;
    if (cache->below)
        return ask(cache->below, &request, now);
    uint64_t ready =
        naive_dram_access(cache->dram, request.number * cache->line_bytes, request.is_write, now);
    return (struct naive_answer){ready, NAIVE_FROM_DRAM, 'E'};
}

/* A write goes on to the level below. The cycle in which it got its buffer. */
static uint64_t send_on(struct naive_cache *cache, const struct request *request, uint64_t now)
{
    struct request on = *request;
    uint64_t which, got = naive_registers_take(&cache->write_buffers, now, &which);
    cache->counts.write_throughs++;
    cache->counts.write_buffer_wait_cycles += got - now;
    uint64_t sent = naive_path_move(&cache->path, cache->path.bytes_per_cycle, got);
    on.is_demand = false;
    naive_registers_busy(&cache->write_buffers, which, ask_below(cache, on, sent).ready);
    return got;
}

/* Steps 1 to 5 of a miss. */
static struct naive_answer bring_in(struct naive_cache *cache, const struct request *request, bool is_marked,
                                    uint64_t now)
{
    struct request read = *request;
    uint64_t which, got = naive_registers_take(&cache->mshrs, now, &which);
    cache->counts.mshr_wait_cycles += got - now;
    read.is_write = false;
    if (!is_exclusive(cache) || !request->asker) /* else it goes to the asker */
        read.takes_modified = can_hold_modified(cache);
    struct naive_answer answer = ask_below(cache, read, got + cache->latency_cycles);
    answer.ready = naive_path_move(&cache->path, cache->line_bytes, answer.ready);
    if (!(is_exclusive(cache) && request->asker)) {
        struct naive_line line = {
            .number = request->number, .state = answer.state, .from = answer.from, .is_marked = is_marked};
        struct naive_line *placed;
        if (request->is_write && !cache->is_write_through)
            line.state = 'M';
        line.there_at = answer.ready;
        uint64_t room = place(cache, line, got, &placed);
        if (room > answer.ready)
            answer.ready = room;
        placed->there_at = answer.ready;
        if (answer.state == 'M') /* what is newer than below stays this copy's business */
            answer.state = 'E';
    }
    naive_registers_busy(&cache->mshrs, which, answer.ready);
    return answer;
}

static void tell_prefetcher(struct naive_cache *cache, const struct request *request, uint64_t now)
{
    cache->is_told = true;
    cache->told_line = request->number;
    cache->told_ip = request->ip;
    cache->told_at = now;
}

/* The prefetchers that were told of a demand act, from the cache that the core asked on down. */
static void prefetch(struct naive_cache *cache)
{
    for (; cache; cache = cache->below) {
        struct naive_prefetch *prefetcher = &cache->prefetch;
        if (!cache->is_told)
            continue;
        cache->is_told = false;
        naive_prefetch_event(prefetcher, cache->told_line, cache->told_ip);
        for (unsigned i = 0; i < prefetcher->nr_lines; i++) {
            struct request wanted = {.number = prefetcher->line[i], .ip = cache->told_ip};
            if (find(cache, wanted.number) ||
                (is_exclusive(cache) && sibling_with(cache, NULL, wanted.number)))
                continue;
            if (!naive_registers_has_free(&cache->mshrs, cache->told_at)) {
                cache->counts.prefetch_dropped++;
                continue;
            }
            cache->counts.prefetches++;
            bring_in(cache, &wanted, true, cache->told_at);
        }
    }
}

static struct naive_answer hit(struct naive_cache *cache, struct naive_line *line,
                               const struct request *request, uint64_t now)
{
    uint64_t plain = now + cache->latency_cycles;
    bool is_late = !line->is_settled && line->there_at > plain, was_marked = false;
    struct naive_answer answer = {plain, cache->level, line->state == 'S' ? 'S' : 'E'};
    if (line->is_marked && request->is_demand) {
        was_marked = true;
        line->is_marked = false;
        cache->counts.prefetch_useful++;
        cache->counts.prefetch_late += is_late;
        cache->counts.prefetch_late_cycles += is_late ? line->there_at - plain : 0;
    }
    naive_policy_touch(cache, line);
    if (is_late) {
        answer.ready = line->there_at;
        answer.from = line->from;
        cache->counts.hits_in_flight += !request->is_write;
    }
    if (request->is_write && !cache->is_write_through) {
        cache->counts.upgrades += line->state == 'S';
        line->state = 'M';
    } else if (request->is_write) {
        uint64_t got = send_on(cache, request, now);
        if (got > answer.ready)
            answer.ready = got;
    }
    if (is_exclusive(cache) && request->asker && !request->is_write) {
        char state = line->state;
        drop(cache, line);
        if (state == 'M' && !request->takes_modified) {
            put_victim_below(cache, request->number, 'M', true, now);
            state = 'E';
        }
        answer.state = state;
    }
    if (was_marked)
        tell_prefetcher(cache, request, now);
    return answer;
}

static struct naive_answer miss(struct naive_cache *cache, const struct request *request, uint64_t now)
{
    struct naive_answer answer = {now + cache->latency_cycles, cache->level, 'E'};
    bool takes_none = cache->has_no_write_allocate || (is_exclusive(cache) && request->asker);
    if (request->is_write && takes_none) {
        uint64_t got = send_on(cache, request, now);
        if (got > answer.ready)
            answer.ready = got;
    } else {
        answer = bring_in(cache, request, false, now);
        if (request->is_write && cache->is_write_through)
            send_on(cache, request, now);
    }
    if (request->is_demand)
        tell_prefetcher(cache, request, now);
    return answer;
}

static struct naive_answer ask(struct naive_cache *cache, const struct request *request, uint64_t now)
{
    struct naive_line *line = look_up(cache, request->number, now);
    return line ? hit(cache, line, request, now) : miss(cache, request, now);
}

/* ---- Memory types and flushes ---- */

/* A line that was M goes down to the DRAM; no cache on the way keeps a copy. */
static void go_down(struct naive_cache *cache, uint64_t number, uint64_t now)
{
    cache->counts.writebacks++;
    if (!cache->below) {
        naive_dram_access(cache->dram, number * cache->line_bytes, true, now);
        return;
    }
    struct naive_line *line = look_up(cache->below, number, now);
    if (cache->below->inclusion == NAIVE_INCLUSIVE)
        (void)drop_above(cache->below, number);
    if (line)
        drop(cache->below, line);
    go_down(cache->below, number, now);
}

static struct naive_answer ask_below_as(struct naive_cache *cache, enum naive_use how, struct request request,
                                        uint64_t now);

static struct naive_answer ask_as(struct naive_cache *cache, enum naive_use how,
                                  const struct request *request, uint64_t now)
{
    struct naive_line *line;
    switch (how) {
    case NAIVE_USE_ALL:
        return ask(cache, request, now);
    case NAIVE_USE_NONE:
        cache->counts.uncached++;
        line = find(cache, request->number);
        if (line) {
            bool was_modified = line->state == 'M';
            drop(cache, line);
            if (cache->inclusion == NAIVE_INCLUSIVE)
                was_modified |= drop_above(cache, request->number);
            if (was_modified)
                go_down(cache, request->number, now);
        }
        return ask_below_as(cache, how, *request, now);
    case NAIVE_USE_WRITE_THROUGH:
        cache->counts.write_throughs++;
        line = look_up(cache, request->number, now);
        if (line)
            naive_policy_touch(cache, line);
        return ask_below_as(cache, how, *request, now + cache->latency_cycles);
    case NAIVE_USE_NO_FILL:
        line = look_up(cache, request->number, now);
        if (line)
            return hit(cache, line, request, now);
        break;
    }
    return ask_below_as(cache, how, *request, now + cache->latency_cycles);
}

/* No cache is the asker: none places what comes up, or gives its line away. */
static struct naive_answer ask_below_as(struct naive_cache *cache, enum naive_use how, struct request request,
                                        uint64_t now)
{
    if (cache->below)
        return ask_as(cache->below, how, &request, now);
    return ask_below(cache, request, now);
}

struct naive_answer naive_cache_access(struct naive_cache *cache, enum naive_use how, uint64_t physical,
                                       bool is_write, uint64_t now, uint64_t ip)
{
    struct request request = {.number = physical / cache->line_bytes,
                              .ip = ip,
                              .is_write = is_write,
                              .is_demand = how == NAIVE_USE_ALL};
    struct naive_answer answer = ask_as(cache, how, &request, now);
    prefetch(cache);
    return answer;
}

void naive_cache_flush(struct naive_cache *cache, bool write_back, uint64_t now)
{
    for (uint64_t i = 0; i < cache->nr_sets * cache->nr_ways; i++) {
        struct naive_line *line = &cache->lines[i];
        if (write_back && line->state == 'M')
            put_below(cache, line->number, 'M', now);
    }
    for (uint64_t i = 0; i < cache->nr_sets * cache->nr_ways; i++) {
        if (!is_empty(&cache->lines[i]))
            drop(cache, &cache->lines[i]);
    }
}

void naive_cache_flush_line(struct naive_cache *cache, uint64_t physical, bool write_back, uint64_t now)
{
    struct naive_line *line = find(cache, physical / cache->line_bytes);
    if (!line)
        return;
    bool was_modified = line->state == 'M';
    drop(cache, line);
    if (cache->inclusion == NAIVE_INCLUSIVE)
        was_modified |= drop_above(cache, line->number);
    if (was_modified && write_back)
        go_down(cache, physical / cache->line_bytes, now);
}

struct naive_snoop_answer naive_snoop(struct naive_cache *const caches[], unsigned nr_caches,
                                      uint64_t physical, bool wants_alone, uint64_t now)
{
    struct naive_snoop_answer answer = {.ready = now};
    for (unsigned i = 0; i < nr_caches; i++) {
        struct naive_cache *cache = caches[i];
        struct naive_line *line = find(cache, physical / cache->line_bytes);
        cache->counts.snoops++;
        if (!line)
            continue;
        cache->counts.snoop_hits++;
        if (!answer.is_here)
            answer.ready = now + cache->latency_cycles;
        answer.is_here = true;
        if (line->state == 'M' && !answer.was_modified) {
            answer.was_modified = true;
            cache->counts.interventions++;
            naive_dram_access(cache->dram, line->number * cache->line_bytes, true, now);
        }
        line->state = 'S';
        if (wants_alone) {
            cache->counts.snoop_invalidations++;
            drop(cache, line);
        }
    }
    return answer;
}
