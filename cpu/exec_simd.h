/*
 * The vocabulary of exec.h for vectors: XMM and MMX registers, operands of up to 16 bytes, and the checks
 * that come before any MMX or SSE instruction.
 */
#ifndef LK_CPU_EXEC_SIMD_H
#define LK_CPU_EXEC_SIMD_H

#include "cpu/exec.h"
#include "cpu/fpu.h"
#include "cpu/simd.h"

/* What forbids an instruction with such registers: the vector to raise, or 0. */
ALWAYS_INLINE unsigned exec_simd_fault(const struct cpu *cpu, bool is_sse, bool is_mmx)
{
    if (is_sse && UNLIKELY(cpu->sse_blocked))
        return cpu->sse_blocked;
    return is_mmx ? cpu_mmx_fault(cpu) : 0;
}

/* ---- Registers ---- */

ALWAYS_INLINE __m128i exec_xmm(const struct cpu *cpu, unsigned reg)
{
    return simd_load(&cpu->xmm[reg]);
}

ALWAYS_INLINE void exec_set_xmm(struct cpu *cpu, unsigned reg, __m128i value)
{
    _mm_store_si128((__m128i *)&cpu->xmm[reg], value);
}

/* ---- Memory ---- */

struct exec_wide {
    __m128i value;
    stamp_t ready; /* when the value is there; 0: it missed or faulted */
};

ALWAYS_INLINE struct exec_wide exec_wide_failed(void)
{
    return (struct exec_wide){_mm_setzero_si128(), 0};
}

ALWAYS_INLINE __m128i exec_host_read_wide(const uint8_t *host, unsigned size_bytes)
{
    if (size_bytes == 16)
        return simd_load(host);
    return simd_of(exec_host_read(host, size_bytes), 0);
}

/* The linear address of the operand, which may have to be aligned (SDM 1 10.4.1.1: #GP(0)). */
ALWAYS_INLINE struct linear exec_linear_wide(struct cpu *cpu, const struct insn *insn, unsigned size_bytes,
                                             bool is_write, exec_fn *slow)
{
    struct linear linear = exec_linear(cpu, insn, size_bytes, is_write, slow);
    if (linear.is_good && UNLIKELY((linear.v & 15) && (insn->flags & INSN_ALIGNED)))
        linear.is_good = slow ? false : cpu_set_fault_code(cpu, EXCP_GP, 0);
    return linear;
}

/* The memory operand, zero-extended. Waits for its address; *t may move. */
ALWAYS_INLINE struct exec_wide exec_load_wide(struct cpu *cpu, const struct insn *insn, unsigned size_bytes,
                                              stamp_t *t, exec_fn *slow)
{
    *t = exec_wait_address(cpu, insn, *t);
    struct linear linear = exec_linear_wide(cpu, insn, size_bytes, false, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_wide_failed();
    if (!slow) {
        cpu->wide = (struct xmm){{0, 0}};
        stamp_t ready = cpu_load_wide_slow(cpu, linear.v, size_bytes, exec_port(cpu, *t), &cpu->wide);
        *t = cpu->slow_issue;
        return (struct exec_wide){simd_load(&cpu->wide), ready};
    }
    struct exec_place place = exec_find(cpu, linear.v, size_bytes, FRONT_READ);
    if (UNLIKELY(!place.host || exec_meets_store(cpu, place.host, size_bytes, *t)))
        return exec_wide_failed();
    *t = exec_port(cpu, *t);
    exec_use(cpu, &place);
    exec_tell(cpu, &place, linear.v, size_bytes, CPU_HIT_LOAD, *t);
    stamp_t ready = EXEC_IS_TIMED ? stamp_floor(*t) + cpu->load_hit : *t;
    return (struct exec_wide){exec_host_read_wide(place.host, size_bytes), ready};
}

/* Stores the low size_bytes. False: it missed or faulted. The caller has waited for address and data. */
ALWAYS_INLINE bool exec_store_wide(struct cpu *cpu, const struct insn *insn, unsigned size_bytes,
                                   __m128i value, stamp_t *t, exec_fn *slow)
{
    struct linear linear = exec_linear_wide(cpu, insn, size_bytes, true, slow);
    if (UNLIKELY(!linear.is_good))
        return false;
    if (!slow) {
        _mm_store_si128((__m128i *)&cpu->wide, value);
        stamp_t slot = exec_store_slot(cpu, exec_port(cpu, *t));
        bool is_good = cpu_store_wide_slow(cpu, linear.v, size_bytes, &cpu->wide, slot);
        *t = cpu->slow_issue;
        return is_good;
    }
    struct exec_place place = exec_find(cpu, linear.v, size_bytes, FRONT_WRITE);
    if (UNLIKELY(!place.host))
        return false;
    *t = exec_store_slot(cpu, exec_port(cpu, *t));
    exec_use(cpu, &place);
    exec_tell(cpu, &place, linear.v, size_bytes, CPU_HIT_STORE, *t);
    if (size_bytes == 16)
        _mm_storeu_si128((__m128i *)place.host, value);
    else
        exec_host_write(place.host, size_bytes, simd_low(value));
    exec_store_hit(cpu, place.host, size_bytes, *t, *t);
    return true;
}

/* ---- Operands ---- */

enum exec_kind { KIND_GPR, KIND_MMX, KIND_XMM };

ALWAYS_INLINE unsigned exec_ready_of(enum exec_kind kind, unsigned reg)
{
    return kind == KIND_XMM ? READY_XMM + reg : kind == KIND_MMX ? READY_MMX + reg : reg;
}

/* A register's value, zero-extended; the size counts for general registers. */
ALWAYS_INLINE __m128i exec_value_of(const struct cpu *cpu, enum exec_kind kind, unsigned reg,
                                    unsigned size_bytes)
{
    if (kind == KIND_XMM)
        return exec_xmm(cpu, reg);
    if (kind == KIND_MMX)
        return simd_of(cpu_mmx_read(cpu, reg), 0);
    return simd_of(cpu->reg[reg] & exec_mask(size_bytes), 0);
}

ALWAYS_INLINE void exec_set_value_of(struct cpu *cpu, enum exec_kind kind, unsigned reg, unsigned size_bytes,
                                     __m128i value)
{
    if (kind == KIND_XMM)
        exec_set_xmm(cpu, reg, value);
    else if (kind == KIND_MMX)
        cpu_mmx_write(cpu, reg, simd_low(value));
    else
        exec_write_register(cpu, reg, size_bytes, simd_low(value));
}

/* The source: memory of the size in cond, or a register. Waits for it; *t may move. */
ALWAYS_INLINE struct exec_wide exec_wide_src(struct cpu *cpu, const struct insn *insn, enum exec_kind kind,
                                             stamp_t *t, exec_fn *slow)
{
    if (insn->flags & INSN_MEMORY)
        return exec_load_wide(cpu, insn, insn->cond, t, slow);
    *t = exec_wait1(cpu, *t, exec_ready_of(kind, insn->src));
    return (struct exec_wide){exec_value_of(cpu, kind, insn->src, insn->cond), *t};
}

/* When a result that takes the instruction's latency from that source is there. */
ALWAYS_INLINE stamp_t exec_wide_done(const struct insn *insn, const struct exec_wide *src, stamp_t t)
{
    if (!EXEC_IS_TIMED)
        return t;
    return insn->flags & INSN_MEMORY ? src->ready + ((cycle_t)insn->latency_cycles << STAMP_CYCLE_SHIFT)
                                     : exec_done(t, insn->latency_cycles);
}

#endif
