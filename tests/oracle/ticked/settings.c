/* Random configurations: every parameter that a cycle depends on. */
#include "tests/oracle/ticked/program.h"

#include <stdarg.h>
#include <stdio.h>

uint64_t dice_next(struct dice *dice)
{
    dice->state = dice->state * 6364136223846793005 + 1442695040888963407;
    uint64_t x = dice->state;
    x = (x ^ x >> 32) * 0x9e3779b97f4a7c15;
    return x ^ x >> 29;
}

unsigned dice_below(struct dice *dice, unsigned limit)
{
    return (unsigned)((dice_next(dice) >> 32) % limit);
}

bool dice_one_in(struct dice *dice, unsigned nr)
{
    return dice_below(dice, nr) == 0;
}

static void add(struct settings *settings, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct settings *settings, const char *format, ...)
{
    va_list args;
    if (settings->nr == MAX_SETTINGS)
        abort();
    va_start(args, format);
    vsnprintf(settings->text[settings->nr], SETTING_BYTES, format, args);
    va_end(args);
    settings->line[settings->nr] = settings->text[settings->nr];
    settings->line[++settings->nr] = NULL;
}

/* 1 << (low .. high) */
static unsigned power(struct dice *dice, unsigned low, unsigned high)
{
    return 1u << (low + dice_below(dice, high - low + 1));
}

static unsigned between(struct dice *dice, unsigned low, unsigned high)
{
    return low + dice_below(dice, high - low + 1);
}

static void choose_core(struct dice *dice, struct settings *s)
{
    static const char *const predictors[] = {"gshare", "bimodal", "taken", "not-taken", "tage"};
    add(s, "cpu.width=%u", power(dice, 0, 2));
    add(s, "cpu.fetch_queue=%u", between(dice, 1, 16));
    add(s, "cpu.frontend_cycles=%u", between(dice, 1, 12));
    add(s, "cpu.mispredict_cycles=%u", between(dice, 0, 12));
    add(s, "cpu.memory_ports=%u", power(dice, 0, 2));
    add(s, "cpu.store_buffer=%u", dice_one_in(dice, 2) ? between(dice, 1, 4) : between(dice, 1, 64));
    add(s, "cpu.store_forward_cycles=%u", dice_one_in(dice, 2) ? 0 : between(dice, 1, 9));
    add(s, "cpu.store_forward_fail_cycles=%u", between(dice, 0, 15));
    add(s, "cpu.predictor=%s", predictors[dice_below(dice, 5)]);
    add(s, "cpu.predictor_entries=%u", power(dice, 1, 12));
    unsigned shortest = between(dice, 1, 12), ways = between(dice, 1, 6);
    add(s, "cpu.tage_tables=%u", between(dice, 2, 8));
    add(s, "cpu.tage_entries=%u", power(dice, 1, 9));
    add(s, "cpu.tage_tag_bits=%u", between(dice, 2, 16));
    add(s, "cpu.tage_counter_bits=%u", between(dice, 2, 6));
    add(s, "cpu.tage_useful_bits=%u", between(dice, 1, 6));
    add(s, "cpu.tage_min_history=%u", shortest);
    add(s, "cpu.tage_max_history=%u", shortest + dice_below(dice, 1 << between(dice, 0, 9)));
    add(s, "cpu.tage_ageing_branches=%u", power(dice, 6, 12));
    add(s, "cpu.btb_ways=%u", ways);
    add(s, "cpu.btb_entries=%u", ways * power(dice, 0, 7));
    add(s, "cpu.return_stack=%u", between(dice, 1, 16));
    add(s, "cpu.io_cycles=%u", between(dice, 1, 60));
}

/* Whoever of `policies`, of which the last is plru, a set of so many ways can have. */
static const char *policy_of(struct dice *dice, const char *const *policies, unsigned nr, unsigned ways)
{
    return policies[dice_below(dice, ways & (ways - 1) ? nr - 1 : nr)];
}

/* 0 is as many as are asked for. */
static unsigned some(struct dice *dice, unsigned most)
{
    return dice_one_in(dice, 2) ? between(dice, 0, 3) : between(dice, 0, most);
}

static void choose_cache(struct dice *dice, struct settings *s, const char *name, unsigned line,
                         unsigned size_log2, unsigned most_cycles)
{
    static const char *const policies[] = {"lru", "fifo", "random", "srrip", "plru"};
    static const char *const prefetchers[] = {"none", "next-line", "stride", "stream"};
    unsigned ways = between(dice, 1, 8);
    add(s, "cache.%s.line=%u", name, line);
    add(s, "cache.%s.ways=%u", name, ways);
    add(s, "cache.%s.size=%u", name, ways * line * power(dice, 0, size_log2));
    add(s, "cache.%s.latency_cycles=%u", name, between(dice, 1, most_cycles));
    add(s, "cache.%s.replacement=%s", name, policy_of(dice, policies, 5, ways));
    add(s, "cache.%s.mshrs=%u", name, some(dice, 64));
    add(s, "cache.%s.bytes_per_cycle=%u", name, dice_one_in(dice, 2) ? 0 : power(dice, 0, 6));
    add(s, "cache.%s.prefetcher=%s", name, prefetchers[dice_one_in(dice, 2) ? 0 : dice_below(dice, 4)]);
    add(s, "cache.%s.prefetch_degree=%u", name, between(dice, 1, 8));
    add(s, "cache.%s.prefetch_distance=%u", name, between(dice, 1, 16));
    add(s, "cache.%s.prefetch_entries=%u", name, between(dice, 1, 16));
}

/* What a cache that data are written to has besides. */
static void choose_writes(struct dice *dice, struct settings *s, const char *name)
{
    add(s, "cache.%s.write=%s", name, dice_one_in(dice, 3) ? "through" : "back");
    add(s, "cache.%s.write_allocate=%s", name, dice_one_in(dice, 3) ? "false" : "true");
    add(s, "cache.%s.write_buffers=%u", name, some(dice, 8));
}

static void choose_caches(struct dice *dice, struct settings *s)
{
    static const char *const inclusions[] = {"non-inclusive", "inclusive", "exclusive"};
    unsigned line = power(dice, 4, 7), levels = between(dice, 1, 3), l2_inclusion = dice_below(dice, 3);
    add(s, "cpu.fetch_bytes=%u", 1u << between(dice, 3, (unsigned)__builtin_ctz(line)));
    add(s, "cache.levels=%u", levels);
    add(s, "cache.unified_l1=%s", dice_one_in(dice, 4) ? "true" : "false");
    add(s, "cache.random_seed=%u", between(dice, 1, 1000));
    choose_cache(dice, s, "l1i", line, 7, 5);
    choose_cache(dice, s, "l1d", line, 7, 5);
    choose_cache(dice, s, "l2", line, 10, 20);
    choose_cache(dice, s, "l3", line, 12, 40);
    choose_writes(dice, s, "l1d");
    choose_writes(dice, s, "l2");
    choose_writes(dice, s, "l3");
    add(s, "cache.l2.inclusion=%s", inclusions[l2_inclusion]);
    add(s, "cache.l3.inclusion=%s", inclusions[dice_below(dice, 3)]);
    bool is_past_l1d = levels > 1 && l2_inclusion != 2 && dice_one_in(dice, 2);
    add(s, "mmu.walk_through=%s", is_past_l1d ? "l2" : "l1d");
}

static void choose_dram(struct dice *dice, struct settings *s)
{
    static const char *const presets[] = {"fixed", "ddr2-800", "ddr3-1600", "ddr4-2400"};
    add(s, "dram.preset=%s", presets[dice_one_in(dice, 2) ? 0 : dice_below(dice, 4)]);
    add(s, "dram.channels=%u", power(dice, 0, 2));
    add(s, "dram.banks=%u", power(dice, 2, 5));
    add(s, "dram.row=%u", power(dice, 10, 13));
    add(s, "dram.policy=%s", dice_one_in(dice, 3) ? "closed" : "open");
    add(s, "dram.row_hit_cycles=%u", between(dice, 10, 60));
    add(s, "dram.row_miss_cycles=%u", between(dice, 10, 90));
    add(s, "dram.row_conflict_cycles=%u", between(dice, 10, 120));
    add(s, "dram.burst_cycles=%u", between(dice, 0, 20));
    add(s, "cpu.frequency=%uMHz", between(dice, 100, 5000));
}

static void choose_tlb(struct dice *dice, struct settings *s, const char *name, unsigned most_sets)
{
    static const char *const policies[] = {"lru", "fifo", "random", "plru"};
    unsigned ways = between(dice, 1, 4);
    add(s, "tlb.%s.ways=%u", name, ways);
    add(s, "tlb.%s.entries=%u", name, ways * between(dice, 1, most_sets));
    add(s, "tlb.%s.replacement=%s", name, policy_of(dice, policies, 4, ways));
}

static void choose_tlbs(struct dice *dice, struct settings *s)
{
    static const char *const names[] = {"l1i", "l1d", "l2"}, *const structures[] = {"pde", "pdpte", "pml4e"};
    for (unsigned i = 0; i < 3; i++) {
        char large[16];
        snprintf(large, sizeof large, "%s_large", names[i]);
        choose_tlb(dice, s, names[i], i == 2 ? 32 : 8);
        choose_tlb(dice, s, large, 4);
        add(s, "tlb.%s.pages=%s", names[i], dice_one_in(dice, 2) ? "split" : "shared");
    }
    for (unsigned i = 0; i < 3; i++)
        if (dice_one_in(dice, 2))
            choose_tlb(dice, s, structures[i], 4);
    add(s, "mmu.walkers=%u", some(dice, 4));
    add(s, "mmu.hit_under_walk=%s", dice_one_in(dice, 2) ? "true" : "false");
    if (dice_one_in(dice, 2))
        choose_tlb(dice, s, "pde", 4);
    add(s, "tlb.random_seed=%u", between(dice, 1, 1000));
    add(s, "tlb.l2.latency_cycles=%u", between(dice, 1, 9));
}

void settings_choose(struct dice *dice, struct settings *settings)
{
    settings->nr = 0;
    settings->line[0] = NULL;
    choose_core(dice, settings);
    choose_caches(dice, settings);
    choose_dram(dice, settings);
    choose_tlbs(dice, settings);
}
