#include "cache/cache_busy.h"

bool cache_busy_has_free(const struct cache_busy *busy, cycle_t now)
{
    bool has_free = busy->nr == 0;
    for (unsigned i = 0; i < busy->nr && !has_free; i++)
        has_free = busy->until[i] <= now;
    return has_free;
}

cycle_t cache_path_move_slowly(struct cache_path *path, uint64_t nr_bytes, cycle_t now)
{
    cycle_t cycles = (nr_bytes + path->bytes_per_cycle - 1) / path->bytes_per_cycle, start = now;
    for (bool is_moved = true; is_moved;) {
        is_moved = false;
        for (unsigned i = 0; i < CACHE_PATH_TRANSFERS; i++) {
            if (start < path->transfer[i].until && start + cycles > path->transfer[i].from) {
                start = path->transfer[i].until;
                is_moved = true;
            }
        }
    }
    path->transfer[path->next].from = start;
    path->transfer[path->next].until = start + cycles;
    path->next = (path->next + 1) % CACHE_PATH_TRANSFERS;
    return start;
}
