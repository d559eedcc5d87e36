/*
 * Code of a form with everything about it random that does not change what form it is, and registers that
 * make its address point where it should.
 */
#include <string.h>

#include "tests/oracle/host_forms.h"

enum { SP = 4, BP = 5, MAX_IMMEDIATE = 8 };

static const struct host_encoding *pick_encoding(struct host_random *r, const struct host_forms *forms,
                                                 const struct host_form *form)
{
    const struct host_encoding *best = NULL;
    /* Repeat prefixes mean nothing to most instructions: fewer of them. */
    unsigned nr_tries = form->flags & DEC_FLAG_STRING ? 1 : 1 + host_below(r, 4);
    while (nr_tries-- > 0) {
        unsigned skip = host_below(r, form->nr_encodings), at = form->first;
        while (skip-- > 0)
            at = forms->encoding[at].next;
        const struct host_encoding *e = &forms->encoding[at];
        if (!best || (e->prefixes & ~HOST_PREFIX_66) < (best->prefixes & ~HOST_PREFIX_66))
            best = e;
    }
    return best;
}

/* Prefixes in random order; those of the encoding, and some that any instruction may have. */
static void put_prefixes(struct host_case *c, struct host_random *r, const struct host_encoding *e)
{
    static const uint8_t overrides[] = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x64, 0x65};
    uint8_t prefixes[8];
    unsigned nr = 0;
    if (e->prefixes & HOST_PREFIX_66)
        prefixes[nr++] = 0x66;
    if (e->prefixes & HOST_PREFIX_F3)
        prefixes[nr++] = 0xF3;
    if (e->prefixes & HOST_PREFIX_F2)
        prefixes[nr++] = 0xF2;
    if (host_one_in(r, 10))
        prefixes[nr++] = 0x67;
    if (host_one_in(r, 5))
        prefixes[nr++] = overrides[host_below(r, sizeof overrides)];
    if (host_one_in(r, 24))
        prefixes[nr++] = 0xF0;
    for (unsigned i = nr; i > 0; i--) {
        unsigned other = host_below(r, i);
        uint8_t last = prefixes[other];
        prefixes[other] = prefixes[i - 1];
        host_put(c, last, 1);
    }
    if (c->mode != DEC_64)
        return;
    unsigned rex = 0x40 | (e->has_rex_w ? 8u : 0u) | (host_one_in(r, 4) ? 0u : host_below(r, 8));
    if (rex != 0x40 || host_one_in(r, 4))
        host_put(c, rex, 1);
}

static void put_opcode(struct host_case *c, const struct host_encoding *e)
{
    if (e->map != DEC_MAP_1BYTE)
        host_put(c, 0x0F, 1);
    if (e->map == DEC_MAP_0F38 || e->map == DEC_MAP_0F3A)
        host_put(c, e->map == DEC_MAP_0F38 ? 0x38 : 0x3A, 1);
    host_put(c, e->opcode, 1);
}

static unsigned address_size(const struct host_case *c)
{
    bool has_prefix = false;
    for (unsigned i = 0; i < c->length; i++) /* called behind the prefixes */
        has_prefix |= c->bytes[i] == 0x67;
    if (c->mode == DEC_64)
        return has_prefix ? 4 : 8;
    return (c->mode == DEC_16) != has_prefix ? 2 : 4;
}

/* A displacement of so many bytes; small or edgy ones. */
static void put_disp(struct host_case *c, struct host_random *r, struct host_code *code, unsigned nr_bytes)
{
    code->disp_at = c->length;
    code->disp_bytes = nr_bytes;
    host_put(c, host_value(r), nr_bytes);
}

static void put_memory(struct host_case *c, struct host_random *r, struct host_code *code, unsigned reg,
                       unsigned address_bytes)
{
    unsigned mod = host_below(r, 3), rm = host_below(r, 8);
    host_put(c, mod << 6 | reg << 3 | rm, 1);
    if (address_bytes == 2) {
        bool is_absolute = mod == 0 && rm == 6;
        if (mod || is_absolute)
            put_disp(c, r, code, mod == 1 ? 1 : 2);
        return;
    }
    bool has_no_base = mod == 0 && rm == BP; /* absolute, or relative to RIP */
    if (rm == SP) {
        unsigned base = host_below(r, 8), index = host_below(r, 8);
        host_put(c, host_below(r, 4) << 6 | index << 3 | base, 1);
        has_no_base = mod == 0 && base == BP;
    }
    if (mod || has_no_base)
        put_disp(c, r, code, mod == 1 ? 1 : 4);
}

static void put_modrm(struct host_case *c, struct host_random *r, struct host_code *code,
                      const struct host_encoding *e, unsigned address_bytes)
{
    bool is_memory = e->memory_regs && (!e->register_bits || host_one_in(r, 2));
    unsigned bit = host_below(r, is_memory ? 8 : 64);
    uint64_t bits = is_memory ? e->memory_regs : e->register_bits;
    while (!(bits >> bit & 1))
        bit = (bit + 1) % (is_memory ? 8 : 64);
    if (is_memory)
        put_memory(c, r, code, bit, address_bytes);
    else
        host_put(c, 0xC0 | bit, 1);
}

static bool decode(struct host_case *c, struct host_code *code, unsigned nr_bytes)
{
    return dec_decode(c->bytes, nr_bytes, c->mode, &code->insn) == DEC_OK;
}

static bool is_form(const struct host_form *form, const struct dec_insn *insn)
{
    if (insn->op != form->op || insn->nr_operands != form->nr_operands)
        return false;
    for (unsigned i = 0; i < insn->nr_operands; i++)
        if (insn->operand[i].kind != form->operand[i].kind ||
            insn->operand[i].size_bytes != form->operand[i].size_bytes)
            return false;
    return true;
}

bool host_write_code(struct host_case *c, struct host_random *r, const struct host_forms *forms,
                     const struct host_form *form, struct host_code *code)
{
    const struct host_encoding *e = pick_encoding(r, forms, form);
    *code = (struct host_code){0};
    c->length = 0;
    put_prefixes(c, r, e);
    unsigned address_bytes = address_size(c);
    put_opcode(c, e);
    if (e->has_modrm)
        put_modrm(c, r, code, e, address_bytes);
    unsigned nr_known = c->length;
    while (c->length < HOST_MAX_LENGTH && c->length < nr_known + MAX_IMMEDIATE + 2)
        host_put(c, host_value(r), 1);
    if (!decode(c, code, c->length) || !is_form(form, &code->insn))
        return false;
    c->length = code->insn.length;
    if (!e->has_modrm && code->insn.base == DEC_NO_REG &&
        c->length > nr_known) { /* an address without ModRM */
        code->disp_at = nr_known;
        code->disp_bytes = code->insn.address_size;
    }
    return true;
}

void host_set_address(struct host_case *c, unsigned reg, unsigned address_bytes, uint64_t value)
{
    uint64_t mask = address_bytes == 8 ? UINT64_MAX : (1ull << address_bytes * 8) - 1;
    c->gpr[reg] = (c->gpr[reg] & ~mask) | (value & mask);
    if (c->mode != DEC_64)
        c->gpr[reg] &= UINT32_MAX;
}

uint64_t host_segment_base(const struct host_case *c, unsigned seg)
{
    if (c->mode == DEC_64)
        return seg == DEC_SEG_FS ? c->fs_base : seg == DEC_SEG_GS ? c->gs_base : 0;
    uint16_t selector = seg != DEC_SEG_CS   ? c->selector[seg]
                        : c->mode == DEC_16 ? (uint16_t)HOST_CODE16
                                            : (uint16_t)HOST_CODE32;
    switch (selector) {
    case HOST_CODE16:
        return HOST_CODE;
    case HOST_WINDOWED:
        return HOST_DATA + 0x100;
    case HOST_DATA16:
    case HOST_DOWNWARD:
    case HOST_UNWRITABLE:
        return HOST_DATA;
    default:
        return 0;
    }
}

static uint64_t address_mask(const struct host_code *code)
{
    return code->insn.address_size == 8 ? UINT64_MAX : (1ull << code->insn.address_size * 8) - 1;
}

static uint64_t effective_address(const struct host_case *c, const struct host_code *code)
{
    const struct dec_insn *insn = &code->insn;
    uint64_t at = (uint64_t)insn->disp;
    if (insn->base == DEC_REG_RIP)
        at += HOST_CODE + c->code_offset + c->length;
    else if (insn->base != DEC_NO_REG)
        at += c->gpr[insn->base];
    if (insn->index != DEC_NO_REG)
        at += c->gpr[insn->index] << insn->scale;
    return at & address_mask(code);
}

uint64_t host_operand_linear(const struct host_case *c, const struct host_code *code)
{
    uint64_t linear = host_segment_base(c, code->insn.seg) + effective_address(c, code);
    return c->mode == DEC_64 ? linear : linear & UINT32_MAX;
}

bool host_aim(struct host_case *c, struct host_code *code, uint64_t linear)
{
    const struct dec_insn *insn = &code->insn;
    uint64_t wanted = linear - host_segment_base(c, insn->seg);
    bool has_base = insn->base != DEC_NO_REG && insn->base != DEC_REG_RIP;
    uint64_t missing = wanted - effective_address(c, code);
    if (has_base && insn->base != insn->index) {
        host_set_address(c, insn->base, insn->address_size, c->gpr[insn->base] + missing);
    } else if (has_base) { /* twice the same register: as near as can be */
        uint64_t times = 1 + (1u << insn->scale);
        uint64_t value = ((wanted - (uint64_t)insn->disp) & address_mask(code)) / times;
        host_set_address(c, insn->base, insn->address_size, value);
        return true;
    } else if (code->disp_bytes >= 2) {
        uint64_t disp = (uint64_t)insn->disp + missing;
        memcpy(c->bytes + code->disp_at, &disp, code->disp_bytes);
        if (!decode(c, code, c->length))
            return false;
    }
    return ((effective_address(c, code) ^ wanted) & address_mask(code)) == 0;
}
