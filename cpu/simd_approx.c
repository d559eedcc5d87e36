/*
 * RCPPS, RSQRTPS and their scalar forms (SDM 2B). Their results differ from one processor to the next within
 * a relative error of 1.5 * 2^-12. Ours are the correctly rounded results, rounded to nearest once more, to
 * 12 bits of mantissa: an error of at most 2^-13 and a little. They raise no exception, and MXCSR has no say.
 */
#include "cpu/simd_lanes.h"

enum { SIGN = (int)0x80000000, INFINITE = 0x7f800000, QUIET = 0x00400000, SMALLEST_NORMAL = 0x00800000 };

static float float_of(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Of 23 bits of mantissa 11 go; a carry goes to the exponent, where it belongs. */
static uint32_t rounded_bits(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return (bits + 0x400) & ~(uint32_t)0x7ff;
}

/* Denormals count as zeros, going in and coming out. */
static uint32_t reciprocal(uint32_t v)
{
    const uint32_t sign = v & (uint32_t)SIGN, magnitude = v ^ sign;
    if (magnitude > INFINITE)
        return v | QUIET;
    if (magnitude == INFINITE)
        return sign;
    if (magnitude < SMALLEST_NORMAL)
        return sign | INFINITE;
    uint32_t result = rounded_bits(1.0f / float_of(magnitude));
    return sign | (result < SMALLEST_NORMAL ? 0 : result);
}

static uint32_t reciprocal_of_root(uint32_t v)
{
    const uint32_t sign = v & (uint32_t)SIGN, magnitude = v ^ sign;
    if (magnitude > INFINITE)
        return v | QUIET;
    if (magnitude < SMALLEST_NORMAL)
        return sign | INFINITE;
    if (sign) /* the default NaN */
        return (uint32_t)SIGN | INFINITE | QUIET;
    if (magnitude == INFINITE)
        return 0;
    __m128d wide = _mm_set_sd(float_of(v));
    return rounded_bits((float)(1.0 / _mm_cvtsd_f64(_mm_sqrt_sd(wide, wide))));
}

static __m128i approximate(__m128i dst, __m128i src, uint32_t function(uint32_t), unsigned nr_lanes)
{
    union lanes from = lanes_of(src), to = lanes_of(dst);
    for (unsigned i = 0; i < nr_lanes; i++)
        to.d[i] = function(from.d[i]);
    return vector_of(&to);
}

OPERATION(RCPPS)
{
    UNUSED();
    return approximate(dst, src, reciprocal, 4);
}

OPERATION(RCPSS)
{
    UNUSED();
    return approximate(dst, src, reciprocal, 1);
}

OPERATION(RSQRTPS)
{
    UNUSED();
    return approximate(dst, src, reciprocal_of_root, 4);
}

OPERATION(RSQRTSS)
{
    UNUSED();
    return approximate(dst, src, reciprocal_of_root, 1);
}
