/*
 * What the MMX and SSE instructions compute: operations on values, apart from where operands come from and
 * results go. An MMX register's value is the lower half of a vector whose upper half is zero going in and of
 * no meaning coming out; so is a general register's or a short memory operand's.
 *
 * All of it runs on any x86-64 host, by SSE2 and plain C: what a host's own SSE4 would do is spelt out here.
 */
#ifndef LK_CPU_SIMD_H
#define LK_CPU_SIMD_H

#include <emmintrin.h>
#include <stdint.h>

#include "cpu/cpu_internal.h"

/*
 * An operation: from the destination's value and the source's to the destination's next. One that can raise a
 * floating-point exception sets cpu->is_simd_fault and cpu->fault when it does; its answer is then of no
 * meaning.
 */
typedef __m128i simd_fn(struct cpu *cpu, __m128i dst, __m128i src, const struct insn *insn);

/* One by the name of each row of simd_ops.def; simd_mmx_... where MMX registers are treated otherwise. */
#define DECLARE_XMM(op) simd_fn simd_##op;
#define DECLARE_MMX(op) simd_fn simd_mmx_##op;
#define SIMD(op, shape, dst) DECLARE_##shape(op)
#define DECLARE_BOTH DECLARE_XMM
#define DECLARE_SHIFT DECLARE_XMM
#define DECLARE_SPLIT(op) DECLARE_XMM(op) DECLARE_MMX(op)
#define DECLARE_XMM_0 DECLARE_XMM
#define DECLARE_XMM_I DECLARE_XMM
#define DECLARE_FLOAT DECLARE_XMM
#define DECLARE_V_P_X DECLARE_XMM
#define DECLARE_P_V_X DECLARE_XMM
#define DECLARE_V_R_X DECLARE_XMM
#define DECLARE_R_V_X DECLARE_XMM
#define DECLARE_V_R DECLARE_XMM
#define DECLARE_VP_R DECLARE_XMM
#define DECLARE_R_V DECLARE_XMM
#define DECLARE_R_VP DECLARE_XMM
#define DECLARE_EXTRACT DECLARE_XMM
#define DECLARE_FLAGS DECLARE_XMM
#include "cpu/simd_ops.def"
#undef SIMD

/* By enum dec_op: with an MMX register among its operands, and without. */
extern simd_fn *const simd_mmx_operations[DEC_NR_OPS];
extern simd_fn *const simd_xmm_operations[DEC_NR_OPS];

/* MXCSR (SDM 1 10.2.3). The masks stand seven bits above the flags. */
enum mxcsr_bit {
    MXCSR_IE = 1 << 0,
    MXCSR_DE = 1 << 1,
    MXCSR_ZE = 1 << 2,
    MXCSR_OE = 1 << 3,
    MXCSR_UE = 1 << 4,
    MXCSR_PE = 1 << 5,
    MXCSR_FLAGS = 0x3f,
    MXCSR_DAZ = 1 << 6,
    MXCSR_MASK_SHIFT = 7,
    MXCSR_MASKS = MXCSR_FLAGS << MXCSR_MASK_SHIFT,
    MXCSR_UM = MXCSR_UE << MXCSR_MASK_SHIFT,
    MXCSR_RC_SHIFT = 13,
    MXCSR_FTZ = 1 << 15,
    MXCSR_KNOWN = 0xffff, /* what MXCSR_MASK reports: the others are reserved */
    MXCSR_RESET = 0x1f80,
};

/* PCMPESTRI and the like: ECX or XMM0, and the flags. */
void simd_compare_strings(struct cpu *cpu, const struct insn *insn, __m128i first, __m128i second);

static inline __m128i simd_load(const void *from)
{
    return _mm_loadu_si128(from);
}

static inline uint64_t simd_low(__m128i v)
{
    return (uint64_t)_mm_cvtsi128_si64(v);
}

static inline uint64_t simd_high(__m128i v)
{
    return simd_low(_mm_unpackhi_epi64(v, v));
}

static inline __m128i simd_of(uint64_t low, uint64_t high)
{
    return _mm_set_epi64x((int64_t)high, (int64_t)low);
}

/*
 * The flags that an operation raised go to MXCSR; if one is not masked the operation has no result: #XM, or
 * #UD without CR4.OSXMMEXCPT, is in cpu->fault.
 */
void simd_raise(struct cpu *cpu, unsigned flags);

#endif
