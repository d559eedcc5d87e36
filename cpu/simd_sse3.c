/*
 * Floating point of SSE3 and SSE4.1 by what SSE2 has (SDM 1 12.3, 12.10): sums across a register, dot
 * products, rounding. And the two approximations.
 */
#include "cpu/simd_float.h"

#define BINARY(name, mnemonic)                                                                               \
    static __m128i name(const struct cpu *cpu, __m128i a, __m128i b, unsigned *flags)                        \
    {                                                                                                        \
        SIMD_UNDER_GUEST(cpu, *flags, mnemonic " %[b], %[a]", [a] "+x"(a), [b] "x"(b));                      \
        return a;                                                                                            \
    }

BINARY(add_ps, "addps")
BINARY(add_pd, "addpd")
BINARY(sub_ps, "subps")
BINARY(sub_pd, "subpd")
BINARY(mul_ps, "mulps")
BINARY(mul_pd, "mulpd")

static __m128i even_ps(__m128i a, __m128i b)
{
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), 0x88));
}

static __m128i odd_ps(__m128i a, __m128i b)
{
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), 0xdd));
}

#define HORIZONTAL(op, function, even, odd, ...)                                                             \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        (void)insn;                                                                                          \
        unsigned flags;                                                                                      \
        __m128i a = even(dst, src), b = odd(dst, src), result = function(cpu, a, b, &flags);                 \
        return simd_settle(cpu, (struct simd_kind){__VA_ARGS__}, flags, a, b, result);                       \
    }

HORIZONTAL(HADDPS, add_ps, even_ps, odd_ps, SIMD_ADD, 4, false)
HORIZONTAL(HSUBPS, sub_ps, even_ps, odd_ps, SIMD_SUB, 4, false)
HORIZONTAL(HADDPD, add_pd, _mm_unpacklo_epi64, _mm_unpackhi_epi64, SIMD_ADD, 2, true)
HORIZONTAL(HSUBPD, sub_pd, _mm_unpacklo_epi64, _mm_unpackhi_epi64, SIMD_SUB, 2, true)

/* Even lanes are subtracted, odd ones added; lanes of zeros raise nothing. */
#define ALTERNATE(op, add, subtract, even_lanes, nr_lanes, is_double)                                        \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        (void)insn;                                                                                          \
        const __m128i even = (even_lanes);                                                                   \
        const struct simd_kind minus = {SIMD_SUB, nr_lanes, is_double},                                      \
                               plus = {SIMD_ADD, nr_lanes, is_double};                                       \
        __m128i a = _mm_and_si128(even, dst), b = _mm_and_si128(even, src);                                  \
        __m128i c = _mm_andnot_si128(even, dst), d = _mm_andnot_si128(even, src);                            \
        unsigned flags, more_flags;                                                                          \
        __m128i differences = subtract(cpu, a, b, &flags), sums = add(cpu, c, d, &more_flags);               \
        flags =                                                                                              \
            simd_unmasked_flags(cpu, minus, flags, a, b) | simd_unmasked_flags(cpu, plus, more_flags, c, d); \
        simd_raise(cpu, flags);                                                                              \
        return _mm_or_si128(_mm_and_si128(even, differences), _mm_andnot_si128(even, sums));                 \
    }

ALTERNATE(ADDSUBPS, add_ps, sub_ps, simd_of(UINT32_MAX, UINT32_MAX), 4, false)
ALTERNATE(ADDSUBPD, add_pd, sub_pd, simd_of(UINT64_MAX, 0), 2, true)

/* A mask of the lanes whose bits are set. */
static __m128i lanes_ps(unsigned bits)
{
    union lanes mask;
    for (unsigned i = 0; i < 4; i++)
        mask.d[i] = bits >> i & 1 ? UINT32_MAX : 0;
    return vector_of(&mask);
}

static __m128i lanes_pd(unsigned bits)
{
    return simd_of(bits & 1 ? UINT64_MAX : 0, bits & 2 ? UINT64_MAX : 0);
}

/*
 * Products of the lanes that the immediate's upper half names, then sums of pairs (SDM 2A DPPS). Each step is
 * over before the next begins: what it raises unmasked, keeps the next from raising.
 */
OPERATION(DPPS)
{
    unsigned flags;
    __m128i chosen = lanes_ps((unsigned)insn->imm >> 4);
    __m128i a = _mm_and_si128(dst, chosen), b = _mm_and_si128(src, chosen);
    __m128i products = mul_ps(cpu, a, b, &flags);
    simd_settle(cpu, (struct simd_kind){SIMD_MUL, 4, false}, flags, a, b, products);
    if (cpu->is_simd_fault)
        return dst;
    products = _mm_and_si128(products, chosen);
    const __m128i pairs = lanes_ps(3);
    a = _mm_and_si128(pairs, _mm_shuffle_epi32(products, 0x08)); /* lanes 0 and 2 */
    b = _mm_and_si128(pairs, _mm_shuffle_epi32(products, 0x0d)); /* lanes 1 and 3 */
    __m128i sums = add_ps(cpu, a, b, &flags);
    simd_settle(cpu, (struct simd_kind){SIMD_ADD, 2, false}, flags, a, b, sums);
    if (cpu->is_simd_fault)
        return dst;
    const __m128i first = lanes_ps(1);
    a = _mm_and_si128(first, sums);
    b = _mm_and_si128(first, _mm_shuffle_epi32(sums, 1));
    __m128i sum = add_ps(cpu, a, b, &flags);
    simd_settle(cpu, (struct simd_kind){SIMD_ADD, 1, false}, flags, a, b, sum);
    return _mm_and_si128(_mm_shuffle_epi32(sum, 0), lanes_ps((unsigned)insn->imm));
}

OPERATION(DPPD)
{
    unsigned flags;
    __m128i chosen = lanes_pd((unsigned)insn->imm >> 4);
    __m128i a = _mm_and_si128(dst, chosen), b = _mm_and_si128(src, chosen);
    __m128i products = mul_pd(cpu, a, b, &flags);
    simd_settle(cpu, (struct simd_kind){SIMD_MUL, 2, true}, flags, a, b, products);
    if (cpu->is_simd_fault)
        return dst;
    products = _mm_and_si128(products, chosen);
    a = _mm_move_epi64(products);
    b = _mm_srli_si128(products, 8);
    __m128i sum = add_pd(cpu, a, b, &flags);
    simd_settle(cpu, (struct simd_kind){SIMD_ADD, 1, true}, flags, a, b, sum);
    return _mm_and_si128(_mm_unpacklo_epi64(sum, sum), lanes_pd((unsigned)insn->imm));
}

/* ---- Rounding to integers ---- */

enum rounding { ROUND_NEAREST, ROUND_DOWN, ROUND_UP, ROUND_TO_ZERO };

struct format {
    unsigned mantissa_bits, bits;
};
static const struct format single_format = {23, 32}, double_format = {52, 64};

static uint64_t exponent_mask(struct format format)
{
    return (1ull << (format.bits - 1 - format.mantissa_bits)) - 1;
}

/* Whether a part of a unit, given against a half of it (-1, 0, 1), makes the magnitude grow. */
static bool rounds_away(enum rounding rounding, bool is_negative, bool is_odd, int against_half)
{
    switch (rounding) {
    case ROUND_NEAREST:
        return against_half > 0 || (against_half == 0 && is_odd);
    case ROUND_DOWN:
        return is_negative;
    case ROUND_UP:
        return !is_negative;
    default:
        return false;
    }
}

static uint64_t round_element(struct format format, uint64_t v, enum rounding rounding, bool is_daz,
                              unsigned *flags)
{
    const uint64_t sign = v & 1ull << (format.bits - 1), magnitude = v ^ sign;
    const uint64_t biased = magnitude >> format.mantissa_bits, bias = exponent_mask(format) >> 1;
    const uint64_t mantissa = magnitude & ((1ull << format.mantissa_bits) - 1);
    if (biased == exponent_mask(format)) { /* infinity or NaN, which becomes quiet */
        uint64_t quiet = 1ull << (format.mantissa_bits - 1);
        *flags |= mantissa && !(mantissa & quiet) ? MXCSR_IE : 0;
        return mantissa ? v | quiet : v;
    }
    if (magnitude == 0 || (is_daz && biased == 0))
        return sign;
    if (biased >= bias + format.mantissa_bits)
        return v;
    if (biased < bias) {
        const uint64_t half = (bias - 1) << format.mantissa_bits, one = bias << format.mantissa_bits;
        *flags |= MXCSR_PE;
        int against_half = magnitude > half ? 1 : magnitude == half ? 0 : -1;
        return sign | (rounds_away(rounding, sign, false, against_half) ? one : 0);
    }
    /* The unit's own bit is in the mantissa, or the exponent's lowest, which is then one as the unit is. */
    const uint64_t unit = 1ull << (format.mantissa_bits - (biased - bias)), part = magnitude & (unit - 1);
    if (part == 0)
        return v;
    *flags |= MXCSR_PE;
    int against_half = part > unit / 2 ? 1 : part == unit / 2 ? 0 : -1;
    uint64_t below = magnitude - part;
    return sign | (below + (rounds_away(rounding, sign, below & unit, against_half) ? unit : 0));
}

/* Bit 2 of the immediate takes the mode from MXCSR, bit 3 keeps quiet about inexact results. */
static __m128i round_lanes(struct cpu *cpu, const struct insn *insn, __m128i dst, __m128i src,
                           struct format format, unsigned nr_lanes)
{
    unsigned mode = insn->imm & 4 ? cpu->mxcsr >> MXCSR_RC_SHIFT & 3 : insn->imm & 3, flags = 0;
    union lanes from = lanes_of(src), to = lanes_of(dst);
    for (unsigned i = 0; i < nr_lanes; i++) {
        uint64_t v = format.bits == 32 ? from.d[i] : from.q[i];
        v = round_element(format, v, (enum rounding)mode, cpu->mxcsr & MXCSR_DAZ, &flags);
        if (format.bits == 32)
            to.d[i] = (uint32_t)v;
        else
            to.q[i] = v;
    }
    simd_raise(cpu, insn->imm & 8 ? flags & ~(unsigned)MXCSR_PE : flags);
    return vector_of(&to);
}

OPERATION(ROUNDPS)
{
    return round_lanes(cpu, insn, dst, src, single_format, 4);
}

OPERATION(ROUNDPD)
{
    return round_lanes(cpu, insn, dst, src, double_format, 2);
}

OPERATION(ROUNDSS)
{
    return round_lanes(cpu, insn, dst, src, single_format, 1);
}

OPERATION(ROUNDSD)
{
    return round_lanes(cpu, insn, dst, src, double_format, 1);
}
