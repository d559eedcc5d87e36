/*
 * MXCSR, stores under a mask, string comparisons, fences and cache control (SDM 1 10.4.6, 11.4.4, 12.11.1).
 */
#include "cpu/exec_simd.h"

EXEC_TWIN(ldmxcsr)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    t = exec_wait_address(cpu, insn, t);
    struct linear linear = exec_linear(cpu, insn, 4, false, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    struct loaded loaded = exec_load(cpu, linear.v, 4, &t, slow);
    if (UNLIKELY(!loaded.ready))
        return exec_miss(cpu, insn, t, slow);
    t = exec_wait(cpu, t, loaded.ready);
    if (loaded.value & ~(uint64_t)MXCSR_KNOWN)
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->mxcsr = (uint32_t)loaded.value;
    return exec_next(cpu, insn, t, exec_done(t, insn->latency_cycles));
}

EXEC_TWIN(stmxcsr)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    t = exec_wait_address(cpu, insn, t);
    struct linear linear = exec_linear(cpu, insn, 4, true, slow);
    if (UNLIKELY(!linear.is_good) || UNLIKELY(!exec_store(cpu, linear.v, 4, cpu->mxcsr, &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/*
 * Stores the bytes of cpu->wide whose bits are set, each run of them by itself. All could be written, or
 * nothing is. Where no bit is set nothing is accessed, and nothing faults. The slot is in cpu->slow_issue.
 */
static __attribute__((noinline)) bool store_masked(struct cpu *cpu, const struct insn *insn, unsigned bits,
                                                   stamp_t t)
{
    cpu->slow_issue = t;
    if (!bits)
        return true;
    struct linear linear = exec_linear(cpu, insn, insn->size_bytes, true, NULL);
    if (!linear.is_good)
        return false;
    unsigned first = (unsigned)__builtin_ctz(bits), last = 31 - (unsigned)__builtin_clz(bits);
    cpu->clock = t;
    bool is_good = cpu_probe_write(cpu, linear.v + first, last - first + 1);
    cpu->slow_issue = t = cpu->clock;
    if (!is_good)
        return false;
    const uint8_t *bytes = (const uint8_t *)&cpu->wide;
    for (unsigned at = first; at <= last;) {
        unsigned nr_bytes = (unsigned)__builtin_ctz(~(bits >> at));
        if (nr_bytes && !cpu_store_wide_slow(cpu, linear.v + at, nr_bytes, bytes + at,
                                             exec_store_slot(cpu, exec_port(cpu, t))))
            return false;
        t = cpu->slow_issue;
        at += nr_bytes + 1;
    }
    return true;
}

/* MASKMOVQ, MASKMOVDQU: the mask is the sign of each byte of the second operand. */
ALWAYS_INLINE const struct insn *mask_move(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                           enum exec_kind kind)
{
    unsigned vector = exec_simd_fault(cpu, kind == KIND_XMM, kind == KIND_MMX);
    if (UNLIKELY(vector))
        return exec_raise(cpu, insn, t, vector);
    t = exec_wait3(cpu, t, insn->base, exec_ready_of(kind, insn->dst), exec_ready_of(kind, insn->src));
    _mm_store_si128((__m128i *)&cpu->wide, exec_value_of(cpu, kind, insn->dst, 16));
    unsigned bits = (unsigned)_mm_movemask_epi8(exec_value_of(cpu, kind, insn->src, 16));
    if (!store_masked(cpu, insn, bits, t))
        return exec_fault(cpu, insn, cpu->slow_issue);
    t = cpu->slow_issue;
    if (kind == KIND_MMX)
        cpu_mmx_begin(cpu);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

EXEC(maskmovq)
{
    return mask_move(cpu, insn, t, KIND_MMX);
}

EXEC(maskmovdqu)
{
    return mask_move(cpu, insn, t, KIND_XMM);
}

/* PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM: lengths from EAX and EDX, or where a zero is. */
EXEC_TWIN(compare_strings)
{
    if (UNLIKELY(cpu->sse_blocked))
        return exec_raise(cpu, insn, t, cpu->sse_blocked);
    bool has_lengths = insn->op == DEC_PCMPESTRI || insn->op == DEC_PCMPESTRM;
    bool is_index = insn->op == DEC_PCMPESTRI || insn->op == DEC_PCMPISTRI;
    t = has_lengths ? exec_wait3(cpu, t, CPU_AX, CPU_DX, READY_XMM + insn->dst)
                    : exec_wait1(cpu, t, READY_XMM + insn->dst);
    struct exec_wide src = exec_wide_src(cpu, insn, KIND_XMM, &t, slow);
    if (UNLIKELY(!src.ready))
        return exec_miss(cpu, insn, t, slow);
    simd_compare_strings(cpu, insn, exec_xmm(cpu, insn->dst), src.value);
    stamp_t done = exec_wide_done(insn, &src, t);
    exec_set_ready(cpu, is_index ? CPU_CX : READY_XMM, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

/* LFENCE waits for what came before it, SFENCE for the stores to drain, MFENCE for both. */
EXEC(fence)
{
    stamp_t all = 0;
    for (unsigned i = 0; EXEC_IS_TIMED && insn->op != DEC_SFENCE && i < NR_READY; i++)
        all = stamp_later(all, cpu->ready[i]);
    if (EXEC_IS_TIMED && insn->op != DEC_LFENCE)
        all = stamp_later(all, cpu->store_drained);
    t = exec_wait(cpu, t, all);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/*
 * Ordered behind the stores, as these may be to the line (SDM 2A CLFLUSH). Faults as a load of a byte does.
 */
EXEC(clflush)
{
    t = exec_wait_address(cpu, insn, t);
    struct linear linear = exec_linear(cpu, insn, 1, false, NULL);
    if (!linear.is_good)
        return exec_fault(cpu, insn, t);
    if (EXEC_IS_TIMED)
        t = exec_wait(cpu, t, cpu->store_drained);
    bool is_good = cpu_flush_line(cpu, linear.v, exec_port(cpu, t));
    t = cpu->slow_issue;
    if (!is_good)
        return exec_fault(cpu, insn, t);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}
