#include "cpu/pmu.h"

#include "cpu/cpu_internal.h"

#define COUNTER_MASK ((1ull << PMU_WIDTH) - 1)

/* IA32_PERFEVTSELx (SDM 3B figure 18-1). Bit 21 is of version 3. */
#define SELECT_USER 0x10000u
#define SELECT_SYSTEM 0x20000u
#define SELECT_EDGE 0x40000u
#define SELECT_INTERRUPT 0x100000u
#define SELECT_ENABLE 0x400000u
#define SELECT_CMASK 0xff000000u
#define SELECT_WRITABLE 0xffdfffffu

/* IA32_FIXED_CTR_CTRL, four bits a counter. */
enum { FIXED_SYSTEM = 1, FIXED_USER = 2, FIXED_INTERRUPT = 8, FIXED_WRITABLE = 0xbbb };

#define GLOBAL_GENERAL ((1ull << PMU_NR_GENERAL) - 1)
#define GLOBAL_WRITABLE (GLOBAL_GENERAL | ((1ull << PMU_NR_FIXED) - 1) << 32)
#define OVERFLOW_CONTROL_WRITABLE (GLOBAL_WRITABLE | 3ull << 62) /* with OvfBuffer and CondChgd */

enum msr {
    MSR_PMC0 = 0xc1,
    MSR_PERFEVTSEL0 = 0x186,
    MSR_FIXED_CTR0 = 0x309,
    MSR_FIXED_CTR_CTRL = 0x38d,
    MSR_PERF_GLOBAL_STATUS = 0x38e,
    MSR_PERF_GLOBAL_CTRL = 0x38f,
    MSR_PERF_GLOBAL_OVF_CTRL = 0x390,
};

enum event {
#define PMU_EVENT(name, event, umask, source, field, sentence) EVENT_##name,
#include "cpu/pmu_events.def"
#undef PMU_EVENT
    NR_EVENTS,
};

static uint64_t unhalted_cycles(const struct cpu *cpu)
{
    return stamp_cycle(cpu->clock) - (cpu->lost[REASON_IDLE] >> STAMP_CYCLE_SHIFT);
}

/* What has been counted of an event since the core was created; what the fast paths count must be settled. */
static uint64_t statistic(const struct cpu *cpu, int event)
{
    static const struct mmu_stats no_mmu;
    static const struct tlb_stats no_tlb;
    static const struct cache_stats no_cache;
    const struct cpu_params *params = &cpu->params;
    struct {
        uint64_t unhalted;
    } clock = {unhalted_cycles(cpu)};
    bool is_timed = cpu->is_timed;
    const struct cache *l2 = is_timed ? cache_below(params->l1d) : NULL;
    const struct cache *last = l2 && cache_below(l2) ? cache_below(l2) : l2;
#define SOURCE_CLOCK (&clock)
#define SOURCE_CORE (&cpu->stats)
#define SOURCE_MMU (is_timed ? &cpu->mmu.stats : &no_mmu)
#define SOURCE_ITLB (is_timed ? tlb_stats(params->itlb) : &no_tlb)
#define SOURCE_DTLB (is_timed ? tlb_stats(params->dtlb) : &no_tlb)
#define SOURCE_L2_TLB (is_timed ? tlb_stats(params->l2_tlb) : &no_tlb)
#define SOURCE_L1I (is_timed ? cache_stats(params->l1i) : &no_cache)
#define SOURCE_L1D (is_timed ? cache_stats(params->l1d) : &no_cache)
#define SOURCE_L2 (l2 ? cache_stats(l2) : &no_cache)
#define SOURCE_LAST_LEVEL (last ? cache_stats(last) : &no_cache)
    switch (event) {
#define PMU_EVENT(name, event, umask, source, field, sentence)                                               \
    case EVENT_##name:                                                                                       \
        return SOURCE_##source->field + (EVENT_##name == EVENT_INST_RETIRED_ANY ? cpu->pmu.nr_ahead : 0);
#include "cpu/pmu_events.def"
#undef PMU_EVENT
    default:
        return 0;
    }
}

/*
 * The event that a select register asks for. Counting edges and comparing with a threshold are not there:
 * they count nothing, as any event that is not known.
 */
static int selected_event(uint64_t select)
{
    static const struct {
        uint8_t event, umask;
    } codes[] = {
#define PMU_EVENT(name, event, umask, source, field, sentence) {event, umask},
#include "cpu/pmu_events.def"
#undef PMU_EVENT
    };
    if (select & (SELECT_EDGE | SELECT_CMASK))
        return -1;
    for (int i = 0; i < NR_EVENTS; i++)
        if (codes[i].event == (select & 0xff) && codes[i].umask == (select >> 8 & 0xff))
            return i;
    return -1;
}

/* How a counter is programmed. */
struct programme {
    int event;
    bool user, system, interrupts;
};

static struct programme programme_of(const struct pmu *pmu, unsigned i)
{
    static const int fixed_events[PMU_NR_FIXED] = {EVENT_INST_RETIRED_ANY, EVENT_CPU_CLK_UNHALTED_THREAD,
                                                   EVENT_CPU_CLK_UNHALTED_REF};
    if (i >= PMU_NR_GENERAL) {
        unsigned fixed = i - PMU_NR_GENERAL, control = (unsigned)(pmu->fixed_control >> fixed * 4);
        bool is_enabled = pmu->global_control >> (32 + fixed) & 1;
        return (struct programme){fixed_events[fixed], is_enabled && (control & FIXED_USER),
                                  is_enabled && (control & FIXED_SYSTEM), control & FIXED_INTERRUPT};
    }
    uint64_t select = pmu->select[i];
    int event = selected_event(select);
    bool is_enabled = (select & SELECT_ENABLE) && (pmu->global_control >> i & 1) && event >= 0;
    return (struct programme){event, is_enabled && (select & SELECT_USER),
                              is_enabled && (select & SELECT_SYSTEM), select & SELECT_INTERRUPT};
}

static uint64_t status_bit(unsigned i)
{
    return 1ull << (i < PMU_NR_GENERAL ? i : 32 + i - PMU_NR_GENERAL);
}

/* Brings the counters that run up to date. Returns whether one has overflowed that interrupts then. */
static bool bring_up_to_date(struct cpu *cpu)
{
    struct pmu *pmu = &cpu->pmu;
    bool interrupts = false;
    cpu_settle(cpu);
    for (unsigned i = 0; i < PMU_NR_COUNTERS; i++) {
        struct pmu_counter *counter = &pmu->counter[i];
        if (!counter->is_running)
            continue;
        uint64_t now = statistic(cpu, counter->event);
        counter->value += now - counter->start;
        counter->start = now;
        if (counter->value > COUNTER_MASK) {
            counter->value &= COUNTER_MASK;
            pmu->global_status |= status_bit(i);
            interrupts |= programme_of(pmu, i).interrupts;
        }
    }
    return interrupts;
}

static void interrupt(struct cpu *cpu)
{
    const struct cpu_board *board = &cpu->params.board;
    if (board->performance_interrupt)
        board->performance_interrupt(board->opaque, stamp_cycle(cpu->clock));
}

/* Counters start and stop as they are programmed now, from this instruction on. */
static void reprogramme(struct cpu *cpu)
{
    struct pmu *pmu = &cpu->pmu;
    pmu->is_user = cpu->cpl != 0;
    pmu->is_split = pmu->has_interrupts = false;
    for (unsigned i = 0; i < PMU_NR_COUNTERS; i++) {
        struct pmu_counter *counter = &pmu->counter[i];
        struct programme programme = programme_of(pmu, i);
        pmu->is_split |= programme.user != programme.system;
        counter->event = programme.event;
        counter->is_running = pmu->is_user ? programme.user : programme.system;
        counter->start = counter->is_running ? statistic(cpu, counter->event) : 0;
        pmu->has_interrupts |= programme.interrupts && (programme.user || programme.system);
    }
}

void pmu_init(struct cpu *cpu)
{
    cpu->pmu = (struct pmu){.global_control = GLOBAL_GENERAL}; /* SDM 3A table 9-1 */
}

void pmu_change_level(struct cpu *cpu)
{
    if (bring_up_to_date(cpu))
        interrupt(cpu);
    reprogramme(cpu);
}

/*
 * An instruction counts a few dozen times at most; a cycle has as many instructions as are issued in it. So
 * an overflow is found within that many cycles at the latest, as on a processor whose interrupt comes a few
 * instructions late.
 */
stamp_t pmu_look_for_overflow(struct cpu *cpu, stamp_t end)
{
    enum { MAX_COUNTS_A_CYCLE = 128 };
    struct pmu *pmu = &cpu->pmu;
    if (bring_up_to_date(cpu))
        interrupt(cpu);
    uint64_t left = COUNTER_MASK;
    for (unsigned i = 0; i < PMU_NR_COUNTERS; i++) {
        struct programme programme = programme_of(pmu, i);
        uint64_t room = COUNTER_MASK - pmu->counter[i].value;
        if (programme.interrupts && (programme.user || programme.system) && room < left)
            left = room;
    }
    stamp_t until = stamp_of_cycle(stamp_cycle(cpu->clock) + left / MAX_COUNTS_A_CYCLE + 1);
    return until < end ? until : end;
}

static bool read_counter(struct cpu *cpu, unsigned i, uint64_t *value)
{
    if (bring_up_to_date(cpu))
        interrupt(cpu);
    *value = cpu->pmu.counter[i].value;
    return true;
}

bool pmu_read_counter(struct cpu *cpu, uint32_t number, uint64_t *value)
{
    enum { IS_FIXED = 1 << 30 };
    bool is_fixed = number & IS_FIXED;
    uint32_t index = number & ~(uint32_t)IS_FIXED;
    if (index >= (is_fixed ? PMU_NR_FIXED : PMU_NR_GENERAL))
        return false;
    return read_counter(cpu, index + (is_fixed ? PMU_NR_GENERAL : 0), value);
}

bool pmu_read_msr(struct cpu *cpu, uint32_t number, uint64_t *value)
{
    struct pmu *pmu = &cpu->pmu;
    if (number - MSR_PMC0 < PMU_NR_GENERAL)
        return read_counter(cpu, number - MSR_PMC0, value);
    if (number - MSR_FIXED_CTR0 < PMU_NR_FIXED)
        return read_counter(cpu, number - MSR_FIXED_CTR0 + PMU_NR_GENERAL, value);
    if (number - MSR_PERFEVTSEL0 < PMU_NR_GENERAL) {
        *value = pmu->select[number - MSR_PERFEVTSEL0];
        return true;
    }
    switch (number) {
    case MSR_FIXED_CTR_CTRL:
        *value = pmu->fixed_control;
        return true;
    case MSR_PERF_GLOBAL_CTRL:
        *value = pmu->global_control;
        return true;
    case MSR_PERF_GLOBAL_STATUS:
        if (bring_up_to_date(cpu))
            interrupt(cpu);
        *value = pmu->global_status;
        return true;
    case MSR_PERF_GLOBAL_OVF_CTRL:
        *value = 0;
        return true;
    default:
        return false;
    }
}

/* The register behind a number, and what may be set in it; NULL for none that is written plainly. */
static uint64_t *plain_register(struct pmu *pmu, uint32_t number, uint64_t *writable)
{
    if (number - MSR_PERFEVTSEL0 < PMU_NR_GENERAL) {
        *writable = SELECT_WRITABLE;
        return &pmu->select[number - MSR_PERFEVTSEL0];
    }
    if (number - MSR_FIXED_CTR0 < PMU_NR_FIXED) {
        *writable = COUNTER_MASK;
        return &pmu->counter[number - MSR_FIXED_CTR0 + PMU_NR_GENERAL].value;
    }
    if (number == MSR_FIXED_CTR_CTRL) {
        *writable = FIXED_WRITABLE;
        return &pmu->fixed_control;
    }
    *writable = GLOBAL_WRITABLE;
    return number == MSR_PERF_GLOBAL_CTRL ? &pmu->global_control : NULL;
}

bool pmu_write_msr(struct cpu *cpu, uint32_t number, uint64_t value)
{
    struct pmu *pmu = &cpu->pmu;
    uint64_t writable, *plain = plain_register(pmu, number, &writable);
    bool is_counter = number - MSR_PMC0 < PMU_NR_GENERAL;
    /* Of what is written to a general counter the lower half counts, sign-extended (SDM 3B 18.2.1.1). */
    uint64_t extended = (uint64_t)(int64_t)(int32_t)(uint32_t)value;
    if (plain ? (value & ~writable) != 0
              : !is_counter && (number != MSR_PERF_GLOBAL_OVF_CTRL || (value & ~OVERFLOW_CONTROL_WRITABLE)))
        return false;
    if (bring_up_to_date(cpu))
        interrupt(cpu);
    if (plain)
        *plain = value;
    else if (is_counter)
        pmu->counter[number - MSR_PMC0].value = extended & COUNTER_MASK;
    else
        pmu->global_status &= ~value;
    reprogramme(cpu);
    if (pmu->has_interrupts)
        cpu->deadline = 0; /* how long the core may run on has to be found out */
    return true;
}

void pmu_identify(uint32_t reg[4])
{
    enum { VERSION = 2, NR_ARCHITECTURAL_EVENTS = 7 };
    reg[0] = VERSION | PMU_NR_GENERAL << 8 | PMU_WIDTH << 16 | NR_ARCHITECTURAL_EVENTS << 24;
    reg[1] = reg[2] = 0; /* EBX: no architectural event is missing */
    reg[3] = PMU_NR_FIXED | PMU_WIDTH << 5;
}
