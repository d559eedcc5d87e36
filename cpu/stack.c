#include "cpu/cpu_internal.h"

/* A working copy of the stack pointer moves in the stack's width; the upper part of the register stays. */
static void move_sp(const struct cpu *cpu, uint64_t *sp, uint64_t delta)
{
    uint64_t mask = cpu_stack_mask(cpu);
    *sp = (*sp & ~mask) | ((*sp + delta) & mask);
}

bool cpu_push_at(struct cpu *cpu, uint64_t *sp, unsigned size_bytes, uint64_t value)
{
    uint64_t moved = *sp;
    move_sp(cpu, &moved, 0 - (uint64_t)size_bytes);
    struct linear linear = cpu_linear(cpu, DEC_SEG_SS, moved & cpu_stack_mask(cpu), size_bytes, true);
    if (!linear.is_good || !cpu_write(cpu, linear.v, size_bytes, false, value))
        return false;
    *sp = moved;
    return true;
}

bool cpu_pop_at(struct cpu *cpu, uint64_t *sp, unsigned size_bytes, uint64_t *value)
{
    struct linear linear = cpu_linear(cpu, DEC_SEG_SS, *sp & cpu_stack_mask(cpu), size_bytes, false);
    if (!linear.is_good || !cpu_read(cpu, linear.v, size_bytes, false, value))
        return false;
    move_sp(cpu, sp, size_bytes);
    return true;
}

void cpu_set_sp(struct cpu *cpu, uint64_t sp)
{
    cpu->reg[CPU_SP] = sp & (cpu_is_64bit(cpu) ? UINT64_MAX : UINT32_MAX);
    cpu->ready[CPU_SP] = 0;
}
