/*
 * MMX and SSE instructions that compute: operands in, the operation of simd.h, the result out. What is
 * computed stands in simd_*.c; the rows of simd_ops.def say which instruction has which operands.
 */
#include "cpu/exec_simd.h"

/* Takes what cpu->fault says back to the instruction. */
static __attribute__((noinline, cold)) const struct insn *raise_float(struct cpu *cpu,
                                                                      const struct insn *insn, stamp_t t)
{
    cpu->is_simd_fault = false;
    return exec_fault(cpu, insn, t);
}

ALWAYS_INLINE const struct insn *operate(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                         enum exec_kind to, enum exec_kind from, bool can_raise,
                                         exec_fn *slow)
{
    const bool is_sse = to == KIND_XMM || from == KIND_XMM;
    const bool is_mmx = to == KIND_MMX || (from == KIND_MMX && !(insn->flags & INSN_MEMORY));
    unsigned vector = exec_simd_fault(cpu, is_sse, is_mmx);
    if (UNLIKELY(vector))
        return exec_raise(cpu, insn, t, vector);
    if (can_raise)
        t = exec_wait_iterative(cpu, insn, t);
    if (insn->flags & INSN_READS_DST)
        t = exec_wait1(cpu, t, exec_ready_of(to, insn->dst));
    struct exec_wide src = exec_wide_src(cpu, insn, from, &t, slow);
    if (UNLIKELY(!src.ready))
        return exec_miss(cpu, insn, t, slow);
    simd_fn *const *operations =
        to == KIND_MMX || from == KIND_MMX ? simd_mmx_operations : simd_xmm_operations;
    __m128i dst = to == KIND_GPR ? src.value : exec_value_of(cpu, to, insn->dst, 16);
    __m128i result = operations[insn->op](cpu, dst, src.value, insn);
    if (is_mmx) /* before floating-point exceptions, as processors do */
        cpu_mmx_begin(cpu);
    if (can_raise && UNLIKELY(cpu->is_simd_fault))
        return raise_float(cpu, insn, exec_wait(cpu, t, src.ready));
    exec_set_value_of(cpu, to, insn->dst, insn->size_bytes, result);
    stamp_t done = exec_wide_done(insn, &src, t);
    if (can_raise)
        exec_take_iterative(cpu, insn, done);
    exec_set_ready(cpu, exec_ready_of(to, insn->dst), done);
    return exec_next(cpu, insn, t, done);
}

#define OPERATE(name, to, from, can_raise)                                                                   \
    EXEC_TWIN(name)                                                                                          \
    {                                                                                                        \
        return operate(cpu, insn, t, KIND_##to, KIND_##from, can_raise, slow);                               \
    }

OPERATE(simd_v, XMM, XMM, false)

/* PBLENDVB, BLENDVPS, BLENDVPD: the mask is in XMM0. */
EXEC(simd_v_masked)
{
    return EXEC_NAME(simd_v)(cpu, insn, exec_wait1(cpu, t, READY_XMM));
}

OPERATE(simd_v_raising, XMM, XMM, true)
OPERATE(simd_p, MMX, MMX, false)
OPERATE(simd_v_from_p, XMM, MMX, true)
OPERATE(simd_p_from_v, MMX, XMM, true)
OPERATE(simd_v_from_r, XMM, GPR, true)
OPERATE(simd_p_from_r, MMX, GPR, false)
OPERATE(simd_r_from_v, GPR, XMM, true)
OPERATE(simd_r_from_p, GPR, MMX, false)

/* Shifts by an immediate count: the same operations. */
ALWAYS_INLINE const struct insn *shift(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                       enum exec_kind kind)
{
    unsigned vector = exec_simd_fault(cpu, kind == KIND_XMM, kind == KIND_MMX);
    if (UNLIKELY(vector))
        return exec_raise(cpu, insn, t, vector);
    t = exec_wait1(cpu, t, exec_ready_of(kind, insn->dst));
    simd_fn *operation = (kind == KIND_MMX ? simd_mmx_operations : simd_xmm_operations)[insn->op];
    __m128i dst = exec_value_of(cpu, kind, insn->dst, 16);
    __m128i result = operation(cpu, dst, simd_of(insn->imm & 0xff, 0), insn);
    if (kind == KIND_MMX)
        cpu_mmx_begin(cpu);
    exec_set_value_of(cpu, kind, insn->dst, 16, result);
    stamp_t done = exec_done(t, insn->latency_cycles);
    exec_set_ready(cpu, exec_ready_of(kind, insn->dst), done);
    return exec_next(cpu, insn, t, done);
}

EXEC(simd_v_imm)
{
    return shift(cpu, insn, t, KIND_XMM);
}

EXEC(simd_p_imm)
{
    return shift(cpu, insn, t, KIND_MMX);
}

/* A part of an XMM register to a general register or memory: PEXTRB and the like. */
EXEC_TWIN(simd_extract)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    t = exec_wait1(cpu, t, READY_XMM + insn->src);
    __m128i src = exec_xmm(cpu, insn->src);
    if (!(insn->flags & INSN_MEMORY)) {
        exec_write_register(cpu, insn->dst, insn->size_bytes,
                            simd_low(simd_xmm_operations[insn->op](cpu, src, src, insn)));
        stamp_t done = exec_done(t, insn->latency_cycles);
        exec_set_ready(cpu, insn->dst, done);
        return exec_next(cpu, insn, t, done);
    }
    t = exec_wait_address(cpu, insn, t);
    __m128i part = simd_xmm_operations[insn->op](cpu, src, src, insn);
    if (UNLIKELY(!exec_store_wide(cpu, insn, insn->size_bytes, part, &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* Comparisons into EFLAGS: the operation's answer is what the status flags become. */
EXEC_TWIN(simd_flags)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    t = exec_wait1(cpu, t, READY_XMM + insn->dst);
    struct exec_wide src = exec_wide_src(cpu, insn, KIND_XMM, &t, slow);
    if (UNLIKELY(!src.ready))
        return exec_miss(cpu, insn, t, slow);
    uint64_t flags = simd_low(simd_xmm_operations[insn->op](cpu, exec_xmm(cpu, insn->dst), src.value, insn));
    if (UNLIKELY(cpu->is_simd_fault))
        return raise_float(cpu, insn, exec_wait(cpu, t, src.ready));
    /* As cpu_set_status_flags does, for what these can set. */
    cpu->flag_result = (flags & EFLAGS_ZF ? 0 : 0x100) | (flags & EFLAGS_PF ? 0 : 1ull << 40);
    cpu->flag_carry = exec_carry_overflow(flags & EFLAGS_CF, false);
    stamp_t done = exec_wide_done(insn, &src, t);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}
