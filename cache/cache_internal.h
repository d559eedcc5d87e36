/*
 * The layout of a cache, for its own files. Tags of a set lie side by side, apart from what is known of each
 * line, so that a search touches as little as it can. A way keeps its number; order is kept beside.
 */
#ifndef LK_CACHE_CACHE_INTERNAL_H
#define LK_CACHE_CACHE_INTERNAL_H

#include "cache/cache.h"
#include "cache/cache_busy.h"
#include "cache/prefetch.h"

/* What is known of a line: when its fill comes, from bit 8 on; below that its state and these flags. */
enum { LINE_STATE_MASK = 3, LINE_BY_SHIFT = 2, LINE_BY_MASK = 3 << LINE_BY_SHIFT, LINE_PREFETCHED = 1 << 4 };
enum { LINE_FILLED_SHIFT = 8 };

enum { CACHE_NO_WAY = -1, MAX_ABOVE = 2, LRU_WORD_WAYS = 16 };

struct cache_set {
    /*
     * What the policy remembers of the whole set. LRU, FIFO: the numbers of up to 16 ways in four bits each,
     * the latest lowest. PLRU: the tree's bits, the root's bit 1, the children of node n 2n and 2n + 1.
     */
    uint64_t order;
    uint64_t nr_lines;
};

struct cache {
    /* What every request looks at. */
    struct cache_front front;
    uint64_t *tags; /* nr_sets x nr_ways; CACHE_NO_LINE: an empty way */
    uint64_t *info; /* likewise */
    struct cache_set *sets;
    cycle_t latency_cycles;
    unsigned nr_ways;
    uint8_t level; /* enum served_by */
    bool has_lru_words, has_front, writes_back, is_exclusive, is_below_exclusive, is_inclusive;
    bool tells_prefetchers; /* there is one, here or below */
    enum cache_replacement replacement;
    unsigned last_way;     /* in which a line was placed last */
    uint64_t last_touched; /* the line last touched, if it may be hit without a change; or CACHE_NO_LINE */
    struct cache *below;
    struct dram *dram;
    struct cache_stats stats;
    struct cache_busy mshrs, write_buffers;
    struct cache_path path; /* to the level below */
    struct prefetcher *prefetcher;
    bool has_event; /* for the prefetcher, when the demand under way has been dealt with */
    cycle_t event_at;
    struct prefetch_event event;
    uint64_t *age;   /* by line: LRU, FIFO with more than 16 ways */
    uint64_t clock;  /* the latest age */
    uint8_t *rrpv;   /* by line: SRRIP */
    uint64_t random; /* the generator's state */
    uint64_t nr_sets;
    struct cache *above[MAX_ABOVE];
    unsigned nr_above;
    struct cache_params params;
};

static inline uint64_t cache_set_of(const struct cache *cache, uint64_t number)
{
    return number & cache->front.set_mask;
}

static inline struct paddr cache_line_address(const struct cache *cache, uint64_t number)
{
    return paddr(number << cache->front.line_shift);
}

static inline uint64_t cache_line_number(const struct cache *cache, struct paddr at)
{
    return at.v >> cache->front.line_shift;
}

/*
 * The way that holds the line, or CACHE_NO_WAY. Eight are compared at once: which it is cannot be predicted.
 */
static inline int cache_find(const struct cache *cache, uint64_t number)
{
    const uint64_t *tags = &cache->tags[cache_set_of(cache, number) * cache->nr_ways];
    int way = 0, nr_ways = (int)cache->nr_ways;
    for (; way + 8 <= nr_ways; way += 8) {
        unsigned found = 0;
#pragma GCC unroll 8
        for (unsigned i = 0; i < 8; i++)
            found |= (unsigned)(tags[(unsigned)way + i] == number) << i;
        if (found)
            return way + __builtin_ctz(found);
    }
    for (; way < nr_ways; way++)
        if (tags[way] == number)
            return way;
    return CACHE_NO_WAY;
}

static inline enum cache_state cache_info_state(uint64_t info)
{
    return (enum cache_state)(info & LINE_STATE_MASK);
}

static inline enum served_by cache_info_by(uint64_t info)
{
    return (enum served_by)((info & LINE_BY_MASK) >> LINE_BY_SHIFT);
}

static inline uint64_t cache_info(enum cache_state state, enum served_by by, cycle_t filled_at)
{
    return filled_at << LINE_FILLED_SHIFT | (uint64_t)by << LINE_BY_SHIFT | (uint64_t)state;
}

/* ---- cache_replace.c ---- */

/* A line was hit, or filled. */
void cache_touch_slowly(struct cache *cache, uint64_t set, unsigned way);
void cache_note_fill_slowly(struct cache *cache, uint64_t set, unsigned way);
/* The way of a full set whose line goes. */
unsigned cache_choose_victim_slowly(struct cache *cache, uint64_t set);
bool cache_replacement_init(struct cache *cache);
void cache_replacement_fini(struct cache *cache);

/* Moves `way` to the front of a set's order. */
static inline uint64_t cache_order_first(uint64_t order, unsigned way)
{
    const uint64_t ones = 0x1111111111111111;
    uint64_t differ =
        order ^ way * ones; /* its place is where this has a digit 0; the lowest is found right */
    unsigned place = (unsigned)__builtin_ctzll((differ - ones) & ~differ & ones << 3) & ~3u;
    uint64_t before = ((uint64_t)1 << place) - 1;
    return (order & ~(before << 4 | 15)) | (order & before) << 4 | way;
}

static inline void cache_touch(struct cache *cache, uint64_t set, unsigned way)
{
    if (cache->has_lru_words)
        cache->sets[set].order = cache_order_first(cache->sets[set].order, way);
    else
        cache_touch_slowly(cache, set, way);
}

static inline void cache_note_fill(struct cache *cache, uint64_t set, unsigned way)
{
    if (cache->has_lru_words)
        cache->sets[set].order = cache_order_first(cache->sets[set].order, way);
    else
        cache_note_fill_slowly(cache, set, way);
}

static inline unsigned cache_choose_victim(struct cache *cache, uint64_t set)
{
    if (cache->has_lru_words)
        return cache->sets[set].order >> 4 * (cache->nr_ways - 1) & (LRU_WORD_WAYS - 1);
    return cache_choose_victim_slowly(cache, set);
}

/* Whether a hit on the line that was just touched would leave the policy's state as it is. */
static inline bool cache_is_settled(const struct cache *cache, uint64_t set, unsigned way)
{
    return cache->replacement != CACHE_SRRIP || cache->rrpv[set * cache->nr_ways + way] == 0;
}

/* ---- cache.c ---- */

/* Empties a way. Its line is not written anywhere. */
void cache_remove(struct cache *cache, uint64_t number, unsigned way);
/* Drops the line in all caches above. Returns whether one of them had it dirty. */
bool cache_remove_above(struct cache *cache, uint64_t number);
/* `from`, a cache above, puts a whole line out. Returns when it is taken. */
cycle_t cache_put(struct cache *cache, const struct cache *from, uint64_t number, enum cache_state state,
                  cycle_t now);
/* The same, of the level below or the DRAM, past buffers and path. */
cycle_t cache_put_down(struct cache *cache, uint64_t number, enum cache_state state, cycle_t now);

/* ---- cache_uses.c ---- */

/* What is not plainly an access to write-back memory. */
struct cache_answer cache_ask_specially(struct cache *cache, enum cache_use use, struct paddr at,
                                        bool is_write, cycle_t now);

#endif
