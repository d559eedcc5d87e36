#include "tests/oracle/naive_cache.h"

uint64_t naive_registers_take(struct naive_registers *registers, uint64_t now, uint64_t *which)
{
    uint64_t earliest = UINT64_MAX;
    *which = 0;
    if (registers->nr == 0)
        return now;
    for (uint64_t i = 0; i < registers->nr; i++) {
        uint64_t number = (registers->begin_at + i) % registers->nr;
        uint64_t free_at = registers->until[number] <= now ? now : registers->until[number];
        if (free_at < earliest) {
            earliest = free_at;
            *which = number;
        }
    }
    registers->begin_at = (*which + 1) % registers->nr;
    return earliest;
}

bool naive_registers_has_free(const struct naive_registers *registers, uint64_t now)
{
    for (uint64_t i = 0; i < registers->nr; i++) {
        if (registers->until[i] <= now)
            return true;
    }
    return registers->nr == 0;
}

void naive_registers_busy(struct naive_registers *registers, uint64_t which, uint64_t until)
{
    registers->until[which] = until;
}

static bool overlaps(const struct naive_path *path, uint64_t begin, uint64_t end)
{
    for (unsigned i = 0; i < NAIVE_TRANSFERS; i++) {
        if (begin < path->transfer[i].end && path->transfer[i].begin < end)
            return true;
    }
    return false;
}

uint64_t naive_path_move(struct naive_path *path, uint64_t nr_bytes, uint64_t now)
{
    uint64_t cycles, begin = now;
    if (path->bytes_per_cycle == 0)
        return now;
    cycles = (nr_bytes + path->bytes_per_cycle - 1) / path->bytes_per_cycle;
    while (overlaps(path, begin, begin + cycles))
        begin++;
    path->transfer[path->nr_transfers % NAIVE_TRANSFERS].begin = begin;
    path->transfer[path->nr_transfers % NAIVE_TRANSFERS].end = begin + cycles;
    path->nr_transfers++;
    return begin;
}
