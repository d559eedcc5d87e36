/*
 * The x87 unit's registers as all who share them need them: x87 and MMX executors, SSE instructions that
 * touch MMX registers, and those that save and restore state.
 *
 * An x87 instruction that waits (all but the FN... ones) first calls cpu_x87_fault; an MMX instruction, or an
 * SSE instruction with an MMX operand, cpu_mmx_fault. The answer is the vector to raise, or 0. Then come the
 * checks and faults of its memory operand, and only then cpu_mmx_begin.
 */
#ifndef LK_CPU_FPU_H
#define LK_CPU_FPU_H

#include "cpu/cpu_internal.h"
#include "cpu/x87_number.h"

/* The control word (SDM 1 8.1.5): bit 6 reads as one, 7 and 13 to 15 as zero. */
enum { X87_CONTROL_FIXED = 0x40, X87_CONTROL_WRITABLE = 0x1f3f, X87_CONTROL_INITIAL = 0x37f };

/*
 * CR0 or CR4 was written: what x87, MMX and SSE instructions raise now (SDM 3A 2.5, table 2-2; 13.1, 12.1).
 */
void cpu_update_blocked(struct cpu *cpu);

/* Status or control word were written: makes ES and B what they imply, and fixes the constant bits. */
void cpu_settle_x87_status(struct cpu *cpu);

/* FNCLEX. */
void cpu_x87_clear_exceptions(struct cpu *cpu);

/*
 * An instruction that waits was met with an exception pending, and CR0.NE is clear: the board is told, and
 * the core waits for its interrupt, to begin the instruction again.
 */
void cpu_x87_report_error(struct cpu *cpu);

/* FNINIT: the registers' contents stay (SDM 2A FINIT). */
void cpu_x87_init(struct cpu *cpu);

static inline unsigned cpu_x87_fault(const struct cpu *cpu)
{
    if (cpu->x87_blocked)
        return cpu->x87_blocked;
    return (cpu->fpu.status & X87_ES) && !cpu->ignores_x87_error ? EXCP_MF : 0;
}

static inline unsigned cpu_mmx_fault(const struct cpu *cpu)
{
    if (cpu->mmx_blocked)
        return cpu->mmx_blocked;
    return (cpu->fpu.status & X87_ES) && !cpu->ignores_x87_error ? EXCP_MF : 0;
}

/* Each MMX instruction but EMMS: TOP = 0, and every register is valid (SDM 1 9.5.1). */
static inline void cpu_mmx_begin(struct cpu *cpu)
{
    cpu->fpu.status &= (uint16_t)~X87_TOP;
    cpu->fpu.in_use = 0xff;
}

/* A write sets sign and exponent to ones (SDM 1 9.2.2). */
static inline void cpu_mmx_write(struct cpu *cpu, unsigned reg, uint64_t value)
{
    cpu->fpu.reg[reg].mantissa = value;
    cpu->fpu.reg[reg].sign_exponent = UINT16_MAX;
}

static inline uint64_t cpu_mmx_read(const struct cpu *cpu, unsigned reg)
{
    return cpu->fpu.reg[reg].mantissa;
}

#endif
