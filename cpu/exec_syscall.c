/*
 * Fast system calls, SWAPGS, the bases of FS and GS, RDTSCP, RDPID, CMPXCHG16B (SDM 2: SYSCALL, SYSENTER,
 * SYSEXIT, SYSRET, SWAPGS, RDFSBASE, WRFSBASE, RDTSCP, CMPXCHG8B).
 */
#include "cpu/exec_arith.h"
#include "cpu/long_mode.h"

ALWAYS_INLINE const struct insn *finish_call(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    stamp_t done =
        EXEC_IS_TIMED ? cpu_serialise(cpu, cpu->clock, insn->latency_cycles) : cpu->clock + exec_step(cpu);
    exec_watch(cpu, insn, t, done, done);
    cpu->stats.instructions += insn->position + 1u;
    cpu_redirect(cpu, done);
    return EXEC_NAME(resume)(cpu, insn, done);
}

EXEC(syscall)
{
    cpu->clock = t = exec_wait1(cpu, t, READY_FLAGS);
    cpu->rip = exec_next_rip(cpu, insn);
    return cpu_syscall(cpu) ? finish_call(cpu, insn, t) : exec_fault(cpu, insn, cpu->clock);
}

EXEC(sysret)
{
    cpu->clock = t = exec_wait2(cpu, t, CPU_CX, 11);
    return cpu_sysret(cpu, insn->size_bytes) ? finish_call(cpu, insn, t) : exec_fault(cpu, insn, cpu->clock);
}

EXEC(sysenter)
{
    cpu->clock = t;
    return cpu_sysenter(cpu) ? finish_call(cpu, insn, t) : exec_fault(cpu, insn, cpu->clock);
}

EXEC(sysexit)
{
    cpu->clock = t = exec_wait2(cpu, t, CPU_CX, CPU_DX);
    return cpu_sysexit(cpu, insn->size_bytes) ? finish_call(cpu, insn, t) : exec_fault(cpu, insn, cpu->clock);
}

EXEC(swapgs)
{
    if (cpu->cpl != 0)
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    uint64_t base = cpu->segment[DEC_SEG_GS].hidden.base;
    cpu_set_base(cpu, DEC_SEG_GS, cpu->kernel_gs_base);
    cpu->kernel_gs_base = base;
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE. */
EXEC(segment_base)
{
    bool is_write = insn->op == DEC_WRFSBASE || insn->op == DEC_WRGSBASE;
    unsigned seg = insn->op == DEC_RDFSBASE || insn->op == DEC_WRFSBASE ? DEC_SEG_FS : DEC_SEG_GS;
    if (!(cpu->control.cr4 & CR4_FSGSBASE))
        return exec_raise(cpu, insn, t, EXCP_UD);
    if (is_write) {
        t = exec_wait1(cpu, t, insn->dst);
        uint64_t base = exec_dst(cpu, insn, insn->size_bytes);
        if (!cpu_is_canonical(cpu, base))
            return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
        cpu_set_base(cpu, seg, base);
        return exec_next(cpu, insn, t, exec_done(t, 1));
    }
    exec_write_register(cpu, insn->dst, insn->size_bytes, cpu->segment[seg].hidden.base);
    exec_set_ready(cpu, insn->dst, exec_done(t, 1));
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* RDTSC that waits for all before it, and IA32_TSC_AUX with it (SDM 2B RDTSCP). */
EXEC(rdtscp)
{
    if ((cpu->control.cr4 & CR4_TSD) && cpu->cpl != 0)
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    t = cpu_serialise(cpu, t, 0);
    uint64_t tsc = stamp_cycle(t) + (uint64_t)cpu->tsc_offset_cycles;
    stamp_t done = exec_done(t, 1);
    cpu->reg[CPU_AX] = (uint32_t)tsc;
    cpu->reg[CPU_DX] = tsc >> 32;
    cpu->reg[CPU_CX] = (uint32_t)cpu->tsc_aux;
    exec_set_ready(cpu, CPU_AX, done);
    exec_set_ready(cpu, CPU_DX, done);
    exec_set_ready(cpu, CPU_CX, done);
    return exec_next(cpu, insn, t, done);
}

EXEC(rdpid)
{
    exec_write_register(cpu, insn->dst, insn->size_bytes, cpu->tsc_aux);
    exec_set_ready(cpu, insn->dst, exec_done(t, 1));
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* Both halves are one access, which must be aligned (SDM 2A CMPXCHG16B). False: a fault. */
static __attribute__((noinline)) bool exchange16(struct cpu *cpu, const struct insn *insn)
{
    enum { BYTES = 16 };
    uint64_t old[2];
    /* Alignment comes before canonicality, and is #GP through SS too: seen on processors. */
    uint64_t base = insn->seg >= DEC_SEG_FS ? cpu->segment[insn->seg].hidden.base : 0;
    if ((cpu_effective_address(cpu, insn) + base) % BYTES)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    struct linear linear = exec_linear(cpu, insn, BYTES, true, NULL);
    if (!linear.is_good)
        return false;
    cpu->clock = exec_store_slot(cpu, exec_port(cpu, cpu->clock));
    if (!cpu_probe_write(cpu, linear.v, BYTES))
        return false;
    stamp_t ready = cpu_load_wide_slow(cpu, linear.v, BYTES, cpu->clock, old);
    if (!ready)
        return false;
    stamp_t t = cpu->slow_issue, done = ready + stamp_of_cycle(insn->latency_cycles);
    bool is_equal = old[0] == cpu->reg[CPU_AX] && old[1] == cpu->reg[CPU_DX];
    const uint64_t new[2] = {is_equal ? cpu->reg[CPU_BX] : old[0], is_equal ? cpu->reg[CPU_CX] : old[1]};
    if (!cpu_store_wide_slow(cpu, linear.v, BYTES, new, t))
        return false;
    cpu->clock = cpu->slow_issue;
    cpu->reg[CPU_AX] = old[0];
    cpu->reg[CPU_DX] = old[1];
    exec_set_zf(cpu, is_equal);
    exec_set_ready(cpu, CPU_AX, done);
    exec_set_ready(cpu, CPU_DX, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return true;
}

EXEC(cmpxchg16b)
{
    t = exec_wait3(cpu, exec_wait_address(cpu, insn, t), CPU_AX, CPU_DX, READY_FLAGS);
    cpu->clock = exec_wait2(cpu, t, CPU_BX, CPU_CX);
    if (!exchange16(cpu, insn))
        return exec_fault(cpu, insn, cpu->clock);
    return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}
