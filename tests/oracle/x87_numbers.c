/*
 * Oracle: our 80-bit arithmetic (cpu/x87_number.h, integers only) against the host's x87 unit. Random
 * operands of every kind under random control words; value, exceptions and condition codes must agree to the
 * last bit.
 *
 *     x87_numbers [cases for each row, default 200000] [seed] [row]
 */
#include "cpu/x87_transcend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REPORTS = 5, NEAR_ULPS = 2 };

struct input {
    struct x87_register a, b;
    uint64_t memory;
    uint16_t upper, control;
};

/* What came out: a register, or what is in memory; on either side. */
struct output {
    struct x87_register value;
    uint64_t memory;
    uint16_t upper, status;
};

struct row {
    const char *name;
    void (*host)(const struct input *, struct output *);
    void (*ours)(const struct input *, struct output *);
    uint16_t conditions;
    bool is_store, is_near;
};

/* ---- Random operands ---- */

static uint64_t random_state;
static uint64_t next_random(void)
{
    random_state += 0x9e3779b97f4a7c15;
    uint64_t z = random_state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Long, short, all ones up to somewhere, or one bit off a simple one. */
static uint64_t random_mantissa(void)
{
    uint64_t r = next_random(), shape = next_random();
    switch (shape & 7) {
    case 0:
        return 0;
    case 1:
        return X87_INTEGER_BIT;
    case 2:
        return UINT64_MAX << (r & 63);
    case 3:
        return UINT64_MAX >> (r & 63);
    case 4:
        return (UINT64_MAX << (r & 63)) ^ 1ull << (r >> 6 & 63);
    case 5:
        return r << (shape >> 3 & 63);
    default:
        return r;
    }
}

static struct x87_register random_register(int32_t near)
{
    static const uint16_t edges[] = {0,
                                     0,
                                     1,
                                     2,
                                     X87_BIAS,
                                     X87_BIAS + 62,
                                     X87_BIAS + 63,
                                     X87_BIAS + 64,
                                     X87_BIAS - 1,
                                     X87_BIAS + 31,
                                     X87_BIAS - 126,
                                     X87_BIAS + 127,
                                     X87_BIAS - 1022,
                                     X87_BIAS + 1023,
                                     0x7ffe,
                                     0x7fff,
                                     0x7fff,
                                     X87_BIAS - 149,
                                     X87_BIAS - 1074,
                                     X87_BIAS + 15};
    uint64_t r = next_random();
    int32_t exponent;
    switch (r & 3) {
    case 0:
        exponent = (int32_t)(r >> 8 & 0x7fff);
        break;
    case 1:
        exponent = edges[(r >> 8) % (sizeof edges / sizeof *edges)];
        break;
    case 2:
        exponent = near + (int32_t)(r >> 8 & 127) - 64;
        break;
    default:
        exponent = X87_BIAS + (int32_t)(r >> 8 & 127) - 64;
        break;
    }
    struct x87_register reg = {random_mantissa(), (uint16_t)(exponent & 0x7fff)};
    if (r >> 20 & 15 && exponent)
        reg.mantissa |= X87_INTEGER_BIT;
    reg.sign_exponent = (uint16_t)(reg.sign_exponent | (r >> 40 & 1 ? X87_SIGN : 0));
    return reg;
}

static uint64_t random_memory(void)
{
    uint64_t r = next_random(), memory = next_random();
    switch (r & 7) {
    case 0: /* exponents of singles and doubles: all ones, zero */
        return memory | 0x7ff000007f800000;
    case 1:
        return memory & ~0x7ff000007f800000ull;
    case 2:
        return memory & 0x8000000080000000;
    case 3:
        return memory & 0xfff00000ff800000;
    default:
        return memory;
    }
}

static struct input random_input(void)
{
    struct input in = {.memory = random_memory(), .upper = (uint16_t)next_random()};
    uint64_t r = next_random();
    in.a = random_register(X87_BIAS);
    in.b = random_register(in.a.sign_exponent & 0x7fff);
    in.control = (uint16_t)(r & 0x0f00) | 0x40;
    in.control |= r >> 16 & 1 ? 0x3f : r >> 20 & 0x3f;
    return in;
}

/* FBLD: digits up to 9 only; the others are undefined. */
static void make_digits(struct input *in)
{
    for (unsigned shift = 0; shift < 64; shift += 4)
        if ((in->memory >> shift & 15) > 9)
            in->memory &= ~(6ull << shift);
    for (unsigned shift = 0; shift < 8; shift += 4)
        if ((in->upper >> shift & 15) > 9)
            in->upper &= (uint16_t) ~(6u << shift);
}

/* ---- The rows ---- */

static struct x87_outcome exact(struct x87_register value)
{
    return (struct x87_outcome){value, 0};
}

static struct x87_outcome extract_significand(struct x87_number a)
{
    struct x87_register significand;
    struct x87_outcome outcome = x87_extract(a, &significand);
    outcome.value = significand;
    return outcome;
}

struct wide_memory {
    uint64_t low;
    uint16_t high;
};

/*
 * The host's control word is the usual one before and after. An unmasked exception stays pending until
 * FNCLEX.
 */
#define HOST(name, instruction, end)                                                                         \
    static void host_##name(const struct input *in, struct output *out)                                      \
    {                                                                                                        \
        struct wide_memory m = {in->memory, in->upper}, into = {0};                                          \
        __asm__ volatile("fninit\n\tfldt %[b]\n\tfldt %[a]\n\tfldcw %[control]\n\t" instruction              \
                         "\n\tfnstsw %[status]\n\tfnclex\n\t" end "fninit"                                   \
                         : [status] "=a"(out->status), [value] "=m"(out->value), [into] "+m"(into)           \
                         : [control] "m"(in->control), [a] "m"(in->a), [b] "m"(in->b), [m] "m"(m)            \
                         : "st", "st(1)", "st(2)", "st(3)");                                                 \
        out->memory = into.low;                                                                              \
        out->upper = into.high;                                                                              \
    }

#define OURS(name, body)                                                                                     \
    static void ours_##name(const struct input *in, struct output *out)                                      \
    {                                                                                                        \
        uint16_t control = in->control, upper = in->upper;                                                   \
        uint64_t memory = in->memory;                                                                        \
        struct x87_number A = x87_unpack(in->a), B = x87_unpack(in->b);                                      \
        struct x87_register ignored;                                                                         \
        (void)control, (void)upper, (void)memory, (void)A, (void)B, (void)ignored;                           \
        body                                                                                                 \
    }

#define RESULT(name, instruction, ours, conditions)                                                          \
    HOST(name, instruction, "fstpt %[value]\n\t")                                                            \
    OURS(name, struct x87_outcome o = ours; out->value = o.value; out->status = o.status;)
#define BELOW(name, instruction, ours, conditions)                                                           \
    HOST(name, instruction, "fstp %%st(0)\n\tfstpt %[value]\n\t")                                            \
    OURS(name, struct x87_outcome o = ours; out->value = o.value; out->status = o.status;)
#define NEAR(name, instruction, end, ours)                                                                   \
    HOST(name, instruction, end "\n\t")                                                                      \
    OURS(name, struct x87_outcome o = ours; out->value = o.value; out->status = o.status;)
#define STORE(name, instruction, ours)                                                                       \
    HOST(name, instruction, "")                                                                              \
    OURS(name, struct x87_stored o = ours; out->memory = o.memory; out->upper = o.upper;                     \
         out->status = o.status;)
#define COMPARE(name, instruction, ours)                                                                     \
    HOST(name, instruction, "")                                                                              \
    OURS(name, out->status = ours;)
#include "tests/oracle/x87_numbers.def"
#undef RESULT
#undef BELOW
#undef NEAR
#undef STORE
#undef COMPARE

static const struct row rows[] = {
#define RESULT(name, instruction, ours, conditions)                                                          \
    {#name, host_##name, ours_##name, conditions, false, false},
#define BELOW(name, instruction, ours, conditions) RESULT(name, instruction, ours, conditions)
#define NEAR(name, instruction, end, ours) {#name, host_##name, ours_##name, X87_C2, false, true},
#define STORE(name, instruction, ours) {#name, host_##name, ours_##name, X87_C1, true, false},
#define COMPARE(name, instruction, ours) {#name, host_##name, ours_##name, X87_CONDITIONS, false, false},
#include "tests/oracle/x87_numbers.def"
#undef RESULT
#undef BELOW
#undef NEAR
#undef STORE
#undef COMPARE
};

/* ---- Comparing ---- */

/* How many numbers lie between two of the same sign, at most `limit`. */
static bool is_near(struct x87_register x, struct x87_register y, uint64_t limit)
{
    uint64_t distance = x.mantissa - y.mantissa;
    uint16_t apart = (uint16_t)(x.sign_exponent - y.sign_exponent);
    if (apart) /* the mantissas of neighbours are the largest and the smallest */
        distance = apart == 1            ? 2 * x.mantissa - y.mantissa
                   : apart == UINT16_MAX ? 2 * y.mantissa - x.mantissa
                                         : limit + 1;
    return distance <= limit || -distance <= limit;
}

/* A number's place among all of its sign, with exponents below the smallest too. */
__extension__ typedef __int128 ordinal_t;

static ordinal_t ordinal(struct x87_register x, bool is_scaled)
{
    enum { SIGN = 0x8000, SCALE = 0x6000 };
    int exponent = x.sign_exponent & ~SIGN;
    uint64_t mantissa = x.mantissa;
    exponent = is_scaled ? exponent - SCALE : exponent == 0 ? 1 : exponent;
    for (; mantissa && !(mantissa >> 63); mantissa <<= 1)
        exponent--;
    return (ordinal_t)exponent * ((ordinal_t)1 << 63) + (int64_t)(mantissa & INT64_MAX);
}

/*
 * Whether what is about the smallest normal number is an underflow hangs on how a processor gets there:
 * FSIN of it is itself on Intel's, and less, with UE, on AMD's; a denormal that FPREM leaves as it is is no
 * underflow on Intel's. The values, with the exponent of a UE that is not masked, are neighbours.
 */
static bool agree_at_the_smallest(const struct row *row, const struct input *in, const struct output *x,
                                  const struct output *y)
{
    enum { SMALLEST = 1, WIDER_ULPS = 2 * NEAR_ULPS };
    const uint16_t open = X87_UE | X87_PE, is_open_ue = (uint16_t)(~in->control & X87_UE);
    bool is_small = (x->status | y->status) & X87_UE || (x->value.sign_exponent & 0x7fff) <= SMALLEST;
    bool is_remainder = strncmp(row->name, "fprem", 5) == 0;
    if (!(row->is_near || is_remainder) || !is_small)
        return false;
    if ((x->status ^ y->status) & (X87_EXCEPTIONS | row->conditions) & ~open)
        return false;
    if ((x->value.sign_exponent ^ y->value.sign_exponent) & 0x8000)
        return false;
    ordinal_t apart = ordinal(x->value, x->status & is_open_ue) - ordinal(y->value, y->status & is_open_ue);
    int limit = is_remainder ? 0 : WIDER_ULPS;
    return apart <= limit && -apart <= limit;
}

static bool agree(const struct row *row, const struct input *in, const struct output *x,
                  const struct output *y)
{
    uint16_t stopping = X87_IE | X87_DE | X87_ZE;
    if (row->is_store)
        stopping |= X87_OE | X87_UE;
    if ((x->status ^ y->status) & (X87_EXCEPTIONS | row->conditions))
        return false;
    if (x->status & ~in->control & stopping)
        return true;
    if (row->is_near)
        return is_near(x->value, y->value, NEAR_ULPS);
    return x->value.mantissa == y->value.mantissa && x->value.sign_exponent == y->value.sign_exponent &&
           x->memory == y->memory && x->upper == y->upper;
}

static void print_output(const char *who, const struct output *o)
{
    printf("    %s: %04x:%016lx memory %04x:%016lx status %04x\n", who, o->value.sign_exponent,
           (unsigned long)o->value.mantissa, o->upper, (unsigned long)o->memory, o->status);
}

static unsigned long run_row(const struct row *row, unsigned long nr_cases)
{
    unsigned long nr_different = 0;
    for (unsigned long i = 0; i < nr_cases; i++) {
        struct input in = random_input();
        struct output host, ours;
        memset(&host, 0, sizeof host);
        memset(&ours, 0, sizeof ours);
        if (strcmp(row->name, "fbld") == 0)
            make_digits(&in);
        row->host(&in, &host);
        row->ours(&in, &ours);
        if (agree(row, &in, &host, &ours) || agree_at_the_smallest(row, &in, &host, &ours) ||
            nr_different++ >= MAX_REPORTS)
            continue;
        printf("%s: a %04x:%016lx b %04x:%016lx memory %04x:%016lx control %04x\n", row->name,
               in.a.sign_exponent, (unsigned long)in.a.mantissa, in.b.sign_exponent,
               (unsigned long)in.b.mantissa, in.upper, (unsigned long)in.memory, in.control);
        print_output("host", &host);
        print_output("ours", &ours);
    }
    return nr_different;
}

int main(int argc, char **argv)
{
    unsigned long nr_cases = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000, nr_different = 0, nr_run = 0;
    random_state = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (argc > 3 && strcmp(argv[3], rows[i].name) != 0)
            continue;
        unsigned long different = run_row(&rows[i], nr_cases);
        if (different)
            printf("%s: %lu differ\n", rows[i].name, different);
        nr_different += different;
        nr_run += nr_cases;
    }
    printf("%lu cases, %lu differ\n", nr_run, nr_different);
    return nr_different != 0;
}
