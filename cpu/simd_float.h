/*
 * Running the host's floating-point instructions under the guest's MXCSR: all exceptions masked and no flag
 * set; what the host then finds in its own MXCSR is what the operation raised.
 */
#ifndef LK_CPU_SIMD_FLOAT_H
#define LK_CPU_SIMD_FLOAT_H

#include "cpu/simd_lanes.h"

/* What an operation does to each of the first nr_lanes, as far as underflow and overflow ask. */
enum simd_arithmetic { SIMD_OTHER, SIMD_ADD, SIMD_SUB, SIMD_MUL, SIMD_DIV, SIMD_NARROW };
struct simd_kind {
    enum simd_arithmetic arithmetic;
    unsigned nr_lanes;
    bool is_double; /* what it reads */
};

static const uint32_t simd_host_mxcsr = MXCSR_RESET;

/* Flushing to zero is for masked underflow only (SDM 1 10.2.3.3). */
static inline uint32_t simd_control(const struct cpu *cpu)
{
    uint32_t control = (cpu->mxcsr & ~(uint32_t)MXCSR_FLAGS) | MXCSR_MASKS;
    return cpu->mxcsr & MXCSR_UM ? control : control & ~(uint32_t)MXCSR_FTZ;
}

/*
 * SIMD_UNDER_GUEST(cpu, flags, code, output, inputs): `code` is assembly with these operands; `flags` is what
 * it raised. All in one asm, so that the compiler moves nothing of its own in between.
 */
#define SIMD_UNDER_GUEST(cpu, flags, code, output, ...)                                                      \
    do {                                                                                                     \
        uint32_t control_ = simd_control(cpu), after_;                                                       \
        __asm__ volatile("ldmxcsr %[control_]\n\t" code "\n\tstmxcsr %[after_]\n\tldmxcsr %[host_]"          \
                         : output, [after_] "=m"(after_)                                                     \
                         : [control_] "m"(control_), [host_] "m"(simd_host_mxcsr), __VA_ARGS__);             \
        (flags) = after_ & MXCSR_FLAGS;                                                                      \
    } while (0)

/*
 * The flags that the operation raises where not all exceptions are masked: `flags` is what a masked run did.
 */
unsigned simd_unmasked_flags(const struct cpu *cpu, struct simd_kind kind, unsigned flags, __m128i dst,
                             __m128i src);

/* The operation raised `flags`: answers its result, or raises what is not masked. */
static inline __m128i simd_settle(struct cpu *cpu, struct simd_kind kind, unsigned flags, __m128i dst,
                                  __m128i src, __m128i result)
{
    if (__builtin_expect((cpu->mxcsr & MXCSR_MASKS) == MXCSR_MASKS, 1)) {
        cpu->mxcsr |= flags;
        return result;
    }
    simd_raise(cpu, simd_unmasked_flags(cpu, kind, flags, dst, src));
    return result;
}

#endif
