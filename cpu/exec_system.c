/* System instructions (SDM 3A 2.8; SDM 2 for each). Privilege and mode are checked in the manual's order. */
#include "cpu/exec_arith.h"

/* CPL 0, or #GP(0). */
#define IS_PRIVILEGED(cpu) LIKELY((cpu)->cpl == 0)

/* Ends an instruction that serialises and after which code is fetched anew. */
ALWAYS_INLINE const struct insn *finish_serial(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    cpu->rip = exec_next_rip(cpu, insn);
    stamp_t done = cpu_serialise(cpu, t, insn->latency_cycles);
    cpu_redirect(cpu, done);
    exec_watch(cpu, insn, t, done, done + exec_step(cpu));
    cpu->stats.instructions += insn->position + 1u;
    return EXEC_NAME(resume)(cpu, insn, done + exec_step(cpu));
}

/* CLI and STI: CPL must not exceed IOPL (SDM 2A CLI, 2B STI). */
ALWAYS_INLINE bool may_change_if(const struct cpu *cpu)
{
    return cpu->cpl <= (unsigned)(cpu->eflags & EFLAGS_IOPL) >> 12 || !(cpu->control.cr0 & CR0_PE);
}

EXEC(cli)
{
    if (UNLIKELY(!may_change_if(cpu)))
        return cpu_set_if(cpu, false) ? exec_next(cpu, insn, t, exec_done(t, 1)) : exec_fault(cpu, insn, t);
    cpu->eflags &= ~(uint64_t)EFLAGS_IF;
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* Interrupts come after the instruction that follows STI, if they were off before (SDM 2B STI). */
EXEC(sti)
{
    if (UNLIKELY(!may_change_if(cpu)))
        return cpu_set_if(cpu, true) ? exec_next(cpu, insn, t, exec_done(t, 1)) : exec_fault(cpu, insn, t);
    if (cpu->eflags & EFLAGS_IF)
        return exec_next(cpu, insn, t, exec_done(t, 1));
    cpu->eflags |= EFLAGS_IF;
    cpu->interrupt_shadow = true;
    if (cpu->interrupt_line)
        cpu->deadline = 0;
    cpu->rip = exec_next_rip(cpu, insn);
    return exec_leave(cpu, insn, t, exec_done(t, 1));
}

EXEC(hlt)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->is_halted = true;
    cpu->stats.halts++;
    return finish_serial(cpu, insn, t);
}

/* The port's number is in DX or in the instruction (bind.c puts which into `cond`). */
ALWAYS_INLINE uint16_t port_of(const struct cpu *cpu, const struct insn *insn)
{
    return (uint16_t)(insn->cond ? cpu->reg[CPU_DX] : insn->imm & 0xff);
}

EXEC(in)
{
    cpu->clock = exec_wait2(cpu, t, CPU_DX, CPU_AX);
    uint16_t port = port_of(cpu, insn);
    if (!cpu_port_allowed(cpu, port, insn->size_bytes))
        return exec_fault(cpu, insn, cpu->clock);
    t = cpu_serialise(cpu, cpu->clock, cpu->params.config->cpu_io_cycles);
    uint64_t value = cpu_port_read(cpu, port, insn->size_bytes, stamp_cycle(t));
    exec_write_register(cpu, CPU_AX, insn->size_bytes, value);
    exec_set_ready(cpu, CPU_AX, exec_done(t, 1));
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

EXEC(out)
{
    cpu->clock = exec_wait2(cpu, t, CPU_DX, CPU_AX);
    uint16_t port = port_of(cpu, insn);
    if (!cpu_port_allowed(cpu, port, insn->size_bytes))
        return exec_fault(cpu, insn, cpu->clock);
    t = cpu_serialise(cpu, cpu->clock, cpu->params.config->cpu_io_cycles);
    uint64_t value = cpu->reg[CPU_AX] & exec_mask(insn->size_bytes);
    cpu_port_write(cpu, port, insn->size_bytes, value, stamp_cycle(t));
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* MOV from CR: always the full register. `src` is the control register's number. */
EXEC(mov_from_cr)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    uint64_t value;
    switch (insn->src) {
    case 0:
        value = cpu->control.cr0;
        break;
    case 2:
        value = cpu->cr2;
        break;
    case 3:
        value = cpu->control.cr3;
        break;
    case 4:
        value = cpu->control.cr4;
        break;
    case 8:
        value = cpu_read_cr8(cpu);
        break;
    default:
        return exec_raise(cpu, insn, t, EXCP_UD);
    }
    exec_write_register(cpu, insn->dst, insn->size_bytes, value);
    exec_set_ready(cpu, insn->dst, exec_done(t, 1));
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

EXEC(mov_to_cr)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    t = exec_wait1(cpu, t, insn->src);
    if (!cpu_write_cr(cpu, insn->dst, cpu->reg[insn->src] & exec_mask(insn->size_bytes)))
        return exec_fault(cpu, insn, t);
    return finish_serial(cpu, insn, t);
}

/* MOV from and to DR: always the full register (SDM 2B MOV). */
static __attribute__((noinline)) bool read_debug_register(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    uint64_t value;
    if (!debug_read(cpu, insn->src, &value))
        return false;
    exec_write_register(cpu, insn->dst, cpu_is_64bit(cpu) ? 8 : 4, value);
    exec_set_ready(cpu, insn->dst, exec_done(t, 1));
    return true;
}

EXEC(mov_from_dr)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    if (!read_debug_register(cpu, insn, t))
        return exec_fault(cpu, insn, t);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

EXEC(mov_to_dr)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    t = exec_wait1(cpu, t, insn->src);
    uint64_t value = cpu->reg[insn->src] & exec_mask(cpu_is_64bit(cpu) ? 8 : 4);
    if (!debug_write(cpu, insn->dst, value))
        return exec_fault(cpu, insn, t);
    return finish_serial(cpu, insn, t);
}

EXEC(clts)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    if (!cpu_write_cr(cpu, 0, cpu->control.cr0 & ~8ull))
        return exec_fault(cpu, insn, t);
    return finish_serial(cpu, insn, t);
}

/* LMSW sets the low four bits of CR0, and cannot clear PE (SDM 2A LMSW). */
EXEC(lmsw)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    struct exec_operand source = exec_read_dst(cpu, insn, 2, false, &t, NULL);
    if (!source.ready)
        return exec_fault(cpu, insn, t);
    t = exec_wait(cpu, t, source.ready);
    uint64_t cr0 = (cpu->control.cr0 & ~14ull) | (source.value & 15);
    if (!cpu_write_cr(cpu, 0, cr0))
        return exec_fault(cpu, insn, t);
    return finish_serial(cpu, insn, t);
}

/* A word to memory, or to a register of the operand's size. */
ALWAYS_INLINE const struct insn *store_word(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                            uint64_t value)
{
    if (!(insn->flags & INSN_MEMORY)) {
        t = exec_wait_merge(cpu, t, insn->dst, insn->size_bytes);
        exec_write_register(cpu, insn->dst, insn->size_bytes, value);
        exec_set_ready(cpu, insn->dst, exec_done(t, 1));
        return exec_next(cpu, insn, t, exec_done(t, 1));
    }
    t = exec_wait_address(cpu, insn, t);
    struct linear linear = exec_linear(cpu, insn, 2, true, NULL);
    if (!linear.is_good || !exec_store(cpu, linear.v, 2, value & UINT16_MAX, &t, NULL))
        return exec_fault(cpu, insn, t);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

EXEC(smsw)
{
    return store_word(cpu, insn, t, cpu->control.cr0);
}

/*
 * The operand of LGDT, LIDT, SGDT, SIDT: a 16-bit limit, then a 32-bit base of which 16-bit code uses 24
 * bits; in 64-bit code, a 64-bit base.
 */
ALWAYS_INLINE unsigned table_base_bytes(const struct insn *insn)
{
    return insn->size_bytes == 8 ? 8 : 4;
}

static __attribute__((noinline)) bool load_table_register(struct cpu *cpu, const struct insn *insn,
                                                          uint64_t *base, uint32_t *limit)
{
    uint64_t limit_value, base_value;
    unsigned base_bytes = table_base_bytes(insn);
    struct linear linear = exec_linear(cpu, insn, 2 + base_bytes, false, NULL);
    if (!linear.is_good || !cpu_read(cpu, linear.v, 2, false, &limit_value) ||
        !cpu_read(cpu, linear.v + 2, base_bytes, false, &base_value))
        return false;
    if (base_bytes == 8 && !cpu_is_canonical(cpu, base_value))
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    *limit = (uint32_t)limit_value;
    *base = insn->size_bytes == 2 ? base_value & 0xffffff : base_value;
    return true;
}

static __attribute__((noinline)) bool store_table_register(struct cpu *cpu, const struct insn *insn,
                                                           uint64_t base, uint32_t limit)
{
    unsigned base_bytes = table_base_bytes(insn);
    struct linear linear = exec_linear(cpu, insn, 2 + base_bytes, true, NULL);
    return linear.is_good && cpu_probe_write(cpu, linear.v, 2 + base_bytes) &&
           cpu_write(cpu, linear.v, 2, false, limit) && cpu_write(cpu, linear.v + 2, base_bytes, false, base);
}

EXEC(lgdt)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->clock = exec_wait_address(cpu, insn, t);
    if (!load_table_register(cpu, insn, &cpu->gdt_base, &cpu->gdt_limit))
        return exec_fault(cpu, insn, cpu->clock);
    return finish_serial(cpu, insn, cpu->clock);
}

EXEC(lidt)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->clock = exec_wait_address(cpu, insn, t);
    if (!load_table_register(cpu, insn, &cpu->idt_base, &cpu->idt_limit))
        return exec_fault(cpu, insn, cpu->clock);
    return finish_serial(cpu, insn, cpu->clock);
}

EXEC(sgdt)
{
    cpu->clock = exec_wait_address(cpu, insn, t);
    if (!store_table_register(cpu, insn, cpu->gdt_base, cpu->gdt_limit))
        return exec_fault(cpu, insn, cpu->clock);
    return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

EXEC(sidt)
{
    cpu->clock = exec_wait_address(cpu, insn, t);
    if (!store_table_register(cpu, insn, cpu->idt_base, cpu->idt_limit))
        return exec_fault(cpu, insn, cpu->clock);
    return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

/* The selector operand of LLDT and LTR, at rest in *t. */
ALWAYS_INLINE struct exec_operand selector_operand(struct cpu *cpu, const struct insn *insn, stamp_t *t)
{
    struct exec_operand source = exec_read_dst(cpu, insn, 2, false, t, NULL);
    if (source.ready)
        *t = exec_wait(cpu, *t, source.ready);
    cpu->clock = *t;
    return source;
}

EXEC(lldt)
{
    if (!cpu_is_protected(cpu))
        return exec_raise(cpu, insn, t, EXCP_UD);
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    struct exec_operand source = selector_operand(cpu, insn, &t);
    if (!source.ready || !cpu_load_ldt(cpu, (uint16_t)source.value))
        return exec_fault(cpu, insn, cpu->clock);
    return finish_serial(cpu, insn, cpu->clock);
}

EXEC(ltr)
{
    if (!cpu_is_protected(cpu))
        return exec_raise(cpu, insn, t, EXCP_UD);
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    struct exec_operand source = selector_operand(cpu, insn, &t);
    if (!source.ready || !cpu_load_task_register(cpu, (uint16_t)source.value))
        return exec_fault(cpu, insn, cpu->clock);
    return finish_serial(cpu, insn, cpu->clock);
}

EXEC(sldt)
{
    if (!cpu_is_protected(cpu))
        return exec_raise(cpu, insn, t, EXCP_UD);
    return store_word(cpu, insn, t, cpu->ldtr.selector);
}

EXEC(str)
{
    if (!cpu_is_protected(cpu))
        return exec_raise(cpu, insn, t, EXCP_UD);
    return store_word(cpu, insn, t, cpu->tr.selector);
}

/* LAR and LSL: ZF says whether the selector may be looked at; if not, the destination stays (SDM 2A LAR). */
static __attribute__((noinline)) bool inspect_selector(struct cpu *cpu, const struct insn *insn,
                                                       uint16_t selector)
{
    uint32_t value = 0;
    bool is_visible = cpu_inspect(cpu, selector, insn->op == DEC_LAR, &value);
    if (!is_visible && cpu->fault.vector == EXCP_PF)
        return false;
    if (is_visible) {
        exec_write_register(cpu, insn->dst, insn->size_bytes, value);
        exec_set_ready(cpu, insn->dst, exec_done(cpu->clock, 1));
    }
    exec_set_zf(cpu, is_visible);
    return true;
}

EXEC(inspect)
{
    if (!cpu_is_protected(cpu))
        return exec_raise(cpu, insn, t, EXCP_UD);
    struct loaded source = exec_read_src(cpu, insn, 2, &t, NULL);
    if (!source.ready)
        return exec_fault(cpu, insn, t);
    cpu->clock = exec_wait2(cpu, exec_wait(cpu, t, source.ready), READY_FLAGS, insn->dst);
    if (!inspect_selector(cpu, insn, (uint16_t)source.value))
        return exec_fault(cpu, insn, cpu->clock);
    exec_set_ready(cpu, READY_FLAGS, exec_done(cpu->clock, 1));
    return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

EXEC(verify)
{
    if (!cpu_is_protected(cpu))
        return exec_raise(cpu, insn, t, EXCP_UD);
    struct exec_operand source = selector_operand(cpu, insn, &t);
    if (!source.ready)
        return exec_fault(cpu, insn, cpu->clock);
    cpu->clock = exec_wait1(cpu, cpu->clock, READY_FLAGS);
    bool is_allowed = cpu_verify(cpu, (uint16_t)source.value, insn->op == DEC_VERW);
    if (!is_allowed && cpu->fault.vector == EXCP_PF)
        return exec_fault(cpu, insn, cpu->clock);
    exec_set_zf(cpu, is_allowed);
    exec_set_ready(cpu, READY_FLAGS, exec_done(cpu->clock, 1));
    return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

/* A destination's RPL below the source's is raised to it (SDM 2A ARPL). */
EXEC(arpl)
{
    if (!cpu_is_protected(cpu))
        return exec_raise(cpu, insn, t, EXCP_UD);
    t = exec_wait2(cpu, t, insn->src, READY_FLAGS);
    struct exec_operand operand = exec_read_dst(cpu, insn, 2, true, &t, NULL);
    if (!operand.ready)
        return exec_fault(cpu, insn, t);
    stamp_t done = exec_operand_done(insn, &operand, t, 1);
    uint64_t rpl = exec_src(cpu, insn, 2) & SELECTOR_RPL;
    bool is_raised = (operand.value & SELECTOR_RPL) < rpl;
    uint64_t value = is_raised ? (operand.value & ~(uint64_t)SELECTOR_RPL) | rpl : operand.value;
    exec_write_dst(cpu, insn, &operand, 2, value, t, done, NULL);
    exec_set_zf(cpu, is_raised);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

/*
 * INVLPG's operand is an address, not an access: no limit is checked, nothing is read, and what is not
 * canonical does nothing (SDM 2A INVLPG).
 */
EXEC(invlpg)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    t = exec_wait_address(cpu, insn, t);
    uint64_t linear = cpu_effective_address(cpu, insn);
    if (!cpu_is_64bit(cpu) || insn->seg >= DEC_SEG_FS)
        linear += cpu->segment[insn->seg].hidden.base;
    linear &= cpu->linear_mask;
    if (cpu_linear_flat(cpu, insn->seg, linear, 1).is_good) {
        mmu_invalidate(&cpu->mmu, laddr(linear));
        cpu_observe_control(cpu, "invlpg", linear);
    }
    return finish_serial(cpu, insn, t);
}

/* The descriptor of INVPCID: a PCID and a linear address (SDM 2A INVPCID). False: a fault in cpu->fault. */
static __attribute__((noinline)) bool invalidate_pcid(struct cpu *cpu, const struct insn *insn)
{
    uint64_t pcid, at, type = cpu->reg[insn->dst] & exec_mask(insn->size_bytes);
    struct linear linear = exec_linear(cpu, insn, 16, false, NULL);
    if (!linear.is_good || !cpu_read(cpu, linear.v, 8, false, &pcid) ||
        !cpu_read(cpu, linear.v + 8, 8, false, &at))
        return false;
    bool names_pcid = type == MMU_DROP_ADDRESS || type == MMU_DROP_CONTEXT;
    bool is_bad = type >= NR_INVPCID_TYPES || pcid > CR3_PCID ||
                  (names_pcid && pcid != 0 && !(cpu->control.cr4 & CR4_PCIDE)) ||
                  (type == MMU_DROP_ADDRESS && !cpu_is_canonical(cpu, at));
    if (is_bad)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    mmu_drop(&cpu->mmu, (enum mmu_drop)type, (unsigned)pcid, laddr(at));
    cpu_observe_control(cpu, "invpcid at", at);
    cpu_observe_control(cpu, "invpcid", type << 12 | pcid);
    return true;
}

EXEC(invpcid)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->clock = exec_wait_address(cpu, insn, exec_wait1(cpu, t, insn->dst));
    if (!invalidate_pcid(cpu, insn))
        return exec_fault(cpu, insn, cpu->clock);
    return finish_serial(cpu, insn, cpu->clock);
}

/* STAC and CLAC: EFLAGS.AC, for supervisors (SDM 2A CLAC, 2B STAC). */
EXEC(write_ac)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise(cpu, insn, t, EXCP_UD);
    cpu->eflags = insn->op == DEC_STAC ? cpu->eflags | EFLAGS_AC : cpu->eflags & ~(uint64_t)EFLAGS_AC;
    cpu_ac_written(cpu);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

EXEC(wbinvd)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    t = cpu_serialise(cpu, t, 0);
    cpu_flush_caches(cpu, insn->op == DEC_WBINVD, stamp_cycle(t));
    cpu_observe_control(cpu, insn->op == DEC_WBINVD ? "wbinvd" : "invd", 0);
    return finish_serial(cpu, insn, t);
}

EXEC(cpuid)
{
    t = exec_wait2(cpu, t, CPU_AX, CPU_CX);
    cpu_identify(cpu);
    return finish_serial(cpu, insn, t);
}

/* CR4.TSD keeps RDTSC to ring 0 (SDM 2B RDTSC). */
EXEC(rdtsc)
{
    if ((cpu->control.cr4 & CR4_TSD) && cpu->cpl != 0)
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    uint64_t tsc = stamp_cycle(t) + (uint64_t)cpu->tsc_offset_cycles;
    stamp_t done = exec_done(t, 1);
    cpu->reg[CPU_AX] = (uint32_t)tsc;
    cpu->reg[CPU_DX] = tsc >> 32;
    exec_set_ready(cpu, CPU_AX, done);
    exec_set_ready(cpu, CPU_DX, done);
    return exec_next(cpu, insn, t, done);
}

/* CR4.PCE lets other rings than 0 read the counters (SDM 2B RDPMC). */
static __attribute__((noinline)) bool read_performance_counter(struct cpu *cpu, const struct insn *insn)
{
    uint64_t value;
    cpu->pmu.nr_ahead = insn->position;
    bool is_good = pmu_read_counter(cpu, (uint32_t)cpu->reg[CPU_CX], &value);
    cpu->pmu.nr_ahead = 0;
    if (!is_good)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    cpu->reg[CPU_AX] = (uint32_t)value;
    cpu->reg[CPU_DX] = value >> 32;
    return true;
}

EXEC(rdpmc)
{
    if (!(cpu->control.cr4 & CR4_PCE) && cpu->cpl != 0)
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->clock = t = exec_wait1(cpu, t, CPU_CX);
    if (!read_performance_counter(cpu, insn))
        return exec_fault(cpu, insn, t);
    stamp_t done = exec_done(t, insn->latency_cycles);
    exec_set_ready(cpu, CPU_AX, done);
    exec_set_ready(cpu, CPU_DX, done);
    return exec_next(cpu, insn, t, done);
}

EXEC(rdmsr)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->clock = exec_wait1(cpu, t, CPU_CX);
    cpu->pmu.nr_ahead = insn->position;
    bool is_good = cpu_read_msr(cpu, (uint32_t)cpu->reg[CPU_CX]);
    cpu->pmu.nr_ahead = 0;
    if (!is_good)
        return exec_fault(cpu, insn, cpu->clock);
    return finish_serial(cpu, insn, cpu->clock);
}

EXEC(wrmsr)
{
    if (!IS_PRIVILEGED(cpu))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->clock = exec_wait3(cpu, t, CPU_CX, CPU_AX, CPU_DX);
    uint64_t value = cpu->reg[CPU_DX] << 32 | (uint32_t)cpu->reg[CPU_AX];
    cpu->pmu.nr_ahead = insn->position;
    bool is_good = cpu_write_msr(cpu, (uint32_t)cpu->reg[CPU_CX], value);
    cpu->pmu.nr_ahead = 0;
    if (!is_good)
        return exec_fault(cpu, insn, cpu->clock);
    return finish_serial(cpu, insn, cpu->clock);
}
