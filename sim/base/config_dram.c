#include "sim/base/config_dram.h"

enum { NR_CLOCKED_PRESETS = 3, TRANSFERS_PER_BURST = 8 };

#define CK(clocks) (clocks)
#define PS(ps) (CFG_TIME_IS_PS | (ps))

/* Rounded up: all of these are least distances. At most 10^9 ps at 1.2 GHz, so that nothing overflows. */
static uint64_t in_clocks(uint64_t time, uint64_t clock_hz)
{
    const uint64_t ps_per_second = 1000000000000;
    if (!(time & CFG_TIME_IS_PS))
        return time;
    uint64_t ps = time & ~CFG_TIME_IS_PS;
    uint64_t clock_khz = clock_hz / 1000;
    return (ps * clock_khz + ps_per_second / 1000 - 1) / (ps_per_second / 1000);
}

static uint64_t choose(uint64_t configured, uint64_t preset, uint64_t clock_hz)
{
    return in_clocks(configured == CFG_TIME_PRESET ? preset : configured, clock_hz);
}

struct dram_timing cfg_dram_timing(const struct config *config)
{
    static const uint64_t clocks_hz[NR_CLOCKED_PRESETS] = {400000000, 800000000, 1200000000};
    struct dram_timing timing = {0};
    if (config->dram_preset == CFG_DRAM_FIXED)
        return timing;
    uint64_t i = config->dram_preset - CFG_DRAM_DDR2_800;
    timing.clock_hz = clocks_hz[i];
#define DRAM_TIMING(name, ddr2, ddr3, ddr4)                                                                  \
    {                                                                                                        \
        const uint64_t presets[NR_CLOCKED_PRESETS] = {ddr2, ddr3, ddr4};                                     \
        timing.name = choose(config->dram_##name, presets[i], timing.clock_hz);                              \
    }
#include "sim/base/dram_presets.def"
#undef DRAM_TIMING
    return timing;
}

uint64_t cfg_dram_bank_groups(const struct config *config)
{
    const uint64_t banks_per_group = 4; /* JESD79-4B 2.7: four banks in each group, x4, x8 and x16 */
    if (config->dram_bank_groups)
        return config->dram_bank_groups;
    if (config->dram_preset != CFG_DRAM_DDR4_2400 || config->dram_banks <= banks_per_group)
        return 1;
    return config->dram_banks / banks_per_group;
}

uint64_t cfg_dram_bursts(const struct config *config)
{
    uint64_t burst_bytes = TRANSFERS_PER_BURST * config->dram_bus_bytes;
    return (config->cache_l1d_line_bytes + burst_bytes - 1) / burst_bytes;
}

static uint64_t at_least(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t cfg_dram_least_trefi(const struct dram_timing *timing, uint64_t nr_bursts)
{
    uint64_t last = timing->tRCD + (nr_bursts - 1) * timing->tCCD_L;
    uint64_t write = last + timing->tCWL + timing->tBURST + timing->tWR;
    uint64_t used = at_least(timing->tRAS, at_least(last + timing->tRTP, write));
    return timing->tRFC + used + timing->tRP + 1;
}
