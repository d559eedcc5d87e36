/*
 * Numbers as the x87 unit reckons with them: 80 bits wide, under a control word (SDM 1 4.8, 8.1.5, 8.5). All
 * of it is integer arithmetic, so that every host gives the same; the host's own x87 unit is what tests
 * compare with.
 *
 * Nothing here knows of a core. An outcome's status has the exceptions that the operation raised, and the
 * condition codes. Where an exception is unmasked that comes before the operation (IE, DE, ZE), or that keeps
 * a store from being made (OE and UE as well), the value means nothing.
 */
#ifndef LK_CPU_X87_NUMBER_H
#define LK_CPU_X87_NUMBER_H

#include "cpu/cpu.h"

/* The status word (SDM 1 8.1.3). The control word's low six bits mask the exceptions of the same place. */
enum x87_status {
    X87_IE = 1 << 0,
    X87_DE = 1 << 1,
    X87_ZE = 1 << 2,
    X87_OE = 1 << 3,
    X87_UE = 1 << 4,
    X87_PE = 1 << 5,
    X87_EXCEPTIONS = 0x3f,
    X87_SF = 1 << 6, /* of a stack fault: IE is set as well */
    X87_ES = 1 << 7, /* an unmasked exception is pending */
    X87_C0 = 1 << 8,
    X87_C1 = 1 << 9,
    X87_C2 = 1 << 10,
    X87_TOP_SHIFT = 11,
    X87_TOP = 7 << X87_TOP_SHIFT,
    X87_C3 = 1 << 14,
    X87_CONDITIONS = X87_C0 | X87_C1 | X87_C2 | X87_C3,
    X87_B = 1 << 15, /* the same as ES since the 287 */
};

enum {
    X87_BIAS = 16383,
    X87_MAX_EXPONENT = 0x7fff, /* of infinities and NaNs */
    X87_SIGN = 0x8000,
    X87_WRAP =
        24576, /* what an unmasked overflow or underflow takes off or adds to the exponent (SDM 1 8.5.4) */
};
#define X87_INTEGER_BIT 0x8000000000000000ull
#define X87_QUIET_BIT 0x4000000000000000ull

static const struct x87_register x87_indefinite = {X87_INTEGER_BIT | X87_QUIET_BIT, 0xffff};

enum x87_kind { X87_ZERO, X87_FINITE, X87_INFINITY, X87_QNAN, X87_SNAN, X87_UNSUPPORTED };

/*
 * A finite one is mantissa * 2^(exponent - X87_BIAS - 63), the mantissa's bit 63 set; also if it was
 * denormal.
 */
struct x87_number {
    uint64_t mantissa; /* of a NaN: as it stands in a register */
    int32_t exponent;
    bool is_negative, is_denormal;
    uint8_t kind; /* enum x87_kind */
};

struct x87_outcome {
    struct x87_register value;
    uint16_t status;
};

/* Rounding control (SDM 1 4.8.4), as in bits 10 and 11 of the control word. */
enum x87_rounding { X87_NEAREST, X87_DOWN, X87_UP, X87_CUT };
static inline enum x87_rounding x87_rounding(uint16_t control)
{
    return (enum x87_rounding)(control >> 10 & 3);
}

/* A format to round to: the significand's bits, and the exponents of normal numbers, biased by X87_BIAS. */
struct x87_format {
    unsigned precision_bits;
    int32_t min_exponent, max_exponent;
};
extern const struct x87_format x87_single, x87_double, x87_extended;
/* What precision control makes of x87_extended: only the significand is shorter (SDM 1 8.1.5.2). */
struct x87_format x87_precision(uint16_t control);

/* ---- x87_number.c ---- */
struct x87_number x87_unpack(struct x87_register r);
struct x87_number x87_unpack_single(uint32_t bits);
struct x87_number x87_unpack_double(uint64_t bits);
struct x87_number x87_unpack_integer(int64_t value);
/* Only of normal numbers: x87_round makes them. */
struct x87_register x87_pack(struct x87_number n);

/*
 * Rounds a finite number, whose mantissa goes on in `rest` (at least one bit of which stands for all that
 * follow). In *status: OE, UE, PE, C1. The result's exponent is in range, or wrapped where OE or UE is
 * unmasked; a denormal one has an exponent of min_exponent and bit 63 of the mantissa clear.
 */
struct x87_number x87_round(struct x87_number n, uint64_t rest, struct x87_format format, uint16_t control,
                            uint16_t *status);
/* The same to a register. */
struct x87_outcome x87_finish(struct x87_number n, uint64_t rest, struct x87_format format, uint16_t control,
                              uint16_t status);
/* Rounds to an integer: magnitude. False: more than 64 bits. */
bool x87_round_to_integer(struct x87_number n, enum x87_rounding rounding, uint64_t *magnitude,
                          uint16_t *status);

static inline struct x87_outcome x87_invalid(void)
{
    return (struct x87_outcome){x87_indefinite, X87_IE};
}
static inline bool x87_is_nan(struct x87_number n)
{
    return n.kind >= X87_QNAN;
}
/* The answer where an operand is a NaN or unsupported (SDM 1 4.8.3.5, table 4-7). */
struct x87_outcome x87_nan(struct x87_number a);
struct x87_outcome x87_nan_of(struct x87_number a, struct x87_number b);
/* DE where one of them is denormal. */
static inline uint16_t x87_denormal(struct x87_number a, struct x87_number b)
{
    return a.is_denormal || b.is_denormal ? X87_DE : 0;
}
/* DE was raised and is unmasked: the operation is not carried out. */
static inline bool x87_is_stopped(uint16_t status, uint16_t control)
{
    return status & ~control & (X87_IE | X87_DE | X87_ZE);
}

/* ---- x87_arith.c: in the order of ModRM.reg; the reversed ones are b op a ---- */
enum x87_arith { X87_ADD = 0, X87_MUL = 1, X87_SUB = 4, X87_SUBR = 5, X87_DIV = 6, X87_DIVR = 7 };
struct x87_outcome x87_arith(enum x87_arith op, uint16_t control, struct x87_number a, struct x87_number b);
struct x87_outcome x87_sqrt(uint16_t control, struct x87_number a);
/* The answer is C0, C2, C3: FCOM, or FUCOM if is_quiet. */
uint16_t x87_compare(struct x87_number a, struct x87_number b, bool is_quiet);

/* ---- x87_convert.c ---- */
/* What a store puts into memory. */
struct x87_stored {
    uint64_t memory;
    uint16_t upper; /* of 80 bits: BCD */
    uint16_t status;
};
struct x87_outcome x87_load(struct x87_number n); /* of a number from memory: FLD m32, m64 */
struct x87_stored x87_store(uint16_t control, struct x87_number a, unsigned size_bytes);
/* FIST of 2, 4 or 8 bytes; the rounding is given, for FISTTP. */
struct x87_stored x87_store_integer(enum x87_rounding rounding, struct x87_number a, unsigned size_bytes);
struct x87_stored x87_store_bcd(uint16_t control, struct x87_number a);
struct x87_register x87_load_bcd(uint64_t low, uint16_t high);
struct x87_outcome x87_round_integer(uint16_t control, struct x87_number a); /* FRNDINT */

/* ---- x87_remainder.c ---- */
struct x87_outcome x87_remainder(uint16_t control, struct x87_number a, struct x87_number b, bool is_ieee);
struct x87_outcome x87_scale(uint16_t control, struct x87_number a, struct x87_number b);
/* FXTRACT: the exponent, and the significand in *significand. */
struct x87_outcome x87_extract(struct x87_number a, struct x87_register *significand);

#endif
