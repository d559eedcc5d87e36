/* The operations by instruction, from the rows of simd_ops.def. */
#include "cpu/simd.h"

#define NONE(op)
#define XMM_ENTRY(op) [DEC_##op] = simd_##op,
#define MMX_ENTRY(op) [DEC_##op] = simd_mmx_##op,

simd_fn *const simd_xmm_operations[DEC_NR_OPS] = {
#define SIMD(op, shape, dst) XMM_##shape(op)
#define XMM_BOTH XMM_ENTRY
#define XMM_SHIFT XMM_ENTRY
#define XMM_SPLIT XMM_ENTRY
#define XMM_XMM XMM_ENTRY
#define XMM_MMX NONE
#define XMM_XMM_0 XMM_ENTRY
#define XMM_XMM_I XMM_ENTRY
#define XMM_FLOAT XMM_ENTRY
#define XMM_V_P_X NONE
#define XMM_P_V_X NONE
#define XMM_V_R_X XMM_ENTRY
#define XMM_R_V_X XMM_ENTRY
#define XMM_V_R XMM_ENTRY
#define XMM_VP_R XMM_ENTRY
#define XMM_R_V XMM_ENTRY
#define XMM_R_VP XMM_ENTRY
#define XMM_EXTRACT XMM_ENTRY
#define XMM_FLAGS XMM_ENTRY
#include "cpu/simd_ops.def"
#undef SIMD
};

simd_fn *const simd_mmx_operations[DEC_NR_OPS] = {
#define SIMD(op, shape, dst) MMX_##shape(op)
#define MMX_BOTH XMM_ENTRY
#define MMX_SHIFT XMM_ENTRY
#define MMX_SPLIT MMX_ENTRY
#define MMX_XMM NONE
#define MMX_MMX MMX_ENTRY
#define MMX_XMM_0 NONE
#define MMX_XMM_I NONE
#define MMX_FLOAT NONE
#define MMX_V_P_X XMM_ENTRY
#define MMX_P_V_X XMM_ENTRY
#define MMX_V_R_X NONE
#define MMX_R_V_X NONE
#define MMX_V_R NONE
#define MMX_VP_R XMM_ENTRY
#define MMX_R_V NONE
#define MMX_R_VP XMM_ENTRY
#define MMX_EXTRACT XMM_ENTRY
#define MMX_FLAGS NONE
#include "cpu/simd_ops.def"
#undef SIMD
};
