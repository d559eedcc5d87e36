#include "cache/dram.h"

#include <stdlib.h>

#define NO_ROW UINT64_MAX

struct bank {
    uint64_t open_row;
    cycle_t free_at;
};

struct dram {
    struct dram_params params;
    struct dram_stats stats;
    unsigned row_shift, bank_shift;
    struct bank banks[];
};

struct dram *dram_create(const struct dram_params *params)
{
    struct dram *dram = calloc(1, sizeof *dram + params->nr_banks * sizeof(struct bank));
    if (!dram)
        return NULL;
    dram->params = *params;
    dram->row_shift = (unsigned)__builtin_ctzll(params->row_bytes);
    dram->bank_shift = (unsigned)__builtin_ctzll(params->nr_banks);
    for (uint64_t i = 0; i < params->nr_banks; i++)
        dram->banks[i].open_row = NO_ROW;
    return dram;
}

void dram_destroy(struct dram *dram)
{
    free(dram);
}

cycle_t dram_access(struct dram *dram, struct paddr at, bool is_write, cycle_t now)
{
    const struct dram_params *p = &dram->params;
    uint64_t row = at.v >> dram->row_shift >> dram->bank_shift;
    struct bank *bank =
        &dram->banks[((at.v >> dram->row_shift) ^ row ^ row >> dram->bank_shift) & (p->nr_banks - 1)];
    cycle_t latency_cycles;
    if (bank->open_row == row) {
        dram->stats.row_hits++;
        latency_cycles = p->row_hit_cycles;
    } else if (bank->open_row == NO_ROW) {
        dram->stats.row_misses++;
        latency_cycles = p->row_miss_cycles;
    } else {
        dram->stats.row_conflicts++;
        latency_cycles = p->row_conflict_cycles;
    }
    bank->open_row = row;
    cycle_t start = bank->free_at > now ? bank->free_at : now;
    if (is_write) {
        dram->stats.writes++;
    } else {
        dram->stats.reads++;
        dram->stats.queue_cycles += start - now;
    }
    /* A row hit only needs the column and the bus again; opening a row keeps the bank until the data come. */
    cycle_t open_cycles = latency_cycles - p->row_hit_cycles;
    bank->free_at = start + open_cycles + p->burst_cycles;
    return start + latency_cycles;
}

const struct dram_stats *dram_stats(const struct dram *dram)
{
    return &dram->stats;
}

bool dram_register_stats(struct dram *dram, struct stat_registry *registry, const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct dram_stats, name, unit, sentence),
#include "cache/dram_stats.def"
#undef STAT
    };
    return stat_register(registry, path, rows, sizeof rows / sizeof *rows, &dram->stats);
}
