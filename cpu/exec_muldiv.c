/*
 * Multiplication, division and decimal adjustment (SDM 2: MUL, IMUL, DIV, IDIV, AAA, AAS, DAA, DAS, AAM,
 * AAD).
 *
 * What the manual leaves undefined: a multiplication sets SF, ZF and PF of the lower half of its product and
 * clears AF; a division leaves all flags; the decimal adjustments set SF, ZF and PF of AL, and clear OF and
 * whatever else is undefined.
 */
#include "cpu/exec_arith.h"

__extension__ typedef unsigned __int128 wide_t;
__extension__ typedef __int128 signed_wide_t;

struct pair {
    uint64_t low, high;
};

/* What a division or multiplication of size_bytes takes from DX:AX, or (bytes) from AX. */
ALWAYS_INLINE struct pair read_pair(const struct cpu *cpu, unsigned size_bytes)
{
    if (size_bytes == 1)
        return (struct pair){cpu->reg[CPU_AX] & 0xff, cpu->reg[CPU_AX] >> 8 & 0xff};
    uint64_t mask = exec_mask(size_bytes);
    return (struct pair){cpu->reg[CPU_AX] & mask, cpu->reg[CPU_DX] & mask};
}

ALWAYS_INLINE void write_pair(struct cpu *cpu, unsigned size_bytes, struct pair pair, stamp_t done)
{
    uint64_t mask = exec_mask(size_bytes);
    exec_set_ready(cpu, CPU_AX, done);
    if (size_bytes == 1) {
        exec_write_register(cpu, CPU_AX, 2, (pair.high & mask) << 8 | (pair.low & mask));
        return;
    }
    exec_write_register(cpu, CPU_AX, size_bytes, pair.low);
    exec_write_register(cpu, CPU_DX, size_bytes, pair.high);
    exec_set_ready(cpu, CPU_DX, done);
}

ALWAYS_INLINE struct pair multiply(uint64_t a, uint64_t b, unsigned size_bytes, bool is_signed)
{
    unsigned bits = size_bytes * 8;
    if (is_signed) {
        a = (uint64_t)exec_sign_extend(a, size_bytes);
        b = (uint64_t)exec_sign_extend(b, size_bytes);
    }
    if (size_bytes < 8) {
        uint64_t product = a * b;
        return (struct pair){product & exec_mask(size_bytes), product >> bits & exec_mask(size_bytes)};
    }
    wide_t product = is_signed ? (wide_t)((signed_wide_t)(int64_t)a * (int64_t)b) : (wide_t)a * b;
    return (struct pair){(uint64_t)product, (uint64_t)(product >> 64)};
}

/* CF and OF say that the lower half is not the whole product. */
ALWAYS_INLINE void set_product_flags(struct cpu *cpu, struct pair product, unsigned size_bytes,
                                     bool is_signed)
{
    bool is_negative = is_signed && product.low >> (size_bytes * 8 - 1) & 1;
    bool is_cut = product.high != (is_negative ? exec_mask(size_bytes) : 0);
    exec_set_flags_of(cpu, product.low, size_bytes, is_cut, is_cut);
}

ALWAYS_INLINE const struct insn *multiply_pair(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                               bool is_signed, exec_fn *slow)
{
    unsigned size_bytes = insn->size_bytes;
    t = exec_wait2(cpu, t, CPU_AX, size_bytes == 2 ? CPU_DX : CPU_AX); /* DX keeps its upper half */
    struct exec_operand operand = exec_read_dst(cpu, insn, size_bytes, false, &t, slow);
    if (UNLIKELY(!operand.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_operand_done(insn, &operand, t, insn->latency_cycles);
    uint64_t a = cpu->reg[CPU_AX] & exec_mask(size_bytes);
    struct pair product = multiply(a, operand.value, size_bytes, is_signed);
    write_pair(cpu, size_bytes, product, done);
    set_product_flags(cpu, product, size_bytes, is_signed);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

EXEC_TWIN(mul)
{
    return multiply_pair(cpu, insn, t, false, slow);
}

/* dst becomes the lower half of the product. */
ALWAYS_INLINE const struct insn *multiply_to_dst(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                 uint64_t a, uint64_t b, stamp_t done)
{
    unsigned size_bytes = insn->size_bytes;
    struct pair product = multiply(a, b, size_bytes, true);
    exec_write_register(cpu, insn->dst, size_bytes, product.low);
    set_product_flags(cpu, product, size_bytes, true);
    exec_set_ready(cpu, insn->dst, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

ALWAYS_INLINE uint64_t imul_factor(const struct cpu *cpu, const struct insn *insn)
{
    return (insn->cond == 2 ? cpu->reg[insn->dst] : insn->imm) & exec_mask(insn->size_bytes);
}

EXEC_TWIN(imul_pair)
{
    return multiply_pair(cpu, insn, t, true, slow);
}

EXEC_TWIN(imul_memory)
{
    if (insn->cond == 2 || insn->size_bytes == 2)
        t = exec_wait1(cpu, t, insn->dst);
    struct loaded source = exec_read_src(cpu, insn, insn->size_bytes, &t, slow);
    if (UNLIKELY(!source.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_src_done(insn, &source, t, insn->latency_cycles);
    return multiply_to_dst(cpu, insn, t, source.value, imul_factor(cpu, insn), done);
}

/*
 * insn->cond is the number of operands. Registers are the frequent case, and kept apart need no stack frame.
 */
EXEC(imul)
{
    if (insn->cond == 1)
        return EXEC_NAME(imul_pair)(cpu, insn, t);
    if (insn->flags & INSN_MEMORY)
        return EXEC_NAME(imul_memory)(cpu, insn, t);
    bool reads_dst = insn->cond == 2 || insn->size_bytes == 2;
    t = exec_wait2(cpu, t, insn->src, reads_dst ? insn->dst : insn->src);
    uint64_t a = cpu->reg[insn->src] & exec_mask(insn->size_bytes);
    return multiply_to_dst(cpu, insn, t, a, imul_factor(cpu, insn), exec_done(t, insn->latency_cycles));
}

/* 128 by 64 bits; the quotient fits. */
static __attribute__((noinline)) struct pair divide_wide(struct pair dividend, uint64_t divisor)
{
    wide_t whole = (wide_t)dividend.high << 64 | dividend.low;
    return (struct pair){(uint64_t)(whole / divisor), (uint64_t)(whole % divisor)};
}

/* Quotient (low) and remainder (high) of an unsigned division whose divisor is above dividend.high. */
ALWAYS_INLINE struct pair divide(struct pair dividend, uint64_t divisor, unsigned size_bytes)
{
    if (size_bytes == 8)
        return divide_wide(dividend, divisor);
    uint64_t whole = dividend.high << size_bytes * 8 | dividend.low;
    return (struct pair){whole / divisor, whole % divisor};
}

ALWAYS_INLINE struct pair negate_pair(struct pair pair, unsigned size_bytes)
{
    uint64_t mask = exec_mask(size_bytes), low = (0 - pair.low) & mask;
    return (struct pair){low, (~pair.high + (low == 0)) & mask};
}

/*
 * Signed division is unsigned division of the magnitudes: the quotient rounds to zero and the remainder has
 * the dividend's sign (SDM 2A IDIV). Whatever does not fit, division by zero included, is #DE with nothing
 * changed.
 */
ALWAYS_INLINE const struct insn *execute_divide(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                bool is_signed, exec_fn *slow)
{
    unsigned size_bytes = insn->size_bytes;
    uint64_t mask = exec_mask(size_bytes), sign_bit = 1ull << (size_bytes * 8 - 1);
    t = exec_wait2(cpu, exec_wait_iterative(cpu, insn, t), CPU_AX, size_bytes == 1 ? CPU_AX : CPU_DX);
    struct exec_operand operand = exec_read_dst(cpu, insn, size_bytes, false, &t, slow);
    if (UNLIKELY(!operand.ready))
        return exec_miss(cpu, insn, t, slow);
    struct pair dividend = read_pair(cpu, size_bytes);
    uint64_t divisor = operand.value;
    bool is_dividend_negative = is_signed && dividend.high & sign_bit;
    bool is_divisor_negative = is_signed && divisor & sign_bit;
    if (is_dividend_negative)
        dividend = negate_pair(dividend, size_bytes);
    if (is_divisor_negative)
        divisor = (0 - divisor) & mask;
    if (UNLIKELY(dividend.high >= divisor))
        return exec_raise(cpu, insn, exec_wait(cpu, t, operand.ready), EXCP_DE);

    struct pair result = divide(dividend, divisor, size_bytes);
    bool is_quotient_negative = is_dividend_negative != is_divisor_negative;
    if (is_signed && UNLIKELY(result.low > sign_bit - !is_quotient_negative))
        return exec_raise(cpu, insn, exec_wait(cpu, t, operand.ready), EXCP_DE);
    if (is_quotient_negative)
        result.low = 0 - result.low;
    if (is_dividend_negative)
        result.high = 0 - result.high;
    stamp_t done = exec_operand_done(insn, &operand, t, insn->latency_cycles);
    exec_take_iterative(cpu, insn, done);
    write_pair(cpu, size_bytes, result, done);
    return exec_next(cpu, insn, t, done);
}

EXEC_TWIN(div)
{
    return execute_divide(cpu, insn, t, false, slow);
}

EXEC_TWIN(idiv)
{
    return execute_divide(cpu, insn, t, true, slow);
}

ALWAYS_INLINE bool exec_af(const struct cpu *cpu)
{
    return cpu->flag_carry >> 4 & 1;
}

/* AX and the flags after a decimal adjustment: of AL, with CF and AF as given. */
ALWAYS_INLINE const struct insn *adjusted(struct cpu *cpu, const struct insn *insn, stamp_t t, uint64_t ax,
                                          bool carry, bool adjust)
{
    stamp_t done = exec_done(t, insn->latency_cycles);
    exec_take_iterative(cpu, insn, done);
    exec_write_register(cpu, CPU_AX, 2, ax);
    exec_set_flags(cpu, ax & 0xff, 1, exec_carry_overflow(carry, false) | (adjust ? EFLAGS_AF : 0));
    exec_set_ready(cpu, CPU_AX, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

/* AAA adds 6 to AX, not to AL, as processors since the 286 do (SDM 2A AAA, AAS). */
ALWAYS_INLINE const struct insn *ascii_adjust(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                              bool is_subtraction)
{
    t = exec_wait2(cpu, t, CPU_AX, READY_FLAGS);
    uint64_t ax = cpu->reg[CPU_AX] & 0xffff;
    bool adjust = (ax & 0xf) > 9 || exec_af(cpu);
    if (adjust)
        ax = is_subtraction ? ax - 0x106 : ax + 0x106;
    return adjusted(cpu, insn, t, ax & 0xff0f, adjust, adjust);
}

EXEC(aaa)
{
    return ascii_adjust(cpu, insn, t, false);
}

EXEC(aas)
{
    return ascii_adjust(cpu, insn, t, true);
}

/* DAS carries out of its first step as well, DAA only if CF was set before (SDM 2A DAA, DAS). */
ALWAYS_INLINE const struct insn *decimal_adjust(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                bool is_subtraction)
{
    t = exec_wait2(cpu, t, CPU_AX, READY_FLAGS);
    uint64_t old = cpu->reg[CPU_AX] & 0xff, al = old, ah = cpu->reg[CPU_AX] & 0xff00;
    bool adjust = (old & 0xf) > 9 || exec_af(cpu);
    bool high = old > 0x99 || exec_cf(cpu), carry = high;
    if (adjust) {
        al = is_subtraction ? al - 6 : al + 6;
        carry |= is_subtraction && old < 6;
    }
    if (high)
        al = is_subtraction ? al - 0x60 : al + 0x60;
    return adjusted(cpu, insn, t, ah | (al & 0xff), carry, adjust);
}

EXEC(daa)
{
    return decimal_adjust(cpu, insn, t, false);
}

EXEC(das)
{
    return decimal_adjust(cpu, insn, t, true);
}

EXEC(aam)
{
    t = exec_wait1(cpu, exec_wait_iterative(cpu, insn, t), CPU_AX);
    uint64_t al = cpu->reg[CPU_AX] & 0xff, base = insn->imm & 0xff;
    if (UNLIKELY(base == 0))
        return exec_raise(cpu, insn, t, EXCP_DE);
    return adjusted(cpu, insn, t, al / base << 8 | al % base, false, false);
}

EXEC(aad)
{
    t = exec_wait1(cpu, t, CPU_AX);
    uint64_t ax = cpu->reg[CPU_AX];
    return adjusted(cpu, insn, t, ((ax & 0xff) + (ax >> 8 & 0xff) * (insn->imm & 0xff)) & 0xff, false, false);
}
