/*
 * Locked read-modify-writes (SDM 2: XADD, CMPXCHG, CMPXCHG8B), BOUND, SALC, CLD and STD. With one core LOCK
 * changes nothing.
 */
#include "cpu/exec_arith.h"

/* Where both operands are one register it ends up with the sum (SDM 2C XADD). */
EXEC_TWIN(xadd)
{
    unsigned size_bytes = insn->size_bytes;
    t = exec_wait1(cpu, t, insn->src);
    struct exec_operand operand = exec_read_dst(cpu, insn, size_bytes, true, &t, slow);
    if (UNLIKELY(!operand.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_operand_done(insn, &operand, t, insn->latency_cycles);
    uint64_t sum = exec_add(cpu, size_bytes, operand.value, exec_src(cpu, insn, size_bytes));
    exec_set_src(cpu, insn, size_bytes, operand.value);
    exec_write_dst(cpu, insn, &operand, size_bytes, sum, t, done, slow);
    exec_set_ready(cpu, insn->src, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

/*
 * Memory is written even when it differs from the accumulator (SDM 2A CMPXCHG); a register keeps its upper
 * half then, as processors have it.
 */
EXEC_TWIN(cmpxchg)
{
    unsigned size_bytes = insn->size_bytes;
    t = exec_wait2(cpu, t, insn->src, CPU_AX);
    struct exec_operand operand = exec_read_dst(cpu, insn, size_bytes, true, &t, slow);
    if (UNLIKELY(!operand.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_operand_done(insn, &operand, t, insn->latency_cycles);
    uint64_t expected = cpu->reg[CPU_AX] & exec_mask(size_bytes);
    exec_compare(cpu, size_bytes, expected, operand.value);
    if (expected == operand.value) {
        uint64_t value = exec_src(cpu, insn, size_bytes);
        exec_write_dst(cpu, insn, &operand, size_bytes, value, t, done, slow);
    } else {
        if (insn->flags & INSN_MEMORY)
            exec_write_dst(cpu, insn, &operand, size_bytes, operand.value, t, done, slow);
        else
            exec_set_ready(cpu, insn->dst, done); /* whether or not it is written */
        exec_write_register(cpu, CPU_AX, size_bytes, operand.value);
    }
    exec_set_ready(cpu, CPU_AX, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

ALWAYS_INLINE uint64_t register_pair(const struct cpu *cpu, unsigned high, unsigned low)
{
    return cpu->reg[high] << 32 | (uint32_t)cpu->reg[low];
}

/* Memory is written even when it differs; ZF is the only flag that changes (SDM 2A CMPXCHG8B). */
EXEC_TWIN(cmpxchg8b)
{
    t = exec_wait3(cpu, t, CPU_AX, CPU_DX, READY_FLAGS);
    t = exec_wait2(cpu, t, CPU_BX, CPU_CX);
    struct exec_operand operand = exec_read_dst(cpu, insn, 8, true, &t, slow);
    if (UNLIKELY(!operand.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_operand_done(insn, &operand, t, insn->latency_cycles);
    bool is_equal = operand.value == register_pair(cpu, CPU_DX, CPU_AX);
    uint64_t value = is_equal ? register_pair(cpu, CPU_CX, CPU_BX) : operand.value;
    exec_write_dst(cpu, insn, &operand, 8, value, t, done, slow);
    if (!is_equal) {
        exec_write_register(cpu, CPU_AX, 4, operand.value);
        exec_write_register(cpu, CPU_DX, 4, operand.value >> 32);
    }
    exec_set_zf(cpu, is_equal);
    exec_set_ready(cpu, CPU_AX, done);
    exec_set_ready(cpu, CPU_DX, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

/* Both bounds are one access: they lie side by side (SDM 2A BOUND). */
EXEC_TWIN(bound)
{
    unsigned size_bytes = insn->size_bytes;
    t = exec_wait1(cpu, exec_wait_address(cpu, insn, t), insn->dst);
    struct linear linear = exec_linear(cpu, insn, size_bytes * 2, false, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    struct loaded bounds = exec_load(cpu, linear.v, size_bytes * 2, &t, slow);
    if (UNLIKELY(!bounds.ready))
        return exec_miss(cpu, insn, t, slow);
    int64_t index = exec_sign_extend(exec_dst(cpu, insn, size_bytes), size_bytes);
    int64_t lower = exec_sign_extend(bounds.value, size_bytes);
    int64_t upper = exec_sign_extend(bounds.value >> size_bytes * 8, size_bytes);
    if (index < lower || index > upper)
        return exec_raise(cpu, insn, exec_wait(cpu, t, bounds.ready), EXCP_BR);
    return exec_next(cpu, insn, t, exec_after(bounds.ready));
}

/* Not in the manual: AL becomes 0xFF or 0 with CF (APM3 A, opcode D6). */
EXEC(salc)
{
    t = exec_wait2(cpu, t, CPU_AX, READY_FLAGS);
    stamp_t done = exec_done(t, 1);
    exec_write_register(cpu, CPU_AX, 1, exec_cf(cpu) ? 0xff : 0);
    exec_set_ready(cpu, CPU_AX, done);
    return exec_next(cpu, insn, t, done);
}

EXEC(cld)
{
    cpu->eflags &= ~(uint64_t)EFLAGS_DF;
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

EXEC(std)
{
    cpu->eflags |= EFLAGS_DF;
    return exec_next(cpu, insn, t, exec_done(t, 1));
}
