/*
 * Binary arithmetic and logic (SDM 2: ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC, NEG, NOT), CLC,
 * STC, CMC.
 */
#include "cpu/exec.h"

enum alu_op { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP, ALU_TEST };

/* The result; sets the flags. `op` and `size_bytes` are constants wherever this is called. */
ALWAYS_INLINE uint64_t alu(struct cpu *cpu, enum alu_op op, unsigned size_bytes, uint64_t a, uint64_t b)
{
    uint64_t carry_in = op == ALU_ADC || op == ALU_SBB ? exec_cf(cpu) : 0, result = 0, carries = 0;
    bool is_subtraction = op == ALU_SBB || op == ALU_SUB || op == ALU_CMP;
    switch (op) {
    case ALU_ADD:
    case ALU_ADC:
        result = a + b + carry_in;
        break;
    case ALU_SBB:
    case ALU_SUB:
    case ALU_CMP:
        result = a - b - carry_in;
        break;
    case ALU_AND:
    case ALU_TEST:
        result = a & b;
        break;
    case ALU_OR:
        result = a | b;
        break;
    case ALU_XOR:
        result = a ^ b;
        break;
    }
    bool is_logic = op == ALU_AND || op == ALU_TEST || op == ALU_OR || op == ALU_XOR;
    if (!is_logic && size_bytes == 8) {
        bool carry_out =
            is_subtraction ? a < b || (a == b && carry_in) : result < a || (result == a && carry_in);
        carries = exec_carries64(a, b, result, carry_out);
    } else if (!is_logic) {
        carries = exec_carries(a, b, result, size_bytes);
    }
    exec_set_flags(cpu, result & exec_mask(size_bytes), size_bytes, carries);
    return result & exec_mask(size_bytes);
}

ALWAYS_INLINE bool writes(enum alu_op op)
{
    return op != ALU_CMP && op != ALU_TEST;
}

ALWAYS_INLINE bool reads_flags(enum alu_op op)
{
    return op == ALU_ADC || op == ALU_SBB;
}

ALWAYS_INLINE stamp_t wait_flags(struct cpu *cpu, stamp_t t, enum alu_op op)
{
    return reads_flags(op) ? exec_wait1(cpu, t, READY_FLAGS) : t;
}

/* Both operands are at hand; dst is a register. */
ALWAYS_INLINE stamp_t to_register(struct cpu *cpu, const struct insn *insn, enum alu_op op,
                                  unsigned size_bytes, uint64_t b, stamp_t done)
{
    uint64_t result = alu(cpu, op, size_bytes, exec_dst(cpu, insn, size_bytes), b);
    if (writes(op)) {
        exec_set_dst(cpu, insn, size_bytes, result);
        exec_set_ready(cpu, insn->dst, done);
    }
    exec_set_ready(cpu, READY_FLAGS, done);
    return done;
}

/* The other operand is at hand; dst is memory. The address has been waited for. */
ALWAYS_INLINE const struct insn *to_memory(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                           enum alu_op op, unsigned size_bytes, uint64_t b, exec_fn *slow)
{
    struct linear linear = exec_linear(cpu, insn, size_bytes, writes(op), slow);
    stamp_t done;
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    if (writes(op)) {
        struct exec_rmw rmw = exec_rmw_load(cpu, linear.v, size_bytes, &t, slow);
        if (UNLIKELY(!rmw.ready))
            return exec_miss(cpu, insn, t, slow);
        done = exec_after(rmw.ready);
        exec_rmw_store(cpu, &rmw, linear.v, size_bytes, alu(cpu, op, size_bytes, rmw.value, b), t, done,
                       slow);
    } else {
        struct loaded loaded = exec_load(cpu, linear.v, size_bytes, &t, slow);
        if (UNLIKELY(!loaded.ready))
            return exec_miss(cpu, insn, t, slow);
        done = exec_after(loaded.ready);
        alu(cpu, op, size_bytes, loaded.value, b);
    }
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

#define ALU_FORMS(name, op, bits)                                                                            \
    EXEC(name##_rr##bits)                                                                                    \
    {                                                                                                        \
        t = wait_flags(cpu, exec_wait2(cpu, t, insn->dst, insn->src), op);                                   \
        uint64_t b = exec_src(cpu, insn, (bits) / 8);                                                        \
        return exec_next(cpu, insn, t, to_register(cpu, insn, op, (bits) / 8, b, exec_done(t, 1)));          \
    }                                                                                                        \
    EXEC(name##_ri##bits)                                                                                    \
    {                                                                                                        \
        t = wait_flags(cpu, exec_wait1(cpu, t, insn->dst), op);                                              \
        uint64_t b = insn->imm & exec_mask((bits) / 8);                                                      \
        return exec_next(cpu, insn, t, to_register(cpu, insn, op, (bits) / 8, b, exec_done(t, 1)));          \
    }                                                                                                        \
    EXEC_TWIN(name##_rm##bits)                                                                               \
    {                                                                                                        \
        t = wait_flags(cpu, exec_wait3(cpu, t, insn->base, insn->index, insn->dst), op);                     \
        struct linear linear = exec_linear(cpu, insn, (bits) / 8, false, slow);                              \
        if (UNLIKELY(!linear.is_good))                                                                       \
            return exec_miss(cpu, insn, t, slow);                                                            \
        struct loaded loaded = exec_load(cpu, linear.v, (bits) / 8, &t, slow);                               \
        if (UNLIKELY(!loaded.ready))                                                                         \
            return exec_miss(cpu, insn, t, slow);                                                            \
        stamp_t done = to_register(cpu, insn, op, (bits) / 8, loaded.value, exec_after(loaded.ready));       \
        return exec_next(cpu, insn, t, done);                                                                \
    }                                                                                                        \
    EXEC_TWIN(name##_mr##bits)                                                                               \
    {                                                                                                        \
        t = wait_flags(cpu, exec_wait3(cpu, t, insn->base, insn->index, insn->src), op);                     \
        return to_memory(cpu, insn, t, op, (bits) / 8, exec_src(cpu, insn, (bits) / 8), slow);               \
    }                                                                                                        \
    EXEC_TWIN(name##_mi##bits)                                                                               \
    {                                                                                                        \
        t = wait_flags(cpu, exec_wait_address(cpu, insn, t), op);                                            \
        return to_memory(cpu, insn, t, op, (bits) / 8, insn->imm & exec_mask((bits) / 8), slow);             \
    }

#define ALU(name, op)                                                                                        \
    ALU_FORMS(name, op, 8)                                                                                   \
    ALU_FORMS(name, op, 16)                                                                                  \
    ALU_FORMS(name, op, 32)                                                                                  \
    ALU_FORMS(name, op, 64)

ALU(add, ALU_ADD)
ALU(or, ALU_OR)
ALU(adc, ALU_ADC)
ALU(sbb, ALU_SBB)
ALU(and, ALU_AND)
ALU(sub, ALU_SUB)
ALU(xor, ALU_XOR)
ALU(cmp, ALU_CMP)
ALU(test, ALU_TEST)

enum unary_op { UNARY_INC, UNARY_DEC, UNARY_NEG, UNARY_NOT };

/* The result; sets the flags. INC and DEC leave CF as it is, NOT leaves all. */
ALWAYS_INLINE uint64_t unary(struct cpu *cpu, enum unary_op op, unsigned size_bytes, uint64_t a)
{
    bool carry = exec_cf(cpu);
    if (op == UNARY_NOT)
        return ~a & exec_mask(size_bytes);
    if (op == UNARY_NEG)
        return alu(cpu, ALU_SUB, size_bytes, 0, a);
    uint64_t result = alu(cpu, op == UNARY_INC ? ALU_ADD : ALU_SUB, size_bytes, a, 1);
    /* Where bit 32 is another than it was, so must be bit 31, which OF compares it with. */
    uint64_t differs = (cpu->flag_carry >> 32 & 1) ^ (uint64_t)carry;
    cpu->flag_carry ^= differs << 32 | differs << 31;
    return result;
}

ALWAYS_INLINE const struct insn *unary_register(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                enum unary_op op, unsigned size_bytes)
{
    t = exec_wait1(cpu, t, insn->dst);
    stamp_t done = exec_done(t, 1);
    exec_set_dst(cpu, insn, size_bytes, unary(cpu, op, size_bytes, exec_dst(cpu, insn, size_bytes)));
    exec_set_ready(cpu, insn->dst, done);
    if (op != UNARY_NOT)
        exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

ALWAYS_INLINE const struct insn *unary_memory(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                              enum unary_op op, unsigned size_bytes, exec_fn *slow)
{
    t = exec_wait_address(cpu, insn, t);
    struct linear linear = exec_linear(cpu, insn, size_bytes, true, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    struct exec_rmw rmw = exec_rmw_load(cpu, linear.v, size_bytes, &t, slow);
    if (UNLIKELY(!rmw.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_after(rmw.ready);
    exec_rmw_store(cpu, &rmw, linear.v, size_bytes, unary(cpu, op, size_bytes, rmw.value), t, done, slow);
    if (op != UNARY_NOT)
        exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

ALWAYS_INLINE stamp_t wait_carry(struct cpu *cpu, stamp_t t, enum unary_op op)
{
    return op == UNARY_INC || op == UNARY_DEC ? exec_wait1(cpu, t, READY_FLAGS) : t;
}

#define UNARY_FORM(name, op, bits)                                                                           \
    EXEC(name##_r##bits)                                                                                     \
    {                                                                                                        \
        return unary_register(cpu, insn, wait_carry(cpu, t, op), op, (bits) / 8);                            \
    }                                                                                                        \
    EXEC_TWIN(name##_m##bits)                                                                                \
    {                                                                                                        \
        return unary_memory(cpu, insn, wait_carry(cpu, t, op), op, (bits) / 8, slow);                        \
    }
#define UNARY(name, op)                                                                                      \
    UNARY_FORM(name, op, 8)                                                                                  \
    UNARY_FORM(name, op, 16)                                                                                 \
    UNARY_FORM(name, op, 32)                                                                                 \
    UNARY_FORM(name, op, 64)

UNARY(inc, UNARY_INC)
UNARY(dec, UNARY_DEC)
UNARY(neg, UNARY_NEG)
UNARY(not, UNARY_NOT)

/* Sets CF alone. */
ALWAYS_INLINE const struct insn *set_carry(struct cpu *cpu, const struct insn *insn, stamp_t t, bool carry)
{
    t = exec_wait1(cpu, t, READY_FLAGS);
    bool overflow = ((cpu->flag_carry >> 32) ^ (cpu->flag_carry >> 31)) & 1;
    cpu->flag_carry = exec_carry_overflow(carry, overflow) | (cpu->flag_carry & 0x10);
    stamp_t done = exec_done(t, 1);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

EXEC(clc)
{
    return set_carry(cpu, insn, t, false);
}

EXEC(stc)
{
    return set_carry(cpu, insn, t, true);
}

EXEC(cmc)
{
    return set_carry(cpu, insn, t, !exec_cf(cpu));
}
