#include "cpu/debug.h"

#include "cpu/cpu_internal.h"

/* DR7.R/Wn: what a breakpoint waits for. */
enum kind { KIND_EXECUTE, KIND_WRITE, KIND_PORT, KIND_READ_WRITE };

static unsigned kind_of(const struct cpu *cpu, unsigned i)
{
    return cpu->debug.registers.dr7 >> (16 + i * 4) & 3;
}

/* DR7.LENn: 1, 2, 8 or 4 bytes, of which the address is a multiple (its low bits do not count). */
static unsigned length_of(const struct cpu *cpu, unsigned i)
{
    static const uint8_t lengths[] = {1, 2, 8, 4};
    return lengths[cpu->debug.registers.dr7 >> (18 + i * 4) & 3];
}

static bool is_enabled(const struct cpu *cpu, unsigned i)
{
    return cpu->debug.registers.dr7 >> i * 2 & 3;
}

static uint64_t linear_mask(const struct cpu *cpu)
{
    return cpu_is_long_mode(cpu) ? UINT64_MAX : UINT32_MAX;
}

/*
 * The breakpoints of these kinds (a bit each) that the bytes at `at` meet. As one that is enabled is among
 * them, those that are not show as well (SDM 3B 17.2.3).
 */
static uint32_t met(const struct cpu *cpu, unsigned kinds, uint64_t at, unsigned size_bytes, uint64_t mask)
{
    uint32_t bits = 0;
    bool is_any_enabled = false;
    for (unsigned i = 0; i < NR_BREAKPOINTS; i++) {
        unsigned length = kinds == 1u << KIND_EXECUTE ? 1 : length_of(cpu, i);
        uint64_t begin = cpu->debug.registers.address[i] & ~(uint64_t)(length - 1);
        bool overlaps = ((at - begin) & mask) < length || ((begin - at) & mask) < size_bytes;
        if (!(kinds >> kind_of(cpu, i) & 1) || !overlaps)
            continue;
        bits |= 1u << i;
        is_any_enabled |= is_enabled(cpu, i);
    }
    return is_any_enabled ? bits : 0;
}

void debug_set_registers(struct cpu *cpu, const struct debug_registers *registers)
{
    cpu->debug = (struct debug_state){.registers = *registers};
    cpu->debug.registers.dr6 = (registers->dr6 & DR6_WRITABLE) | DR6_FIXED;
    cpu->debug.registers.dr7 = (registers->dr7 & DR7_WRITABLE) | DR7_FIXED;
}

/* B0 to B3 are those of this exception; the other bits stay until software clears them (SDM 3B 17.2.3). */
static void set_debug_fault(struct cpu *cpu, uint32_t bits, bool leaves_rf)
{
    struct debug_registers *registers = &cpu->debug.registers;
    registers->dr6 = (registers->dr6 & ~DR6_BREAKPOINTS) | bits;
    registers->dr7 &= ~DR7_GD; /* so that the handler can use the registers (SDM 3B 17.2.4) */
    cpu_set_fault(cpu, EXCP_DB);
    cpu->fault.leaves_rf = leaves_rf;
}

/* DR4 and DR5 are other names of DR6 and DR7 unless CR4.DE says not (SDM 3B 17.2.2). */
static bool may_access(struct cpu *cpu, unsigned *number)
{
    if (*number > 7 || ((*number == 4 || *number == 5) && (cpu->control.cr4 & CR4_DE)))
        return cpu_set_fault(cpu, EXCP_UD);
    if (*number == 4 || *number == 5)
        *number += 2;
    if (cpu->debug.registers.dr7 & DR7_GD) {
        set_debug_fault(cpu, DR6_BD, false);
        return false;
    }
    return true;
}

bool debug_read(struct cpu *cpu, unsigned number, uint64_t *value)
{
    if (!may_access(cpu, &number))
        return false;
    const struct debug_registers *registers = &cpu->debug.registers;
    *value = number == 6 ? registers->dr6 : number == 7 ? registers->dr7 : registers->address[number];
    return true;
}

bool debug_write(struct cpu *cpu, unsigned number, uint64_t value)
{
    if (!may_access(cpu, &number))
        return false;
    struct debug_registers *registers = &cpu->debug.registers;
    if (number >= 6 && value >> 32)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    if (number == 6) {
        registers->dr6 = ((uint32_t)value & DR6_WRITABLE) | DR6_FIXED;
        return true;
    }
    if (number == 7)
        registers->dr7 = ((uint32_t)value & DR7_WRITABLE) | DR7_FIXED;
    else
        registers->address[number] = value;
    cpu_drop_fronts(cpu); /* which pages may have one has changed */
    return true;
}

bool debug_is_careful(const struct cpu *cpu)
{
    return (cpu->eflags & (EFLAGS_TF | EFLAGS_RF)) || (cpu->debug.registers.dr7 & DR7_ENABLES) ||
           cpu->debug.pending;
}

/*
 * MOV SS and POP SS hold off what they met until the next instruction is over; a single-step trap is not made
 * up for (SDM 3A 6.8.3).
 */
bool debug_deliver_trap(struct cpu *cpu)
{
    uint32_t bits = cpu->debug.pending;
    if (bits == 0)
        return false;
    if (cpu->debug.shadow) {
        cpu->debug.pending &= ~DR6_BS;
        return false;
    }
    cpu->is_halted = false;
    set_debug_fault(cpu, bits, true);
    cpu_deliver_fault(cpu);
    return true;
}

bool debug_deliver_breakpoint(struct cpu *cpu)
{
    if ((cpu->eflags & EFLAGS_RF) || cpu->debug.shadow || cpu->is_mid_insn ||
        !(cpu->debug.registers.dr7 & DR7_ENABLES))
        return false;
    uint64_t at = cpu_code_linear(cpu, cpu->rip);
    uint32_t bits = met(cpu, 1u << KIND_EXECUTE, at, 1, linear_mask(cpu));
    if (bits == 0)
        return false;
    set_debug_fault(cpu, bits, true);
    cpu_deliver_fault(cpu);
    return true;
}

void debug_begin_instruction(struct cpu *cpu)
{
    cpu->debug.pending |= cpu->eflags & EFLAGS_TF ? DR6_BS : 0;
    cpu->debug.is_rf_new = false;
}

void debug_end_instruction(struct cpu *cpu)
{
    if (!cpu->is_mid_insn && !cpu->debug.is_rf_new)
        cpu->eflags &= ~(uint64_t)EFLAGS_RF;
}

void debug_icebp(struct cpu *cpu)
{
    cpu_set_fault(cpu, EXCP_DB);
    cpu->fault.leaves_rf = true;
    cpu->debug.registers.dr7 &= ~DR7_GD;
    cpu_deliver_fault(cpu);
}

void debug_task_switched(struct cpu *cpu, bool has_t_flag)
{
    cpu->debug.registers.dr7 &= ~DR7_LOCAL;
    cpu->debug.pending |= has_t_flag ? DR6_BT : 0;
    cpu_drop_fronts(cpu);
}

void debug_retest_trap_flag(struct cpu *cpu)
{
    cpu->debug.pending &= ~DR6_BS;
    cpu->debug.pending |= cpu->eflags & EFLAGS_TF ? DR6_BS : 0;
}

void debug_note_access(struct cpu *cpu, uint64_t linear, unsigned size_bytes, bool is_write)
{
    if (!(cpu->debug.registers.dr7 & DR7_ENABLES))
        return;
    unsigned kinds = 1u << KIND_READ_WRITE | (is_write ? 1u << KIND_WRITE : 0);
    cpu->debug.pending |= met(cpu, kinds, linear, size_bytes, linear_mask(cpu));
}

void debug_note_port(struct cpu *cpu, uint16_t port, unsigned size_bytes)
{
    if (!(cpu->debug.registers.dr7 & DR7_ENABLES) || !(cpu->control.cr4 & CR4_DE))
        return;
    cpu->debug.pending |= met(cpu, 1u << KIND_PORT, port, size_bytes, UINT64_MAX);
}

bool debug_watches_page(const struct cpu *cpu, uint64_t linear)
{
    if (!(cpu->debug.registers.dr7 & DR7_ENABLES))
        return false;
    for (unsigned i = 0; i < NR_BREAKPOINTS; i++) {
        bool is_data = kind_of(cpu, i) == KIND_WRITE || kind_of(cpu, i) == KIND_READ_WRITE;
        uint64_t distance = (cpu->debug.registers.address[i] ^ linear) >> PAGE_SHIFT;
        if (is_data && is_enabled(cpu, i) && distance == 0)
            return true;
    }
    return false;
}
