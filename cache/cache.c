#include "cache/cache_internal.h"

#include <stdlib.h>

#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* What is wanted of a cache, by the core or by the cache above (`from`). */
struct request {
    uint64_t number, ip;
    cycle_t now;
    struct cache *from;
    bool is_write, is_demand;
    bool takes_dirty; /* `from`, or whom the line goes to through it, can hold what is newer than memory */
};

struct reply {
    cycle_t ready;
    uint32_t served_by; /* enum served_by */
    uint32_t state;     /* enum cache_state with which the line comes */
};

/*
 * What is done for nearly every request is compiled twice from one body: for any cache, and for a plain one
 * (cache->is_plain) above plain ones, where what it need not ask about vanishes. `is_plain` is a constant.
 */
#define BODY static inline __attribute__((always_inline))

static struct reply ask(struct cache *cache, const struct request *request);
static struct reply ask_plain(struct cache *cache, uint64_t number, bool is_write, cycle_t now);

static inline cycle_t later(cycle_t a, cycle_t b)
{
    return a > b ? a : b;
}

/* ---- Putting a line out ---- */

/* To the level below, past buffers and path. Returns when it is taken. */
cycle_t cache_put_down(struct cache *cache, uint64_t number, enum cache_state state, cycle_t now)
{
    if (cache->below)
        return cache_put(cache->below, cache, number, state, now);
    if (UNLIKELY(cache->content))
        cache_content_line_written(cache->content, number, now);
    return dram_access(cache->dram, cache_line_address(cache, number), true, now);
}

/* The same for what is newer than memory, while a copy stays: an exclusive cache below does not take one. */
static cycle_t put_past_exclusive(struct cache *cache, uint64_t number, cycle_t now)
{
    for (; cache->is_below_exclusive; cache = cache->below)
        cache->below->stats.writebacks++;
    return cache_put_down(cache, number, CACHE_STATE_M, now);
}

/* Through a write buffer; `stays`: as a copy. Returns when it got one. */
static cycle_t put_out(struct cache *cache, uint64_t number, enum cache_state state, bool stays, cycle_t now)
{
    unsigned buffer = 0;
    cache->stats.writebacks += state == CACHE_STATE_M;
    cache->stats.clean_puts += state != CACHE_STATE_M;
    cycle_t start = cache_busy_take(&cache->write_buffers, now, &buffer);
    cache->stats.write_buffer_wait_cycles += start - now;
    cycle_t at = cache_path_move(&cache->path, cache->params.line_bytes, start);
    cycle_t taken = stays ? put_past_exclusive(cache, number, at) : cache_put_down(cache, number, state, at);
    cache_busy_until(&cache->write_buffers, buffer, taken);
    return start;
}

void cache_remove(struct cache *cache, uint64_t number, unsigned way)
{
    uint64_t set = cache_set_of(cache, number), index = set * cache->nr_ways + way;
    cache->stats.prefetch_useless += (cache->lines[index].info & LINE_PREFETCHED) != 0;
    cache->lines[index].tag = CACHE_NO_LINE;
    cache->lines[index].info = 0;
    cache_set_at(cache, set)->nr_lines--;
    if (cache->front.read_line[set] == number)
        cache->front.read_line[set] = CACHE_NO_LINE;
    if (cache->front.write_line[set] == number)
        cache->front.write_line[set] = CACHE_NO_LINE;
    if (cache->last_touched == number)
        cache->last_touched = CACHE_NO_LINE;
    if (UNLIKELY(cache->content))
        cache_content_left(cache->content, number);
}

bool cache_remove_above(struct cache *cache, uint64_t number)
{
    bool is_dirty = false;
    for (unsigned i = 0; i < cache->nr_above; i++) {
        struct cache *above = cache->above[i];
        is_dirty |= cache_remove_above(above, number);
        int way = cache_find(above, number);
        if (way < 0)
            continue;
        uint64_t index = cache_set_of(above, number) * above->nr_ways + (unsigned)way;
        is_dirty |= cache_info_state(above->lines[index].info) == CACHE_STATE_M;
        above->stats.back_invalidations++;
        cache_remove(above, number, (unsigned)way);
    }
    return is_dirty;
}

static unsigned empty_way(struct cache *cache, uint64_t set)
{
    const struct cache_line *lines = &cache->lines[set * cache->nr_ways];
    unsigned way = 0;
    while (lines[way].tag != CACHE_NO_LINE)
        way++;
    cache_set_at(cache, set)->nr_lines++;
    return way;
}

static void count_fill(struct cache *cache, uint64_t number)
{
    uint64_t pfn = number << cache->front.line_shift >> PAGE_SHIFT;
    if (pfn < cache->nr_frames && cache->nr_fills[pfn] < UINT16_MAX)
        cache->nr_fills[pfn]++;
}

/*
 * Gives the line a way, from cycle `now` on. What goes for it is put out. Returns when the line is there:
 * when it has come, and its way is free.
 */
BODY cycle_t place_in(struct cache *cache, bool is_plain, uint64_t number, uint64_t info, cycle_t ready,
                      cycle_t now)
{
    uint64_t set = cache_set_of(cache, number), victim = CACHE_NO_LINE;
    enum cache_state state = CACHE_STATE_I;
    unsigned way;
    bool is_last = false; /* in the order of an LRU word */
    if (UNLIKELY(cache_set_at(cache, set)->nr_lines < cache->nr_ways)) {
        way = empty_way(cache, set);
    } else {
        is_last = is_plain || cache->has_lru_words;
        way = is_last ? cache_last_way(cache, set) : cache_choose_victim_slowly(cache, set);
        uint64_t index = set * cache->nr_ways + way;
        victim = cache->lines[index].tag;
        state = cache_info_state(cache->lines[index].info);
        cache->stats.evictions++;
        if (!is_plain)
            cache->stats.prefetch_useless += (cache->lines[index].info & LINE_PREFETCHED) != 0;
        if (cache->is_inclusive && cache_remove_above(cache, victim))
            state = CACHE_STATE_M;
        if (!is_plain && UNLIKELY(cache->content))
            cache_content_left(cache->content, victim);
    }
    uint64_t index = set * cache->nr_ways + way;
    cache->last_way = way;
    cache->lines[index].tag = number;
    cache_set_hint(cache, set, way, number);
    cache->stats.fills++;
    if (UNLIKELY(cache->nr_fills))
        count_fill(cache, number);
    cache->lines[index].info = info | ready << LINE_FILLED_SHIFT;
    if (is_last)
        cache_order_turn(cache, set);
    else
        cache_note_fill(cache, set, way);
    if (UNLIKELY(state == CACHE_STATE_M) ||
        (!is_plain && victim != CACHE_NO_LINE && cache->is_below_exclusive)) {
        cycle_t freed = put_out(cache, victim, state, false, now);
        if (freed > ready && cache->lines[index].tag == number)
            cache->lines[index].info = info | freed << LINE_FILLED_SHIFT;
        ready = later(ready, freed);
    }
    return ready;
}

static cycle_t place(struct cache *cache, uint64_t number, uint64_t info, cycle_t ready, cycle_t now)
{
    return place_in(cache, false, number, info, ready, now);
}

/* Drops the copies of the caches above but for one. */
static void remove_beside(struct cache *cache, const struct cache *from, uint64_t number)
{
    for (unsigned i = 0; i < cache->nr_above; i++) {
        struct cache *other = cache->above[i];
        int way = other == from ? CACHE_NO_WAY : cache_find(other, number);
        if (way < 0)
            continue;
        other->stats.back_invalidations++;
        cache_remove(other, number, (unsigned)way);
    }
}

static bool is_above(const struct cache *cache, const struct cache *but, uint64_t number)
{
    for (unsigned i = 0; i < cache->nr_above; i++)
        if (cache->above[i] != but && cache_find(cache->above[i], number) >= 0)
            return true;
    return false;
}

/* An exclusive cache below loses a line that comes here from above. Returns whether it was dirty there. */
static bool take_from_below(struct cache *cache, uint64_t number)
{
    struct cache *below = cache->below;
    int way = cache->is_below_exclusive ? cache_find(below, number) : CACHE_NO_WAY;
    if (way < 0)
        return false;
    uint64_t info = below->lines[cache_set_of(below, number) * below->nr_ways + (unsigned)way].info;
    below->stats.back_invalidations++;
    cache_remove(below, number, (unsigned)way);
    return cache_info_state(info) == CACHE_STATE_M;
}

cycle_t cache_put(struct cache *cache, const struct cache *from, uint64_t number, enum cache_state state,
                  cycle_t now)
{
    bool is_dirty = state == CACHE_STATE_M;
    bool goes_through = is_dirty && !cache->writes_back;
    enum cache_state kept = goes_through ? CACHE_STATE_E : state;
    int way = cache_find(cache, number);
    cycle_t taken = now;
    cache->stats.accesses++;
    if (way >= 0) {
        uint64_t set = cache_set_of(cache, number);
        uint64_t *info = &cache->lines[set * cache->nr_ways + (unsigned)way].info;
        cache->stats.hits++;
        cache_touch(cache, set, (unsigned)way);
        if (*info >> LINE_FILLED_SHIFT <= now)
            *info &= (1 << LINE_FILLED_SHIFT) - 1;
        if (kept == CACHE_STATE_M)
            *info |= CACHE_STATE_M;
    } else {
        cache->stats.misses++;
        if (cache->is_exclusive) {
            if (!is_dirty && is_above(cache, from, number))
                return now; /* the other will put it out one day */
            remove_beside(cache, from, number);
        } else if (cache->params.no_write_allocate) {
            cache->stats.writebacks++;
            return cache_put_down(cache, number, state, now);
        }
        if (take_from_below(cache, number) && cache->writes_back)
            kept = CACHE_STATE_M;
        taken = place(cache, number, cache_info(kept, (enum served_by)cache->level, 0), now, now);
    }
    if (goes_through) {
        cache->stats.writebacks++;
        taken = later(taken, put_past_exclusive(cache, number, now));
    }
    return taken;
}

/* A write goes to the level below as it is. Returns when it got a write buffer. */
static cycle_t send_on(struct cache *cache, uint64_t number, cycle_t now)
{
    unsigned buffer = 0;
    cache->stats.write_throughs++;
    cycle_t start = cache_busy_take(&cache->write_buffers, now, &buffer), taken;
    cache->stats.write_buffer_wait_cycles += start - now;
    cycle_t at = cache_path_move(&cache->path, cache->path.bytes_per_cycle, start);
    if (cache->below) {
        struct request request = {.number = number, .now = at, .from = cache, .is_write = true};
        taken = ask(cache->below, &request).ready;
    } else {
        if (UNLIKELY(cache->content))
            cache_content_part_written(cache->content);
        taken = dram_access(cache->dram, cache_line_address(cache, number), true, at);
    }
    cache_busy_until(&cache->write_buffers, buffer, taken);
    return start;
}

/* ---- Bringing a line in ---- */

/* The line was touched or filled: says what the CPU may now hit without asking. */
BODY void publish(struct cache *cache, bool is_plain, uint64_t set, unsigned way, uint64_t number,
                  cycle_t now)
{
    if (!cache->has_front)
        return;
    uint64_t info = cache->lines[set * cache->nr_ways + way].info;
    bool is_constant = is_plain || (!(info & LINE_PREFETCHED) && cache_is_settled(cache, set, way));
    bool is_here = is_constant && info >> LINE_FILLED_SHIFT <= now;
    cache->last_touched = is_constant ? number : CACHE_NO_LINE;
    cache->front.read_line[set] = is_here ? number : CACHE_NO_LINE;
    cache->front.write_line[set] =
        is_here && cache_info_state(info) == CACHE_STATE_M ? number : CACHE_NO_LINE;
}

/* Of a copy that goes up while one stays: what is newer than memory is this one's business. */
static inline uint32_t state_above(uint32_t state)
{
    return state == CACHE_STATE_S ? CACHE_STATE_S : CACHE_STATE_E;
}

static inline bool can_be_dirty(const struct cache *cache)
{
    return cache->writes_back && !cache->params.is_for_code;
}

/*
 * The line goes up to the cache that asked for it, and stays here no longer. Returns the state with which it
 * comes there: what cannot hold what is newer than memory gets it when that has been put out.
 */
static enum cache_state give_away(struct cache *cache, const struct request *request, enum cache_state state,
                                  cycle_t now)
{
    if (state != CACHE_STATE_M || request->takes_dirty)
        return state;
    put_out(cache, request->number, state, true, now);
    return CACHE_STATE_E;
}

/* Reads the line from below and places it, with `flags`. */
BODY struct reply fetch(struct cache *cache, bool is_plain, const struct request *request, uint64_t flags)
{
    unsigned mshr = 0;
    cycle_t start = cache_busy_take(&cache->mshrs, request->now, &mshr);
    cycle_t asked = start + cache->latency_cycles;
    struct reply reply;
    cache->stats.mshr_wait_cycles += start - request->now;
    if (!cache->below) {
        reply.ready = dram_access(cache->dram, cache_line_address(cache, request->number), false, asked);
        reply.served_by = SERVED_BY_DRAM;
        reply.state = CACHE_STATE_E;
    } else if (is_plain) {
        reply = ask_plain(cache->below, request->number, false, asked);
    } else {
        bool goes_on = request->from && cache->is_exclusive;
        bool takes_dirty = goes_on ? request->takes_dirty : can_be_dirty(cache);
        struct request down = {request->number, request->ip,        asked,      cache,
                               false,           request->is_demand, takes_dirty};
        reply = ask(cache->below, &down);
    }
    reply.ready = cache_path_move(&cache->path, cache->params.line_bytes, reply.ready);
    if (is_plain || !request->from || !cache->is_exclusive) {
        bool is_dirty = request->is_write && (is_plain || cache->writes_back);
        uint64_t state = is_dirty ? CACHE_STATE_M : reply.state;
        reply.ready = place_in(cache, is_plain, request->number,
                               flags | state | reply.served_by << LINE_BY_SHIFT, reply.ready, start);
        reply.state = state_above(reply.state);
    }
    cache_busy_until(&cache->mshrs, mshr, reply.ready);
    return reply;
}

static struct reply fetch_line(struct cache *cache, const struct request *request, uint64_t flags)
{
    return fetch(cache, false, request, flags);
}

static void prefetch_line(struct cache *cache, uint64_t number, cycle_t now, uint64_t ip)
{
    struct request request = {.number = number, .ip = ip, .now = now};
    bool is_here = cache_find(cache, number) >= 0 || (cache->is_exclusive && is_above(cache, NULL, number));
    if (is_here)
        return;
    if (!cache_busy_has_free(&cache->mshrs, now)) {
        cache->stats.prefetch_dropped++;
        return;
    }
    cache->stats.prefetches++;
    fetch_line(cache, &request, LINE_PREFETCHED);
    uint64_t set = cache_set_of(cache, number);
    cache->front.read_line[set] = cache->front.write_line[set] = cache->last_touched = CACHE_NO_LINE;
}

/* The prefetcher is to be told when all levels have done with the demand. */
static void note_event(struct cache *cache, const struct request *request, bool is_miss)
{
    cache->event = (struct prefetch_event){request->number, request->ip, is_miss, request->is_write};
    cache->event_at = request->now;
    cache->has_event = cache->prefetcher != NULL;
}

static void tell_prefetchers(struct cache *cache)
{
    struct prefetch_list list;
    for (; cache; cache = cache->below) {
        if (!cache->has_event)
            continue;
        cache->has_event = false;
        prefetcher_train(cache->prefetcher, &cache->event, &list);
        for (unsigned i = 0; i < list.nr_lines; i++)
            prefetch_line(cache, list.line[i], cache->event_at, cache->event.ip);
    }
}

static struct reply miss(struct cache *cache, const struct request *request)
{
    struct reply reply;
    cache->stats.misses++;
    bool is_kept_out = cache->params.no_write_allocate || (cache->is_exclusive && request->from);
    if (request->is_write && is_kept_out) {
        reply.ready =
            later(request->now + cache->latency_cycles, send_on(cache, request->number, request->now));
        reply.served_by = cache->level;
        reply.state = CACHE_STATE_E;
    } else {
        reply = fetch_line(cache, request, 0);
        if (request->is_write && !cache->writes_back)
            send_on(cache, request->number, request->now);
        publish(cache, false, cache_set_of(cache, request->number), cache->last_way, request->number,
                request->now);
    }
    if (UNLIKELY(cache->prefetcher) && request->is_demand)
        note_event(cache, request, true);
    return reply;
}

BODY struct reply hit(struct cache *cache, bool is_plain, const struct request *request, unsigned way)
{
    uint64_t set = cache_set_of(cache, request->number), index = set * cache->nr_ways + way;
    uint64_t info = cache->lines[index].info;
    cycle_t filled_at = info >> LINE_FILLED_SHIFT, now = request->now;
    struct reply reply = {now + cache->latency_cycles, cache->level,
                          state_above((uint32_t)cache_info_state(info))};
    cache->stats.hits++;
    if (is_plain)
        cache_put_first(cache, set, way);
    else
        cache_touch(cache, set, way);
    bool is_first = !is_plain && (info & LINE_PREFETCHED) && request->is_demand;
    if (UNLIKELY(is_first)) {
        info &= ~(uint64_t)LINE_PREFETCHED;
        cache->stats.prefetch_useful++;
        cache->stats.prefetch_late += filled_at > reply.ready;
        cache->stats.prefetch_late_cycles += later(filled_at, reply.ready) - reply.ready;
    }
    if (UNLIKELY(filled_at > reply.ready)) {
        cache->stats.hits_in_flight += !request->is_write;
        reply.ready = filled_at;
        reply.served_by = cache_info_by(info);
    }
    if (filled_at <= now)
        info &= (1 << LINE_FILLED_SHIFT) - 1;
    if (request->is_write && (is_plain || cache->writes_back)) {
        cache->stats.upgrades += cache_info_state(info) == CACHE_STATE_S;
        info |= CACHE_STATE_M;
    }
    cache->lines[index].info = info;
    if (UNLIKELY(!is_plain && request->is_write && !cache->writes_back))
        reply.ready = later(reply.ready, send_on(cache, request->number, now));
    publish(cache, is_plain, set, way, request->number, now);
    if (UNLIKELY(!is_plain && cache->is_exclusive && request->from && !request->is_write)) {
        cache_remove(cache, request->number, way);
        reply.state = give_away(cache, request, cache_info_state(info), now);
    }
    if (UNLIKELY(is_first))
        note_event(cache, request, false);
    return reply;
}

static struct reply ask(struct cache *cache, const struct request *request)
{
    int way = cache_find(cache, request->number);
    cache->stats.accesses++;
    return way >= 0 ? hit(cache, false, request, (unsigned)way) : miss(cache, request);
}

static __attribute__((noinline)) struct reply miss_plain(struct cache *cache, uint64_t number, bool is_write,
                                                         cycle_t now)
{
    struct request request = {.number = number, .now = now, .is_write = is_write};
    cache->stats.misses++;
    struct reply reply = fetch(cache, true, &request, 0);
    publish(cache, true, cache_set_of(cache, number), cache->last_way, number, now);
    return reply;
}

BODY struct reply look_up_plain(struct cache *cache, uint64_t number, bool is_write, cycle_t now)
{
    struct request request = {.number = number, .now = now, .is_write = is_write};
    int way = cache_find_among(cache, number, 0);
    cache->stats.accesses++;
    return way >= 0 ? hit(cache, true, &request, (unsigned)way) : miss_plain(cache, number, is_write, now);
}

static struct reply ask_plain(struct cache *cache, uint64_t number, bool is_write, cycle_t now)
{
    return look_up_plain(cache, number, is_write, now);
}

/* What is not plain; apart, so that the plain way needs no large stack frame. */
static __attribute__((noinline)) struct cache_answer
ask_any(struct cache *cache, enum cache_use use, struct paddr at, bool is_write, cycle_t now, uint64_t ip)
{
    uint64_t number = cache_line_number(cache, at);
    if (UNLIKELY(use != CACHE_USE_ALL) && !(use == CACHE_USE_NO_FILL && cache_find(cache, number) >= 0))
        return cache_ask_specially(cache, use, at, is_write, now);
    struct request request = {number, ip, now, NULL, is_write, use == CACHE_USE_ALL, false};
    struct reply reply = ask(cache, &request);
    if (UNLIKELY(cache->has_afterwork)) {
        if (cache->tells_prefetchers)
            tell_prefetchers(cache);
        if (cache->content)
            cache_content_asked(cache->content, at, is_write, now, ip);
    }
    return (struct cache_answer){reply.ready, (enum served_by)reply.served_by};
}

struct cache_answer cache_ask(struct cache *cache, enum cache_use use, struct paddr at, bool is_write,
                              cycle_t now, uint64_t ip)
{
    if (UNLIKELY(!cache->is_plain || use != CACHE_USE_ALL))
        return ask_any(cache, use, at, is_write, now, ip);
    struct reply reply = look_up_plain(cache, cache_line_number(cache, at), is_write, now);
    return (struct cache_answer){reply.ready, (enum served_by)reply.served_by};
}
