#include "tests/oracle/naive_dram.h"

#include <stdlib.h>

void naive_dram_init(struct naive_dram *dram)
{
    dram->banks = calloc(dram->nr_banks, sizeof *dram->banks);
    if (!dram->banks)
        abort();
}

void naive_dram_free(struct naive_dram *dram)
{
    free(dram->banks);
}

uint64_t naive_dram_access(struct naive_dram *dram, uint64_t physical, bool is_write, uint64_t now)
{
    uint64_t above_column = physical / dram->row_bytes;
    uint64_t row = above_column / dram->nr_banks;
    uint64_t number = (above_column ^ row ^ row / dram->nr_banks) % dram->nr_banks;
    struct naive_bank *bank = &dram->banks[number];
    uint64_t cycles;
    if (!bank->is_open) {
        dram->row_misses++;
        cycles = dram->row_miss_cycles;
    } else if (bank->row == row) {
        dram->row_hits++;
        cycles = dram->row_hit_cycles;
    } else {
        dram->row_conflicts++;
        cycles = dram->row_conflict_cycles;
    }
    uint64_t begin = now;
    if (bank->free_at > begin)
        begin = bank->free_at;
    if (is_write)
        dram->writes++;
    else
        dram->reads++;
    if (!is_write)
        dram->queue_cycles += begin - now;
    bank->is_open = true;
    bank->row = row;
    bank->free_at = begin + (cycles - dram->row_hit_cycles) + dram->burst_cycles;
    return begin + cycles;
}
