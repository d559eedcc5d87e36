#include "cpu/cpu_internal.h"

stamp_t cpu_wait(struct cpu *cpu, stamp_t t, stamp_t ready)
{
    if (!cpu->is_timed || ready <= t)
        return t;
    stamp_t later = stamp_because(ready, REASON_BASE);
    cpu->lost[stamp_reason(ready)] += later - t;
    return later;
}

stamp_t cpu_port(struct cpu *cpu, stamp_t t)
{
    if (!cpu->is_timed)
        return t;
    t = stamp_later(t, cpu->port_free[cpu->port_index]);
    cpu->port_free[cpu->port_index] = stamp_floor(t) + STAMP_CYCLE;
    cpu->port_index = (cpu->port_index + 1) & cpu->port_mask;
    return t;
}

stamp_t cpu_serialise(struct cpu *cpu, stamp_t t, cycle_t cycles)
{
    if (!cpu->is_timed)
        return t;
    stamp_t all = cpu->store_drained;
    for (unsigned i = 0; i < NR_READY; i++)
        all = stamp_later(all, cpu->ready[i]);
    t = cpu_wait(cpu, t, all);
    cpu_drain_combined(cpu, t);
    return cpu_wait(cpu, t, (stamp_floor(t) + stamp_of_cycle(cycles)) | REASON_SERIAL);
}

void cpu_redirect(struct cpu *cpu, stamp_t t)
{
    if (cpu->is_timed)
        cpu->fetch_at = stamp_floor(t) | REASON_SERIAL;
}
