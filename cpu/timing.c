#include "cpu/cpu_internal.h"

stamp_t cpu_wait(struct cpu *cpu, stamp_t t, stamp_t ready)
{
    if (!cpu->is_timed || ready <= t)
        return t;
    stamp_t later = stamp_because(ready, REASON_BASE);
    cpu->lost[stamp_reason(ready)] += later - t;
    if (later > t)
        cpu->lost_reasons |= 1u << stamp_reason(ready);
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

/* Four at a time, as no two of them wait for each other on the host. */
static stamp_t latest_result(const struct cpu *cpu)
{
    stamp_t a = 0, b = 0, c = 0, d = 0;
    const stamp_t *ready = cpu->ready, *end = ready + NR_READY;
    for (; end - ready >= 4; ready += 4) {
        a = stamp_later(a, ready[0]);
        b = stamp_later(b, ready[1]);
        c = stamp_later(c, ready[2]);
        d = stamp_later(d, ready[3]);
    }
    for (; ready < end; ready++)
        a = stamp_later(a, *ready);
    return stamp_later(stamp_later(a, b), stamp_later(c, d));
}

stamp_t cpu_serialise(struct cpu *cpu, stamp_t t, cycle_t cycles)
{
    if (!cpu->is_timed)
        return t;
    t = cpu_wait(cpu, t, stamp_later(cpu->store_drained, latest_result(cpu)));
    cpu_drain_combined(cpu, t);
    return cpu_wait(cpu, t, (stamp_floor(t) + stamp_of_cycle(cycles)) | REASON_SERIAL);
}

void cpu_redirect(struct cpu *cpu, stamp_t t)
{
    if (cpu->is_timed)
        cpu->fetch_at = stamp_floor(t) | REASON_SERIAL;
}
