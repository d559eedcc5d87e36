/* Addition, multiplication, division, square root, comparison. See x87_number.h. */
#include "cpu/x87_number.h"

__extension__ typedef unsigned __int128 wide_t;

/* A number whose mantissa is `wide`, the exponent that of its highest bit. Not zero. */
static struct x87_outcome finish_wide(bool is_negative, int32_t exponent, wide_t wide, uint16_t control,
                                      uint16_t status)
{
    uint64_t high = (uint64_t)(wide >> 64);
    int shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)wide);
    wide <<= shift;
    struct x87_number n = {.mantissa = (uint64_t)(wide >> 64),
                           .exponent = exponent - shift,
                           .is_negative = is_negative,
                           .kind = X87_FINITE};
    return x87_finish(n, (uint64_t)wide, x87_precision(control), control, status);
}

static struct x87_outcome signed_zero(bool is_negative, uint16_t status)
{
    return (struct x87_outcome){{0, is_negative ? X87_SIGN : 0}, status};
}

static struct x87_outcome infinity(bool is_negative, uint16_t status)
{
    return (struct x87_outcome){{X87_INTEGER_BIT, (is_negative ? X87_SIGN : 0) | X87_MAX_EXPONENT}, status};
}

/* A finite operand comes out rounded: it may be longer than precision control allows. */
static struct x87_outcome finish_one(struct x87_number n, uint16_t control, uint16_t status)
{
    return x87_finish(n, 0, x87_precision(control), control, status);
}

static struct x87_outcome add_finite(struct x87_number a, struct x87_number b, uint16_t control,
                                     uint16_t status)
{
    if (a.exponent < b.exponent || (a.exponent == b.exponent && a.mantissa < b.mantissa)) {
        struct x87_number swap = a;
        a = b;
        b = swap;
    }
    /* One place is left free for the carry. */
    wide_t x = (wide_t)a.mantissa << 63, y = (wide_t)b.mantissa << 63;
    uint32_t distance = (uint32_t)(a.exponent - b.exponent);
    if (distance >= 127)
        y = 1;
    else if (distance)
        y = y >> distance | (y << (128 - distance) ? 1 : 0);
    wide_t sum = a.is_negative == b.is_negative ? x + y : x - y;
    if (sum == 0)
        return signed_zero(x87_rounding(control) == X87_DOWN, status);
    return finish_wide(a.is_negative, a.exponent + 1, sum, control, status);
}

static struct x87_outcome add(uint16_t control, struct x87_number a, struct x87_number b)
{
    uint16_t status = x87_denormal(a, b);
    if (a.kind == X87_INFINITY && b.kind == X87_INFINITY && a.is_negative != b.is_negative)
        return x87_invalid();
    if (x87_is_stopped(status, control))
        return (struct x87_outcome){.status = status};
    if (a.kind == X87_INFINITY || b.kind == X87_INFINITY)
        return infinity(a.kind == X87_INFINITY ? a.is_negative : b.is_negative, status);
    if (a.kind == X87_ZERO && b.kind == X87_ZERO) {
        bool is_down = x87_rounding(control) == X87_DOWN;
        return signed_zero(a.is_negative == b.is_negative ? a.is_negative : is_down, status);
    }
    if (a.kind == X87_ZERO || b.kind == X87_ZERO)
        return finish_one(a.kind == X87_ZERO ? b : a, control, status);
    return add_finite(a, b, control, status);
}

static struct x87_outcome multiply(uint16_t control, struct x87_number a, struct x87_number b)
{
    uint16_t status = x87_denormal(a, b);
    bool is_negative = a.is_negative != b.is_negative;
    if ((a.kind == X87_INFINITY && b.kind == X87_ZERO) || (a.kind == X87_ZERO && b.kind == X87_INFINITY))
        return x87_invalid();
    if (x87_is_stopped(status, control))
        return (struct x87_outcome){.status = status};
    if (a.kind == X87_INFINITY || b.kind == X87_INFINITY)
        return infinity(is_negative, status);
    if (a.kind == X87_ZERO || b.kind == X87_ZERO)
        return signed_zero(is_negative, status);
    wide_t product = (wide_t)a.mantissa * b.mantissa;
    return finish_wide(is_negative, a.exponent + b.exponent - X87_BIAS + 1, product, control, status);
}

static struct x87_outcome divide(uint16_t control, struct x87_number a, struct x87_number b)
{
    uint16_t status = x87_denormal(a, b);
    bool is_negative = a.is_negative != b.is_negative;
    if (a.kind == b.kind && a.kind != X87_FINITE)
        return x87_invalid(); /* 0/0, infinity/infinity */
    if (b.kind == X87_ZERO && a.kind == X87_FINITE)
        return infinity(is_negative, X87_ZE);
    if (x87_is_stopped(status, control))
        return (struct x87_outcome){.status = status};
    if (a.kind == X87_INFINITY)
        return infinity(is_negative, status);
    if (a.kind == X87_ZERO || b.kind == X87_INFINITY)
        return signed_zero(is_negative, status);
    bool is_less = a.mantissa < b.mantissa;
    wide_t dividend = (wide_t)a.mantissa << (is_less ? 64 : 63);
    struct x87_number n = {.mantissa = (uint64_t)(dividend / b.mantissa),
                           .exponent = a.exponent - b.exponent + X87_BIAS - is_less,
                           .is_negative = is_negative,
                           .kind = X87_FINITE};
    wide_t twice = (dividend - (wide_t)n.mantissa * b.mantissa) << 1;
    uint64_t rest = twice != 0 && twice != b.mantissa;
    if (twice >= b.mantissa)
        rest |= X87_INTEGER_BIT;
    return x87_finish(n, rest, x87_precision(control), control, status);
}

struct x87_outcome x87_arith(enum x87_arith op, uint16_t control, struct x87_number a, struct x87_number b)
{
    if (x87_is_nan(a) || x87_is_nan(b))
        return x87_nan_of(a, b);
    switch (op) {
    case X87_ADD:
        break;
    case X87_SUB:
        b.is_negative = !b.is_negative;
        break;
    case X87_SUBR:
        a.is_negative = !a.is_negative;
        break;
    case X87_MUL:
        return multiply(control, a, b);
    case X87_DIV:
        return divide(control, a, b);
    case X87_DIVR:
        return divide(control, b, a);
    }
    return add(control, a, b);
}

/* The square root of a number of at least 2^126, cut to an integer. */
static uint64_t integer_root(wide_t square)
{
    /* Of this 53 bits are right; one step of Newton's makes it good to a few units. */
    double estimate = __builtin_sqrt((double)(uint64_t)(square >> 64)) * 0x1p32;
    wide_t root = estimate >= 0x1p64 ? UINT64_MAX : (wide_t)estimate;
    root = (root + square / root) >> 1;
    if (root > UINT64_MAX)
        root = UINT64_MAX;
    while (root * root > square)
        root--;
    while (root < UINT64_MAX && (root + 1) * (root + 1) <= square)
        root++;
    return (uint64_t)root;
}

struct x87_outcome x87_sqrt(uint16_t control, struct x87_number a)
{
    if (x87_is_nan(a))
        return x87_nan(a);
    if (a.kind == X87_ZERO)
        return signed_zero(a.is_negative, 0);
    if (a.is_negative)
        return x87_invalid();
    uint16_t status = a.is_denormal ? X87_DE : 0;
    if (x87_is_stopped(status, control))
        return (struct x87_outcome){.status = status};
    if (a.kind == X87_INFINITY)
        return infinity(false, status);
    int32_t exponent = a.exponent - X87_BIAS;
    bool is_odd = exponent & 1;
    wide_t square = (wide_t)a.mantissa << (is_odd ? 64 : 63);
    struct x87_number n = {
        .mantissa = integer_root(square), .exponent = (exponent - is_odd) / 2 + X87_BIAS, .kind = X87_FINITE};
    wide_t left = square - (wide_t)n.mantissa * n.mantissa;
    uint64_t rest = left != 0;
    if (left > n.mantissa) /* it never lies in the middle */
        rest |= X87_INTEGER_BIT;
    return x87_finish(n, rest, x87_precision(control), control, status);
}

static bool is_below(struct x87_number a, struct x87_number b)
{
    if (a.kind == X87_ZERO || b.kind == X87_ZERO)
        return a.kind == X87_ZERO ? b.kind != X87_ZERO && !b.is_negative : a.is_negative;
    if (a.is_negative != b.is_negative)
        return a.is_negative;
    if (a.exponent != b.exponent)
        return (a.exponent < b.exponent) != a.is_negative;
    return a.mantissa != b.mantissa && (a.mantissa < b.mantissa) != a.is_negative;
}

uint16_t x87_compare(struct x87_number a, struct x87_number b, bool is_quiet)
{
    if (x87_is_nan(a) || x87_is_nan(b)) {
        bool is_invalid = !is_quiet || a.kind > X87_QNAN || b.kind > X87_QNAN;
        return X87_C0 | X87_C2 | X87_C3 | (is_invalid ? X87_IE : 0);
    }
    uint16_t status = x87_denormal(a, b);
    if (is_below(a, b))
        return status | X87_C0;
    return is_below(b, a) ? status : status | X87_C3;
}
