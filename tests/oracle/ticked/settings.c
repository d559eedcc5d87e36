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
    add(s, "cache.l1d.mshrs=%u", dice_one_in(dice, 2) ? between(dice, 1, 3) : between(dice, 1, 64));
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

static void choose_caches(struct dice *dice, struct settings *s)
{
    unsigned line = power(dice, 4, 7);
    add(s, "cpu.fetch_bytes=%u", 1u << between(dice, 3, (unsigned)__builtin_ctz(line)));
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i ? "l1d" : "l1i";
        unsigned ways = between(dice, 1, 4);
        add(s, "cache.%s.line=%u", name, line);
        add(s, "cache.%s.ways=%u", name, ways);
        add(s, "cache.%s.size=%u", name, ways * line * power(dice, 0, 7));
        add(s, "cache.%s.latency_cycles=%u", name, between(dice, 1, 5));
    }
    unsigned ways = between(dice, 1, 8);
    add(s, "cache.l2.line=%u", line);
    add(s, "cache.l2.ways=%u", ways);
    add(s, "cache.l2.size=%u", ways * line * power(dice, 4, 10));
    add(s, "cache.l2.latency_cycles=%u", between(dice, 1, 20));
    add(s, "dram.row_hit_cycles=%u", between(dice, 10, 60));
}

static void choose_tlbs(struct dice *dice, struct settings *s)
{
    static const char *const names[] = {"l1i", "l1d", "l2"};
    static const char *const policies[] = {"lru", "fifo", "random", "plru"};
    for (unsigned i = 0; i < 3; i++) {
        unsigned ways = between(dice, 1, 4);
        add(s, "tlb.%s.ways=%u", names[i], ways);
        add(s, "tlb.%s.entries=%u", names[i], ways * between(dice, 1, i == 2 ? 32 : 8));
        add(s, "tlb.%s.pages=%s", names[i], dice_one_in(dice, 2) ? "split" : "shared");
        unsigned policy = between(dice, 0, ways & (ways - 1) ? 2 : 3);
        add(s, "tlb.%s.replacement=%s", names[i], policies[policy]);
    }
    add(s, "tlb.l2.latency_cycles=%u", between(dice, 1, 9));
    add(s, "mmu.walk_through=%s", dice_one_in(dice, 2) ? "l1d" : "l2");
}

void settings_choose(struct dice *dice, struct settings *settings)
{
    settings->nr = 0;
    settings->line[0] = NULL;
    choose_core(dice, settings);
    choose_caches(dice, settings);
    choose_tlbs(dice, settings);
}
