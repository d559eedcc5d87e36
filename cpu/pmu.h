/*
 * Performance counters: architectural performance monitoring, version 2 (SDM 3B 18.2.2).
 *
 * A counter that runs costs nothing: it is what its statistic has grown by since it was started, added up
 * when somebody looks, when it is programmed anew, and (where it is to count only some privilege levels) when
 * the level changes.
 */
#ifndef LK_CPU_PMU_H
#define LK_CPU_PMU_H

#include "sim/base/stamp.h"

#include <stdbool.h>
#include <stdint.h>

struct cpu;

enum {
    PMU_NR_GENERAL = 4,
    PMU_NR_FIXED = 3,
    PMU_NR_COUNTERS = PMU_NR_GENERAL + PMU_NR_FIXED,
    PMU_WIDTH = 48
};

struct pmu_counter {
    uint64_t value;
    uint64_t start; /* its statistic when it was last looked at */
    int event;      /* a row of pmu_events.def; -1: none, it counts nothing */
    bool is_running;
};

struct pmu {
    struct pmu_counter counter[PMU_NR_COUNTERS]; /* the fixed ones behind the general ones */
    uint64_t select[PMU_NR_GENERAL];             /* IA32_PERFEVTSELx */
    uint64_t fixed_control, global_control, global_status;
    bool is_split;       /* a counter counts some privilege levels only */
    bool is_user;        /* the level that is_running stands for: not 0 */
    bool has_interrupts; /* a counter that runs interrupts when it overflows */
    unsigned nr_ahead;   /* instructions that have retired, but were not added to the statistics yet */
};

void pmu_init(struct cpu *cpu);

/* RDPMC (SDM 2B RDPMC). False: there is no such counter. */
bool pmu_read_counter(struct cpu *cpu, uint32_t number, uint64_t *value) __attribute__((warn_unused_result));

/* False: not a register of this unit, or (write) a value that it does not take. */
bool pmu_read_msr(struct cpu *cpu, uint32_t number, uint64_t *value) __attribute__((warn_unused_result));
bool pmu_write_msr(struct cpu *cpu, uint32_t number, uint64_t value) __attribute__((warn_unused_result));

/* The privilege level is another one than that for which counters run. */
void pmu_change_level(struct cpu *cpu);

/*
 * Where a counter may interrupt: looks for overflows, tells the board, and says until when there can be none.
 */
stamp_t pmu_look_for_overflow(struct cpu *cpu, stamp_t end);

/* CPUID leaf 0Ah: EAX, EBX, ECX, EDX. */
void pmu_identify(uint32_t reg[4]);

#endif
