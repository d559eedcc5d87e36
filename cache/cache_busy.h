/*
 * What can be taken and is busy for a while, by stamps: a number of equal registers (MSHRs, write buffers),
 * and the path between two levels. Requests come in program order and their cycles may go backwards.
 */
#ifndef LK_CACHE_CACHE_BUSY_H
#define LK_CACHE_CACHE_BUSY_H

#include "sim/base/addr.h"

#include <stdbool.h>

enum { CACHE_MAX_REGISTERS = 64, CACHE_PATH_TRANSFERS = 16 };

/* nr = 0: as many as are asked for. */
struct cache_busy {
    unsigned nr, next;
    cycle_t until[CACHE_MAX_REGISTERS];
};

/*
 * Takes a register in cycle `now` or as soon as one is free: the first that is free, beginning behind the one
 * taken last and going round; or the one that is free first, and of several the one that is met first.
 * Returns the cycle from which it is taken; *index is for cache_busy_until.
 */
static inline cycle_t cache_busy_take(struct cache_busy *busy, cycle_t now, unsigned *index)
{
    unsigned best = busy->next;
    if (busy->nr == 0)
        return now;
    if (busy->until[best] > now) {
        for (unsigned i = 1; i < busy->nr && busy->until[best] > now; i++) {
            unsigned other = busy->next + i < busy->nr ? busy->next + i : busy->next + i - busy->nr;
            if (busy->until[other] < busy->until[best] || busy->until[other] <= now)
                best = other;
        }
    }
    *index = best;
    busy->next = best + 1 == busy->nr ? 0 : best + 1;
    return busy->until[best] > now ? busy->until[best] : now;
}

static inline void cache_busy_until(struct cache_busy *busy, unsigned index, cycle_t until)
{
    if (busy->nr)
        busy->until[index] = until;
}

/* Whether one is free in cycle `now`. */
bool cache_busy_has_free(const struct cache_busy *busy, cycle_t now);

/* The last transfers; a new one may begin where it overlaps none of them. */
struct cache_path {
    uint64_t bytes_per_cycle; /* 0: all at once */
    unsigned next;
    struct {
        cycle_t from, until;
    } transfer[CACHE_PATH_TRANSFERS];
};

/* Moves `nr_bytes` in cycle `now` or as soon as the path is free. Returns the cycle in which that begins. */
cycle_t cache_path_move_slowly(struct cache_path *path, uint64_t nr_bytes, cycle_t now);

static inline cycle_t cache_path_move(struct cache_path *path, uint64_t nr_bytes, cycle_t now)
{
    return path->bytes_per_cycle == 0 ? now : cache_path_move_slowly(path, nr_bytes, now);
}

#endif
