/*
 * The layout of a cache, for its own files. What a search looks at first lies side by side for a whole set,
 * apart from its lines, so that it touches as little as it can. A way keeps its number; order is kept beside.
 */
#ifndef LK_CACHE_CACHE_INTERNAL_H
#define LK_CACHE_CACHE_INTERNAL_H

#include "cache/cache.h"
#include "cache/cache_busy.h"
#include "cache/prefetch.h"

/* What is known of a line: when its fill comes, from bit 8 on; below that its state and these flags. */
enum { LINE_STATE_MASK = 3, LINE_BY_SHIFT = 2, LINE_BY_MASK = 3 << LINE_BY_SHIFT, LINE_PREFETCHED = 1 << 4 };
enum { LINE_FILLED_SHIFT = 8 };

enum { CACHE_NO_WAY = -1, MAX_ABOVE = 2, LRU_WORD_WAYS = 16, HINT_WORD_WAYS = 8 };

struct cache_set {
    /*
     * What the policy remembers of the whole set. LRU, FIFO: the numbers of up to 16 ways in four bits each,
     * the latest lowest. PLRU: the tree's bits, the root's bit 1, the children of node n 2n and 2n + 1.
     */
    uint64_t order;
    uint64_t nr_lines;
    uint64_t hints[]; /* eight bits of each way's line: which ways are worth looking at */
};

struct cache_line {
    uint64_t tag; /* the line's number; CACHE_NO_LINE: an empty way */
    uint64_t info;
};

struct cache {
    /* What every request looks at. */
    struct cache_front front;
    struct cache_line *lines; /* nr_sets x nr_ways */
    uint64_t *sets;           /* each struct cache_set, 1 << set_shift words apart */
    cycle_t latency_cycles;
    unsigned nr_ways, set_shift, hint_shift;
    unsigned last_shift; /* LRU words: of the last way */
    uint64_t order_mask; /* likewise: all ways */
    uint8_t level;       /* enum served_by */
    bool has_lru_words, has_front, writes_back, is_exclusive, is_below_exclusive, is_inclusive;
    bool tells_prefetchers; /* there is one, here or below */
    /*
     * As most are, and all below it: LRU of up to HINT_WORD_WAYS ways, write-back, write-allocate, not
     * exclusive, no prefetcher, no content.
     */
    bool is_plain;
    bool has_afterwork; /* prefetchers to tell, or `content` */
    enum cache_replacement replacement;
    unsigned last_way;     /* in which a line was placed last */
    uint64_t last_touched; /* the line last touched, if it may be hit without a change; or CACHE_NO_LINE */
    struct cache *below;
    struct dram *dram;
    struct cache_content *content; /* NULL: memory holds what the CPU sees, or is not asked for it */
    struct cache_stats stats;
    uint16_t *nr_fills; /* by frame, as far as nr_frames: for a window; or NULL */
    uint64_t nr_frames;
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

static inline struct cache_set *cache_set_at(const struct cache *cache, uint64_t set)
{
    return (struct cache_set *)&cache->sets[set << cache->set_shift];
}

static inline uint64_t cache_hint(const struct cache *cache, uint64_t number)
{
    uint64_t above_set = number >> cache->hint_shift;
    return (above_set ^ above_set >> 8) & 0xff;
}

static inline void cache_set_hint(struct cache *cache, uint64_t set, unsigned way, uint64_t number)
{
    uint64_t *hints = &cache_set_at(cache, set)->hints[way / HINT_WORD_WAYS];
    unsigned shift = way % HINT_WORD_WAYS * 8;
    *hints = (*hints & ~((uint64_t)0xff << shift)) | cache_hint(cache, number) << shift;
}

/* Which of eight ways from `first` on holds the line, or CACHE_NO_WAY: their hints are compared at once. */
static inline int cache_find_among(const struct cache *cache, uint64_t number, unsigned first)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t set = cache_set_of(cache, number);
    const struct cache_line *lines = &cache->lines[set * cache->nr_ways];
    uint64_t differ =
        cache_set_at(cache, set)->hints[first / HINT_WORD_WAYS] ^ cache_hint(cache, number) * ones;
    for (uint64_t zero = (differ - ones) & ~differ & ones << 7; zero; zero &= zero - 1) {
        unsigned way = first + ((unsigned)__builtin_ctzll(zero) >> 3);
        if (way < cache->nr_ways && lines[way].tag == number)
            return (int)way;
    }
    return CACHE_NO_WAY;
}

/* The way that holds the line, or CACHE_NO_WAY. */
static inline int cache_find(const struct cache *cache, uint64_t number)
{
    int way = CACHE_NO_WAY;
    for (unsigned first = 0; first < cache->nr_ways && way < 0; first += HINT_WORD_WAYS)
        way = cache_find_among(cache, number, first);
    return way;
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

/* The last way of a set's order becomes the first. */
static inline void cache_order_turn(struct cache *cache, uint64_t set)
{
    uint64_t *order = &cache_set_at(cache, set)->order,
             last = *order >> cache->last_shift & (LRU_WORD_WAYS - 1);
    *order = ((*order << 4 | last) & cache->order_mask) | (*order & ~cache->order_mask);
}

/* With an LRU word: the way is the latest; and the way that is the last. */
static inline void cache_put_first(struct cache *cache, uint64_t set, unsigned way)
{
    cache_set_at(cache, set)->order = cache_order_first(cache_set_at(cache, set)->order, way);
}

static inline unsigned cache_last_way(const struct cache *cache, uint64_t set)
{
    return cache_set_at(cache, set)->order >> cache->last_shift & (LRU_WORD_WAYS - 1);
}

static inline void cache_touch(struct cache *cache, uint64_t set, unsigned way)
{
    if (cache->has_lru_words)
        cache_put_first(cache, set, way);
    else
        cache_touch_slowly(cache, set, way);
}

static inline void cache_note_fill(struct cache *cache, uint64_t set, unsigned way)
{
    if (cache->has_lru_words)
        cache_put_first(cache, set, way);
    else
        cache_note_fill_slowly(cache, set, way);
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

/* The CPU has to ask for each access to this line, which is of an L1D. */
void cache_unpublish(struct cache *cache, uint64_t number);
/* What the cache does is told from now on. */
void cache_keep_content(struct cache *cache, struct cache_content *content);

/* ---- content.c: what it is told; all but the first two where things are as they will stay ---- */

/* A line was written to the DRAM as it is in the caches; or the part that is being written. */
void cache_content_line_written(struct cache_content *content, uint64_t number, cycle_t now);
void cache_content_part_written(struct cache_content *content);
/* A cache has lost a line; it may be on its way to another. */
void cache_content_left(struct cache_content *content, uint64_t number);
/* An access has been answered; the CPU reads or writes its bytes next. */
void cache_content_asked(struct cache_content *content, struct paddr at, bool is_write, cycle_t now,
                         uint64_t ip);
void cache_content_flushed(struct cache_content *content);

/* ---- cache_uses.c ---- */

/* What is not plainly an access to write-back memory. */
struct cache_answer cache_ask_specially(struct cache *cache, enum cache_use use, struct paddr at,
                                        bool is_write, cycle_t now);

#endif
