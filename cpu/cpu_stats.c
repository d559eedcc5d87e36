#include "cpu/cpu_internal.h"

#include <assert.h>

void cpu_settle(struct cpu *cpu)
{
    uint64_t accesses = cpu->untimed_clocks[0], fetches = cpu->untimed_clocks[1];
    cpu->untimed_clocks[0] = cpu->untimed_clocks[1] = 0;
    if (cpu->is_timed) {
        struct tlb *dtlb = cpu->params.dtlb, *itlb = cpu->params.itlb;
        accesses = tlb_nr_shortcuts(dtlb);
        fetches = tlb_nr_shortcuts(itlb);
        bool is_paged = cpu->control.cr0 & CR0_PG;
        (is_paged ? tlb_settle : tlb_discard_shortcuts)(dtlb);
        (is_paged ? tlb_settle : tlb_discard_shortcuts)(itlb);
        cache_add_front_hits(cpu->params.l1d, accesses);
        cache_add_front_hits(cpu->params.l1i, fetches);
    }
    cpu->stats.loads += accesses - cpu->fast_stores;
    cpu->stats.stores += cpu->fast_stores;
    cpu->stats.fetches += fetches;
    cpu->fast_stores = 0;
}

const struct cpu_stats *cpu_stats(const struct cpu *cpu)
{
    return &cpu->stats;
}

void cpu_cpi_stack(const struct cpu *cpu, cycle_t *cycles_by_reason)
{
    cycle_t rest = stamp_cycle(cpu->clock);
    for (unsigned i = REASON_BASE + 1; i < NR_REASONS; i++) {
        cycles_by_reason[i] = cpu->lost[i] >> STAMP_CYCLE_SHIFT;
        assert(cycles_by_reason[i] <= rest); /* nothing was waited for twice */
        rest -= cycles_by_reason[i];
    }
    cycles_by_reason[REASON_BASE] = rest;
}

static uint64_t count_cycles(const void *cpu)
{
    return cpu_now(cpu);
}

static double ratio_cpi(const void *opaque)
{
    const struct cpu *cpu = opaque;
    return (double)cpu_now(cpu) / (double)cpu->stats.instructions;
}

static uint64_t count_base(const void *cpu)
{
    cycle_t stack[NR_REASONS];
    cpu_cpi_stack(cpu, stack);
    return stack[REASON_BASE];
}

#define REASON(id, name, sentence)                                                                           \
    static uint64_t count_##name(const void *opaque)                                                         \
    {                                                                                                        \
        return ((const struct cpu *)opaque)->lost[REASON_##id] >> STAMP_CYCLE_SHIFT;                         \
    }
#include "sim/base/reasons.def"
#undef REASON

struct cycle_part {
    const char *name, *sentence;
    stat_count_fn *count;
};

static const struct cycle_part cycle_parts[] = {
    {"cycles", "time on the core's clock since reset", count_cycles},
    {"cpi_stack.base", "issuing instructions, or waiting for results of the execution units", count_base},
#define REASON(id, name, sentence) {"cpi_stack." #name, sentence, count_##name},
#include "sim/base/reasons.def"
#undef REASON
};

/* `path` and `name` joined by a dot, in a buffer of the caller's. */
static const char *join(char *into, size_t size_bytes, const char *path, const char *name)
{
    snprintf(into, size_bytes, "%s.%s", path, name);
    return into;
}

bool cpu_register_stats(struct cpu *cpu, struct stat_registry *registry, const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct cpu_stats, name, unit, sentence),
#include "cpu/cpu_stats.def"
#undef STAT
    };
    char name[128];
    for (unsigned i = 0; i < sizeof cycle_parts / sizeof *cycle_parts; i++)
        if (!stat_register_count(registry, join(name, sizeof name, path, cycle_parts[i].name), "cycles",
                                 cycle_parts[i].sentence, cycle_parts[i].count, cpu))
            return false;
    if (!stat_register_ratio(registry, join(name, sizeof name, path, "cpi"), "cycles/instruction",
                             "cycles for each instruction retired", ratio_cpi, cpu))
        return false;
    return stat_register(registry, path, rows, sizeof rows / sizeof *rows, &cpu->stats) &&
           mmu_register_stats(&cpu->mmu, registry, join(name, sizeof name, path, "mmu"));
}
