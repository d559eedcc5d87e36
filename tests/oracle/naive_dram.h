/*
 * docs/dram.md written down as plainly as it can be: what each bank was sent last, and a search through all
 * banks for what holds the next command up. Shares no code with cache/dram.c.
 */
#ifndef LK_TESTS_ORACLE_NAIVE_DRAM_H
#define LK_TESTS_ORACLE_NAIVE_DRAM_H

#include <stdbool.h>
#include <stdint.h>

/* As the configuration has it; no zeros that stand for something else; timings in clocks. */
struct naive_dram_config {
    uint64_t channels, ranks, banks, groups, row_bytes, line_bytes, bus_bytes;
    const char *mapping; /* "row:rank:bank:column:channel" */
    bool permute, closed;
    bool fixed; /* then the next four, in CPU cycles, and none of those below */
    uint64_t row_hit, row_miss, row_conflict, burst;
    uint64_t cpu_hz, clock_hz;
    uint64_t tCL, tCWL, tRCD, tRP, tRAS, tRTP, tWR, tWTR_S, tWTR_L, tCCD_S, tCCD_L, tRRD_S, tRRD_L, tFAW,
        tRTRS, tBURST, tRFC, tREFI, controller;
};

/* Names as in cache/dram_stats.def. */
struct naive_dram_counts {
    uint64_t reads, writes, row_hits, row_misses, row_conflicts, activates, precharges, refreshes,
        refresh_waits, turnaround_waits, queue_cycles;
};

enum naive_dram_command { NAIVE_ACTIVATE, NAIVE_PRECHARGE, NAIVE_READ, NAIVE_WRITE, NAIVE_REFRESH };

struct naive_dram_sent {
    enum naive_dram_command command;
    uint64_t clock, channel, rank, group, bank;
};

struct naive_dram {
    struct naive_dram_config config;
    struct naive_dram_counts counts;
    struct naive_bank *banks; /* by channel, rank, bank */
    struct naive_rank *ranks; /* by channel, rank */
    struct naive_channel *channels;
    /*
     * May be set: told of each command, an access's together. Of closing precharges only that of a conflict.
     */
    void (*watch)(void *opaque, const struct naive_dram_sent *sent);
    void *opaque;
};

/* False when memory is short. */
bool naive_dram_init(struct naive_dram *dram, const struct naive_dram_config *config);
void naive_dram_free(struct naive_dram *dram);
/* The cycle in which the line is there. */
uint64_t naive_dram_access(struct naive_dram *dram, uint64_t physical, bool is_write, uint64_t now);

#endif
