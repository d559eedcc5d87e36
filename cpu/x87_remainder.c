/* FPREM, FPREM1, FSCALE, FXTRACT: exact, but for denormal results. See x87_number.h. */
#include "cpu/x87_number.h"

__extension__ typedef unsigned __int128 wide_t;

enum { FULL_REDUCTION = 64 };

/* The quotient's lowest bits (SDM 2A FPREM, figure of the condition code). */
static uint16_t quotient_bits(uint64_t quotient)
{
    return (quotient & 4 ? X87_C0 : 0) | (quotient & 2 ? X87_C3 : 0) | (quotient & 1 ? X87_C1 : 0);
}

/* remainder * 2^(exponent - bias - 63), as an extended number. */
static struct x87_outcome finish_remainder(bool is_negative, int32_t exponent, uint64_t remainder,
                                           uint16_t control, uint16_t status)
{
    if (remainder == 0)
        return (struct x87_outcome){{0, is_negative ? X87_SIGN : 0}, status};
    int shift = __builtin_clzll(remainder);
    struct x87_number n = {.mantissa = remainder << shift,
                           .exponent = exponent - shift,
                           .is_negative = is_negative,
                           .kind = X87_FINITE};
    return x87_finish(n, 0, x87_extended, control, status);
}

/* `distance` is how much larger a's exponent is, less than FULL_REDUCTION. */
static struct x87_outcome reduce(uint16_t control, struct x87_number a, struct x87_number b, int32_t distance,
                                 bool is_ieee, uint16_t status)
{
    if (distance < (is_ieee ? -1 : 0)) /* less than half, or less than one */
        return finish_remainder(a.is_negative, a.exponent, a.mantissa, control, status);
    wide_t dividend = a.mantissa, divisor = b.mantissa;
    int32_t exponent = b.exponent;
    if (distance < 0) {
        divisor <<= 1;
        exponent = a.exponent;
    } else {
        dividend <<= distance;
    }
    uint64_t quotient = (uint64_t)(dividend / divisor);
    wide_t remainder = dividend % divisor;
    bool is_negative = a.is_negative;
    if (is_ieee && (remainder * 2 > divisor || (remainder * 2 == divisor && quotient & 1))) {
        remainder = divisor - remainder;
        quotient++;
        is_negative = !is_negative;
    }
    return finish_remainder(is_negative, exponent, (uint64_t)remainder, control,
                            status | quotient_bits(quotient));
}

/*
 * Where the exponents lie far apart, the manual leaves open by how much one instruction reduces (SDM 2A
 * FPREM); processors of Intel make the distance a multiple of 32.
 */
static struct x87_outcome reduce_partly(uint16_t control, struct x87_number a, struct x87_number b,
                                        int32_t distance, uint16_t status)
{
    int32_t step = 32 + distance % 32;
    wide_t remainder = ((wide_t)a.mantissa << step) % b.mantissa;
    return finish_remainder(a.is_negative, b.exponent + distance - step, (uint64_t)remainder, control,
                            status | X87_C2);
}

struct x87_outcome x87_remainder(uint16_t control, struct x87_number a, struct x87_number b, bool is_ieee)
{
    if (x87_is_nan(a) || x87_is_nan(b))
        return x87_nan_of(a, b);
    if (a.kind == X87_INFINITY || b.kind == X87_ZERO)
        return x87_invalid();
    uint16_t status = x87_denormal(a, b);
    if (x87_is_stopped(status, control))
        return (struct x87_outcome){.status = status};
    if (a.kind == X87_ZERO)
        return (struct x87_outcome){{0, a.is_negative ? X87_SIGN : 0}, status};
    if (b.kind == X87_INFINITY)
        return finish_remainder(a.is_negative, a.exponent, a.mantissa, control, status);
    int32_t distance = a.exponent - b.exponent;
    if (distance >= FULL_REDUCTION)
        return reduce_partly(control, a, b, distance, status);
    return reduce(control, a, b, distance, is_ieee, status);
}

struct x87_outcome x87_scale(uint16_t control, struct x87_number a, struct x87_number b)
{
    enum { FAR = 1 << 17 }; /* out of reach, whatever a is */
    if (x87_is_nan(a) || x87_is_nan(b))
        return x87_nan_of(a, b);
    uint16_t status = x87_denormal(a, b);
    if (b.kind == X87_INFINITY) {
        if (a.kind == (b.is_negative ? X87_INFINITY : X87_ZERO))
            return x87_invalid();
        if (x87_is_stopped(status, control))
            return (struct x87_outcome){.status = status};
        a.kind = b.is_negative ? X87_ZERO : X87_INFINITY;
        a.mantissa = X87_INTEGER_BIT;
        return (struct x87_outcome){x87_pack(a), status};
    }
    if (x87_is_stopped(status, control))
        return (struct x87_outcome){.status = status};
    if (a.kind != X87_FINITE)
        return (struct x87_outcome){x87_pack(a), status};
    uint64_t by;
    uint16_t ignored = 0;
    if (!x87_round_to_integer(b, X87_CUT, &by, &ignored) || by > FAR)
        by = FAR;
    a.exponent += b.is_negative ? -(int32_t)by : (int32_t)by;
    return x87_finish(a, 0, x87_extended, control, status);
}

struct x87_outcome x87_extract(struct x87_number a, struct x87_register *significand)
{
    struct x87_outcome outcome;
    if (x87_is_nan(a)) {
        outcome = x87_nan(a);
        *significand = outcome.value;
        return outcome;
    }
    if (a.kind != X87_FINITE) { /* the logarithm of 0 is -infinity, by a division */
        bool is_zero = a.kind == X87_ZERO;
        *significand = x87_pack(a);
        return (struct x87_outcome){{X87_INTEGER_BIT, X87_MAX_EXPONENT | (is_zero ? X87_SIGN : 0)},
                                    is_zero ? X87_ZE : 0};
    }
    outcome.status = a.is_denormal ? X87_DE : 0;
    outcome.value = x87_pack(x87_unpack_integer(a.exponent - X87_BIAS));
    a.exponent = X87_BIAS;
    *significand = x87_pack(a);
    return outcome;
}
