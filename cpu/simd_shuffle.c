/*
 * Operations that move lanes about: packing, unpacking, shuffling, blending, widening, inserting and
 * extracting (SDM 1 9.4.4 to 9.4.6, 10.4.4, 11.4.2, 12.6.9, 12.10). MMX registers' packs and unpacks are told
 * by those of whole vectors.
 */
#include "cpu/simd_lanes.h"

/* Both halves in one vector: what MMX registers pack. */
static __m128i joined(__m128i low, __m128i high)
{
    return _mm_unpacklo_epi64(low, high);
}

static __m128i upper(__m128i v)
{
    return _mm_srli_si128(v, 8);
}

#define PACK(op, intrinsic)                                                                                  \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        UNUSED();                                                                                            \
        return intrinsic(dst, src);                                                                          \
    }                                                                                                        \
    OPERATION(mmx_##op)                                                                                      \
    {                                                                                                        \
        UNUSED();                                                                                            \
        return intrinsic(joined(dst, src), _mm_setzero_si128());                                             \
    }

PACK(PACKSSWB, _mm_packs_epi16)
PACK(PACKSSDW, _mm_packs_epi32)
PACK(PACKUSWB, _mm_packus_epi16)

/* The upper halves of MMX registers unpack to the upper half of what whole vectors' lower halves do. */
#define UNPACK(low_op, high_op, low_intrinsic, high_intrinsic)                                               \
    OPERATION(low_op)                                                                                        \
    {                                                                                                        \
        UNUSED();                                                                                            \
        return low_intrinsic(dst, src);                                                                      \
    }                                                                                                        \
    OPERATION(high_op)                                                                                       \
    {                                                                                                        \
        UNUSED();                                                                                            \
        return high_intrinsic(dst, src);                                                                     \
    }                                                                                                        \
    OPERATION(mmx_##low_op)                                                                                  \
    {                                                                                                        \
        UNUSED();                                                                                            \
        return low_intrinsic(dst, src);                                                                      \
    }                                                                                                        \
    OPERATION(mmx_##high_op)                                                                                 \
    {                                                                                                        \
        UNUSED();                                                                                            \
        return upper(low_intrinsic(dst, src));                                                               \
    }

UNPACK(PUNPCKLBW, PUNPCKHBW, _mm_unpacklo_epi8, _mm_unpackhi_epi8)
UNPACK(PUNPCKLWD, PUNPCKHWD, _mm_unpacklo_epi16, _mm_unpackhi_epi16)
UNPACK(PUNPCKLDQ, PUNPCKHDQ, _mm_unpacklo_epi32, _mm_unpackhi_epi32)

#define XMM_ONLY(op, intrinsic)                                                                              \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        UNUSED();                                                                                            \
        return intrinsic(dst, src);                                                                          \
    }

XMM_ONLY(PUNPCKLQDQ, _mm_unpacklo_epi64)
XMM_ONLY(PUNPCKHQDQ, _mm_unpackhi_epi64)
XMM_ONLY(UNPCKLPD, _mm_unpacklo_epi64)
XMM_ONLY(UNPCKHPD, _mm_unpackhi_epi64)
XMM_ONLY(UNPCKLPS, _mm_unpacklo_epi32)
XMM_ONLY(UNPCKHPS, _mm_unpackhi_epi32)
XMM_ONLY(MOVLHPS, _mm_unpacklo_epi64)

OPERATION(MOVHLPS)
{
    UNUSED();
    return _mm_unpackhi_epi64(src, dst);
}

OPERATION(MOVQ2DQ)
{
    UNUSED();
    return src;
}

OPERATION(MOVDQ2Q)
{
    UNUSED();
    return src;
}

/* Lane i of the result is the one that two bits of the immediate name. */
static unsigned chosen(const struct insn *insn, unsigned i)
{
    return insn->imm >> 2 * i & 3;
}

OPERATION(PSHUFD)
{
    UNUSED();
    union lanes from = lanes_of(src), to;
    for (unsigned i = 0; i < 4; i++)
        to.d[i] = from.d[chosen(insn, i)];
    return vector_of(&to);
}

/* Four words beginning at `first`; the others stay. */
static __m128i shuffle_words(__m128i src, const struct insn *insn, unsigned first)
{
    union lanes from = lanes_of(src), to = from;
    for (unsigned i = 0; i < 4; i++)
        to.w[first + i] = from.w[first + chosen(insn, i)];
    return vector_of(&to);
}

OPERATION(PSHUFLW)
{
    UNUSED();
    return shuffle_words(src, insn, 0);
}

OPERATION(PSHUFHW)
{
    UNUSED();
    return shuffle_words(src, insn, 4);
}

OPERATION(mmx_PSHUFW)
{
    UNUSED();
    return shuffle_words(src, insn, 0);
}

OPERATION(SHUFPS)
{
    UNUSED();
    union lanes a = lanes_of(dst), b = lanes_of(src), to;
    for (unsigned i = 0; i < 4; i++)
        to.d[i] = (i < 2 ? &a : &b)->d[chosen(insn, i)];
    return vector_of(&to);
}

OPERATION(SHUFPD)
{
    UNUSED();
    return simd_of(insn->imm & 1 ? simd_high(dst) : simd_low(dst),
                   insn->imm & 2 ? simd_high(src) : simd_low(src));
}

OPERATION(MOVSLDUP)
{
    UNUSED();
    return _mm_shuffle_epi32(src, 0xa0);
}

OPERATION(MOVSHDUP)
{
    UNUSED();
    return _mm_shuffle_epi32(src, 0xf5);
}

OPERATION(MOVDDUP)
{
    UNUSED();
    return _mm_unpacklo_epi64(src, src);
}

/* 16 bytes of `pair`, 32 bytes with zeros behind, from byte `at`. */
static __m128i window(const uint8_t pair[48], unsigned at)
{
    return simd_load(pair + (at < 32 ? at : 32));
}

OPERATION(PSRLDQ)
{
    UNUSED();
    uint8_t pair[48] = {0};
    memcpy(pair, &dst, 16);
    return window(pair, insn->imm & 0xff);
}

OPERATION(PSLLDQ)
{
    UNUSED();
    uint8_t pair[48] = {0};
    unsigned count = insn->imm & 0xff;
    memcpy(pair + 16, &dst, 16);
    return window(pair, 16 - (count < 16 ? count : 16));
}

OPERATION(PALIGNR)
{
    UNUSED();
    uint8_t pair[48] = {0};
    memcpy(pair, &src, 16);
    memcpy(pair + 16, &dst, 16);
    return window(pair, insn->imm & 0xff);
}

OPERATION(mmx_PALIGNR)
{
    UNUSED();
    uint8_t pair[48] = {0};
    memcpy(pair, &src, 8);
    memcpy(pair + 8, &dst, 8);
    return window(pair, insn->imm & 0xff);
}

/* Each byte of the result is one of the first nr_bytes of dst, or zero. */
static __m128i shuffle_bytes(__m128i dst, __m128i src, unsigned nr_bytes)
{
    union lanes from = lanes_of(dst), by = lanes_of(src), to = {{0}};
    for (unsigned i = 0; i < nr_bytes; i++)
        to.b[i] = by.b[i] & 0x80 ? 0 : from.b[by.b[i] & (nr_bytes - 1)];
    return vector_of(&to);
}

OPERATION(PSHUFB)
{
    UNUSED();
    return shuffle_bytes(dst, src, 16);
}

OPERATION(mmx_PSHUFB)
{
    UNUSED();
    return shuffle_bytes(dst, src, 8);
}

/* src where the mask has ones, else dst. */
static __m128i blend(__m128i dst, __m128i src, __m128i mask)
{
    return _mm_or_si128(_mm_and_si128(mask, src), _mm_andnot_si128(mask, dst));
}

static __m128i xmm0(const struct cpu *cpu)
{
    return simd_load(&cpu->xmm[0]);
}

OPERATION(PBLENDVB)
{
    UNUSED();
    return blend(dst, src, _mm_cmpgt_epi8(_mm_setzero_si128(), xmm0(cpu)));
}

OPERATION(BLENDVPS)
{
    UNUSED();
    return blend(dst, src, _mm_srai_epi32(xmm0(cpu), 31));
}

OPERATION(BLENDVPD)
{
    UNUSED();
    return blend(dst, src, _mm_shuffle_epi32(_mm_srai_epi32(xmm0(cpu), 31), 0xf5));
}

OPERATION(PBLENDW)
{
    UNUSED();
    union lanes a = lanes_of(dst), b = lanes_of(src);
    for (unsigned i = 0; i < 8; i++)
        a.w[i] = insn->imm >> i & 1 ? b.w[i] : a.w[i];
    return vector_of(&a);
}

OPERATION(BLENDPS)
{
    UNUSED();
    union lanes a = lanes_of(dst), b = lanes_of(src);
    for (unsigned i = 0; i < 4; i++)
        a.d[i] = insn->imm >> i & 1 ? b.d[i] : a.d[i];
    return vector_of(&a);
}

OPERATION(BLENDPD)
{
    UNUSED();
    return simd_of(insn->imm & 1 ? simd_low(src) : simd_low(dst),
                   insn->imm & 2 ? simd_high(src) : simd_high(dst));
}

/* Widening (SDM 1 12.10.10): the first elements, sign- or zero-extended. */
#define WIDEN(op, from_type, from_lane, to_lane)                                                             \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        UNUSED();                                                                                            \
        union lanes from = lanes_of(src), to;                                                                \
        for (unsigned i = 0; i < NR_LANES(to, to_lane); i++)                                                 \
            to.to_lane[i] = (__typeof__(*to.to_lane))(from_type)from.from_lane[i];                           \
        return vector_of(&to);                                                                               \
    }

WIDEN(PMOVSXBW, int8_t, b, w)
WIDEN(PMOVSXBD, int8_t, b, d)
WIDEN(PMOVSXBQ, int8_t, b, q)
WIDEN(PMOVSXWD, int16_t, w, d)
WIDEN(PMOVSXWQ, int16_t, w, q)
WIDEN(PMOVSXDQ, int32_t, d, q)
WIDEN(PMOVZXBW, uint8_t, b, w)
WIDEN(PMOVZXBD, uint8_t, b, d)
WIDEN(PMOVZXBQ, uint8_t, b, q)
WIDEN(PMOVZXWD, uint16_t, w, d)
WIDEN(PMOVZXWQ, uint16_t, w, q)
WIDEN(PMOVZXDQ, uint32_t, d, q)

/* Inserting and extracting: the immediate names the lane. */
#define INSERT(op, lane)                                                                                     \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        UNUSED();                                                                                            \
        union lanes to = lanes_of(dst);                                                                      \
        to.lane[insn->imm & (NR_LANES(to, lane) - 1)] = (__typeof__(*to.lane))simd_low(src);                 \
        return vector_of(&to);                                                                               \
    }
#define EXTRACT(op, lane)                                                                                    \
    OPERATION(op)                                                                                            \
    {                                                                                                        \
        UNUSED();                                                                                            \
        union lanes from = lanes_of(src);                                                                    \
        return simd_of(from.lane[insn->imm & (NR_LANES(from, lane) - 1)], 0);                                \
    }

INSERT(PINSRB, b)
INSERT(PINSRD, d)
INSERT(PINSRQ, q)
EXTRACT(PEXTRB, b)
EXTRACT(PEXTRD, d)
EXTRACT(PEXTRQ, q)
EXTRACT(EXTRACTPS, d)

/* Of an MMX register's four words, or an XMM register's eight. */
OPERATION(PINSRW)
{
    UNUSED();
    union lanes to = lanes_of(dst);
    to.w[insn->imm & (insn->size_bytes == 8 ? 3 : 7)] = (uint16_t)simd_low(src);
    return vector_of(&to);
}

OPERATION(PEXTRW)
{
    UNUSED();
    return simd_of(lanes_of(src).w[insn->imm & (insn->cond == 8 ? 3 : 7)], 0);
}

/* A lane of src (the only one, of memory) to a lane of dst; then some lanes become zero. */
OPERATION(INSERTPS)
{
    UNUSED();
    union lanes from = lanes_of(src), to = lanes_of(dst);
    unsigned from_lane = insn->flags & INSN_MEMORY ? 0 : insn->imm >> 6 & 3;
    to.d[insn->imm >> 4 & 3] = from.d[from_lane];
    for (unsigned i = 0; i < 4; i++)
        to.d[i] = insn->imm >> i & 1 ? 0 : to.d[i];
    return vector_of(&to);
}

/* The signs of the elements. */
OPERATION(MOVMSKPS)
{
    UNUSED();
    return simd_of((unsigned)_mm_movemask_ps(_mm_castsi128_ps(src)), 0);
}

OPERATION(MOVMSKPD)
{
    UNUSED();
    return simd_of((unsigned)_mm_movemask_pd(_mm_castsi128_pd(src)), 0);
}

OPERATION(PMOVMSKB)
{
    UNUSED();
    return simd_of((unsigned)_mm_movemask_epi8(src), 0);
}
