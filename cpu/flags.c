#include "cpu/cpu_internal.h"

static uint64_t status_flags(const struct cpu *cpu)
{
    uint64_t result = cpu->flag_result, carry = cpu->flag_carry;
    bool cf = carry >> 32 & 1, msb_carry = carry >> 31 & 1;
    return (cf ? EFLAGS_CF : 0u) | (cf != msb_carry ? EFLAGS_OF : 0u) | (carry & 0x10 ? EFLAGS_AF : 0u) |
           ((uint32_t)result == 0 ? EFLAGS_ZF : 0u) | (result >> 63 ? EFLAGS_SF : 0u) |
           (__builtin_parity((unsigned)(result ^ result >> 40) & 0xff) ? 0u : EFLAGS_PF);
}

uint64_t cpu_flags(const struct cpu *cpu)
{
    return cpu->eflags | status_flags(cpu) | EFLAGS_FIXED;
}

void cpu_set_status_flags(struct cpu *cpu, uint64_t flags)
{
    /*
     * Bits that the definition in struct cpu leaves independent: byte 5 turns the parity, bit 8 keeps ZF
     * clear.
     */
    cpu->flag_result = (flags & EFLAGS_ZF ? 0 : 0x100) | (flags & EFLAGS_SF ? 1ull << 63 : 0) |
                       (flags & EFLAGS_PF ? 0 : 1ull << 40);
    bool cf = flags & EFLAGS_CF, of = flags & EFLAGS_OF;
    cpu->flag_carry = (uint64_t)cf << 32 | (uint64_t)(cf != of) << 31 | (flags & EFLAGS_AF ? 0x10 : 0);
}

void cpu_set_flags(struct cpu *cpu, uint64_t flags, uint64_t mask)
{
    uint64_t value = (cpu_flags(cpu) & ~mask) | (flags & mask);
    cpu_set_status_flags(cpu, value);
    cpu->debug.is_rf_new |= (mask & EFLAGS_RF) != 0;
    cpu->eflags = value & ~(uint64_t)(EFLAGS_STATUS | EFLAGS_FIXED);
    cpu_ac_written(cpu);
    if ((cpu->eflags & EFLAGS_IF) && cpu->interrupt_line)
        cpu->deadline = 0;
}
