/*
 * Shifts, rotates and bits (SDM 2: ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD, BT, BTS, BTR, BTC, BSF,
 * BSR).
 *
 * What the manual leaves undefined is chosen after what is told of Intel's processors; no test holds it. AF
 * is 0 after a shift; OF after a count above 1 follows the rule for 1; a 16-bit SHLD or SHRD by more than 16
 * shifts dst:src:dst; BT leaves all flags but CF; BSF and BSR set the flags of their result. Of 0 they leave
 * the destination, which the host oracle does hold.
 *
 * bind.c sets insn->cond when the count is in CL (the bit offset in a register), and clears it when it is in
 * insn->imm.
 */
#include "cpu/exec_arith.h"

enum shift_op { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAR };

ALWAYS_INLINE bool is_rotate(enum shift_op op)
{
    return op <= SHIFT_RCR;
}

/* The top bit of size_bytes. */
ALWAYS_INLINE bool sign(uint64_t value, unsigned size_bytes)
{
    return value >> (size_bytes * 8 - 1) & 1;
}

/*
 * CF ends up in the top bit of what a rotation is made of: n of bits + 1 through the carry, n of bits
 * without.
 */
ALWAYS_INLINE uint64_t rotate(struct cpu *cpu, enum shift_op op, unsigned size_bytes, uint64_t a,
                              unsigned count)
{
    unsigned bits = size_bytes * 8;
    bool through_carry = op == SHIFT_RCL || op == SHIFT_RCR;
    unsigned n = through_carry ? count % (bits + 1) : count % bits;
    uint64_t carry_in = exec_cf(cpu), result = a;
    bool carry = carry_in;
    if (through_carry && n == 0)
        return a;
    switch (op) {
    case SHIFT_ROL:
        result = n ? a << n | a >> (bits - n) : a;
        carry = result & 1;
        break;
    case SHIFT_ROR:
        result = n ? a >> n | a << (bits - n) : a;
        carry = sign(result, size_bytes);
        break;
    case SHIFT_RCL:
        result = a << n | carry_in << (n - 1) | (n > 1 ? a >> (bits + 1 - n) : 0);
        carry = a >> (bits - n) & 1;
        break;
    default:
        result = a >> n | carry_in << (bits - n) | (n > 1 ? a << (bits + 1 - n) : 0);
        carry = a >> (n - 1) & 1;
        break;
    }
    bool is_left = op == SHIFT_ROL || op == SHIFT_RCL;
    bool other = is_left ? carry : sign(result << 1, size_bytes);
    exec_set_carry_overflow(cpu, carry, sign(result, size_bytes) ^ other);
    return result & exec_mask(size_bytes);
}

ALWAYS_INLINE uint64_t shift(struct cpu *cpu, enum shift_op op, unsigned size_bytes, uint64_t a,
                             unsigned count)
{
    unsigned bits = size_bytes * 8;
    int64_t extended = exec_sign_extend(a, size_bytes);
    uint64_t result;
    bool carry;
    if (op == SHIFT_SHL) {
        result = a << count;
        carry = (size_bytes == 8 ? a >> (64 - count) : result >> bits) & 1;
    } else if (op == SHIFT_SHR) {
        result = a >> count;
        carry = a >> (count - 1) & 1;
    } else {
        result = (uint64_t)(extended >> count);
        carry = extended >> (count - 1) & 1;
    }
    bool other = op == SHIFT_SHL ? carry : sign(result << 1, size_bytes);
    bool overflow = op != SHIFT_SAR && (sign(result, size_bytes) ^ other);
    result &= exec_mask(size_bytes);
    exec_set_flags_of(cpu, result, size_bytes, carry, overflow);
    return result;
}

/* The count, masked (SDM 2B SAL/SAR/SHL/SHR). */
ALWAYS_INLINE unsigned shift_count(struct cpu *cpu, const struct insn *insn, unsigned size_bytes)
{
    uint64_t count = insn->cond ? cpu->reg[CPU_CX] : insn->imm;
    return (unsigned)count & (size_bytes == 8 ? 63 : 31);
}

/* A count in CL may be 0 and leave the flags, so they are waited for. */
ALWAYS_INLINE stamp_t wait_count(struct cpu *cpu, const struct insn *insn, stamp_t t, bool keeps_flags)
{
    if (insn->cond)
        return exec_wait2(cpu, t, CPU_CX, READY_FLAGS);
    return keeps_flags ? exec_wait1(cpu, t, READY_FLAGS) : t;
}

ALWAYS_INLINE uint64_t shift_or_rotate(struct cpu *cpu, enum shift_op op, unsigned size_bytes, uint64_t a,
                                       unsigned count)
{
    if (UNLIKELY(!count))
        return a;
    return is_rotate(op) ? rotate(cpu, op, size_bytes, a, count) : shift(cpu, op, size_bytes, a, count);
}

/* A count of 0 writes memory all the same. */
ALWAYS_INLINE const struct insn *shift_memory(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                              enum shift_op op, unsigned size_bytes, exec_fn *slow)
{
    t = exec_wait_address(cpu, insn, wait_count(cpu, insn, t, is_rotate(op)));
    struct linear linear = exec_linear(cpu, insn, size_bytes, true, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    struct exec_rmw rmw = exec_rmw_load(cpu, linear.v, size_bytes, &t, slow);
    if (UNLIKELY(!rmw.ready))
        return exec_miss(cpu, insn, t, slow);
    unsigned count = shift_count(cpu, insn, size_bytes);
    stamp_t done = rmw.ready;
    if (EXEC_IS_TIMED)
        done += (stamp_t)insn->latency_cycles << STAMP_CYCLE_SHIFT;
    uint64_t result = shift_or_rotate(cpu, op, size_bytes, rmw.value, count);
    exec_rmw_store(cpu, &rmw, linear.v, size_bytes, result, t, done, slow);
    exec_set_ready(cpu, READY_FLAGS, done); /* also where a count of 0 leaves them as they were */
    return exec_next(cpu, insn, t, done);
}

/* Shifts of registers are frequent: kept apart, they need no stack frame. */
ALWAYS_INLINE const struct insn *shift_register(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                enum shift_op op, unsigned size_bytes)
{
    t = exec_wait1(cpu, wait_count(cpu, insn, t, is_rotate(op)), insn->dst);
    unsigned count = shift_count(cpu, insn, size_bytes);
    stamp_t done = exec_done(t, insn->latency_cycles);
    uint64_t result = shift_or_rotate(cpu, op, size_bytes, exec_dst(cpu, insn, size_bytes), count);
    exec_set_dst(cpu, insn, size_bytes, result);
    exec_set_ready(cpu, READY_FLAGS, done);
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

#define SHIFT_FORM(name, op, bits)                                                                           \
    EXEC_TWIN(name##_memory##bits)                                                                           \
    {                                                                                                        \
        return shift_memory(cpu, insn, t, op, (bits) / 8, slow);                                             \
    }                                                                                                        \
    EXEC(name##bits)                                                                                         \
    {                                                                                                        \
        if (insn->flags & INSN_MEMORY)                                                                       \
            return EXEC_NAME(name##_memory##bits)(cpu, insn, t);                                             \
        return shift_register(cpu, insn, t, op, (bits) / 8);                                                 \
    }
#define SHIFT(name, op)                                                                                      \
    SHIFT_FORM(name, op, 8)                                                                                  \
    SHIFT_FORM(name, op, 16)                                                                                 \
    SHIFT_FORM(name, op, 32)                                                                                 \
    SHIFT_FORM(name, op, 64)

SHIFT(rol, SHIFT_ROL)
SHIFT(ror, SHIFT_ROR)
SHIFT(rcl, SHIFT_RCL)
SHIFT(rcr, SHIFT_RCR)
SHIFT(shl, SHIFT_SHL)
SHIFT(shr, SHIFT_SHR)
SHIFT(sar, SHIFT_SAR)

/* dst shifted by count, which is not 0, with the bits of src coming in behind. */
ALWAYS_INLINE uint64_t shift_double(struct cpu *cpu, bool is_left, unsigned size_bytes, uint64_t dst,
                                    uint64_t src, unsigned count)
{
    unsigned bits = size_bytes * 8;
    uint64_t result;
    bool carry;
    if (size_bytes == 2) {
        uint64_t row = dst << 32 | src << 16 | dst;
        result = is_left ? row << count >> 32 : row >> count;
        carry = (is_left ? row >> (48 - count) : row >> (count - 1)) & 1;
    } else {
        result = is_left ? dst << count | src >> (bits - count) : dst >> count | src << (bits - count);
        carry = (is_left ? dst >> (bits - count) : dst >> (count - 1)) & 1;
    }
    bool other = is_left ? carry : sign(result << 1, size_bytes);
    result &= exec_mask(size_bytes);
    exec_set_flags_of(cpu, result, size_bytes, carry, sign(result, size_bytes) ^ other);
    return result;
}

ALWAYS_INLINE const struct insn *execute_shift_double(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                      bool is_left, exec_fn *slow)
{
    unsigned size_bytes = insn->size_bytes;
    t = exec_wait1(cpu, wait_count(cpu, insn, t, false), insn->src);
    struct exec_operand operand = exec_read_dst(cpu, insn, size_bytes, true, &t, slow);
    if (UNLIKELY(!operand.ready))
        return exec_miss(cpu, insn, t, slow);
    unsigned count = shift_count(cpu, insn, size_bytes);
    stamp_t done = exec_operand_done(insn, &operand, t, insn->latency_cycles);
    uint64_t result = operand.value;
    if (LIKELY(count)) {
        uint64_t src = exec_src(cpu, insn, size_bytes);
        result = shift_double(cpu, is_left, size_bytes, operand.value, src, count);
    }
    exec_write_dst(cpu, insn, &operand, size_bytes, result, t, done, slow);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

EXEC_TWIN(shld)
{
    return execute_shift_double(cpu, insn, t, true, slow);
}

EXEC_TWIN(shrd)
{
    return execute_shift_double(cpu, insn, t, false, slow);
}

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

/* The memory operand, `ahead` bytes further on. */
ALWAYS_INLINE struct linear bit_linear(struct cpu *cpu, const struct insn *insn, uint64_t ahead,
                                       bool will_write, exec_fn *slow)
{
    if (UNLIKELY(insn->flags & INSN_SLOW_ADDRESS)) {
        if (slow)
            return (struct linear){0, false};
        uint64_t offset = (cpu_effective_address(cpu, insn) + ahead) & exec_mask(insn->address_bytes);
        return cpu_linear(cpu, insn->seg, offset, insn->size_bytes, will_write);
    }
    return exec_linear_flat(cpu, insn->seg, exec_address(cpu, insn) + ahead, insn->size_bytes, slow);
}

ALWAYS_INLINE uint64_t change_bit(enum bit_op op, uint64_t value, uint64_t bit)
{
    switch (op) {
    case BIT_SET:
        return value | bit;
    case BIT_RESET:
        return value & ~bit;
    case BIT_COMPLEMENT:
        return value ^ bit;
    default:
        return value;
    }
}

/* A bit offset in a register is signed and reaches memory beyond the operand (SDM 2A BT, figure 3-2). */
ALWAYS_INLINE const struct insn *execute_bit(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                             enum bit_op op, exec_fn *slow)
{
    unsigned size_bytes = insn->size_bytes, log2_bytes = (unsigned)__builtin_ctz(size_bytes);
    bool will_write = op != BIT_TEST;
    t = exec_wait1(cpu, t, READY_FLAGS);
    if (insn->cond)
        t = exec_wait1(cpu, t, insn->src);
    int64_t offset =
        insn->cond ? exec_sign_extend(exec_src(cpu, insn, size_bytes), size_bytes) : (int64_t)insn->imm;
    uint64_t bit = 1ull << ((uint64_t)offset & (size_bytes * 8 - 1));

    struct exec_operand operand = {0};
    if (insn->flags & INSN_MEMORY) {
        t = exec_wait_address(cpu, insn, t);
        uint64_t ahead = insn->cond ? (uint64_t)(offset >> (3 + log2_bytes)) << log2_bytes : 0;
        struct linear linear = bit_linear(cpu, insn, ahead, will_write, slow);
        if (UNLIKELY(!linear.is_good))
            return exec_miss(cpu, insn, t, slow);
        operand.linear = linear.v;
        if (will_write) {
            operand.rmw = exec_rmw_load(cpu, linear.v, size_bytes, &t, slow);
            operand.value = operand.rmw.value;
            operand.ready = operand.rmw.ready;
        } else {
            struct loaded loaded = exec_load(cpu, linear.v, size_bytes, &t, slow);
            operand.value = loaded.value;
            operand.ready = loaded.ready;
        }
    } else {
        operand = exec_read_dst(cpu, insn, size_bytes, will_write, &t, slow);
    }
    if (UNLIKELY(!operand.ready))
        return exec_miss(cpu, insn, t, slow);

    stamp_t done = exec_operand_done(insn, &operand, t, insn->latency_cycles);
    exec_set_carry_overflow(cpu, operand.value & bit, exec_of(cpu));
    if (will_write)
        exec_write_dst(cpu, insn, &operand, size_bytes, change_bit(op, operand.value, bit), t, done, slow);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

EXEC_TWIN(bt)
{
    return execute_bit(cpu, insn, t, BIT_TEST, slow);
}

EXEC_TWIN(bts)
{
    return execute_bit(cpu, insn, t, BIT_SET, slow);
}

EXEC_TWIN(btr)
{
    return execute_bit(cpu, insn, t, BIT_RESET, slow);
}

EXEC_TWIN(btc)
{
    return execute_bit(cpu, insn, t, BIT_COMPLEMENT, slow);
}

ALWAYS_INLINE const struct insn *scan(struct cpu *cpu, const struct insn *insn, stamp_t t, bool from_top,
                                      exec_fn *slow)
{
    unsigned size_bytes = insn->size_bytes;
    t = exec_wait2(cpu, t, insn->dst, READY_FLAGS);
    struct loaded source = exec_read_src(cpu, insn, size_bytes, &t, slow);
    if (UNLIKELY(!source.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_src_done(insn, &source, t, insn->latency_cycles);
    if (source.value) {
        int bit = from_top ? 63 - __builtin_clzll(source.value) : __builtin_ctzll(source.value);
        exec_set_dst(cpu, insn, size_bytes, (uint64_t)bit);
        exec_set_flags_of(cpu, (uint64_t)bit, size_bytes, false, false);
    }
    exec_set_zf(cpu, source.value == 0);
    exec_set_ready(cpu, insn->dst, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

EXEC_TWIN(bsf)
{
    return scan(cpu, insn, t, false, slow);
}

EXEC_TWIN(bsr)
{
    return scan(cpu, insn, t, true, slow);
}
