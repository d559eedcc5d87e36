#include "tests/oracle/naive_dram_config.h"

#include "sim/base/config_dram.h"

struct naive_dram_config naive_dram_config_of(const struct config *config)
{
    static const char *const mappings[] = {
        "row:rank:bank:column:channel", "row:rank:bank:channel:column", "row:bank:rank:column:channel",
        "row:column:rank:bank:channel", "row:channel:rank:bank:column",
    };
    struct dram_timing t = cfg_dram_timing(config);
    return (struct naive_dram_config){
        .channels = config->dram_channels,
        .ranks = config->dram_ranks,
        .banks = config->dram_banks,
        .groups = cfg_dram_bank_groups(config),
        .row_bytes = config->dram_row_bytes,
        .line_bytes = config->cache_l1d_line_bytes,
        .bus_bytes = config->dram_bus_bytes,
        .mapping = mappings[config->dram_mapping],
        .permute = config->dram_permute,
        .closed = config->dram_policy == CFG_DRAM_CLOSED,
        .fixed = config->dram_preset == CFG_DRAM_FIXED,
        .row_hit = config->dram_row_hit_cycles,
        .row_miss = config->dram_row_miss_cycles,
        .row_conflict = config->dram_row_conflict_cycles,
        .burst = config->dram_burst_cycles,
        .cpu_hz = config->cpu_frequency_hz,
        .clock_hz = t.clock_hz,
        .tCL = t.tCL,
        .tCWL = t.tCWL,
        .tRCD = t.tRCD,
        .tRP = t.tRP,
        .tRAS = t.tRAS,
        .tRTP = t.tRTP,
        .tWR = t.tWR,
        .tWTR_S = t.tWTR_S,
        .tWTR_L = t.tWTR_L,
        .tCCD_S = t.tCCD_S,
        .tCCD_L = t.tCCD_L,
        .tRRD_S = t.tRRD_S,
        .tRRD_L = t.tRRD_L,
        .tFAW = t.tFAW,
        .tRTRS = t.tRTRS,
        .tBURST = t.tBURST,
        .tRFC = t.tRFC,
        .tREFI = t.tREFI,
        .controller = t.controller,
    };
}
