#include "cpu/decode.h"

#include <string.h>

#include "cpu/decode_internal.h"

enum { RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7 };

#define REX_W 0x08
#define REX_R 0x04
#define REX_X 0x02
#define REX_B 0x01

/* One decoding under way. The first failure sticks; reads after it give zero. */
struct decoder {
    const uint8_t *bytes;
    uint8_t pos;
    uint8_t nr_readable;
    enum dec_mode mode;
    enum dec_result failure;
    enum dec_result at_end; /* what running out of bytes means */
    bool opsize_prefix;
    bool addrsize_prefix;
    struct dec_insn *out;
};

static void fail(struct decoder *d, enum dec_result why)
{
    if (d->failure == DEC_OK)
        d->failure = why;
}

/* Little-endian, zero-extended. */
static uint64_t take(struct decoder *d, unsigned nr)
{
    uint64_t value = 0;

    if (d->failure != DEC_OK || nr > (unsigned)(d->nr_readable - d->pos)) {
        d->pos = d->failure == DEC_OK ? d->nr_readable : d->pos;
        fail(d, d->at_end);
        return 0;
    }
    for (unsigned i = 0; i < nr; i++)
        value |= (uint64_t)d->bytes[d->pos++] << (8 * i);
    return value;
}

static uint64_t cut(uint64_t value, unsigned nr_bytes)
{
    return nr_bytes >= 8 ? value : value & (((uint64_t)1 << (8 * nr_bytes)) - 1);
}

static uint64_t sign_extend(uint64_t value, unsigned nr_bytes)
{
    if (nr_bytes == 0 || nr_bytes >= 8)
        return value;
    const uint64_t sign = (uint64_t)1 << (8 * nr_bytes - 1);
    return (cut(value, nr_bytes) ^ sign) - sign;
}

/* 64-bit code keeps FS and GS overrides only; the other four are ignored, not even cancelling an earlier FS or GS. */
static void override_segment(struct decoder *d, enum dec_seg seg)
{
    if (d->mode == DEC_64 && seg < DEC_SEG_FS)
        return;
    d->out->seg = (uint8_t)seg;
    d->out->seg_override = true;
}

/* Takes prefixes and the first opcode byte. REX counts only directly before the opcode (SDM 2A 2.2.1). */
static uint8_t take_prefixes(struct decoder *d)
{
    struct dec_insn *out = d->out;

    while (d->failure == DEC_OK) {
        const uint8_t byte = (uint8_t)take(d, 1);

        switch (byte) {
        case 0x26:
        case 0x2E:
        case 0x36:
        case 0x3E:
            override_segment(d, (enum dec_seg)(DEC_SEG_ES + ((byte - 0x26) >> 3)));
            break;
        case 0x64:
        case 0x65:
            override_segment(d, (enum dec_seg)(DEC_SEG_FS + (byte - 0x64)));
            break;
        case 0x66:
            d->opsize_prefix = true;
            break;
        case 0x67:
            d->addrsize_prefix = true;
            break;
        case 0xF0:
            out->lock = true;
            break;
        case 0xF2:
            out->rep = DEC_REP_F2;
            break;
        case 0xF3:
            out->rep = DEC_REP_F3;
            break;
        default:
            if (d->mode != DEC_64 || (byte & 0xF0) != 0x40)
                return byte;
            out->rex = byte;
            continue;
        }
        out->rex = 0;
    }
    return 0;
}

static void take_opcode(struct decoder *d)
{
    struct dec_insn *out = d->out;

    out->opcode = take_prefixes(d);
    if (out->opcode != 0x0F)
        return;
    out->opcode = (uint8_t)take(d, 1);
    out->map = DEC_MAP_0F;
    if (out->opcode == 0x38 || out->opcode == 0x3A) {
        out->map = out->opcode == 0x38 ? DEC_MAP_0F38 : DEC_MAP_0F3A;
        out->opcode = (uint8_t)take(d, 1);
    }
}

/* Operand and address size without what the row has to say (SDM 1 3.6, table 3-3 and 3-4). */
static void set_default_sizes(struct decoder *d)
{
    struct dec_insn *out = d->out;

    if (d->mode == DEC_64) {
        out->operand_size = out->rex & REX_W ? 8 : d->opsize_prefix ? 2 : 4;
        out->address_size = d->addrsize_prefix ? 4 : 8;
    } else {
        const bool is_32 = d->mode == DEC_32;
        out->operand_size = is_32 != d->opsize_prefix ? 4 : 2;
        out->address_size = is_32 != d->addrsize_prefix ? 4 : 2;
    }
}

static enum dec_prefix mandatory_prefix(const struct decoder *d)
{
    if (d->out->rep != DEC_REP_NONE)
        return d->out->rep == DEC_REP_F3 ? DEC_PREFIX_F3 : DEC_PREFIX_F2;
    return d->opsize_prefix ? DEC_PREFIX_66 : DEC_PREFIX___;
}

static bool is_chosen_by(const struct dec_row *row, enum dec_prefix prefix)
{
    static const uint16_t flag[DEC_NR_PREFIXES] = {0, ROW_S66, ROW_SF3, ROW_SF2};

    return row->flags & flag[prefix];
}

static bool is_missing(const struct dec_row *row)
{
    return row->op == DEC_INVALID && row->select == DEC_SELECT_NONE;
}

static void take_modrm(struct decoder *d)
{
    if (d->out->has_modrm)
        return;
    d->out->modrm = (uint8_t)take(d, 1);
    d->out->has_modrm = true;
}

static unsigned modrm_reg(const struct dec_insn *insn)
{
    return insn->modrm >> 3 & 7;
}

static const struct dec_row *group_row(struct decoder *d, const struct dec_row *row)
{
    const struct dec_insn *out = d->out;

    if (row->select >= DEC_SELECT_MODRM)
        take_modrm(d);

    const bool is_register = out->modrm >= 0xC0;
    const struct dec_row *group = dec_group_rows[row->group];
    switch (row->select) {
    case DEC_SELECT_MODE64:
        return &group[d->mode == DEC_64];
    case DEC_SELECT_OPSIZE:
        return &group[out->operand_size >> 2];
    case DEC_SELECT_REXB:
        return &group[out->rex & REX_B];
    case DEC_SELECT_RM:
        return &group[out->modrm & 7];
    case DEC_SELECT_MOD:
        return &group[is_register];
    case DEC_SELECT_MODREG:
        return &dec_group_rows[row->group + is_register][modrm_reg(out)];
    default:
        return &group[modrm_reg(out)];
    }
}

/*
 * Follows the maps and groups to the instruction's own row; operands come from the last row that has any, flags add up.
 * DEC_INVALID in the result means undefined.
 */
static struct dec_row find_row(struct decoder *d)
{
    static const struct dec_row undefined;
    const struct dec_row(*map)[256] = dec_map_rows[d->out->map];
    const enum dec_prefix prefix = mandatory_prefix(d);
    const struct dec_row *row = &map[DEC_PREFIX___][d->out->opcode];

    if (is_missing(row) || is_chosen_by(row, prefix))
        row = &map[prefix][d->out->opcode];

    struct dec_row found = *row;
    while (row->select != DEC_SELECT_NONE) {
        row = group_row(d, row);
        if (is_chosen_by(row, prefix))
            return undefined;
        found.op = row->op;
        found.flags |= row->flags;
        if (row->operand[0] != DEC_OPR___)
            memcpy(found.operand, row->operand, sizeof found.operand);
    }
    return found;
}

static void take_disp(struct decoder *d, unsigned nr_bytes)
{
    d->out->disp = (int64_t)sign_extend(take(d, nr_bytes), nr_bytes);
}

/* SDM 2A table 2-1. */
static void take_address_16(struct decoder *d)
{
    static const uint8_t base[8] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
    static const uint8_t index[8] = {RSI,        RDI,        RSI,        RDI,
                                     DEC_NO_REG, DEC_NO_REG, DEC_NO_REG, DEC_NO_REG};
    struct dec_insn *out = d->out;
    const unsigned mod = out->modrm >> 6;
    const unsigned rm = out->modrm & 7;

    if (mod == 0 && rm == 6) {
        take_disp(d, 2);
        return;
    }
    out->base = base[rm];
    out->index = index[rm];
    take_disp(d, mod);
}

/* SDM 2A tables 2-2 and 2-3, 2.2.1.6 for RIP-relative. */
static void take_address_32(struct decoder *d)
{
    struct dec_insn *out = d->out;
    const unsigned mod = out->modrm >> 6;
    unsigned base = out->modrm & 7;
    const bool has_sib = base == RSP;

    if (has_sib) {
        const unsigned sib = (unsigned)take(d, 1);
        const unsigned index = (sib >> 3 & 7) | (out->rex & REX_X ? 8 : 0);

        if (index != RSP) {
            out->index = (uint8_t)index;
            out->scale = (uint8_t)(sib >> 6);
        }
        base = sib & 7;
    }
    if (mod == 0 && base == RBP) {
        if (!has_sib && d->mode == DEC_64)
            out->base = DEC_REG_RIP;
        take_disp(d, 4);
        return;
    }
    out->base = (uint8_t)(base | (out->rex & REX_B ? 8 : 0));
    take_disp(d, mod == 2 ? 4 : mod);
}

/* Stack pointer and frame pointer bases mean SS; R12 and R13 do not (SDM 1 3.7.4). */
static void take_address(struct decoder *d)
{
    struct dec_insn *out = d->out;

    if (out->address_size == 2)
        take_address_16(d);
    else
        take_address_32(d);
    if (!out->seg_override && (out->base == RBP || out->base == RSP))
        out->seg = DEC_SEG_SS;
}

static unsigned resolve_size(const struct decoder *d, uint8_t size)
{
    const unsigned v = d->out->operand_size;

    switch (size) {
    case DEC_SIZE_V:
        return v;
    case DEC_SIZE_Z:
        return v < 4 ? v : 4;
    case DEC_SIZE_Y:
        return d->out->rex & REX_W ? 8 : 4;
    case DEC_SIZE_M:
        return d->mode == DEC_64 ? 8 : 4;
    case DEC_SIZE_P:
        return v + 2;
    case DEC_SIZE_A:
        return 2 * v;
    case DEC_SIZE_S:
        return d->mode == DEC_64 ? 10 : 6;
    case DEC_SIZE_E:
        return v == 2 ? 14 : 28;
    case DEC_SIZE_F:
        return v == 2 ? 94 : 108;
    default:
        return size;
    }
}

static void set_gpr(struct decoder *d, struct dec_operand *operand, unsigned reg)
{
    operand->kind = DEC_OPERAND_GPR;
    operand->high_byte = operand->size_bytes == 1 && d->out->rex == 0 && reg >= 4;
    operand->reg = (uint8_t)(operand->high_byte ? reg - 4 : reg);
}

static void set_register(struct dec_operand *operand, enum dec_operand_kind kind, unsigned reg)
{
    operand->kind = (uint8_t)kind;
    operand->reg = (uint8_t)reg;
}

static void set_rm(struct decoder *d, struct dec_operand *operand, const struct dec_operand_rule *rule, bool is_register)
{
    const unsigned rm = d->out->modrm & 7;
    const unsigned rm_extended = rm | (d->out->rex & REX_B ? 8 : 0);

    if (!is_register) {
        if (rule->detail == DEC_NOT_MEM)
            fail(d, DEC_UNDEFINED);
        take_address(d);
        operand->kind = DEC_OPERAND_MEM;
        operand->size_bytes = (uint8_t)resolve_size(d, rule->detail);
        return;
    }
    switch (rule->place) {
    case DEC_PLACE_RM_GPR:
        set_gpr(d, operand, rm_extended);
        break;
    case DEC_PLACE_RM_MMX:
        set_register(operand, DEC_OPERAND_MMX, rm);
        break;
    case DEC_PLACE_RM_XMM:
        set_register(operand, DEC_OPERAND_XMM, rm_extended);
        break;
    case DEC_PLACE_RM_X87:
        set_register(operand, DEC_OPERAND_X87, rm);
        break;
    default:
        fail(d, DEC_UNDEFINED); /* memory only */
        break;
    }
}

static void set_reg(struct decoder *d, struct dec_operand *operand, const struct dec_operand_rule *rule)
{
    const unsigned reg = modrm_reg(d->out);
    const unsigned reg_extended = reg | (d->out->rex & REX_R ? 8 : 0);

    switch (rule->place) {
    case DEC_PLACE_REG_GPR:
        set_gpr(d, operand, reg_extended);
        break;
    case DEC_PLACE_REG_MMX:
        set_register(operand, DEC_OPERAND_MMX, reg);
        break;
    case DEC_PLACE_REG_XMM:
        set_register(operand, DEC_OPERAND_XMM, reg_extended);
        break;
    case DEC_PLACE_REG_SREG:
        set_register(operand, DEC_OPERAND_SREG, reg);
        break;
    case DEC_PLACE_REG_CREG:
        set_register(operand, DEC_OPERAND_CREG, reg_extended);
        break;
    default:
        set_register(operand, DEC_OPERAND_DREG, reg_extended);
        break;
    }
}

static void set_immediate(struct decoder *d, struct dec_operand *operand, const struct dec_operand_rule *rule)
{
    struct dec_insn *out = d->out;
    const unsigned encoded = resolve_size(d, rule->detail);

    switch (rule->place) {
    case DEC_PLACE_IMM:
        operand->kind = DEC_OPERAND_IMM;
        out->imm = cut(sign_extend(take(d, encoded), encoded), operand->size_bytes);
        break;
    case DEC_PLACE_IMM2:
        operand->kind = DEC_OPERAND_IMM2;
        out->imm2 = (uint16_t)take(d, encoded);
        break;
    case DEC_PLACE_ONE:
        operand->kind = DEC_OPERAND_IMM;
        out->imm = 1;
        break;
    case DEC_PLACE_REL:
        operand->kind = DEC_OPERAND_REL;
        out->imm = sign_extend(take(d, encoded), encoded);
        break;
    default:
        operand->kind = DEC_OPERAND_FAR;
        out->imm = take(d, encoded);
        out->imm2 = (uint16_t)take(d, 2);
        break;
    }
}

/* Operands that the opcode itself names. */
static void set_fixed(struct decoder *d, struct dec_operand *operand, const struct dec_operand_rule *rule)
{
    struct dec_insn *out = d->out;

    switch (rule->place) {
    case DEC_PLACE_OPCODE_GPR:
        set_gpr(d, operand, (out->opcode & 7u) | (out->rex & REX_B ? 8 : 0));
        break;
    case DEC_PLACE_GPR:
        set_register(operand, DEC_OPERAND_GPR, rule->detail);
        break;
    case DEC_PLACE_SREG:
        set_register(operand, DEC_OPERAND_SREG, rule->detail);
        break;
    case DEC_PLACE_X87:
        set_register(operand, DEC_OPERAND_X87, rule->detail);
        break;
    case DEC_PLACE_MOFFS:
        operand->kind = DEC_OPERAND_MEM;
        out->disp = (int64_t)take(d, out->address_size);
        break;
    case DEC_PLACE_SRC:
        operand->kind = DEC_OPERAND_SRC;
        break;
    case DEC_PLACE_DST:
        operand->kind = DEC_OPERAND_DST;
        break;
    default:
        operand->kind = DEC_OPERAND_MEM;
        out->base = rule->detail;
        break;
    }
}

static void set_operand(struct decoder *d, struct dec_operand *operand, uint8_t letters, bool is_register)
{
    const struct dec_operand_rule *rule = &dec_operand_rules[letters];

    operand->size_bytes = (uint8_t)resolve_size(d, rule->size);
    if (rule->place <= DEC_PLACE_MEM)
        set_rm(d, operand, rule, is_register);
    else if (rule->place <= DEC_PLACE_REG_DREG)
        set_reg(d, operand, rule);
    else if (rule->place >= DEC_PLACE_IMM && rule->place <= DEC_PLACE_FAR)
        set_immediate(d, operand, rule);
    else
        set_fixed(d, operand, rule);
}

/* Registers that exist: SDM 2B MOV, 3A 2.5. CS cannot be loaded by MOV. */
static void check_registers(struct decoder *d)
{
    const struct dec_insn *out = d->out;

    for (unsigned i = 0; i < out->nr_operands; i++) {
        const unsigned reg = out->operand[i].reg;

        switch (out->operand[i].kind) {
        case DEC_OPERAND_SREG:
            if (reg >= DEC_NR_SEGS || (reg == DEC_SEG_CS && i == 0 && out->op == DEC_MOV))
                fail(d, DEC_UNDEFINED);
            break;
        case DEC_OPERAND_CREG:
            if (reg == 1 || (reg > 4 && reg != 8))
                fail(d, DEC_UNDEFINED);
            break;
        case DEC_OPERAND_DREG:
            if (reg > 7)
                fail(d, DEC_UNDEFINED);
            break;
        default:
            break;
        }
    }
}

/* LOCK needs an instruction that takes it and a destination in memory (SDM 2A LOCK). */
static void check_lock(struct decoder *d)
{
    const struct dec_insn *out = d->out;

    if (out->lock && (!(out->flags & DEC_FLAG_LOCKABLE) || out->operand[0].kind != DEC_OPERAND_MEM))
        fail(d, DEC_UNDEFINED);
}

static void decode_operands(struct decoder *d, const struct dec_row *row)
{
    struct dec_insn *out = d->out;

    if (row->flags & ROW_MODRM)
        take_modrm(d);
    const bool is_register = out->modrm >= 0xC0 || row->flags & ROW_MOD3;
    for (unsigned i = 0; i < DEC_ROW_OPERANDS && row->operand[i] != DEC_OPR___; i++)
        set_operand(d, &out->operand[out->nr_operands++], row->operand[i], is_register);
}

static void decode(struct decoder *d)
{
    struct dec_insn *out = d->out;

    take_opcode(d);
    set_default_sizes(d);
    const struct dec_row row = find_row(d);
    const uint16_t wrong_mode = d->mode == DEC_64 ? ROW_I64 : ROW_O64;
    if (row.op == DEC_INVALID || row.flags & wrong_mode) {
        fail(d, DEC_UNDEFINED);
        return;
    }
    if (d->mode == DEC_64 && (row.flags & ROW_F64 || (row.flags & ROW_D64 && !d->opsize_prefix)))
        out->operand_size = 8;
    out->op = row.op;
    out->cond = out->opcode & 0xF;
    out->flags = row.flags & 0xF;
    decode_operands(d, &row);
    check_registers(d);
    check_lock(d);
}

enum dec_result dec_decode(const uint8_t *bytes, size_t nr_bytes, enum dec_mode mode, struct dec_insn *out)
{
    struct decoder d = {
        .bytes = bytes,
        .nr_readable = (uint8_t)(nr_bytes < DEC_MAX_LENGTH ? nr_bytes : DEC_MAX_LENGTH),
        .mode = mode,
        .at_end = nr_bytes < DEC_MAX_LENGTH ? DEC_NEED_MORE : DEC_TOO_LONG,
        .out = out,
    };

    *out = (struct dec_insn){.seg = DEC_SEG_DS, .base = DEC_NO_REG, .index = DEC_NO_REG};
    decode(&d);
    out->length = d.pos;
    if (d.failure != DEC_OK)
        out->op = DEC_INVALID;
    return d.failure;
}
