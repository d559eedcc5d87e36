/* A DRAM's parameters from the keys of the configuration. */
#include "cache/dram.h"

struct dram_params dram_params_of(const struct config *config)
{
    return (struct dram_params){
        .nr_banks = config->dram_banks,
        .row_bytes = config->dram_row_bytes,
        .row_hit_cycles = config->dram_row_hit_cycles,
        .row_miss_cycles = config->dram_row_miss_cycles,
        .row_conflict_cycles = config->dram_row_conflict_cycles,
        .burst_cycles = config->dram_burst_cycles,
        .nr_channels = config->dram_channels,
        .nr_ranks = config->dram_ranks,
        .nr_groups = cfg_dram_bank_groups(config),
        .line_bytes = config->cache_l1d_line_bytes,
        .nr_bursts = cfg_dram_bursts(config),
        .mapping = (unsigned)config->dram_mapping,
        .is_closed = config->dram_policy == CFG_DRAM_CLOSED,
        .keeps_bank_bits = !config->dram_permute,
        .cpu_hz = config->cpu_frequency_hz,
        .timing = cfg_dram_timing(config),
    };
}
