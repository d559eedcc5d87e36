/*
 * Floating-point exceptions of SSE (SDM 1 11.5): what an operation raises where not all are masked, and the
 * exception itself.
 */
#include "cpu/simd_float.h"

enum { BEFORE_COMPUTATION = MXCSR_IE | MXCSR_DE | MXCSR_ZE };

/*
 * Invalid, denormal and divide by zero are found before anything is computed: where one of them is not
 * masked, nothing is, and so nothing overflows or is rounded in any lane (SDM 1 11.5.2, 11.5.3).
 */
void simd_raise(struct cpu *cpu, unsigned flags)
{
    unsigned unmasked = ~(cpu->mxcsr >> MXCSR_MASK_SHIFT) & MXCSR_FLAGS;
    if (flags & unmasked & BEFORE_COMPUTATION)
        flags &= BEFORE_COMPUTATION;
    cpu->mxcsr |= flags;
    if (!(flags & unmasked))
        return;
    cpu->is_simd_fault = true;
    cpu_set_fault(cpu, cpu->control.cr4 & CR4_OSXMMEXCPT ? EXCP_XM : EXCP_UD);
}

static bool is_denormal(struct simd_kind kind, __m128i result, unsigned lane)
{
    const union lanes lanes = lanes_of(result);
    if (kind.is_double && kind.arithmetic != SIMD_NARROW)
        return !(lanes.q[lane] >> 52 & 0x7ff) && lanes.q[lane] << 1;
    return !(lanes.d[lane] >> 23 & 0xff) && lanes.d[lane] << 1;
}

/*
 * Underflow that is not masked is raised by a result that is tiny, be it exact (SDM 1 4.9.1.5); a masked run
 * raises it only for one that is inexact as well.
 */
unsigned simd_unmasked_flags(const struct cpu *cpu, struct simd_kind kind, unsigned flags, __m128i dst,
                             __m128i src, __m128i result)
{
    (void)dst, (void)src;
    if (kind.arithmetic == SIMD_OTHER || (cpu->mxcsr & MXCSR_UM))
        return flags;
    for (unsigned i = 0; i < kind.nr_lanes; i++)
        flags |= is_denormal(kind, result, i) ? MXCSR_UE : 0;
    return flags;
}
