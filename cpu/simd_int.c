/*
 * Packed integers: what SSE2 has of them (SDM 1 9.4, 11.4.2), lane by lane, and logic, which does not ask
 * what the lanes are. An intrinsic of the host does each on a whole vector; an MMX register's lanes are among
 * its own.
 */
#include "cpu/simd.h"

#define BY_HOST(op, intrinsic)                                                                               \
    __m128i simd_##op(struct cpu *cpu, __m128i dst, __m128i src, const struct insn *insn)                    \
    {                                                                                                        \
        (void)cpu, (void)insn;                                                                               \
        return intrinsic(dst, src);                                                                          \
    }

BY_HOST(PADDB, _mm_add_epi8)
BY_HOST(PADDW, _mm_add_epi16)
BY_HOST(PADDD, _mm_add_epi32)
BY_HOST(PADDQ, _mm_add_epi64)
BY_HOST(PADDSB, _mm_adds_epi8)
BY_HOST(PADDSW, _mm_adds_epi16)
BY_HOST(PADDUSB, _mm_adds_epu8)
BY_HOST(PADDUSW, _mm_adds_epu16)
BY_HOST(PSUBB, _mm_sub_epi8)
BY_HOST(PSUBW, _mm_sub_epi16)
BY_HOST(PSUBD, _mm_sub_epi32)
BY_HOST(PSUBQ, _mm_sub_epi64)
BY_HOST(PSUBSB, _mm_subs_epi8)
BY_HOST(PSUBSW, _mm_subs_epi16)
BY_HOST(PSUBUSB, _mm_subs_epu8)
BY_HOST(PSUBUSW, _mm_subs_epu16)
BY_HOST(PMULLW, _mm_mullo_epi16)
BY_HOST(PMULHW, _mm_mulhi_epi16)
BY_HOST(PMULHUW, _mm_mulhi_epu16)
BY_HOST(PMULUDQ, _mm_mul_epu32)
BY_HOST(PMADDWD, _mm_madd_epi16)
BY_HOST(PSADBW, _mm_sad_epu8)
BY_HOST(PAVGB, _mm_avg_epu8)
BY_HOST(PAVGW, _mm_avg_epu16)
BY_HOST(PMINUB, _mm_min_epu8)
BY_HOST(PMINSW, _mm_min_epi16)
BY_HOST(PMAXUB, _mm_max_epu8)
BY_HOST(PMAXSW, _mm_max_epi16)
BY_HOST(PCMPEQB, _mm_cmpeq_epi8)
BY_HOST(PCMPEQW, _mm_cmpeq_epi16)
BY_HOST(PCMPEQD, _mm_cmpeq_epi32)
BY_HOST(PCMPGTB, _mm_cmpgt_epi8)
BY_HOST(PCMPGTW, _mm_cmpgt_epi16)
BY_HOST(PCMPGTD, _mm_cmpgt_epi32)
BY_HOST(PAND, _mm_and_si128)
BY_HOST(PANDN, _mm_andnot_si128)
BY_HOST(POR, _mm_or_si128)
BY_HOST(PXOR, _mm_xor_si128)

BY_HOST(ANDPS, _mm_and_si128)
BY_HOST(ANDPD, _mm_and_si128)
BY_HOST(ANDNPS, _mm_andnot_si128)
BY_HOST(ANDNPD, _mm_andnot_si128)
BY_HOST(ORPS, _mm_or_si128)
BY_HOST(ORPD, _mm_or_si128)
BY_HOST(XORPS, _mm_xor_si128)
BY_HOST(XORPD, _mm_xor_si128)

/* The count is the low half of the source, whatever the lanes; immediate counts come there as well. */
BY_HOST(PSRLW, _mm_srl_epi16)
BY_HOST(PSRLD, _mm_srl_epi32)
BY_HOST(PSRLQ, _mm_srl_epi64)
BY_HOST(PSRAW, _mm_sra_epi16)
BY_HOST(PSRAD, _mm_sra_epi32)
BY_HOST(PSLLW, _mm_sll_epi16)
BY_HOST(PSLLD, _mm_sll_epi32)
BY_HOST(PSLLQ, _mm_sll_epi64)
