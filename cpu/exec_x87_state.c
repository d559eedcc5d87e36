/* FNSTENV, FLDENV, FNSAVE, FRSTOR, FXSAVE, FXRSTOR: they wait for all registers, and take their time. */
#include "cpu/exec.h"
#include "cpu/x87_state.h"

/* Ends an instruction that has moved cpu->clock. */
ALWAYS_INLINE const struct insn *finish(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    stamp_t end = cpu->clock;
    return exec_next(cpu, insn, EXEC_IS_TIMED ? stamp_later(t, end) : t, exec_done(end, 1));
}

/* Results of x87 and SSE instructions that are still to come. */
static stamp_t wait_for_registers(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    if (!EXEC_IS_TIMED)
        return t;
    t = exec_wait_address(cpu, insn, t);
    for (unsigned i = READY_XMM; i < NR_READY; i++)
        t = exec_wait(cpu, t, cpu->ready[i]);
    return t;
}

/* The operand's linear address, all of whose bytes lie in the segment. */
static struct linear operand(struct cpu *cpu, const struct insn *insn, unsigned nr_bytes, bool is_write)
{
    return exec_linear(cpu, insn, nr_bytes, is_write, NULL);
}

static bool is_32bit(const struct insn *insn)
{
    return insn->size_bytes == 28 || insn->size_bytes == 108;
}

static __attribute__((noinline)) bool store_environment(struct cpu *cpu, const struct insn *insn,
                                                        bool has_registers)
{
    uint8_t image[X87_STATE_MAX_BYTES];
    unsigned nr_bytes = insn->size_bytes;
    struct linear linear = operand(cpu, insn, nr_bytes, true);
    if (!linear.is_good || !cpu_may_write_bytes(cpu, linear.v, nr_bytes))
        return false;
    unsigned environment_bytes = cpu_x87_put_environment(cpu, image, is_32bit(insn));
    if (has_registers)
        cpu_x87_put_registers(cpu, image + environment_bytes);
    cpu_write_bytes(cpu, linear.v, image, nr_bytes);
    return true;
}

/* All exceptions are masked afterwards (SDM 2A FSTENV). */
EXEC(fnstenv)
{
    if (UNLIKELY(cpu->x87_blocked))
        return exec_raise(cpu, insn, t, (enum exception_vector)cpu->x87_blocked);
    cpu->clock = wait_for_registers(cpu, insn, t);
    if (!store_environment(cpu, insn, false))
        return exec_fault(cpu, insn, cpu->clock);
    cpu->fpu.control |= X87_EXCEPTIONS;
    cpu_settle_x87_status(cpu);
    return finish(cpu, insn, t);
}

EXEC(fnsave)
{
    if (UNLIKELY(cpu->x87_blocked))
        return exec_raise(cpu, insn, t, (enum exception_vector)cpu->x87_blocked);
    cpu->clock = wait_for_registers(cpu, insn, t);
    if (!store_environment(cpu, insn, true))
        return exec_fault(cpu, insn, cpu->clock);
    cpu_x87_init(cpu);
    return finish(cpu, insn, t);
}

static __attribute__((noinline)) bool load_environment(struct cpu *cpu, const struct insn *insn,
                                                       bool has_registers)
{
    uint8_t image[X87_STATE_MAX_BYTES];
    struct linear linear = operand(cpu, insn, insn->size_bytes, false);
    if (!linear.is_good || !cpu_read_bytes(cpu, linear.v, image, insn->size_bytes))
        return false;
    cpu_x87_get_environment(cpu, image, is_32bit(insn));
    if (has_registers)
        cpu_x87_get_registers(cpu, image + (is_32bit(insn) ? 28 : 14));
    return true;
}

EXEC(fldenv)
{
    unsigned vector = cpu_x87_fault(cpu);
    if (UNLIKELY(vector))
        return exec_raise(cpu, insn, t, (enum exception_vector)vector);
    cpu->clock = wait_for_registers(cpu, insn, t);
    if (!load_environment(cpu, insn, insn->op == DEC_FRSTOR))
        return exec_fault(cpu, insn, cpu->clock);
    return finish(cpu, insn, t);
}

/* The image, on a boundary of 16 bytes: else #GP(0) (SDM 2A FXSAVE). */
static struct linear image_operand(struct cpu *cpu, const struct insn *insn, bool is_write)
{
    struct linear linear = operand(cpu, insn, X87_STATE_MAX_BYTES, is_write);
    if (linear.is_good && linear.v % 16)
        linear.is_good = cpu_set_fault_code(cpu, EXCP_GP, 0);
    return linear;
}

/* What the image has no register for keeps what memory had. */
static __attribute__((noinline)) bool save_image(struct cpu *cpu, const struct insn *insn)
{
    uint8_t image[X87_STATE_MAX_BYTES];
    struct linear linear = image_operand(cpu, insn, true);
    if (!linear.is_good || !cpu_may_write_bytes(cpu, linear.v, X87_STATE_MAX_BYTES))
        return false;
    unsigned nr_bytes = cpu_put_fx_image(cpu, image, insn->size_bytes == 8);
    cpu_write_bytes(cpu, linear.v, image, nr_bytes);
    return true;
}

EXEC(fxsave)
{
    if (UNLIKELY(cpu->x87_blocked))
        return exec_raise(cpu, insn, t, EXCP_NM);
    cpu->clock = wait_for_registers(cpu, insn, t);
    if (!save_image(cpu, insn))
        return exec_fault(cpu, insn, cpu->clock);
    return finish(cpu, insn, t);
}

static __attribute__((noinline)) bool restore_image(struct cpu *cpu, const struct insn *insn)
{
    uint8_t image[X87_STATE_MAX_BYTES];
    struct linear linear = image_operand(cpu, insn, false);
    if (!linear.is_good || !cpu_read_bytes(cpu, linear.v, image, X87_STATE_MAX_BYTES))
        return false;
    return cpu_get_fx_image(cpu, image, insn->size_bytes == 8) || cpu_set_fault_code(cpu, EXCP_GP, 0);
}

EXEC(fxrstor)
{
    if (UNLIKELY(cpu->x87_blocked))
        return exec_raise(cpu, insn, t, EXCP_NM);
    cpu->clock = wait_for_registers(cpu, insn, t);
    if (!restore_image(cpu, insn))
        return exec_fault(cpu, insn, cpu->clock);
    return finish(cpu, insn, t);
}
