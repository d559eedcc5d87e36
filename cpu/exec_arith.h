/* Sums and differences with their flags, for executors that add or compare besides what they are for. */
#ifndef LK_CPU_EXEC_ARITH_H
#define LK_CPU_EXEC_ARITH_H

#include "cpu/exec.h"

/* a + b, both zero-extended; sets the flags as ADD does. */
ALWAYS_INLINE uint64_t exec_add(struct cpu *cpu, unsigned size_bytes, uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;
    uint64_t carries =
        size_bytes == 8 ? exec_carries64(a, b, sum, sum < a) : exec_carries(a, b, sum, size_bytes);
    exec_set_flags(cpu, sum & exec_mask(size_bytes), size_bytes, carries);
    return sum & exec_mask(size_bytes);
}

/* Sets the flags as CMP of a and b does, both zero-extended. */
ALWAYS_INLINE void exec_compare(struct cpu *cpu, unsigned size_bytes, uint64_t a, uint64_t b)
{
    uint64_t difference = a - b;
    uint64_t carries = size_bytes == 8 ? exec_carries64(a, b, difference, a < b)
                                       : exec_carries(a, b, difference, size_bytes);
    exec_set_flags(cpu, difference & exec_mask(size_bytes), size_bytes, carries);
}

/* Flags of a result where CF and OF are known and AF is 0. */
ALWAYS_INLINE void exec_set_flags_of(struct cpu *cpu, uint64_t result, unsigned size_bytes, bool carry,
                                     bool overflow)
{
    exec_set_flags(cpu, result, size_bytes, exec_carry_overflow(carry, overflow));
}

/* CF and OF alone. */
ALWAYS_INLINE void exec_set_carry_overflow(struct cpu *cpu, bool carry, bool overflow)
{
    cpu->flag_carry = exec_carry_overflow(carry, overflow) | (cpu->flag_carry & EFLAGS_AF);
}

ALWAYS_INLINE bool exec_of(const struct cpu *cpu)
{
    return ((cpu->flag_carry >> 32) ^ (cpu->flag_carry >> 31)) & 1;
}

/* ZF alone: what SF and PF are made of must stay. */
ALWAYS_INLINE void exec_set_zf(struct cpu *cpu, bool zero)
{
    uint64_t result = cpu->flag_result;
    uint64_t parity = (result ^ result >> 40) & 0xff;
    cpu->flag_result = (result & 1ull << 63) | (zero ? parity << 40 : parity | 0x100);
}

#endif
