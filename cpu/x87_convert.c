/* Between registers and memory: single, double, integers, BCD. See x87_number.h. */
#include "cpu/x87_number.h"

enum { BCD_DIGITS = 18, BCD_LOW_DIGITS = 16, BCD_INDEFINITE_HIGH = 0xffff };
#define BCD_MAX 999999999999999999ull
#define BCD_INDEFINITE_LOW 0xc000000000000000ull

struct x87_outcome x87_load(struct x87_number n)
{
    if (x87_is_nan(n))
        return x87_nan(n);
    return (struct x87_outcome){x87_pack(n), n.is_denormal ? X87_DE : 0};
}

/* A number that has been rounded to the format. */
static uint64_t pack_memory(struct x87_number n, unsigned size_bytes)
{
    bool is_single = size_bytes == sizeof(uint32_t);
    unsigned fraction_bits = is_single ? 23 : 52;
    uint64_t max = is_single ? 255 : 2047, exponent = 0;
    uint64_t fraction = (n.mantissa & ~X87_INTEGER_BIT) >> (63 - fraction_bits);
    if (n.kind == X87_ZERO)
        fraction = 0;
    else if (n.kind != X87_FINITE)
        exponent = max;
    else if (n.mantissa & X87_INTEGER_BIT)
        exponent = (uint64_t)(n.exponent - X87_BIAS) + max / 2;
    return (uint64_t)n.is_negative << (size_bytes * 8 - 1) | exponent << fraction_bits | fraction;
}

struct x87_stored x87_store(uint16_t control, struct x87_number a, unsigned size_bytes)
{
    struct x87_stored stored = {0};
    if (x87_is_nan(a)) {
        struct x87_outcome nan = x87_nan(a);
        stored.status = nan.status;
        a = x87_unpack(nan.value);
    } else if (a.kind == X87_FINITE) {
        a = x87_round(a, 0, size_bytes == sizeof(uint32_t) ? x87_single : x87_double, control,
                      &stored.status);
        if (stored.status & ~control & (X87_OE | X87_UE)) /* no store is made, so nothing was rounded */
            stored.status &= X87_OE | X87_UE;
    }
    stored.memory = pack_memory(a, size_bytes);
    return stored;
}

struct x87_stored x87_store_integer(enum x87_rounding rounding, struct x87_number a, unsigned size_bytes)
{
    struct x87_stored stored = {0};
    unsigned sign_bit = size_bytes * 8 - 1;
    uint64_t magnitude, limit = (1ull << sign_bit) - !a.is_negative;
    bool fits = a.kind <= X87_FINITE && x87_round_to_integer(a, rounding, &magnitude, &stored.status) &&
                magnitude <= limit;
    if (!fits)
        return (struct x87_stored){.memory = 1ull << sign_bit, .status = X87_IE};
    stored.memory = (a.is_negative ? -magnitude : magnitude) & UINT64_MAX >> (63 - sign_bit);
    return stored;
}

struct x87_stored x87_store_bcd(uint16_t control, struct x87_number a)
{
    struct x87_stored stored = {0};
    uint64_t magnitude;
    bool fits = a.kind <= X87_FINITE &&
                x87_round_to_integer(a, x87_rounding(control), &magnitude, &stored.status) &&
                magnitude <= BCD_MAX;
    if (!fits)
        return (struct x87_stored){BCD_INDEFINITE_LOW, BCD_INDEFINITE_HIGH, X87_IE};
    for (unsigned digit = 0; digit < BCD_DIGITS; digit++, magnitude /= 10) {
        if (digit < BCD_LOW_DIGITS)
            stored.memory |= magnitude % 10 << 4 * digit;
        else
            stored.upper |= (uint16_t)(magnitude % 10 << 4 * (digit - BCD_LOW_DIGITS));
    }
    stored.upper |= a.is_negative ? X87_SIGN : 0;
    return stored;
}

/* Digits above 9 are undefined (SDM 2A FBLD); here they count as what they are worth. */
struct x87_register x87_load_bcd(uint64_t low, uint16_t high)
{
    uint64_t magnitude = 0;
    for (unsigned digit = BCD_DIGITS; digit-- > 0;) {
        unsigned shift = 4 * (digit % BCD_LOW_DIGITS);
        magnitude = magnitude * 10 + ((digit < BCD_LOW_DIGITS ? low : high) >> shift & 15);
    }
    struct x87_register r = x87_pack(x87_unpack_integer((int64_t)magnitude));
    r.sign_exponent |= high & X87_SIGN;
    return r;
}

struct x87_outcome x87_round_integer(uint16_t control, struct x87_number a)
{
    enum { INTEGER_EXPONENT = X87_BIAS + 63 }; /* from here on there are no fractions */
    if (x87_is_nan(a))
        return x87_nan(a);
    struct x87_outcome outcome = {.status = a.is_denormal ? X87_DE : 0};
    if (x87_is_stopped(outcome.status, control))
        return outcome;
    if (a.kind == X87_FINITE && a.exponent < INTEGER_EXPONENT) {
        bool is_negative = a.is_negative;
        uint64_t magnitude;
        (void)!x87_round_to_integer(a, x87_rounding(control), &magnitude, &outcome.status);
        a = x87_unpack_integer((int64_t)magnitude); /* below 2^63, or it is */
        a.is_negative = is_negative;
    }
    outcome.value = x87_pack(a);
    return outcome;
}
