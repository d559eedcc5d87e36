#include "cpu/x87_number.h"

const struct x87_format x87_single = {24, X87_BIAS - 126, X87_BIAS + 127};
const struct x87_format x87_double = {53, X87_BIAS - 1022, X87_BIAS + 1023};
const struct x87_format x87_extended = {64, 1, 0x7ffe};

struct x87_format x87_precision(uint16_t control)
{
    static const uint8_t bits[] = {24, 64, 53, 64}; /* 1 is reserved */
    struct x87_format format = x87_extended;
    format.precision_bits = bits[control >> 8 & 3];
    return format;
}

static struct x87_number unpack_finite(bool is_negative, int32_t exponent, uint64_t mantissa,
                                       bool is_denormal)
{
    struct x87_number n = {.is_negative = is_negative, .kind = X87_ZERO};
    if (mantissa == 0)
        return n;
    int shift = __builtin_clzll(mantissa);
    n.kind = X87_FINITE;
    n.mantissa = mantissa << shift;
    n.exponent = exponent - shift;
    n.is_denormal = is_denormal;
    return n;
}

static struct x87_number unpack_special(bool is_negative, uint64_t mantissa)
{
    struct x87_number n = {.is_negative = is_negative, .mantissa = mantissa, .exponent = X87_MAX_EXPONENT};
    n.kind = mantissa == X87_INTEGER_BIT ? X87_INFINITY : mantissa & X87_QUIET_BIT ? X87_QNAN : X87_SNAN;
    return n;
}

/*
 * Pseudo-denormals are numbers; unnormals, pseudo-infinities and pseudo-NaNs are not any more (SDM 1 8.2.2).
 */
struct x87_number x87_unpack(struct x87_register r)
{
    int32_t exponent = r.sign_exponent & X87_MAX_EXPONENT;
    bool is_negative = r.sign_exponent & X87_SIGN;
    if (exponent == 0)
        return unpack_finite(is_negative, 1, r.mantissa, true);
    if (!(r.mantissa & X87_INTEGER_BIT))
        return (struct x87_number){.kind = X87_UNSUPPORTED};
    if (exponent == X87_MAX_EXPONENT)
        return unpack_special(is_negative, r.mantissa);
    return unpack_finite(is_negative, exponent, r.mantissa, false);
}

struct x87_number x87_unpack_single(uint32_t bits)
{
    enum { BIAS = 127, MAX = 255, FRACTION_BITS = 23 };
    int32_t exponent = (int32_t)(bits >> FRACTION_BITS & MAX);
    bool is_negative = bits >> 31;
    uint64_t fraction = (uint64_t)bits << (63 - FRACTION_BITS) & ~X87_INTEGER_BIT;
    if (exponent == MAX)
        return unpack_special(is_negative, fraction | X87_INTEGER_BIT);
    if (exponent == 0)
        return unpack_finite(is_negative, 1 - BIAS + X87_BIAS, fraction, true);
    return unpack_finite(is_negative, exponent - BIAS + X87_BIAS, fraction | X87_INTEGER_BIT, false);
}

struct x87_number x87_unpack_double(uint64_t bits)
{
    enum { BIAS = 1023, MAX = 2047, FRACTION_BITS = 52 };
    int32_t exponent = (int32_t)(bits >> FRACTION_BITS & MAX);
    bool is_negative = bits >> 63;
    uint64_t fraction = bits << (63 - FRACTION_BITS) & ~X87_INTEGER_BIT;
    if (exponent == MAX)
        return unpack_special(is_negative, fraction | X87_INTEGER_BIT);
    if (exponent == 0)
        return unpack_finite(is_negative, 1 - BIAS + X87_BIAS, fraction, true);
    return unpack_finite(is_negative, exponent - BIAS + X87_BIAS, fraction | X87_INTEGER_BIT, false);
}

struct x87_number x87_unpack_integer(int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    return unpack_finite(value < 0, X87_BIAS + 63, magnitude, false);
}

struct x87_register x87_pack(struct x87_number n)
{
    struct x87_register r = {n.mantissa, n.is_negative ? X87_SIGN : 0};
    switch ((enum x87_kind)n.kind) {
    case X87_ZERO:
        r.mantissa = 0;
        break;
    case X87_FINITE: /* a denormal one has exponent 1 and no integer bit: see x87_round */
        r.sign_exponent |= n.mantissa & X87_INTEGER_BIT ? (uint16_t)n.exponent : 0;
        break;
    case X87_INFINITY:
    case X87_QNAN:
    case X87_SNAN:
        r.sign_exponent |= X87_MAX_EXPONENT;
        break;
    case X87_UNSUPPORTED:
        return x87_indefinite;
    }
    return r;
}

/*
 * Whether to round away from zero, by the bits that are dropped: their highest, and whether there are others.
 */
static bool rounds_up(enum x87_rounding rounding, bool is_negative, bool is_odd, bool half, bool others)
{
    switch (rounding) {
    case X87_NEAREST:
        return half && (others || is_odd);
    case X87_DOWN:
        return is_negative && (half || others);
    case X87_UP:
        return !is_negative && (half || others);
    case X87_CUT:
        break;
    }
    return false;
}

struct cut {
    uint64_t mantissa;
    bool has_carry, is_inexact, is_up;
};

static struct cut cut_off(uint64_t mantissa, uint64_t rest, unsigned precision_bits,
                          enum x87_rounding rounding, bool is_negative)
{
    unsigned nr_dropped = 64 - precision_bits;
    uint64_t unit = 1ull << nr_dropped, dropped = mantissa & (unit - 1);
    bool half = nr_dropped ? dropped >> (nr_dropped - 1) : rest >> 63;
    bool others = nr_dropped ? (dropped & ((unit >> 1) - 1)) | rest : rest << 1;
    struct cut cut = {.mantissa = mantissa - dropped, .is_inexact = half || others};
    cut.is_up = rounds_up(rounding, is_negative, mantissa & unit, half, others);
    if (cut.is_up)
        cut.has_carry = __builtin_add_overflow(cut.mantissa, unit, &cut.mantissa);
    return cut;
}

/* mantissa:rest one place right, what falls off being remembered in the lowest bit. */
static void shift_right(uint64_t *mantissa, uint64_t *rest, uint64_t by)
{
    if (by == 0)
        return;
    if (by < 64) {
        *rest = *mantissa << (64 - by) | *rest >> by | (*rest << (64 - by) ? 1 : 0);
        *mantissa >>= by;
    } else if (by < 128) {
        uint64_t lost = *rest | (by > 64 ? *mantissa << (128 - by) : 0);
        *rest = *mantissa >> (by - 64) | (lost ? 1 : 0);
        *mantissa = 0;
    } else {
        *rest = *mantissa || *rest;
        *mantissa = 0;
    }
}

static struct x87_number overflow(struct x87_number n, struct x87_format format, enum x87_rounding rounding,
                                  uint16_t *status)
{
    bool is_infinite = rounding == X87_NEAREST || (rounding == X87_UP && !n.is_negative) ||
                       (rounding == X87_DOWN && n.is_negative);
    *status |= X87_OE | X87_PE | (is_infinite ? X87_C1 : 0);
    if (is_infinite)
        return (struct x87_number){
            .mantissa = X87_INTEGER_BIT, .is_negative = n.is_negative, .kind = X87_INFINITY};
    n.exponent = format.max_exponent;
    n.mantissa = UINT64_MAX << (64 - format.precision_bits);
    return n;
}

/* Even with a wrapped exponent it does not fit, as FSCALE can make it (SDM 1 8.5.4, 8.5.5). */
static struct x87_number out_of_reach(struct x87_number n, uint16_t wrapped, uint16_t *status)
{
    *status |= wrapped | X87_PE | (wrapped == X87_OE ? X87_C1 : 0);
    n.mantissa = X87_INTEGER_BIT;
    n.kind = wrapped == X87_OE ? X87_INFINITY : X87_ZERO;
    return n;
}

struct x87_number x87_round(struct x87_number n, uint64_t rest, struct x87_format format, uint16_t control,
                            uint16_t *status)
{
    enum x87_rounding rounding = x87_rounding(control);
    struct cut cut = cut_off(n.mantissa, rest, format.precision_bits, rounding, n.is_negative);
    int32_t exponent = n.exponent + cut.has_carry;
    uint16_t wrapped = 0;
    n.is_denormal = false;
    if (exponent > format.max_exponent) {
        if (control & X87_OE)
            return overflow(n, format, rounding, status);
        exponent -= X87_WRAP;
        wrapped = X87_OE;
    } else if (exponent < format.min_exponent) { /* tininess is seen after rounding (SDM 1 4.9.1.5) */
        if (control & X87_UE) {
            shift_right(&n.mantissa, &rest, (uint64_t)(format.min_exponent - n.exponent));
            cut = cut_off(n.mantissa, rest, format.precision_bits, rounding, n.is_negative);
            exponent = format.min_exponent;
            wrapped = cut.is_inexact ? X87_UE : 0;
        } else {
            exponent += X87_WRAP;
            wrapped = X87_UE;
        }
    }
    if (exponent > format.max_exponent || exponent < format.min_exponent)
        return out_of_reach(n, wrapped, status);
    n.mantissa = cut.has_carry ? X87_INTEGER_BIT : cut.mantissa;
    n.exponent = exponent;
    n.kind = n.mantissa ? X87_FINITE : X87_ZERO;
    *status |= wrapped | (cut.is_inexact ? X87_PE : 0) | (cut.is_up ? X87_C1 : 0);
    return n;
}

struct x87_outcome x87_finish(struct x87_number n, uint64_t rest, struct x87_format format, uint16_t control,
                              uint16_t status)
{
    struct x87_outcome outcome = {.status = status};
    outcome.value = x87_pack(x87_round(n, rest, format, control, &outcome.status));
    return outcome;
}

bool x87_round_to_integer(struct x87_number n, enum x87_rounding rounding, uint64_t *magnitude,
                          uint16_t *status)
{
    *magnitude = 0;
    if (n.kind == X87_ZERO)
        return true;
    if (n.exponent > X87_BIAS + 63)
        return false;
    uint64_t rest = 0;
    shift_right(&n.mantissa, &rest, (uint64_t)(X87_BIAS + 63 - n.exponent));
    struct cut cut = cut_off(n.mantissa, rest, 64, rounding, n.is_negative);
    *magnitude = cut.mantissa;
    *status |= (cut.is_inexact ? X87_PE : 0) | (cut.is_up ? X87_C1 : 0);
    return !cut.has_carry;
}

struct x87_outcome x87_nan(struct x87_number a)
{
    if (a.kind == X87_UNSUPPORTED)
        return x87_invalid();
    uint16_t status = a.kind == X87_SNAN ? X87_IE : 0;
    a.mantissa |= X87_QUIET_BIT;
    return (struct x87_outcome){x87_pack(a), status};
}

struct x87_outcome x87_nan_of(struct x87_number a, struct x87_number b)
{
    if (a.kind == X87_UNSUPPORTED || b.kind == X87_UNSUPPORTED)
        return x87_invalid();
    if (!x87_is_nan(a) || !x87_is_nan(b))
        return x87_nan(x87_is_nan(a) ? a : b);
    bool has_signal = a.kind == X87_SNAN || b.kind == X87_SNAN;
    bool takes_a = a.mantissa > b.mantissa || (a.mantissa == b.mantissa && !a.is_negative);
    if (a.kind != b.kind) /* one of each: the quiet one */
        takes_a = a.kind == X87_QNAN;
    struct x87_outcome outcome = x87_nan(takes_a ? a : b);
    outcome.status = has_signal ? X87_IE : 0;
    return outcome;
}
