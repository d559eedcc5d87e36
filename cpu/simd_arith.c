/*
 * Packed integers: what came with SSSE3 and SSE4 (SDM 1 12.6, 12.10, 12.11). A host need not have these, so
 * they are spelt out.
 */
#include "cpu/simd_lanes.h"

/* Lane by lane from the same lanes, named `lane`, of both operands, by a function of two of them. */
#define EACH(op, lane, function)                                                                             \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        UNUSED();                                                                                            \
        union lanes a = lanes_of(dst), b = lanes_of(src);                                                    \
        for (unsigned i = 0; i < NR_LANES(a, lane); i++)                                                     \
            a.lane[i] = (__typeof__(*a.lane))function(a.lane[i], b.lane[i]);                                 \
        return vector_of(&a);                                                                                \
    }

static int32_t with_sign(int32_t a, int32_t b)
{
    return b > 0 ? a : b == 0 ? 0 : (int32_t)(0u - (uint32_t)a);
}

static int32_t absolute(int32_t a, int32_t b)
{
    (void)a;
    return with_sign(b, b < 0 ? -1 : 1);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int32_t high_of_product_rounded(int32_t a, int32_t b)
{
    return (((a * b) >> 14) + 1) >> 1;
}

static uint64_t low_of_product(uint64_t a, uint64_t b)
{
    return a * b;
}

static int64_t is_equal(int64_t a, int64_t b)
{
    return a == b ? -1 : 0;
}

static int64_t is_greater(int64_t a, int64_t b)
{
    return a > b ? -1 : 0;
}

EACH(PSIGNB, sb, with_sign)
EACH(PSIGNW, sw, with_sign)
EACH(PSIGND, sd, with_sign)
EACH(PABSB, sb, absolute)
EACH(PABSW, sw, absolute)
EACH(PABSD, sd, absolute)
EACH(PMULHRSW, sw, high_of_product_rounded)
EACH(PMULLD, d, low_of_product)
EACH(PCMPEQQ, sq, is_equal)
EACH(PCMPGTQ, sq, is_greater)
EACH(PMINSB, sb, smaller)
EACH(PMINSD, sd, smaller)
EACH(PMINUW, w, smaller)
EACH(PMINUD, d, smaller)
EACH(PMAXSB, sb, larger)
EACH(PMAXSD, sd, larger)
EACH(PMAXUW, w, larger)
EACH(PMAXUD, d, larger)

static int16_t saturated_word(int32_t v)
{
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

OPERATION(PMADDUBSW)
{
    UNUSED();
    union lanes a = lanes_of(dst), b = lanes_of(src), to;
    for (unsigned i = 0; i < 8; i++)
        to.sw[i] = saturated_word(a.b[2 * i] * b.sb[2 * i] + a.b[2 * i + 1] * b.sb[2 * i + 1]);
    return vector_of(&to);
}

OPERATION(PMULDQ)
{
    UNUSED();
    union lanes a = lanes_of(dst), b = lanes_of(src), to;
    for (unsigned i = 0; i < 2; i++)
        to.sq[i] = (int64_t)a.sd[2 * i] * b.sd[2 * i];
    return vector_of(&to);
}

OPERATION(PACKUSDW)
{
    UNUSED();
    union lanes a = lanes_of(dst), b = lanes_of(src), to;
    for (unsigned i = 0; i < 8; i++) {
        int32_t v = i < 4 ? a.sd[i] : b.sd[i - 4];
        to.w[i] = (uint16_t)(v < 0 ? 0 : v > UINT16_MAX ? UINT16_MAX : v);
    }
    return vector_of(&to);
}

static uint16_t add_words(int16_t a, int16_t b)
{
    return (uint16_t)(a + b);
}

static uint16_t subtract_words(int16_t a, int16_t b)
{
    return (uint16_t)(a - b);
}

static uint16_t add_words_saturated(int16_t a, int16_t b)
{
    return (uint16_t)saturated_word(a + b);
}

static uint16_t subtract_words_saturated(int16_t a, int16_t b)
{
    return (uint16_t)saturated_word(a - b);
}

static uint32_t add_doublewords(int32_t a, int32_t b)
{
    return (uint32_t)a + (uint32_t)b;
}

static uint32_t subtract_doublewords(int32_t a, int32_t b)
{
    return (uint32_t)a - (uint32_t)b;
}

/* Neighbours within the operands, those of dst first. MMX: half as many of each. */
#define NEIGHBOURS(op, lane, to_lane, function, nr_pairs)                                                    \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        UNUSED();                                                                                            \
        union lanes a = lanes_of(dst), b = lanes_of(src), to = {{0}};                                        \
        for (unsigned i = 0; i < (nr_pairs); i++) {                                                          \
            to.to_lane[i] = function(a.lane[2 * i], a.lane[2 * i + 1]);                                      \
            to.to_lane[(nr_pairs) + i] = function(b.lane[2 * i], b.lane[2 * i + 1]);                         \
        }                                                                                                    \
        return vector_of(&to);                                                                               \
    }
#define NEIGHBOURS_BOTH(op, lane, to_lane, function, nr_pairs)                                               \
    NEIGHBOURS(op, lane, to_lane, function, nr_pairs)                                                        \
    NEIGHBOURS(mmx_##op, lane, to_lane, function, (nr_pairs) / 2)

NEIGHBOURS_BOTH(PHADDW, sw, w, add_words, 4)
NEIGHBOURS_BOTH(PHADDSW, sw, w, add_words_saturated, 4)
NEIGHBOURS_BOTH(PHADDD, sd, d, add_doublewords, 2)
NEIGHBOURS_BOTH(PHSUBW, sw, w, subtract_words, 4)
NEIGHBOURS_BOTH(PHSUBSW, sw, w, subtract_words_saturated, 4)
NEIGHBOURS_BOTH(PHSUBD, sd, d, subtract_doublewords, 2)

/* Differences of four bytes of src against the eight windows of dst that begin one byte apart. */
OPERATION(MPSADBW)
{
    UNUSED();
    union lanes a = lanes_of(dst), b = lanes_of(src), to;
    unsigned from_dst = insn->imm & 4 ? 4 : 0, from_src = (insn->imm & 3) * 4;
    for (unsigned i = 0; i < 8; i++) {
        unsigned sum = 0;
        for (unsigned j = 0; j < 4; j++) {
            int difference = a.b[from_dst + i + j] - b.b[from_src + j];
            sum += (unsigned)(difference < 0 ? -difference : difference);
        }
        to.w[i] = (uint16_t)sum;
    }
    return vector_of(&to);
}

/* The smallest word, and where it first stands. */
OPERATION(PHMINPOSUW)
{
    UNUSED();
    union lanes from = lanes_of(src);
    unsigned at = 0;
    for (unsigned i = 1; i < 8; i++)
        if (from.w[i] < from.w[at])
            at = i;
    return simd_of(from.w[at] | (uint64_t)at << 16, 0);
}

/* ZF: no bit of src is in dst; CF: no bit of src is outside it. */
OPERATION(PTEST)
{
    UNUSED();
    __m128i both = _mm_and_si128(dst, src), rest = _mm_andnot_si128(dst, src);
    return simd_of((simd_low(both) | simd_high(both) ? 0 : EFLAGS_ZF) |
                       (simd_low(rest) | simd_high(rest) ? 0 : EFLAGS_CF),
                   0);
}
