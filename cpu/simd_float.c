/*
 * Floating point as IEEE 754 defines it, and so the same on any x86-64 host: each operation is one of the
 * host's (SDM 1 10.4, 11.4).
 */
#include "cpu/simd_float.h"

/* The second operand is the source, the first the destination. */
#define BY_HOST(op, mnemonic, ...)                                                                           \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        (void)insn;                                                                                          \
        __m128i result = dst;                                                                                \
        unsigned flags;                                                                                      \
        SIMD_UNDER_GUEST(cpu, flags, mnemonic " %[b], %[a]", [a] "+x"(result), [b] "x"(src));                \
        return simd_settle(cpu, (struct simd_kind){__VA_ARGS__}, flags, dst, src, result);                   \
    }
#define ARITHMETIC(name, mnemonic, arithmetic)                                                               \
    BY_HOST(name##PS, mnemonic "ps", arithmetic, 4, false)                                                   \
    BY_HOST(name##PD, mnemonic "pd", arithmetic, 2, true)                                                    \
    BY_HOST(name##SS, mnemonic "ss", arithmetic, 1, false)                                                   \
    BY_HOST(name##SD, mnemonic "sd", arithmetic, 1, true)

ARITHMETIC(ADD, "add", SIMD_ADD)
ARITHMETIC(SUB, "sub", SIMD_SUB)
ARITHMETIC(MUL, "mul", SIMD_MUL)
ARITHMETIC(DIV, "div", SIMD_DIV)
ARITHMETIC(MIN, "min", SIMD_OTHER)
ARITHMETIC(MAX, "max", SIMD_OTHER)
ARITHMETIC(SQRT, "sqrt", SIMD_OTHER)
BY_HOST(CVTPS2PD, "cvtps2pd", SIMD_OTHER, 2, false)
BY_HOST(CVTSS2SD, "cvtss2sd", SIMD_OTHER, 1, false)
BY_HOST(CVTPD2PS, "cvtpd2ps", SIMD_NARROW, 2, true)
BY_HOST(CVTSD2SS, "cvtsd2ss", SIMD_NARROW, 1, true)
BY_HOST(CVTDQ2PS, "cvtdq2ps", SIMD_OTHER, 4, false)
BY_HOST(CVTDQ2PD, "cvtdq2pd", SIMD_OTHER, 2, false)
BY_HOST(CVTPS2DQ, "cvtps2dq", SIMD_OTHER, 4, false)
BY_HOST(CVTTPS2DQ, "cvttps2dq", SIMD_OTHER, 4, false)
BY_HOST(CVTPD2DQ, "cvtpd2dq", SIMD_OTHER, 2, true)
BY_HOST(CVTTPD2DQ, "cvttpd2dq", SIMD_OTHER, 2, true)

/* Two elements from or to an MMX register: the lower half of what the packed forms do. */
static __m128i low_of_first(__m128i low, __m128i high)
{
    return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(high), _mm_castsi128_pd(low)));
}

OPERATION(CVTPI2PS)
{
    return low_of_first(simd_CVTDQ2PS(cpu, dst, src, insn), dst);
}

OPERATION(CVTPI2PD)
{
    return simd_CVTDQ2PD(cpu, dst, src, insn);
}

OPERATION(CVTPS2PI)
{
    return simd_CVTPS2DQ(cpu, dst, _mm_move_epi64(src), insn);
}

OPERATION(CVTTPS2PI)
{
    return simd_CVTTPS2DQ(cpu, dst, _mm_move_epi64(src), insn);
}

OPERATION(CVTPD2PI)
{
    return simd_CVTPD2DQ(cpu, dst, src, insn);
}

OPERATION(CVTTPD2PI)
{
    return simd_CVTTPD2DQ(cpu, dst, src, insn);
}

/* From a general register or memory, of four bytes or eight. */
#define FROM_INTEGER(op, mnemonic)                                                                           \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        __m128i result = dst;                                                                                \
        unsigned flags;                                                                                      \
        if (insn->cond == 8)                                                                                 \
            SIMD_UNDER_GUEST(cpu, flags, mnemonic "q %[b], %[a]", [a] "+x"(result), [b] "r"(simd_low(src))); \
        else                                                                                                 \
            SIMD_UNDER_GUEST(cpu, flags,                                                                     \
                             mnemonic "l %k[b], %[a]", [a] "+x"(result), [b] "r"(simd_low(src)));            \
        return simd_settle(cpu, (struct simd_kind){SIMD_OTHER, 0, false}, flags, dst, src, result);          \
    }

FROM_INTEGER(CVTSI2SS, "cvtsi2ss")
FROM_INTEGER(CVTSI2SD, "cvtsi2sd")

/* To a general register. */
#define TO_INTEGER(op, mnemonic)                                                                             \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        uint64_t result;                                                                                     \
        unsigned flags;                                                                                      \
        if (insn->size_bytes == 8)                                                                           \
            SIMD_UNDER_GUEST(cpu, flags, mnemonic " %[b], %q[a]", [a] "=r"(result), [b] "x"(src));           \
        else                                                                                                 \
            SIMD_UNDER_GUEST(cpu, flags, mnemonic " %[b], %k[a]", [a] "=r"(result), [b] "x"(src));           \
        return simd_settle(cpu, (struct simd_kind){SIMD_OTHER, 0, false}, flags, dst, src,                   \
                           simd_of(result, 0));                                                              \
    }

TO_INTEGER(CVTSS2SI, "cvtss2si")
TO_INTEGER(CVTSD2SI, "cvtsd2si")
TO_INTEGER(CVTTSS2SI, "cvttss2si")
TO_INTEGER(CVTTSD2SI, "cvttsd2si")

/* Comparisons into EFLAGS: what the host's flags become (SDM 2A COMISD). */
#define TO_FLAGS(op, mnemonic)                                                                               \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        (void)insn;                                                                                          \
        uint32_t control = simd_control(cpu), after;                                                         \
        bool zf, pf, cf;                                                                                     \
        __asm__ volatile("ldmxcsr %[control]\n\t" mnemonic " %[b], %[a]\n\tstmxcsr %[after]\n\t"             \
                         "ldmxcsr %[host]"                                                                   \
                         : "=@ccz"(zf), "=@ccp"(pf), "=@ccc"(cf), [after] "=m"(after)                        \
                         : [a] "x"(dst), [b] "x"(src), [control] "m"(control), [host] "m"(simd_host_mxcsr)); \
        uint64_t flags = (zf ? EFLAGS_ZF : 0u) | (pf ? EFLAGS_PF : 0u) | (cf ? EFLAGS_CF : 0u);              \
        return simd_settle(cpu, (struct simd_kind){SIMD_OTHER, 0, false}, after & MXCSR_FLAGS, dst, src,     \
                           simd_of(flags, 0));                                                               \
    }

TO_FLAGS(COMISS, "comiss")
TO_FLAGS(COMISD, "comisd")
TO_FLAGS(UCOMISS, "ucomiss")
TO_FLAGS(UCOMISD, "ucomisd")

/* Comparisons into masks; the immediate's low three bits are the predicate. */
#define PREDICATE(n, mnemonic)                                                                               \
    case n:                                                                                                  \
        SIMD_UNDER_GUEST(cpu, flags, mnemonic " $" #n ", %[b], %[a]", [a] "+x"(result), [b] "x"(src));       \
        break;
#define COMPARE(op, mnemonic)                                                                                \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        __m128i result = dst;                                                                                \
        unsigned flags = 0;                                                                                  \
        switch (insn->imm & 7) {                                                                             \
            PREDICATE(0, mnemonic)                                                                           \
            PREDICATE(1, mnemonic)                                                                           \
            PREDICATE(2, mnemonic)                                                                           \
            PREDICATE(3, mnemonic)                                                                           \
            PREDICATE(4, mnemonic)                                                                           \
            PREDICATE(5, mnemonic)                                                                           \
            PREDICATE(6, mnemonic)                                                                           \
            PREDICATE(7, mnemonic)                                                                           \
        }                                                                                                    \
        return simd_settle(cpu, (struct simd_kind){SIMD_OTHER, 0, false}, flags, dst, src, result);          \
    }

COMPARE(CMPPS, "cmpps")
COMPARE(CMPPD, "cmppd")
COMPARE(CMPSS, "cmpss")
COMPARE(CMPSD, "cmpsd")
