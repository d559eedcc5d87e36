/*
 * Operands by instruction. The memory that a case can reach must be the data, code that is not there, or an
 * address that faults for sure: it runs in a living process.
 */
#include <string.h>

#include "tests/oracle/host_values.h"

enum { AX, CX, DX, BX, SP, BP, SI, DI };
enum { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, TF = 0x100, NT = 0x4000, OF = 0x800, AC = 0x40000 };

/* A case in the making. place[]: where the two windows' middles lie, linear. */
struct making {
    struct host_case *c;
    struct host_random *r;
    const struct host_form *form;
    struct host_code code;
    uint64_t place[2];
    const uint32_t *offsets;
    const uint8_t *data;
};

static unsigned operand_size(const struct making *m)
{
    const struct dec_insn *insn = &m->code.insn;
    return insn->nr_operands && insn->operand[0].size_bytes ? insn->operand[0].size_bytes
                                                            : insn->operand_size;
}

static const struct dec_operand *memory_operand(const struct making *m)
{
    for (unsigned i = 0; i < m->code.insn.nr_operands; i++)
        if (m->code.insn.operand[i].kind == DEC_OPERAND_MEM)
            return &m->code.insn.operand[i];
    return NULL;
}

static uint64_t fit(const struct host_case *c, uint64_t value)
{
    return c->mode == DEC_64 ? value : value & UINT32_MAX;
}

/* Puts a value into the bytes that are set before the case; outside the windows it stays what it was. */
static void poke(struct host_case *c, uint64_t linear, uint64_t value, unsigned nr_bytes)
{
    for (unsigned i = 0; i < nr_bytes; i++)
        for (unsigned w = HOST_WINDOWS; w-- > 0;) {
            uint64_t at = linear + i - HOST_DATA;
            if (at - (HOST_HIGH - HOST_DATA) < HOST_DATA_BYTES)
                at -= HOST_HIGH - HOST_DATA;
            if (at - c->window[w].at < c->window[w].nr_bytes) {
                c->window[w].bytes[at - c->window[w].at] = (uint8_t)(value >> i * 8);
                w = 0;
            }
        }
}

/* What the case will read there, as far as it is data. */
static uint64_t peek(const struct making *m, uint64_t linear, unsigned nr_bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < nr_bytes; i++) {
        uint64_t at = linear + i - HOST_DATA, byte = 0;
        if (at - (HOST_HIGH - HOST_DATA) < HOST_DATA_BYTES)
            at -= HOST_HIGH - HOST_DATA;
        if (at < HOST_DATA_BYTES)
            byte = m->data[at];
        for (unsigned w = 0; w < HOST_WINDOWS; w++)
            if (at - m->c->window[w].at < m->c->window[w].nr_bytes)
                byte = m->c->window[w].bytes[at - m->c->window[w].at];
        value |= byte << i * 8;
    }
    return value;
}

/* Whether all these bytes can be read. */
static bool is_readable(uint64_t linear, unsigned nr_bytes)
{
    for (unsigned i = 0; i < nr_bytes; i++) {
        uint64_t at = linear + i - HOST_DATA;
        if (at - (HOST_HIGH - HOST_DATA) < HOST_DATA_BYTES)
            at -= HOST_HIGH - HOST_DATA;
        if (at >= HOST_DATA_BYTES || at / HOST_PAGE_BYTES == HOST_ABSENT_PAGE)
            return false;
    }
    return true;
}

/* The instruction pointer where a taken jump arrives; now and then where nothing is. */
static uint64_t destination(struct making *m)
{
    const struct host_case *c = m->c;
    uint64_t base = c->mode == DEC_16 ? 0 : HOST_CODE;
    uint64_t taken = base + c->code_offset + c->length + HOST_JUMP_BYTES;
    if (!host_one_in(m->r, 24))
        return taken;
    if (c->mode == DEC_64 && host_one_in(m->r, 2))
        return taken ^ 1ull << (47 + host_below(m->r, 17)); /* not canonical, or the kernel's */
    return base + HOST_CODE_BYTES + host_below(m->r, 64);
}

static uint16_t selector(struct host_random *r)
{
    static const uint16_t selectors[] = {0,
                                         3,
                                         HOST_DATA32,
                                         HOST_DATA32,
                                         HOST_CODE32,
                                         HOST_CODE64,
                                         HOST_CODE16,
                                         HOST_DATA16,
                                         HOST_WINDOWED,
                                         HOST_DOWNWARD,
                                         HOST_UNWRITABLE,
                                         HOST_DATA32 & ~3,
                                         HOST_DATA32 & ~2,
                                         HOST_WINDOWED & ~1,
                                         0x1003,
                                         0x37,
                                         0xffff};
    return selectors[host_below(r, sizeof selectors / sizeof *selectors)];
}

/* Where the stack pointer starts: the second window. */
static void make_stack(struct making *m)
{
    struct host_case *c = m->c;
    uint64_t sp = m->place[1] - host_segment_base(c, DEC_SEG_SS);
    c->gpr[SP] = fit(c, sp);
}

static void poke_stack(struct making *m, unsigned index, uint64_t value, unsigned nr_bytes)
{
    poke(m->c, m->place[1] + index * nr_bytes, value, nr_bytes);
}

/*
 * Intel's move more than an element at a time where the linear addresses lie apart, also if what is behind
 * them overlaps (SDM 1 7.3.9.3).
 */
static bool is_move_onto_itself(const struct making *m, uint64_t count)
{
    uint64_t nr_bytes = count * operand_size(m), far = HOST_HIGH - HOST_DATA;
    bool is_alias = (m->place[0] ^ m->place[1]) >> 32;
    uint64_t behind = m->place[1] - m->place[0] + (m->place[0] >> 32 ? far : -far);
    return m->form->op == DEC_MOVS && is_alias && (behind < nr_bytes || -behind < nr_bytes);
}

static void make_string(struct making *m)
{
    struct host_case *c = m->c;
    const struct dec_insn *insn = &m->code.insn;
    uint64_t count = host_one_in(m->r, 8) ? host_below(m->r, 3000) : host_below(m->r, 24);
    host_set_address(c, SI, insn->address_size, m->place[0] - host_segment_base(c, insn->seg));
    host_set_address(c, DI, insn->address_size, m->place[1] - host_segment_base(c, DEC_SEG_ES));
    host_set_address(c, CX, insn->address_size, count);
    if (host_one_in(m->r, 2))
        c->slice_cycles = 1 + host_below(m->r, host_one_in(m->r, 2) ? 3 : 40);
    c->is_cr2_undefined = insn->op == DEC_CMPS;
    c->is_fault_open = insn->op == DEC_CMPS || insn->op == DEC_SCAS;
    c->is_memory_undefined |= is_move_onto_itself(m, count);
    bool is_narrow = c->mode == DEC_64 && insn->address_size == 4; /* Intel's clear what they might write */
    c->gpr_high_open_in_fault = is_narrow ? 1u << SI | 1u << DI | 1u << CX : 0;
    if (is_narrow && count == 0)
        c->undefined_gpr |= 1u << CX;
}

/* Quotients that fit. */
static void make_division(struct making *m)
{
    struct host_case *c = m->c;
    unsigned bits = operand_size(m) * 8;
    if (host_one_in(m->r, 4))
        return;
    uint64_t sign = (uint64_t)((int64_t)(c->gpr[AX] << (64 - bits)) >> 63);
    uint64_t high = host_one_in(m->r, 2) ? host_below(m->r, 4) : sign;
    if (bits == 8)
        c->gpr[AX] = (c->gpr[AX] & ~0xff00ull) | (high & 0xff) << 8;
    else
        c->gpr[DX] = fit(c, high);
}

/* The accumulator that CMPXCHG compares is often what it finds. */
static void make_exchange(struct making *m)
{
    struct host_case *c = m->c;
    const struct dec_operand *to = &m->code.insn.operand[0];
    if (host_one_in(m->r, 2))
        return;
    if (to->kind == DEC_OPERAND_GPR) {
        c->gpr[AX] = c->gpr[to->reg];
        return;
    }
    uint64_t at = m->place[0];
    bool is_pair = m->form->op == DEC_CMPXCHG8B || m->form->op == DEC_CMPXCHG16B;
    unsigned half = to->size_bytes / 2;
    c->gpr[AX] = fit(c, peek(m, at, is_pair ? half : to->size_bytes));
    if (is_pair)
        c->gpr[DX] = fit(c, peek(m, at + half, half));
}

/* A bit offset that stays in the data. */
static void make_bit_offset(struct making *m)
{
    const struct dec_insn *insn = &m->code.insn;
    if (insn->operand[0].kind != DEC_OPERAND_MEM || insn->operand[1].kind != DEC_OPERAND_GPR)
        return;
    int64_t offset = (int64_t)host_below(m->r, HOST_DATA_BYTES * 4) - HOST_DATA_BYTES * 2;
    host_set_address(m->c, insn->operand[1].reg, insn->operand[1].size_bytes, (uint64_t)offset);
}

static void make_frame(struct making *m)
{
    struct host_case *c = m->c;
    unsigned nr_bytes = host_below(m->r, 40), level = host_one_in(m->r, 2) ? 0 : host_below(m->r, 6);
    c->bytes[c->length - 3] = (uint8_t)nr_bytes;
    c->bytes[c->length - 2] = 0;
    c->bytes[c->length - 1] = (uint8_t)(level | (host_one_in(m->r, 4) ? 0xe0 : 0));
    c->gpr[BP] = fit(c, m->place[0] - host_segment_base(c, DEC_SEG_SS));
}

static void make_bounds(struct making *m)
{
    unsigned size = m->code.insn.operand_size;
    uint64_t index = host_one_in(m->r, 2) ? m->c->gpr[m->code.insn.operand[0].reg] : host_value(m->r);
    poke(m->c, m->place[0], index - host_below(m->r, 3), size);
    poke(m->c, m->place[0] + size, index + host_below(m->r, 3) - 1, size);
}

/* A relative branch's distance stands at the end. */
static void make_relative(struct making *m)
{
    struct host_case *c = m->c;
    const struct dec_insn *insn = &m->code.insn;
    uint64_t behind = (c->mode == DEC_16 ? 0 : HOST_CODE) + c->code_offset + c->length;
    bool is_short = insn->map == DEC_MAP_1BYTE && insn->opcode != 0xE8 && insn->opcode != 0xE9;
    unsigned nr_bytes = is_short ? 1 : insn->operand_size == 2 ? 2 : 4;
    uint64_t distance = nr_bytes == 1 ? HOST_JUMP_BYTES : destination(m) - behind;
    if ((uint64_t)((int64_t)(distance << 32) >> 32) != distance)
        distance = HOST_JUMP_BYTES;
    memcpy(c->bytes + c->length - nr_bytes, &distance, nr_bytes);
}

/* A destination in memory. False: the bytes there cannot be set, and would lead anywhere. */
static bool poke_destination(struct making *m, uint64_t at, unsigned nr_bytes)
{
    uint64_t to = destination(m), difference;
    poke(m->c, at, to, nr_bytes);
    difference = to ^ peek(m, at, nr_bytes);
    return difference << (64 - nr_bytes * 8) == 0 || !is_readable(at, nr_bytes);
}

static bool make_branch(struct making *m)
{
    struct host_case *c = m->c;
    const struct dec_insn *insn = &m->code.insn;
    const struct dec_operand *to = &insn->operand[0];
    c->is_vector_open = insn->op == DEC_CALL;          /* AMD looks at the stack before the destination */
    c->is_memory_open_in_fault = insn->op == DEC_CALL; /* Intel's have stored the return address */
    if (insn->nr_operands && to->kind == DEC_OPERAND_REL)
        make_relative(m);
    else if (insn->op == DEC_RET)
        return poke_destination(m, m->place[1], insn->operand_size);
    else if (to->kind == DEC_OPERAND_GPR)
        c->gpr[to->reg] = destination(m);
    else if (to->kind == DEC_OPERAND_MEM)
        return poke_destination(m, m->place[0], to->size_bytes);
    return true;
}

/* False: another selector stands there, which may name one of the host's own segments. */
static bool poke_selector(struct making *m, uint64_t at, uint16_t s)
{
    poke(m->c, at, s, 2);
    return peek(m, at, 2) == s || !is_readable(at, 2);
}

/* Selectors in registers, in memory and on the stack. */
static bool make_selectors(struct making *m)
{
    struct host_case *c = m->c;
    const struct dec_insn *insn = &m->code.insn;
    uint16_t s = selector(m->r);
    c->is_base_undefined = s <= 3; /* Intel clears the base, AMD leaves it (APM3 MOV) */
    for (unsigned i = 0; i < insn->nr_operands; i++) {
        const struct dec_operand *o = &insn->operand[i];
        if (o->kind == DEC_OPERAND_GPR && (insn->op != DEC_MOV || i == 1))
            c->gpr[o->reg] = (c->gpr[o->reg] & ~0xffffull) | s;
        if (o->kind == DEC_OPERAND_MEM && insn->op == DEC_POP)
            continue;
        if (o->kind == DEC_OPERAND_MEM &&
            !poke_selector(m, m->place[0] + (o->size_bytes > 2 ? o->size_bytes - 2u : 0u), s))
            return false;
    }
    return insn->op != DEC_POP || poke_selector(m, m->place[1], s);
}

static bool has_segment_operand(const struct making *m)
{
    const struct dec_insn *insn = &m->code.insn;
    for (unsigned i = 0; i < insn->nr_operands; i++)
        if (insn->operand[i].kind == DEC_OPERAND_SREG)
            return true;
    return false;
}

/* Flags that POPF takes from the stack: no single step, which would end in the frame around the case. */
static bool make_flags(struct making *m)
{
    poke_stack(m, 0, host_next(m->r) & 0xffffffff & ~(uint64_t)TF, m->code.insn.operand_size);
    return !(peek(m, m->place[1], 2) & TF);
}

static bool make_operands(struct making *m)
{
    struct host_case *c = m->c;
    const struct dec_insn *insn = &m->code.insn;
    if (insn->flags & DEC_FLAG_STRING)
        make_string(m);
    if ((insn->flags & DEC_FLAG_BRANCH) && !make_branch(m))
        return false;
    switch (insn->op) {
    case DEC_DIV:
    case DEC_IDIV:
        make_division(m);
        break;
    case DEC_CMPXCHG:
    case DEC_CMPXCHG8B:
    case DEC_CMPXCHG16B:
        make_exchange(m);
        break;
    case DEC_BT:
    case DEC_BTS:
    case DEC_BTR:
    case DEC_BTC:
        make_bit_offset(m);
        break;
    case DEC_LOOP:
    case DEC_LOOPE:
    case DEC_LOOPNE:
    case DEC_JCXZ:
        host_set_address(c, CX, insn->address_size, host_below(m->r, 3));
        break;
    case DEC_ROL:
    case DEC_ROR:
    case DEC_RCL:
    case DEC_RCR:
    case DEC_SHL:
    case DEC_SHR:
    case DEC_SAR:
        if (host_one_in(m->r, 2))
            c->gpr[CX] = host_below(m->r, 70);
        break;
    case DEC_ENTER:
        make_frame(m);
        break;
    case DEC_LEAVE:
        c->gpr[BP] = c->gpr[SP];
        break;
    case DEC_BOUND:
        make_bounds(m);
        break;
    case DEC_POPF:
        return make_flags(m);
    case DEC_LDS:
    case DEC_LES:
    case DEC_LFS:
    case DEC_LGS:
    case DEC_LSS:
    case DEC_LAR:
    case DEC_LSL:
    case DEC_VERR:
    case DEC_VERW:
    case DEC_ARPL:
        return make_selectors(m);
    default:
        return !has_segment_operand(m) || make_selectors(m);
    }
    return true;
}

static bool is_far_pointer(enum dec_op op)
{
    return op >= DEC_LDS && op <= DEC_LSS;
}

/* How far from the memory operand a bit string's bit lies, in bytes. */
static uint64_t bit_distance(const struct making *m)
{
    const struct dec_insn *insn = &m->code.insn;
    bool is_bit = insn->op == DEC_BT || insn->op == DEC_BTS || insn->op == DEC_BTR || insn->op == DEC_BTC;
    if (!is_bit || insn->operand[1].kind != DEC_OPERAND_GPR)
        return 0;
    unsigned bits = insn->operand[1].size_bytes * 8;
    int64_t offset = (int64_t)(m->c->gpr[insn->operand[1].reg] << (64 - bits)) >> (64 - bits);
    return (uint64_t)(offset >> 3);
}

/* Whether base and offset are no addresses but their sum may be one. */
static bool has_base_wrapped(const struct making *m)
{
    const struct dec_insn *insn = &m->code.insn;
    uint64_t base = host_segment_base(m->c, insn->seg), offset = m->place[0] - base + bit_distance(m);
    return base && (int64_t)(offset << 16) >> 16 != (int64_t)offset;
}

/* What a manual's "undefined" covers. */
static uint64_t undefined_flags(const struct making *m, unsigned count)
{
    enum { ALWAYS, COUNTED, MULTIPLE, BEYOND };
    static const struct {
        uint16_t op, flags, rule;
    } rows[] = {
#define UNDEFINED(id, flags, rule) {DEC_##id, flags, rule},
#include "tests/oracle/host_undefined.def"
#undef UNDEFINED
    };
    uint64_t flags = 0;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_due = rows[i].rule == ALWAYS || (rows[i].rule == COUNTED && count > 0) ||
                      (rows[i].rule == MULTIPLE && count > 1) ||
                      (rows[i].rule == BEYOND && count >= operand_size(m) * 8);
        if (rows[i].op == m->form->op && is_due)
            flags |= rows[i].flags;
    }
    return flags;
}

/* The count of a shift, masked. */
static unsigned shift_count(const struct making *m)
{
    const struct dec_insn *insn = &m->code.insn;
    const struct dec_operand *last = &insn->operand[insn->nr_operands ? insn->nr_operands - 1 : 0];
    unsigned mask = operand_size(m) == 8 ? 63 : 31;
    return (unsigned)(last->kind == DEC_OPERAND_IMM ? insn->imm : m->c->gpr[CX]) & mask;
}

static void find_undefined(struct making *m)
{
    struct host_case *c = m->c;
    unsigned count = shift_count(m);
    c->undefined_flags = undefined_flags(m, count);
    bool is_double = m->form->op == DEC_SHLD || m->form->op == DEC_SHRD;
    c->is_fault_undefined |= m->form->op == DEC_MOVSXD && operand_size(m) == 2; /* AMD reads 4 bytes */
    c->is_fault_undefined |= m->form->op == DEC_ARPL;          /* AMD writes only what changes */
    c->gpr_open_in_fault = m->form->op == DEC_POPA ? 0xff : 0; /* AMD has popped some */
    /* Two operands, or one that is read in two parts: which faults first is the processor's choice. */
    c->is_vector_open |= m->form->op == DEC_CMPS || m->form->op == DEC_BOUND || is_far_pointer(m->form->op);
    c->is_undefined = is_double && count > operand_size(m) * 8; /* SDM 2B SHLD */
}

static bool is_in_reach(const struct host_case *c, uint64_t linear)
{
    enum { BELOW = 0x10000, AROUND = 0x40000, LOWEST = 0x10000 };
    if (linear - (HOST_DATA - BELOW) < AROUND || linear < LOWEST)
        return true;
    if (c->mode != DEC_64)
        return false;
    return linear - (HOST_HIGH - BELOW) < AROUND || linear >> 47;
}

/* Whether all that the case may touch may be touched. */
static bool is_safe(const struct making *m)
{
    const struct host_case *c = m->c;
    const struct dec_insn *insn = &m->code.insn;
    const struct dec_operand *memory = memory_operand(m);
    uint64_t linear = memory ? host_operand_linear(c, &m->code) : 0;
    if (memory && !is_in_reach(c, linear))
        return false;
    if (memory && !is_in_reach(c, fit(c, linear + bit_distance(m))))
        return false;
    if (insn->op == DEC_XLAT)
        return is_in_reach(c, fit(c, linear + (c->gpr[AX] & 0xff)));
    if (insn->flags & DEC_FLAG_STRING) { /* the other operand's address size */
        uint64_t mask = insn->address_size == 8 ? UINT64_MAX : (1ull << insn->address_size * 8) - 1;
        return is_in_reach(c, fit(c, host_segment_base(c, insn->seg) + (c->gpr[SI] & mask))) &&
               is_in_reach(c, fit(c, host_segment_base(c, DEC_SEG_ES) + (c->gpr[DI] & mask)));
    }
    return true;
}

static bool uses_stack(enum dec_op op)
{
    switch (op) {
    case DEC_PUSH:
    case DEC_POP:
    case DEC_PUSHA:
    case DEC_POPA:
    case DEC_PUSHF:
    case DEC_POPF:
    case DEC_CALL:
    case DEC_RET:
    case DEC_ENTER:
    case DEC_LEAVE:
        return true;
    default:
        return false;
    }
}

/* Segments that are not flat, where the mode has them. */
static void pick_segments(struct host_case *c, struct host_random *r)
{
    static const uint16_t others[] = {HOST_DATA16, HOST_WINDOWED, HOST_DOWNWARD, HOST_UNWRITABLE, HOST_CODE32,
                                      0,           HOST_DATA16};
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++) {
        bool is_stack = seg == DEC_SEG_SS;
        c->selector[seg] = c->mode == DEC_16 && !is_stack ? HOST_DATA16 : HOST_DATA32;
        if (!is_stack && host_one_in(r, 8))
            c->selector[seg] = others[host_below(r, sizeof others / sizeof *others)];
        if (is_stack && (host_one_in(r, 8) || (c->mode == DEC_16 && !host_one_in(r, 4))))
            c->selector[seg] = HOST_WINDOWED;
    }
}

static void pick_bases(struct host_case *c, struct host_random *r)
{
    static const uint64_t bases[] = {0, HOST_DATA, HOST_HIGH, 0xffff800000000000, 0x7fffffffffff, 0x1000};
    c->fs_base = bases[host_below(r, sizeof bases / sizeof *bases)];
    c->gs_base = host_one_in(r, 2) ? host_next(r) >> 18 : bases[host_below(r, sizeof bases / sizeof *bases)];
}

/* Linear places of the windows; in 64-bit code also the pages' second address, and what is no address. */
static void pick_places(struct making *m)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t offset = m->offsets[i];
        if (host_one_in(m->r, 8)) /* around the ends of the pages */
            offset = host_data_offset(m->r);
        m->place[i] = HOST_DATA + offset;
        if (m->c->mode != DEC_64)
            continue;
        if (host_one_in(m->r, 2))
            m->place[i] += HOST_HIGH - HOST_DATA;
        if (host_one_in(m->r, 64))
            m->place[i] ^= 1ull << (47 + host_below(m->r, 17));
    }
}

static bool has_prefix(const struct host_case *c, uint8_t prefix)
{
    static const uint8_t prefixes[] = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3};
    for (unsigned i = 0; i < c->length && memchr(prefixes, c->bytes[i], sizeof prefixes); i++)
        if (c->bytes[i] == prefix)
            return true;
    return false;
}

/* LOCK where the manual may forbid it. */
static void put_lock(struct host_case *c)
{
    if (c->length == HOST_MAX_LENGTH)
        return;
    memmove(c->bytes + 1, c->bytes, c->length++);
    c->bytes[0] = 0xF0;
}

bool host_fill_in(struct host_case *c, struct host_random *r, const struct host_forms *forms,
                  const struct host_form *form, const uint32_t offsets[2],
                  const uint8_t data[HOST_DATA_BYTES])
{
    struct making m = {.c = c, .r = r, .form = form, .offsets = offsets, .data = data};
    if (!host_write_code(c, r, forms, form, &m.code))
        return false;
    if (c->mode == DEC_64)
        pick_bases(c, r);
    else
        pick_segments(c, r);
    if (m.code.insn.address_size == 2 && m.code.insn.seg != DEC_SEG_CS &&
        c->selector[m.code.insn.seg] == HOST_DATA32)
        c->selector[m.code.insn.seg] = m.code.insn.seg == DEC_SEG_SS ? HOST_WINDOWED : HOST_DATA16;
    pick_places(&m);
    if (uses_stack(form->op))
        make_stack(&m);
    if (!make_operands(&m))
        return false;
    if (memory_operand(&m) && !host_aim(c, &m.code, m.place[0]))
        return false;
    if (form->op == DEC_XLAT)
        host_set_address(c, BX, m.code.insn.address_size, c->gpr[BX] - (c->gpr[AX] & 0xff));
    if (c->mode == DEC_64 && (form->flags & DEC_FLAG_BRANCH) && has_prefix(c, 0x66))
        return false; /* Intel ignores 66h there, AMD does not (opcodes_1byte.def) */
    bool is_loop_by_flag = form->op == DEC_LOOPE || form->op == DEC_LOOPNE;
    if (is_loop_by_flag && (has_prefix(c, 0xF2) || has_prefix(c, 0xF3)))
        return false; /* on AMD the prefix chooses the condition */
    bool is_stacked = form->op == DEC_PUSH || form->op == DEC_POP;
    if (is_stacked && has_segment_operand(&m) && m.code.insn.operand_size > 2)
        c->is_memory_undefined = c->is_fault_undefined = true; /* two bytes, or all (SDM 2B PUSH) */
    if (c->mode == DEC_64 && (form->flags & DEC_FLAG_STRING || memory_operand(&m)) && has_base_wrapped(&m))
        return false; /* AMD wants the offset to be canonical, Intel only the sum */
    if (form->op == DEC_NOP && m.code.insn.opcode == 0x0D)
        return false; /* #UD on AMD: PREFETCHW of a register */
    if (form->op == DEC_INT && (m.code.insn.imm & 0xff) == 0x80)
        return false; /* the host's system calls */
    find_undefined(&m);
    /* On AMD, LOCK MOV CR0 is MOV CR8, and LOCK VERW is VERW. */
    if (host_one_in(r, 100) && form->op != DEC_MOV_CR && form->op != DEC_VERW)
        put_lock(c);
    return is_safe(&m);
}
