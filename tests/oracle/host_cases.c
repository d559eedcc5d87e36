/*
 * Random cases, biased to where things go wrong: edge values, addresses around the ends of lines and pages.
 */
#include <string.h>

#include "tests/oracle/host_cpu.h"

const struct host_form host_forms[] = {
#define FORM(name, map, opcode, encoding, digit, size, immediate, undefined)                                 \
    {name,                                                                                                   \
     map,                                                                                                    \
     opcode,                                                                                                 \
     HOST_##encoding,                                                                                        \
     digit,                                                                                                  \
     HOST_SIZE_##size,                                                                                       \
     HOST_##immediate,                                                                                       \
     HOST_UNDEFINED_##undefined},
#define ANY HOST_DIGIT_ANY
#include "tests/oracle/host_forms.def"
#undef FORM
};

const unsigned host_nr_forms = sizeof host_forms / sizeof *host_forms;

enum { AX, CX, DX, BX, SP, BP, SI, DI };
enum { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, DF = 0x400, OF = 0x800 };

struct random {
    uint64_t state;
};

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next(struct random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint32_t below(struct random *r, uint32_t n)
{
    return (uint32_t)(next(r) >> 32) % n;
}

static bool one_in(struct random *r, uint32_t n)
{
    return below(r, n) == 0;
}

static uint32_t value(struct random *r)
{
    static const uint32_t edges[] = {0,      1,      2,      0x7f,       0x80,       0xff,       0x100,
                                     0x7fff, 0x8000, 0xffff, 0x10000,    0x7fffffff, 0x80000000, 0xffffffff,
                                     0x8080, 0xff00, 0xff7f, 0x00ff00ff, 0x80008000, 0xfffffffe, 0x66666666};
    switch (below(r, 6)) {
    case 0:
    case 1:
        return edges[below(r, sizeof edges / sizeof *edges)];
    case 2:
        return 1u << below(r, 32);
    case 3:
        return below(r, 64);
    case 4:
        return 0u - below(r, 64);
    default:
        return (uint32_t)next(r);
    }
}

/* Somewhere in or just outside the data, mostly around the ends of its lines and pages. */
static uint32_t data_address(struct random *r)
{
    switch (below(r, 8)) {
    case 0:
        return HOST_DATA + 0x1000 - 8 + below(r, 16);
    case 1:
        return HOST_DATA + HOST_DATA_BYTES - 8 + below(r, 10);
    case 2:
        return HOST_DATA - 4 + below(r, 8);
    case 3:
        return HOST_DATA + below(r, HOST_DATA_BYTES / 64) * 64 + 56 + below(r, 8);
    default:
        return HOST_DATA + below(r, HOST_DATA_BYTES - 8);
    }
}

static void put(struct host_case *c, uint8_t byte)
{
    c->bytes[c->length++] = byte;
}

static void put_value(struct host_case *c, uint32_t v, unsigned nr_bytes)
{
    for (unsigned i = 0; i < nr_bytes; i++)
        put(c, (uint8_t)(v >> i * 8));
}

/*
 * ModRM, SIB and displacement, and the registers so that they give `target`. Mod 0 with r/m 5 is left out: it
 * is relative to RIP in 64-bit code; a SIB byte without base says the same in both.
 */
static void put_memory(struct host_case *c, struct random *r, unsigned reg, uint32_t target)
{
    unsigned base = below(r, 8), index = below(r, 8), scale = below(r, 4), mod = below(r, 3);
    bool has_sib = base == SP || one_in(r, 3), has_index = has_sib && index != SP;
    bool has_base = !has_sib || !one_in(r, 4);
    if (!has_base || (mod == 0 && base == BP))
        mod = has_base ? 1 : 0;
    if (has_index && has_base && index == base)
        has_index = false;
    uint32_t disp = mod == 1 ? (uint32_t)(int8_t)next(r) : mod == 2 ? value(r) : 0;
    uint32_t scaled = has_index ? c->gpr[index] << scale : 0;
    if (!has_base)
        disp = target - scaled;
    else
        c->gpr[base] = target - scaled - disp;
    put(c, (uint8_t)(mod << 6 | reg << 3 | (has_sib ? 4 : base)));
    if (has_sib)
        put(c, (uint8_t)(scale << 6 | (has_index ? index : SP) << 3 | (has_base ? base : BP)));
    if (!has_base || mod)
        put_value(c, disp, has_base && mod == 1 ? 1 : 4);
}

/* What a manual's "undefined" covers; count is that of a shift, masked. */
static uint32_t undefined_flags(const struct host_case *c, unsigned count)
{
    unsigned bits = c->size_bytes * 8;
    uint32_t overflow = count == 1 ? 0 : OF;
    switch (c->form->undefined) {
    case HOST_UNDEFINED_LOGIC: /* SDM 2A AND; 2B OR; 2D TEST, XOR */
        return AF;
    case HOST_UNDEFINED_SHIFT: /* SDM 2B SAL/SAR/SHL/SHR */
        return count ? AF | overflow | (count >= bits ? CF : 0) : 0;
    case HOST_UNDEFINED_SAR:
        return count ? AF | overflow : 0;
    case HOST_UNDEFINED_ROTATE: /* SDM 2B RCL/RCR/ROL/ROR */
        return count ? overflow : 0;
    case HOST_UNDEFINED_SHIFT_DOUBLE: /* SDM 2B SHLD, SHRD */
        return count ? AF | overflow : 0;
    case HOST_UNDEFINED_BIT: /* SDM 2A BT */
        return OF | SF | AF | PF;
    case HOST_UNDEFINED_SCAN: /* SDM 2A BSF, BSR */
        return CF | OF | SF | AF | PF;
    case HOST_UNDEFINED_MULTIPLY: /* SDM 2A IMUL; 2B MUL */
        return SF | ZF | AF | PF;
    case HOST_UNDEFINED_DIVIDE: /* SDM 2A DIV, IDIV */
        return CF | OF | SF | ZF | AF | PF;
    default:
        return 0;
    }
}

/* The registers that give an opcode's operands their interesting values. */
static void bias_registers(struct host_case *c, struct random *r)
{
    const struct host_form *form = c->form;
    if (form->undefined == HOST_UNDEFINED_DIVIDE && !one_in(r, 4)) /* quotients that fit */
        c->gpr[DX] = one_in(r, 2) ? below(r, 4) : (uint32_t)((int32_t)c->gpr[AX] >> 31);
    if (form->encoding == HOST_JUMP && one_in(r, 2))
        c->gpr[CX] = below(r, 3);
}

/* The value that CMPXCHG compares, so that it often is the accumulator's. */
static void match_accumulator(struct host_case *c, struct random *r, uint32_t target, const uint8_t *data)
{
    uint64_t found = 0;
    bool is_exchange = c->form->map == 1 && (c->form->opcode == 0xB0 || c->form->opcode == 0xB1);
    bool is_pair = c->form->map == 1 && c->form->opcode == 0xC7;
    if ((!is_exchange && !is_pair) || one_in(r, 2))
        return;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t at = target + i;
        if (at - c->window_at < HOST_WINDOW_BYTES)
            found |= (uint64_t)c->window[at - c->window_at] << i * 8;
        else if (at - HOST_DATA < HOST_DATA_BYTES)
            found |= (uint64_t)data[at - HOST_DATA] << i * 8;
    }
    c->gpr[AX] = (uint32_t)found;
    if (is_pair)
        c->gpr[DX] = (uint32_t)(found >> 32);
}

static void make_window(struct host_case *c, struct random *r, uint32_t target)
{
    uint32_t at = target - HOST_WINDOW_BYTES / 2;
    if (at - HOST_DATA >= HOST_DATA_BYTES)
        at = HOST_DATA;
    if (at - HOST_DATA > HOST_DATA_BYTES - HOST_WINDOW_BYTES)
        at = HOST_DATA + HOST_DATA_BYTES - HOST_WINDOW_BYTES;
    c->window_at = at;
    bool is_uniform = one_in(r, 4); /* long runs of equal elements, for REPE */
    uint32_t same = value(r);
    for (unsigned i = 0; i < HOST_WINDOW_BYTES; i += 4) {
        uint32_t v = is_uniform && !one_in(r, 8) ? same : value(r);
        memcpy(c->window + i, &v, 4);
    }
}

static void make_string(struct host_case *c, struct random *r, uint32_t target)
{
    static const uint8_t prefixes[] = {0, 0xF2, 0xF3, 0xF3};
    uint8_t prefix = prefixes[below(r, sizeof prefixes)];
    uint32_t near = target + below(r, 65) - 32;
    c->gpr[SI] = target;
    c->gpr[DI] = one_in(r, 2) ? near : data_address(r);
    c->gpr[CX] = one_in(r, 8) ? below(r, 3000) : below(r, 24);
    if (prefix)
        put(c, prefix);
}

static unsigned shift_count(const struct host_case *c, uint32_t immediate)
{
    uint8_t opcode = c->form->opcode;
    if (c->form->immediate == HOST_IB)
        return immediate & 31;
    bool is_by_one = c->form->map == 0 && (opcode == 0xD0 || opcode == 0xD1);
    return is_by_one ? 1 : c->gpr[CX] & 31;
}

void host_make_case(struct host_case *c, uint64_t seed, uint64_t number, const uint8_t data[HOST_DATA_BYTES])
{
    struct random r = {seed * 0x100000001b3 + number * 0x9e3779b97f4a7c15};
    const struct host_form *form = &host_forms[number % host_nr_forms];
    uint32_t target = data_address(&r), immediate = value(&r);
    bool is_word = form->size == HOST_SIZE_W || (form->size == HOST_SIZE_V && one_in(&r, 3));
    unsigned digit = form->digit == HOST_DIGIT_ANY ? below(&r, 8) : form->digit;
    *c = (struct host_case){.form = form, .flags = (uint32_t)next(&r) & HOST_FLAGS};
    c->size_bytes = form->size == HOST_SIZE_B ? 1 : is_word ? 2 : 4;
    for (unsigned i = 0; i < 8; i++)
        c->gpr[i] = value(&r);
    bias_registers(c, &r);
    make_window(c, &r, target);
    match_accumulator(c, &r, target, data);

    if (is_word)
        put(c, 0x66);
    if (form->encoding == HOST_STRING)
        make_string(c, &r, target);
    bool is_memory = form->encoding == HOST_MEM || (form->encoding == HOST_RM && one_in(&r, 2));
    if ((form->encoding == HOST_RM || form->encoding == HOST_MEM) && one_in(&r, is_memory ? 16 : 64))
        put(c, 0xF0);
    if (form->map == 1)
        put(c, 0x0F);
    put(c, (uint8_t)(form->opcode + (form->encoding == HOST_PLUS ? below(&r, 8) : 0)));
    if (is_memory && form->undefined == HOST_UNDEFINED_BIT && form->digit == HOST_DIGIT_ANY && one_in(&r, 2))
        c->gpr[digit] = below(&r, HOST_DATA_BYTES * 16) - HOST_DATA_BYTES * 8;
    if (is_memory)
        put_memory(c, &r, digit, target);
    else if (form->encoding == HOST_RM || form->encoding == HOST_REG)
        put(c, (uint8_t)(0xC0 | digit << 3 | below(&r, 8)));
    else if (form->encoding == HOST_MOFFS)
        put_value(c, target, 4);
    else if (form->encoding == HOST_JUMP)
        put(c, HOST_JUMP_BYTES);
    else if (form->encoding == HOST_XLAT)
        c->gpr[BX] = target - (c->gpr[AX] & 0xff);
    if (form->immediate != HOST_NO)
        put_value(c, immediate, form->immediate == HOST_IB ? 1 : c->size_bytes);

    /* In the shortest slices a core might get stuck. */
    if (one_in(&r, form->encoding == HOST_STRING ? 2 : 8))
        c->slice_cycles = 1 + below(&r, one_in(&r, 2) ? 3 : 40);
    bool is_cold = one_in(&r, 4);
    c->code_offset = one_in(&r, 4) ? 0x1000 - below(&r, HOST_MAX_LENGTH + 1) : below(&r, 64);
    c->touched[0] = is_cold ? data_address(&r) : form->encoding == HOST_STRING ? c->gpr[SI] : target;
    c->touched[1] = is_cold ? data_address(&r) : form->encoding == HOST_STRING ? c->gpr[DI] : target;
    unsigned count = shift_count(c, immediate);
    c->undefined_flags = undefined_flags(c, count);
    c->is_undefined = form->undefined == HOST_UNDEFINED_SHIFT_DOUBLE && count > c->size_bytes * 8;
}
