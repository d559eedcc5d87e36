/*
 * Virtual-8086 mode (SDM 3B 20.2-20.3): ways in and out that are not an exception's, and the instructions
 * that depend on IOPL there, with the mode's extensions (VME). Protected mode's virtual interrupt flag (PVI,
 * SDM 3B 20.4) goes by the same rules.
 */
#include "cpu/cpu_internal.h"

static bool general(struct cpu *cpu)
{
    return cpu_set_fault_code(cpu, EXCP_GP, 0);
}

static bool has_full_iopl(const struct cpu *cpu)
{
    return (cpu->eflags & EFLAGS_IOPL) == EFLAGS_IOPL;
}

bool cpu_return_to_v86(struct cpu *cpu, uint64_t sp, uint64_t offset, uint16_t selector, uint64_t flags)
{
    static const uint8_t segs[] = {DEC_SEG_SS, DEC_SEG_ES, DEC_SEG_DS, DEC_SEG_FS, DEC_SEG_GS};
    uint64_t new_sp, value[sizeof segs];
    if (!cpu_pop_at(cpu, &sp, 4, &new_sp))
        return false;
    for (unsigned i = 0; i < sizeof segs; i++)
        if (!cpu_pop_at(cpu, &sp, 4, &value[i]))
            return false;
    cpu_set_flags(cpu, flags, EFLAGS_DEFINED);
    cpu_load_segment_real(cpu, DEC_SEG_CS, selector);
    for (unsigned i = 0; i < sizeof segs; i++)
        cpu_load_segment_real(cpu, segs[i], (uint16_t)value[i]);
    cpu_set_sp(cpu, new_sp);
    cpu->rip = offset & UINT16_MAX;
    return true;
}

bool cpu_may_move_flags(const struct cpu *cpu, unsigned size_bytes)
{
    bool is_v86 = cpu->eflags & EFLAGS_VM;
    return !is_v86 || has_full_iopl(cpu) || (size_bytes == 2 && (cpu->control.cr4 & CR4_VME));
}

uint64_t cpu_flags_to_push(const struct cpu *cpu)
{
    uint64_t flags = cpu_flags(cpu) & ~(uint64_t)(EFLAGS_RF | EFLAGS_VM);
    if ((cpu->eflags & EFLAGS_VM) && !has_full_iopl(cpu)) { /* the program sees its own interrupt flag */
        flags |= EFLAGS_IOPL;
        flags = flags & EFLAGS_VIF ? flags | EFLAGS_IF : flags & ~(uint64_t)EFLAGS_IF;
    }
    return flags;
}

/* Flags that a program in virtual-8086 mode with IOPL below 3 loads: its IF is VIF (SDM 3B 20.3.3.4). */
static bool load_virtual_flags(struct cpu *cpu, uint64_t flags)
{
    bool is_set = flags & EFLAGS_IF;
    if ((flags & EFLAGS_TF) || (is_set && (cpu->eflags & EFLAGS_VIP)))
        return general(cpu);
    cpu_set_flags(cpu, flags | (is_set ? EFLAGS_VIF : 0),
                  EFLAGS_STATUS | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_VIF);
    return true;
}

bool cpu_pop_flags(struct cpu *cpu, uint64_t flags, unsigned size_bytes)
{
    if ((cpu->eflags & EFLAGS_VM) && !has_full_iopl(cpu))
        return load_virtual_flags(cpu, flags);
    uint64_t mask = EFLAGS_STATUS | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | EFLAGS_ID;
    if (cpu->cpl == 0)
        mask |= EFLAGS_IOPL;
    if (cpu->cpl <= (unsigned)(cpu->eflags & EFLAGS_IOPL) >> 12)
        mask |= EFLAGS_IF;
    cpu_set_flags(cpu, flags, size_bytes == 2 ? mask & UINT16_MAX : mask);
    return true;
}

bool cpu_return_within_v86(struct cpu *cpu, unsigned size_bytes)
{
    uint64_t sp = cpu->reg[CPU_SP], offset, selector, flags;
    if (!cpu_may_move_flags(cpu, size_bytes))
        return general(cpu);
    if (!cpu_pop_at(cpu, &sp, size_bytes, &offset) || !cpu_pop_at(cpu, &sp, size_bytes, &selector) ||
        !cpu_pop_at(cpu, &sp, size_bytes, &flags))
        return false;
    if (offset > cpu->segment[DEC_SEG_CS].hidden.limit_bytes)
        return general(cpu);
    if (has_full_iopl(cpu)) {
        uint64_t mask =
            EFLAGS_STATUS | EFLAGS_TF | EFLAGS_IF | EFLAGS_DF | EFLAGS_NT | EFLAGS_RF | EFLAGS_AC | EFLAGS_ID;
        cpu_set_flags(cpu, flags, size_bytes == 2 ? mask & UINT16_MAX : mask);
    } else if (!load_virtual_flags(cpu, flags)) {
        return false;
    }
    cpu_set_sp(cpu, sp);
    cpu_load_segment_real(cpu, DEC_SEG_CS, (uint16_t)selector);
    cpu->rip = offset;
    return true;
}

bool cpu_has_virtual_interrupt(const struct cpu *cpu)
{
    enum { BOTH = EFLAGS_VIF | EFLAGS_VIP };
    bool is_virtual = cpu->control.cr4 & (cpu->eflags & EFLAGS_VM ? CR4_VME : CR4_PVI);
    return (cpu->eflags & BOTH) == BOTH && is_virtual && cpu->cpl == 3 && !has_full_iopl(cpu) &&
           !cpu_is_long_mode(cpu);
}

bool cpu_set_if(struct cpu *cpu, bool is_set)
{
    bool has_virtual_if = cpu->control.cr4 & (cpu->eflags & EFLAGS_VM ? CR4_VME : CR4_PVI);
    if (cpu->cpl != 3 || !has_virtual_if || (is_set && (cpu->eflags & EFLAGS_VIP)))
        return general(cpu);
    cpu_set_flags(cpu, is_set ? EFLAGS_VIF : 0, EFLAGS_VIF);
    return true;
}

/* Whether INT n goes to the 8086 program itself: its bit in the TSS is clear (SDM 3B 20.3.3, figure 20-5). */
static bool ask_redirection(struct cpu *cpu, unsigned vector, bool *is_redirected)
{
    enum { TSS_IO_BITMAP_BASE = 102, REDIRECTION_BYTES = 32 };
    const struct descriptor *tss = &cpu->tr.hidden;
    uint64_t base, bits;
    bool is_32 = tss->type == SYSTEM_TSS_BUSY || tss->type == SYSTEM_TSS_AVAILABLE;
    *is_redirected = false;
    if (!(cpu->control.cr4 & CR4_VME))
        return true;
    if (!cpu->tr.is_usable || !is_32 || tss->limit_bytes < TSS_IO_BITMAP_BASE + 1)
        return general(cpu);
    if (!cpu_read(cpu, tss->base + TSS_IO_BITMAP_BASE, 2, true, &base))
        return false;
    uint64_t at = base - REDIRECTION_BYTES + vector / 8;
    if (base < REDIRECTION_BYTES || at > tss->limit_bytes)
        return general(cpu);
    if (!cpu_read(cpu, tss->base + at, 1, true, &bits))
        return false;
    *is_redirected = !(bits >> vector % 8 & 1);
    return true;
}

/* Through the 8086 program's own table, at linear address 0, without leaving its mode. */
static bool interrupt_program(struct cpu *cpu, unsigned vector)
{
    uint64_t pointer, sp = cpu->reg[CPU_SP];
    uint64_t interrupt_flag = has_full_iopl(cpu) ? EFLAGS_IF : EFLAGS_VIF;
    if (!cpu_read(cpu, vector * 4, 4, true, &pointer) || !cpu_push_at(cpu, &sp, 2, cpu_flags_to_push(cpu)) ||
        !cpu_push_at(cpu, &sp, 2, cpu->segment[DEC_SEG_CS].selector) || !cpu_push_at(cpu, &sp, 2, cpu->rip))
        return false;
    cpu->stats.software_interrupts++;
    cpu_set_sp(cpu, sp);
    cpu_set_flags(cpu, 0, EFLAGS_TF | EFLAGS_RF | interrupt_flag);
    cpu_load_segment_real(cpu, DEC_SEG_CS, (uint16_t)(pointer >> 16));
    cpu->rip = pointer & UINT16_MAX;
    return true;
}

bool cpu_v86_interrupt(struct cpu *cpu, unsigned vector)
{
    bool stays;
    if (!ask_redirection(cpu, vector, &stays))
        return false;
    if (stays)
        return interrupt_program(cpu, vector);
    return has_full_iopl(cpu) ? cpu_software_interrupt(cpu, vector) : general(cpu);
}
