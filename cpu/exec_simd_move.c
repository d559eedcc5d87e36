/* MMX and SSE moves (SDM 1 9.4.1, 10.4.1.1, 11.4.1.1): between registers, and to and from memory. */
#include "cpu/exec_simd.h"

enum move { MOVE_ALL, MOVE_LOW, MOVE_MERGE };

/* MOVAPS and the like; MOVQ, which zeroes the upper half; MOVSS and MOVSD, which leave the rest. */
ALWAYS_INLINE const struct insn *copy(struct cpu *cpu, const struct insn *insn, stamp_t t, enum move move)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    t = exec_wait1(cpu, t, READY_XMM + insn->src);
    if (move == MOVE_MERGE)
        t = exec_wait1(cpu, t, READY_XMM + insn->dst);
    __m128i src = exec_xmm(cpu, insn->src);
    stamp_t done = exec_done(t, 1);
    if (move == MOVE_ALL)
        exec_set_xmm(cpu, insn->dst, src);
    else if (move == MOVE_LOW)
        exec_set_xmm(cpu, insn->dst, _mm_move_epi64(src));
    else if (insn->size_bytes == 8)
        cpu->xmm[insn->dst].half[0] = simd_low(src);
    else
        cpu->xmm[insn->dst].half[0] =
            (cpu->xmm[insn->dst].half[0] & ~(uint64_t)UINT32_MAX) | (uint32_t)simd_low(src);
    exec_set_ready(cpu, READY_XMM + insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

EXEC(simd_copy)
{
    return copy(cpu, insn, t, MOVE_ALL);
}

EXEC(simd_copy_low)
{
    return copy(cpu, insn, t, MOVE_LOW);
}

EXEC(simd_merge)
{
    return copy(cpu, insn, t, MOVE_MERGE);
}

/* Loads zero the rest of an XMM register. */
EXEC_TWIN(simd_load)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    struct exec_wide loaded = exec_load_wide(cpu, insn, insn->cond, &t, slow);
    if (UNLIKELY(!loaded.ready))
        return exec_miss(cpu, insn, t, slow);
    exec_set_xmm(cpu, insn->dst, loaded.value);
    exec_set_ready(cpu, READY_XMM + insn->dst, loaded.ready);
    return exec_next(cpu, insn, t, loaded.ready);
}

EXEC_TWIN(simd_store)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    t = exec_wait3(cpu, t, insn->base, insn->index, READY_XMM + insn->src);
    if (UNLIKELY(!exec_store_wide(cpu, insn, insn->size_bytes, exec_xmm(cpu, insn->src), &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

static bool is_high(const struct insn *insn)
{
    return insn->op == DEC_MOVHPS || insn->op == DEC_MOVHPD;
}

/* MOVLPS, MOVHPS: one half, the other stays. */
EXEC_TWIN(simd_load_half)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    t = exec_wait1(cpu, t, READY_XMM + insn->dst);
    struct exec_wide loaded = exec_load_wide(cpu, insn, 8, &t, slow);
    if (UNLIKELY(!loaded.ready))
        return exec_miss(cpu, insn, t, slow);
    cpu->xmm[insn->dst].half[is_high(insn)] = simd_low(loaded.value);
    stamp_t done = exec_after(loaded.ready);
    exec_set_ready(cpu, READY_XMM + insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

EXEC_TWIN(simd_store_high)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    t = exec_wait3(cpu, t, insn->base, insn->index, READY_XMM + insn->src);
    __m128i high = simd_of(cpu->xmm[insn->src].half[1], 0);
    if (UNLIKELY(!exec_store_wide(cpu, insn, 8, high, &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* MOVD and MOVQ between registers of different kinds; zero-extended. */
ALWAYS_INLINE const struct insn *transfer(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                          enum exec_kind to, enum exec_kind from)
{
    const bool is_sse = to == KIND_XMM || from == KIND_XMM, is_mmx = to == KIND_MMX || from == KIND_MMX;
    unsigned vector = exec_simd_fault(cpu, is_sse, is_mmx);
    if (UNLIKELY(vector))
        return exec_raise(cpu, insn, t, vector);
    t = exec_wait1(cpu, t, exec_ready_of(from, insn->src));
    __m128i value = exec_value_of(cpu, from, insn->src, insn->cond);
    if (is_mmx)
        cpu_mmx_begin(cpu);
    exec_set_value_of(cpu, to, insn->dst, insn->size_bytes, value);
    stamp_t done = exec_done(t, to == from ? 1 : insn->latency_cycles);
    exec_set_ready(cpu, exec_ready_of(to, insn->dst), done);
    return exec_next(cpu, insn, t, done);
}

EXEC(simd_v_to_r)
{
    return transfer(cpu, insn, t, KIND_GPR, KIND_XMM);
}

EXEC(simd_p_to_r)
{
    return transfer(cpu, insn, t, KIND_GPR, KIND_MMX);
}

EXEC(simd_r_to_v)
{
    return transfer(cpu, insn, t, KIND_XMM, KIND_GPR);
}

EXEC(simd_r_to_p)
{
    return transfer(cpu, insn, t, KIND_MMX, KIND_GPR);
}

EXEC(simd_copy_p)
{
    return transfer(cpu, insn, t, KIND_MMX, KIND_MMX);
}

EXEC_TWIN(simd_load_p)
{
    unsigned vector = cpu_mmx_fault(cpu);
    if (UNLIKELY(vector))
        return exec_raise(cpu, insn, t, vector);
    struct exec_wide loaded = exec_load_wide(cpu, insn, insn->cond, &t, slow);
    if (UNLIKELY(!loaded.ready))
        return exec_miss(cpu, insn, t, slow);
    cpu_mmx_begin(cpu);
    cpu_mmx_write(cpu, insn->dst, simd_low(loaded.value));
    exec_set_ready(cpu, READY_MMX + insn->dst, loaded.ready);
    return exec_next(cpu, insn, t, loaded.ready);
}

EXEC_TWIN(simd_store_p)
{
    unsigned vector = cpu_mmx_fault(cpu);
    if (UNLIKELY(vector))
        return exec_raise(cpu, insn, t, vector);
    t = exec_wait3(cpu, t, insn->base, insn->index, READY_MMX + insn->src);
    if (UNLIKELY(!exec_store_wide(cpu, insn, insn->size_bytes, exec_value_of(cpu, KIND_MMX, insn->src, 8), &t,
                                  slow)))
        return exec_miss(cpu, insn, t, slow);
    cpu_mmx_begin(cpu);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}
