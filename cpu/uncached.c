/* Accesses of the core to memory that is not write-back, or with CR0.CD set (SDM 3A 11.3). */
#include "cpu/cpu_internal.h"

static stamp_t stamp_of(const struct cache_answer *answer)
{
    static const enum reason reasons[NR_SERVED_BY] = {REASON_L1D, REASON_L2, REASON_L3, REASON_DRAM};
    return stamp_of_cycle(answer->ready) | reasons[answer->served_by];
}

void cpu_drain_combined(struct cpu *cpu, stamp_t t)
{
    if (cpu->combined_line == CACHE_NO_LINE)
        return;
    struct paddr at = paddr(cpu->combined_line << cpu->l1d_line_shift);
    cpu->combined_line = CACHE_NO_LINE;
    cpu_begin_access(cpu, at, 0); /* the bytes went to memory one by one */
    (void)cpu_ask_cache(cpu, cpu->params.l1d, CACHE_USE_NONE, at, true, stamp_cycle(t), 0);
}

/*
 * Writes to one line are gathered, and go to memory in one access when something else is to go there: that is
 * their time. A device may see them earlier, as a buffer may be written out at any time (SDM 3A 11.3.1).
 */
static stamp_t combine(struct cpu *cpu, struct paddr at, unsigned size_bytes, stamp_t t)
{
    uint64_t line = at.v >> cpu->l1d_line_shift;
    if (cpu->combined_line != line)
        cpu_drain_combined(cpu, t);
    cpu->combined_line = line;
    if (UNLIKELY(cpu->params.content != NULL))
        cache_content_write_through(cpu->params.content, at, size_bytes);
    return stamp_because(t, REASON_L1D);
}

stamp_t cpu_access_uncached(struct cpu *cpu, enum memory_type type, struct paddr at, unsigned size_bytes,
                            bool is_write, stamp_t *t)
{
    enum cache_use use = mmu_cache_use(&cpu->mmu, type, is_write);
    cpu->seen_sent = stamp_cycle(*t);
    if (type == MEMORY_WC && is_write)
        return combine(cpu, at, size_bytes, *t);
    if (type == MEMORY_UC) /* in order with all others, and nothing goes on before it is done */
        *t = cpu_serialise(cpu, *t, 0);
    cpu->seen_sent = stamp_cycle(*t);
    cpu_drain_combined(cpu, *t);
    cpu_begin_access(cpu, at, size_bytes);
    struct cache_answer answer =
        cpu_ask_cache(cpu, cpu->params.l1d, use, at, is_write, stamp_cycle(*t), cpu->memory_ip);
    stamp_t ready = stamp_of(&answer);
    if (type != MEMORY_UC)
        return ready;
    *t = cpu_wait(cpu, *t, ready);
    return stamp_because(*t, REASON_DRAM);
}
