/*
 * The DRAM as docs/timing.md has it: a list of banks, looked through from the start. Shares no code with
 * cache/.
 */
#ifndef LK_TESTS_ORACLE_NAIVE_DRAM_H
#define LK_TESTS_ORACLE_NAIVE_DRAM_H

#include <stdbool.h>
#include <stdint.h>

struct naive_bank {
    bool is_open;
    uint64_t row, free_at;
};

struct naive_dram {
    uint64_t nr_banks, row_bytes;
    uint64_t row_hit_cycles, row_miss_cycles, row_conflict_cycles, burst_cycles;
    struct naive_bank *banks;
    uint64_t reads, writes, row_hits, row_misses, row_conflicts, queue_cycles;
};

/* The parameters above the banks are filled in. */
void naive_dram_init(struct naive_dram *dram);
/* When the line is there, or taken. */
uint64_t naive_dram_access(struct naive_dram *dram, uint64_t physical, bool is_write, uint64_t now);
void naive_dram_free(struct naive_dram *dram);

#endif
