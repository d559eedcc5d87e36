#include "cpu/x87_transcend.h"

#define MPFR_USE_INTMAX_T
#include <mpfr.h>

enum {
    OPERAND_BITS = 64,
    REDUCED_BITS = 256, /* an angle less a multiple of pi/2 is exact in them */
    SUM_BITS =
        128, /* a result that MPFR has cut there, and whether anything followed, can be rounded to 64 */
    PRODUCT_BITS =
        320 /* a logarithm that is a factor: wrong if 190 bits behind those of a result were all alike */
};

static void set(mpfr_t x, struct x87_number n)
{
    mpfr_init2(x, OPERAND_BITS);
    if (n.kind == X87_INFINITY)
        mpfr_set_inf(x, 1);
    else if (n.kind == X87_ZERO)
        mpfr_set_zero(x, 1);
    else
        mpfr_set_uj_2exp(x, n.mantissa, n.exponent - X87_BIAS - 63, MPFR_RNDN);
    mpfr_setsign(x, x, n.is_negative, MPFR_RNDN);
}

/*
 * Rounds x, which was cut off where is_inexact; x is lost. An exact result is called inexact too: processors
 * do not know better.
 */
static struct x87_outcome finish(mpfr_t x, bool is_inexact, uint16_t control, uint16_t status)
{
    bool is_negative = mpfr_signbit(x);
    if (mpfr_zero_p(x))
        return (struct x87_outcome){{0, is_negative ? X87_SIGN : 0}, status};
    if (mpfr_inf_p(x))
        return (struct x87_outcome){{X87_INTEGER_BIT, (is_negative ? X87_SIGN : 0) | X87_MAX_EXPONENT},
                                    status};
    mpfr_exp_t exponent = mpfr_get_exp(x) - 1 + X87_BIAS;
    struct x87_number n = {.is_negative = is_negative, .kind = X87_FINITE};
    n.exponent = exponent < INT16_MIN * 2   ? INT16_MIN * 2
                 : exponent > INT16_MAX * 2 ? INT16_MAX * 2
                                            : (int32_t)exponent;
    mpfr_abs(x, x, MPFR_RNDZ);
    mpfr_set_exp(x, 64);
    n.mantissa = mpfr_get_uj(x, MPFR_RNDZ);
    mpfr_frac(x, x, MPFR_RNDZ);
    mpfr_mul_2ui(x, x, 64, MPFR_RNDZ);
    uint64_t rest = mpfr_get_uj(x, MPFR_RNDZ);
    struct x87_outcome outcome = x87_finish(n, rest | is_inexact, x87_extended, control, status | X87_PE);
    if (!(outcome.value.mantissa & X87_INTEGER_BIT))
        outcome.status |= X87_UE;
    return outcome;
}

static struct x87_outcome stopped(uint16_t status)
{
    return (struct x87_outcome){.status = status};
}

/*
 * x less a multiple of pi/2, which leaves it between -pi/4 and pi/4, exactly: the quadrant. The unit's pi is
 * not pi, but cut off to 66 bits (SDM 1 8.3.8).
 */
static unsigned reduce(mpfr_t rest, const mpfr_t x)
{
    enum { PI_HIGH_BITS = 64, PI_LOW = 3, PI_LOW_BITS = 2, HALF_PI_EXPONENT = 1 };
    mpfr_t half_pi;
    long quotient;
    mpfr_init2(half_pi, REDUCED_BITS);
    mpfr_set_uj(half_pi, 0xc90fdaa22168c234, MPFR_RNDZ);
    mpfr_mul_2ui(half_pi, half_pi, PI_LOW_BITS, MPFR_RNDZ);
    mpfr_add_ui(half_pi, half_pi, PI_LOW, MPFR_RNDZ);
    mpfr_set_exp(half_pi, HALF_PI_EXPONENT);
    mpfr_init2(rest, REDUCED_BITS);
    mpfr_remquo(rest, &quotient, x, half_pi, MPFR_RNDZ);
    mpfr_clear(half_pi);
    return (unsigned long)quotient & 3;
}

/* Cut off; tells whether it was. */
static bool evaluate(mpfr_t result, enum x87_trigonometric function, const mpfr_t x)
{
    mpfr_t rest;
    unsigned quadrant = reduce(rest, x);
    bool is_odd = quadrant & 1, is_negative = quadrant & 2;
    int ternary;
    if (function == X87_TANGENT) {
        is_negative = is_odd;
        ternary = is_odd ? mpfr_cot(result, rest, MPFR_RNDZ) : mpfr_tan(result, rest, MPFR_RNDZ);
    } else if ((function == X87_SINE) != is_odd) {
        is_negative ^= function == X87_COSINE; /* cos(x + pi/2) = -sin(x) */
        ternary = mpfr_sin(result, rest, MPFR_RNDZ);
    } else {
        ternary = mpfr_cos(result, rest, MPFR_RNDZ);
    }
    if (is_negative)
        mpfr_neg(result, result, MPFR_RNDZ);
    mpfr_clear(rest);
    return ternary != 0;
}

struct x87_outcome x87_trigonometric(enum x87_trigonometric function, uint16_t control, struct x87_number a)
{
    enum { LIMIT_EXPONENT = X87_BIAS + 63 };
    if (x87_is_nan(a))
        return x87_nan(a);
    if (a.kind == X87_INFINITY)
        return x87_invalid();
    if (a.kind == X87_FINITE && a.exponent >= LIMIT_EXPONENT)
        return (struct x87_outcome){x87_pack(a), X87_C2};
    uint16_t status = a.is_denormal ? X87_DE : 0;
    if (x87_is_stopped(status, control))
        return stopped(status);
    if (a.kind == X87_ZERO) {
        struct x87_register one = {X87_INTEGER_BIT, X87_BIAS};
        return (struct x87_outcome){function == X87_COSINE ? one : x87_pack(a), 0};
    }
    mpfr_t x, result;
    set(x, a);
    mpfr_init2(result, SUM_BITS);
    bool is_inexact = evaluate(result, function, x);
    struct x87_outcome outcome = finish(result, is_inexact, control, status);
    mpfr_clear(x);
    mpfr_clear(result);
    return outcome;
}

struct x87_outcome x87_arctangent(uint16_t control, struct x87_number y, struct x87_number x)
{
    if (x87_is_nan(y) || x87_is_nan(x))
        return x87_nan_of(y, x);
    uint16_t status = x87_denormal(y, x);
    if (x87_is_stopped(status, control))
        return stopped(status);
    mpfr_t m, n, result;
    set(m, y);
    set(n, x);
    mpfr_init2(result, SUM_BITS);
    int ternary = mpfr_atan2(result, m, n, MPFR_RNDZ);
    struct x87_outcome outcome = finish(result, ternary != 0, control, status);
    mpfr_clear(m);
    mpfr_clear(n);
    mpfr_clear(result);
    return outcome;
}

/* Beyond the operand's range the result is undefined: the operand it is. */
static struct x87_outcome out_of_range(struct x87_number a, uint16_t status)
{
    return (struct x87_outcome){x87_pack(a), status | X87_PE};
}

struct x87_outcome x87_exponential(uint16_t control, struct x87_number a)
{
    if (x87_is_nan(a))
        return x87_nan(a);
    uint16_t status = a.is_denormal ? X87_DE : 0;
    if (x87_is_stopped(status, control))
        return stopped(status);
    bool is_one = a.exponent == X87_BIAS && a.mantissa == X87_INTEGER_BIT;
    if (a.kind == X87_FINITE && a.exponent >= X87_BIAS && !is_one)
        return out_of_range(a, status);
    if (a.kind == X87_INFINITY && a.is_negative)
        return (struct x87_outcome){{X87_INTEGER_BIT, X87_BIAS | X87_SIGN}, 0};
    mpfr_t x, result;
    set(x, a);
    mpfr_init2(result, SUM_BITS);
    int ternary = mpfr_exp2m1(result, x, MPFR_RNDZ);
    struct x87_outcome outcome = finish(result, ternary != 0, control, status);
    mpfr_clear(x);
    mpfr_clear(result);
    return outcome;
}

/* y times a logarithm, which is cut off unless it is_exact. */
static struct x87_outcome multiply(struct x87_number y, mpfr_t logarithm, bool is_exact, uint16_t control,
                                   uint16_t status)
{
    mpfr_t factor, result;
    set(factor, y);
    mpfr_init2(result, SUM_BITS);
    int ternary = mpfr_mul(result, logarithm, factor, MPFR_RNDZ);
    struct x87_outcome outcome =
        mpfr_nan_p(result) ? x87_invalid() : finish(result, ternary != 0 || !is_exact, control, status);
    mpfr_clear(factor);
    mpfr_clear(result);
    return outcome;
}

struct x87_outcome x87_logarithm(uint16_t control, struct x87_number y, struct x87_number x)
{
    if (x87_is_nan(y) || x87_is_nan(x))
        return x87_nan_of(y, x);
    if (x.kind != X87_ZERO && x.is_negative)
        return x87_invalid();
    if (x.kind == X87_ZERO && y.kind == X87_FINITE) {
        uint16_t sign = y.is_negative ? 0 : X87_SIGN;
        return (struct x87_outcome){{X87_INTEGER_BIT, sign | X87_MAX_EXPONENT}, X87_ZE};
    }
    uint16_t status = x87_denormal(y, x);
    if (x87_is_stopped(status, control))
        return stopped(status);
    mpfr_t operand, logarithm;
    set(operand, x);
    mpfr_abs(operand, operand, MPFR_RNDZ); /* -0 */
    mpfr_init2(logarithm, PRODUCT_BITS);
    int ternary = mpfr_log2(logarithm, operand, MPFR_RNDZ);
    struct x87_outcome outcome = multiply(y, logarithm, ternary == 0, control, status);
    mpfr_clear(operand);
    mpfr_clear(logarithm);
    return outcome;
}

struct x87_outcome x87_logarithm_plus_1(uint16_t control, struct x87_number y, struct x87_number x)
{
    if (x87_is_nan(y) || x87_is_nan(x))
        return x87_nan_of(y, x);
    uint16_t status = x87_denormal(y, x);
    if (x.is_negative && x.kind == X87_INFINITY)
        return x87_invalid();
    if (x87_is_stopped(status, control))
        return stopped(status);
    if (x.is_negative && x.kind == X87_FINITE && x.exponent >= X87_BIAS) {
        if (y.kind == X87_FINITE)
            return out_of_range(x, status);
        y.is_negative = !y.is_negative;
        return (struct x87_outcome){x87_pack(y), status};
    }
    mpfr_t operand, logarithm;
    set(operand, x);
    mpfr_init2(logarithm, PRODUCT_BITS);
    int ternary = mpfr_log2p1(logarithm, operand, MPFR_RNDZ);
    struct x87_outcome outcome = multiply(y, logarithm, ternary == 0, control, status);
    mpfr_clear(operand);
    mpfr_clear(logarithm);
    return outcome;
}
