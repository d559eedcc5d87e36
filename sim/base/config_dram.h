/* The keys `dram.*` worked out: what the preset stands for and what overrides it, in clocks of the memory. */
#ifndef LK_SIM_BASE_CONFIG_DRAM_H
#define LK_SIM_BASE_CONFIG_DRAM_H

#include "sim/base/config.h"

struct dram_timing {
    uint64_t clock_hz; /* 0: the preset is `fixed`, and has no clock */
#define DRAM_TIMING(name, ddr2, ddr3, ddr4) uint64_t name;
#include "sim/base/dram_presets.def"
#undef DRAM_TIMING
};

struct dram_timing cfg_dram_timing(const struct config *config);

/* Groups of banks in a rank, where dram.bank_groups may be 0 for the standard's. */
uint64_t cfg_dram_bank_groups(const struct config *config);

/*
 * The least tREFI with which each access fits between two refreshes: a bank must be opened, used and closed
 * in what tRFC leaves.
 */
uint64_t cfg_dram_least_trefi(const struct dram_timing *timing, uint64_t nr_bursts);

/* Bursts of eight transfers that a line takes. */
uint64_t cfg_dram_bursts(const struct config *config);

#endif
