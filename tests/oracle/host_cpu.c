/*
 * Oracle: our integer executors against the CPU this runs on (x86-64), which is as far from our code as can
 * be. Each case is one instruction with random registers, flags and memory; registers, flags that the manual
 * defines, memory, exceptions and page-fault addresses must agree, in all three models.
 */
#include <string.h>

#include "tests/oracle/host.h"

enum host_encoding {
    HOST_RM,
    HOST_REG,
    HOST_MEM,
    HOST_PLAIN,
    HOST_PLUS,
    HOST_MOFFS,
    HOST_STRING,
    HOST_JUMP,
    HOST_XLAT,
};
enum host_size { HOST_SIZE_B, HOST_SIZE_V, HOST_SIZE_D, HOST_SIZE_W };
enum host_immediate { HOST_NO, HOST_IB, HOST_IZ };
enum host_undefined {
    HOST_UNDEFINED_NONE,
    HOST_UNDEFINED_LOGIC,
    HOST_UNDEFINED_SHIFT,
    HOST_UNDEFINED_SAR,
    HOST_UNDEFINED_ROTATE,
    HOST_UNDEFINED_SHIFT_DOUBLE,
    HOST_UNDEFINED_BIT,
    HOST_UNDEFINED_SCAN,
    HOST_UNDEFINED_MULTIPLY,
    HOST_UNDEFINED_DIVIDE,
    HOST_UNDEFINED_COMPARE_STRING,
};

struct host_form {
    const char *name;
    uint8_t map, opcode, encoding, digit, size, immediate, undefined;
};

enum { HOST_DIGIT_ANY = 8 };

static const struct host_form forms[] = {
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

enum { NR_INTEGER_FORMS = sizeof forms / sizeof *forms };

/* A case in the making. */
struct making {
    struct host_case *c;
    const struct host_form *form;
    unsigned size_bytes; /* of the operation */
};

enum { AX, CX, DX, BX, SP, BP, SI, DI };
enum { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, DF = 0x400, OF = 0x800 };

/*
 * ModRM, SIB and displacement, and the registers so that they give `target`.
 */
static void put_memory(struct host_case *c, struct host_random *r, unsigned reg, uint32_t target)
{
    unsigned base = host_below(r, 8), index = host_below(r, 8), scale = host_below(r, 4),
             mod = host_below(r, 3);
    bool has_sib = base == SP || host_one_in(r, 3), has_index = has_sib && index != SP;
    bool has_base = !has_sib || !host_one_in(r, 4);
    if (!has_base || (mod == 0 && base == BP))
        mod = has_base ? 1 : 0;
    if (has_index && has_base && index == base)
        has_index = false;
    uint32_t disp = mod == 1 ? (uint32_t)(int8_t)host_next(r) : mod == 2 ? (uint32_t)host_value(r) : 0;
    uint32_t scaled = has_index ? (uint32_t)c->gpr[index] << scale : 0;
    if (!has_base)
        disp = target - scaled;
    else
        c->gpr[base] = target - scaled - disp;
    host_put(c, mod << 6 | reg << 3 | (has_sib ? 4 : base), 1);
    if (has_sib)
        host_put(c, scale << 6 | (has_index ? index : SP) << 3 | (has_base ? base : BP), 1);
    if (!has_base || mod)
        host_put(c, disp, has_base && mod == 1 ? 1 : 4);
}

/* What a manual's "undefined" covers; count is that of a shift, masked. */
static uint32_t undefined_flags(const struct making *m, unsigned count)
{
    unsigned bits = m->size_bytes * 8;
    uint32_t overflow = count == 1 ? 0 : OF;
    switch (m->form->undefined) {
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
static void bias_registers(struct host_case *c, struct host_random *r, const struct host_form *form)
{
    if (form->undefined == HOST_UNDEFINED_DIVIDE && !host_one_in(r, 4)) /* quotients that fit */
        c->gpr[DX] = host_one_in(r, 2) ? host_below(r, 4) : (uint32_t)((int32_t)c->gpr[AX] >> 31);
    if (form->encoding == HOST_JUMP && host_one_in(r, 2))
        c->gpr[CX] = host_below(r, 3);
}

/* The value that CMPXCHG compares, so that it often is the accumulator's. */
static void match_accumulator(struct host_case *c, struct host_random *r, const struct host_form *form,
                              uint32_t offset, const uint8_t *data)
{
    uint64_t found = 0;
    bool is_exchange = form->map == 1 && (form->opcode == 0xB0 || form->opcode == 0xB1);
    bool is_pair = form->map == 1 && form->opcode == 0xC7;
    if ((!is_exchange && !is_pair) || host_one_in(r, 2))
        return;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t at = offset + i;
        if (at - c->window[0].at < HOST_WINDOW_BYTES)
            found |= (uint64_t)c->window[0].bytes[at - c->window[0].at] << i * 8;
        else if (at < HOST_DATA_BYTES)
            found |= (uint64_t)data[at] << i * 8;
    }
    c->gpr[AX] = (uint32_t)found;
    if (is_pair)
        c->gpr[DX] = (uint32_t)(found >> 32);
}

static void make_string(struct host_case *c, struct host_random *r, const uint32_t offsets[2])
{
    static const uint8_t prefixes[] = {0, 0xF2, 0xF3, 0xF3};
    uint8_t prefix = prefixes[host_below(r, sizeof prefixes)];
    c->gpr[SI] = HOST_DATA + offsets[0];
    c->gpr[DI] = HOST_DATA + offsets[1];
    c->gpr[CX] = host_one_in(r, 8) ? host_below(r, 3000) : host_below(r, 24);
    if (host_one_in(r, 2))
        c->slice_cycles = 1 + host_below(r, host_one_in(r, 2) ? 3 : 40);
    if (prefix)
        host_put(c, prefix, 1);
}

static unsigned shift_count(const struct host_case *c, const struct host_form *form, uint32_t immediate)
{
    uint8_t opcode = form->opcode;
    if (form->immediate == HOST_IB)
        return immediate & 31;
    bool is_by_one = form->map == 0 && (opcode == 0xD0 || opcode == 0xD1);
    return is_by_one ? 1 : c->gpr[CX] & 31;
}

static void put_operands(struct making *m, struct host_random *r, uint32_t target)
{
    struct host_case *c = m->c;
    const struct host_form *form = m->form;
    unsigned digit = form->digit == HOST_DIGIT_ANY ? host_below(r, 8) : form->digit;
    bool is_memory = form->encoding == HOST_MEM || (form->encoding == HOST_RM && host_one_in(r, 2));
    if ((form->encoding == HOST_RM || form->encoding == HOST_MEM) && host_one_in(r, is_memory ? 16 : 64))
        host_put(c, 0xF0, 1);
    if (form->map == 1)
        host_put(c, 0x0F, 1);
    host_put(c, form->opcode + (form->encoding == HOST_PLUS ? host_below(r, 8) : 0), 1);
    if (is_memory && form->undefined == HOST_UNDEFINED_BIT && form->digit == HOST_DIGIT_ANY &&
        host_one_in(r, 2))
        c->gpr[digit] = host_below(r, HOST_DATA_BYTES * 16) - HOST_DATA_BYTES * 8;
    if (is_memory)
        put_memory(c, r, digit, target);
    else if (form->encoding == HOST_RM || form->encoding == HOST_REG)
        host_put(c, 0xC0 | digit << 3 | host_below(r, 8), 1);
    else if (form->encoding == HOST_MOFFS)
        host_put(c, target, 4);
    else if (form->encoding == HOST_JUMP)
        host_put(c, HOST_JUMP_BYTES, 1);
    else if (form->encoding == HOST_XLAT)
        c->gpr[BX] = (uint32_t)(target - (c->gpr[AX] & 0xff));
}

static void make(struct host_case *c, uint64_t seed, uint64_t number, const uint8_t data[HOST_DATA_BYTES])
{
    struct host_random r = host_random(seed, number);
    const struct host_form *form = &forms[number % NR_INTEGER_FORMS];
    uint32_t offset = host_data_offset(&r), near = offset + host_below(&r, 65) - 32;
    uint32_t offsets[2] = {offset, host_one_in(&r, 2) ? near : host_data_offset(&r)};
    bool is_word = form->size == HOST_SIZE_W || (form->size == HOST_SIZE_V && host_one_in(&r, 3));
    struct making m = {c, form, form->size == HOST_SIZE_B ? 1 : is_word ? 2 : 4};
    host_case_init(c, &r, DEC_32, offsets);
    if (host_one_in(&r, 32))
        host_fx_init(c, &r);
    c->form = (unsigned)(number % NR_INTEGER_FORMS);
    bias_registers(c, &r, form);
    match_accumulator(c, &r, form, offset, data);

    if (is_word)
        host_put(c, 0x66, 1);
    if (form->encoding == HOST_STRING)
        make_string(c, &r, offsets);
    put_operands(&m, &r, HOST_DATA + offset);
    uint32_t immediate = (uint32_t)host_value(&r);
    if (form->immediate != HOST_NO)
        host_put(c, immediate, form->immediate == HOST_IB ? 1 : m.size_bytes);
    unsigned count = shift_count(c, form, immediate);
    c->undefined_flags = undefined_flags(&m, count);
    c->is_undefined = form->undefined == HOST_UNDEFINED_SHIFT_DOUBLE && count > m.size_bytes * 8;
    c->is_cr2_undefined = form->encoding == HOST_STRING && (form->opcode & ~1) == 0xA6;
    c->is_fault_open = form->undefined == HOST_UNDEFINED_COMPARE_STRING;
}

static const char *form_name(unsigned form)
{
    return forms[form].name;
}

int main(int argc, char **argv)
{
    static const struct host_generator generator = {
        .program = "host_cpu",
        .default_cases = 200000,
        .nr_forms = NR_INTEGER_FORMS,
        .form_name = form_name,
        .make = make,
    };
    return host_main(argc, argv, &generator);
}
