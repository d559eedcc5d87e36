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

/* One lane by itself, as its bits. */
struct element {
    enum simd_arithmetic arithmetic;
    bool is_double;
    uint64_t a, b;
};

#define RUN_ONE(mnemonic)                                                                                    \
    do {                                                                                                     \
        if (element->is_double)                                                                              \
            SIMD_UNDER_GUEST(cpu, flags, mnemonic "d %[b], %[a]", [a] "+x"(a), [b] "x"(b));                  \
        else                                                                                                 \
            SIMD_UNDER_GUEST(cpu, flags, mnemonic "s %[b], %[a]", [a] "+x"(a), [b] "x"(b));                  \
    } while (0)

/* What a masked run raises, and its result. */
static unsigned run_masked(const struct cpu *cpu, const struct element *element, uint64_t *result)
{
    __m128i a = simd_of(element->a, 0), b = simd_of(element->b, 0);
    unsigned flags = 0;
    switch (element->arithmetic) {
    case SIMD_ADD:
        RUN_ONE("adds");
        break;
    case SIMD_SUB:
        RUN_ONE("subs");
        break;
    case SIMD_MUL:
        RUN_ONE("muls");
        break;
    case SIMD_DIV:
        RUN_ONE("divs");
        break;
    default:
        SIMD_UNDER_GUEST(cpu, flags, "cvtsd2ss %[b], %[a]", [a] "+x"(a), [b] "x"(b));
        break;
    }
    *result = simd_low(a);
    return flags;
}

/* The host's x87 unit: its exponents are so wide that nothing here overflows or is tiny there. */
#define X87_ONE(code)                                                                                        \
    __asm__ volatile("fnstcw %[old]\n\tfldcw %[control]\n\tfnclex\n\tfldt %[x]\n\tfldt %[y]\n\t" code        \
                     "\n\tfnstsw %[status]\n\tfstp %%st(0)\n\tfldcw %[old]"                                  \
                     : [old] "=m"(old), [status] "=m"(status)                                                \
                     : [control] "m"(control), [x] "m"(x), [y] "m"(y)                                        \
                     : "st", "st(1)")

static long double wide(bool is_double, uint64_t bits)
{
    double d;
    float s;
    uint32_t low = (uint32_t)bits;
    memcpy(&d, &bits, sizeof d);
    memcpy(&s, &low, sizeof s);
    return is_double ? (long double)d : (long double)s;
}

/* Whether the result, rounded to its precision but with any exponent, is not the exact one. */
static bool is_inexact_unbounded(const struct cpu *cpu, const struct element *element)
{
    enum { ALL_MASKED = 0x3f, PRECISION_53 = 2 << 8, ROUNDING_SHIFT = 10, INEXACT = 0x20 };
    bool is_double = element->is_double && element->arithmetic != SIMD_NARROW;
    unsigned rounding = cpu->mxcsr >> MXCSR_RC_SHIFT & 3;
    uint16_t control = (uint16_t)(ALL_MASKED | (is_double ? PRECISION_53 : 0) | rounding << ROUNDING_SHIFT);
    uint16_t old, status;
    const long double x =
        wide(element->is_double, element->arithmetic == SIMD_NARROW ? element->b : element->a);
    const long double y = element->arithmetic == SIMD_NARROW ? 0.0L : wide(element->is_double, element->b);
    switch (element->arithmetic) {
    case SIMD_SUB:
        X87_ONE("fsubrp");
        break;
    case SIMD_MUL:
        X87_ONE("fmulp");
        break;
    case SIMD_DIV:
        X87_ONE("fdivrp");
        break;
    default:
        X87_ONE("faddp");
        break;
    }
    return status & INEXACT;
}

static bool is_denormal(const struct element *element, uint64_t result)
{
    if (element->is_double && element->arithmetic != SIMD_NARROW)
        return !(result >> 52 & 0x7ff) && result << 1;
    return !(result >> 23 & 0xff) && (uint32_t)result << 1;
}

static unsigned flags_of(const struct cpu *cpu, const struct element *element)
{
    uint64_t result;
    unsigned flags = run_masked(cpu, element, &result), unmasked = ~(cpu->mxcsr >> MXCSR_MASK_SHIFT);
    if (flags & BEFORE_COMPUTATION & unmasked)
        return flags;
    if ((unmasked & MXCSR_UE) && is_denormal(element, result))
        flags |= MXCSR_UE;
    if (!(flags & unmasked & (MXCSR_UE | MXCSR_OE)))
        return flags;
    return (flags & ~(unsigned)MXCSR_PE) | (is_inexact_unbounded(cpu, element) ? MXCSR_PE : 0);
}

/*
 * Underflow that is not masked is raised by a result that is tiny, be it exact; a masked run raises it only
 * for one that is inexact as well (SDM 1 4.9.1.5). And where overflow or underflow is not masked, inexact is
 * what the rounded result would be if exponents had no end (IEEE 754-1985 7.3, 7.4).
 */
unsigned simd_unmasked_flags(const struct cpu *cpu, struct simd_kind kind, unsigned flags, __m128i dst,
                             __m128i src)
{
    if (kind.arithmetic == SIMD_OTHER || (cpu->mxcsr & MXCSR_MASKS) == MXCSR_MASKS)
        return flags;
    const union lanes a = lanes_of(dst), b = lanes_of(src);
    flags = 0;
    for (unsigned i = 0; i < kind.nr_lanes; i++) {
        struct element element = {.arithmetic = kind.arithmetic, .is_double = kind.is_double};
        element.a = kind.is_double ? a.q[i] : a.d[i];
        element.b = kind.is_double ? b.q[i] : b.d[i];
        flags |= flags_of(cpu, &element);
    }
    return flags;
}
