/* Fast system calls (SDM 2B SYSCALL, SYSENTER, SYSEXIT, SYSRET), as on Intel's processors. */
#include "cpu/long_mode.h"

enum { SYSRET_FLAGS = 0x3c7fd7, SELECTOR_MASK = 0xfffc };

/* Flat segments that no descriptor was read for. */
static void set_code(struct cpu *cpu, unsigned selector, unsigned dpl, bool is_long)
{
    struct descriptor d = {
        .limit_bytes = UINT32_MAX,
        .type = SEGMENT_CODE | SEGMENT_READABLE | SEGMENT_ACCESSED,
        .dpl = (uint8_t)dpl,
        .is_code_or_data = true,
        .is_present = true,
        .is_long = is_long,
        .is_big = !is_long,
        .is_granular = true,
    };
    cpu_set_segment(cpu, DEC_SEG_CS, (uint16_t)((selector & SELECTOR_MASK) | dpl), &d);
}

static void set_stack(struct cpu *cpu, unsigned selector, unsigned dpl)
{
    struct descriptor d = {
        .limit_bytes = UINT32_MAX,
        .type = SEGMENT_WRITABLE | SEGMENT_ACCESSED,
        .dpl = (uint8_t)dpl,
        .is_code_or_data = true,
        .is_present = true,
        .is_big = true,
        .is_granular = true,
    };
    cpu_set_segment(cpu, DEC_SEG_SS, (uint16_t)selector, &d);
}

static void set_rsp(struct cpu *cpu, uint64_t rsp)
{
    cpu->reg[CPU_SP] = rsp;
    cpu->ready[CPU_SP] = 0;
}

static bool is_syscall_there(const struct cpu *cpu)
{
    return cpu_is_64bit(cpu) && (cpu->control.efer & EFER_SCE);
}

bool cpu_syscall(struct cpu *cpu)
{
    if (!is_syscall_there(cpu))
        return cpu_set_fault(cpu, EXCP_UD);
    unsigned selector = (unsigned)(cpu->star >> 32) & SELECTOR_MASK;
    uint64_t flags = cpu_flags(cpu) & ~(uint64_t)EFLAGS_RF;
    cpu->reg[CPU_CX] = cpu->rip;
    cpu->reg[11] = flags;
    cpu->rip = cpu->lstar;
    cpu_set_flags(cpu, flags & ~cpu->sfmask, UINT64_MAX);
    set_code(cpu, selector, 0, true);
    set_stack(cpu, selector + 8, 0);
    debug_retest_trap_flag(cpu);
    return true;
}

bool cpu_sysret(struct cpu *cpu, unsigned size_bytes)
{
    bool is_long = size_bytes == 8;
    if (!is_syscall_there(cpu))
        return cpu_set_fault(cpu, EXCP_UD);
    if (cpu->cpl != 0 || (is_long && !cpu_is_canonical(cpu, cpu->reg[CPU_CX])))
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    unsigned selector = (unsigned)(cpu->star >> 48);
    cpu->rip = is_long ? cpu->reg[CPU_CX] : (uint32_t)cpu->reg[CPU_CX];
    cpu_set_flags(cpu, cpu->reg[11] & SYSRET_FLAGS, UINT64_MAX);
    set_stack(cpu, (selector + 8) | 3, 3);
    set_code(cpu, selector + (is_long ? 16 : 0), 3, is_long);
    debug_retest_trap_flag(cpu);
    return true;
}

bool cpu_sysenter(struct cpu *cpu)
{
    unsigned selector = (unsigned)cpu->sysenter_cs & SELECTOR_MASK;
    if (!(cpu->control.cr0 & CR0_PE) || selector == 0)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    bool is_long = cpu_is_long_mode(cpu);
    uint64_t mask = is_long ? UINT64_MAX : UINT32_MAX;
    cpu->eflags &= ~(uint64_t)(EFLAGS_VM | EFLAGS_IF | EFLAGS_RF);
    set_code(cpu, selector, 0, is_long);
    set_stack(cpu, selector + 8, 0);
    set_rsp(cpu, cpu->sysenter_esp & mask);
    cpu->rip = cpu->sysenter_eip & mask;
    return true;
}

bool cpu_sysexit(struct cpu *cpu, unsigned size_bytes)
{
    unsigned selector = (unsigned)cpu->sysenter_cs & SELECTOR_MASK;
    bool is_long = size_bytes == 8;
    uint64_t rsp = cpu->reg[CPU_CX], rip = cpu->reg[CPU_DX];
    if (!(cpu->control.cr0 & CR0_PE) || selector == 0 || cpu->cpl != 0)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    if (is_long && (!cpu_is_canonical(cpu, rsp) || !cpu_is_canonical(cpu, rip)))
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    selector += is_long ? 32 : 16;
    set_stack(cpu, (selector + 8) | 3, 3);
    set_code(cpu, selector, 3, is_long);
    set_rsp(cpu, is_long ? rsp : (uint32_t)rsp);
    cpu->rip = is_long ? rip : (uint32_t)rip;
    return true;
}
