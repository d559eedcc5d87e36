/* The operands of a row: registers, immediates and the address that ModRM, SIB and displacement make. */
#include "cpu/decode_internal.h"

enum { RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7 };

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

static void take_disp(struct decoder *d, unsigned nr_bytes)
{
    d->out->disp = (int64_t)sign_extend(dec_take(d, nr_bytes), nr_bytes);
}

/* SDM 2A table 2-1. */
static void take_address_16(struct decoder *d)
{
    static const uint8_t base[8] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
    static const uint8_t index[8] = {RSI, RDI, RSI, RDI, DEC_NO_REG, DEC_NO_REG, DEC_NO_REG, DEC_NO_REG};
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
        const unsigned sib = (unsigned)dec_take(d, 1);
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

static void set_rm(struct decoder *d, struct dec_operand *operand, const struct dec_operand_rule *rule,
                   bool is_register)
{
    const unsigned rm = d->out->modrm & 7;
    const unsigned rm_extended = rm | (d->out->rex & REX_B ? 8 : 0);

    if (!is_register) {
        if (rule->detail == DEC_NOT_MEM)
            dec_fail(d, DEC_UNDEFINED);
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
        dec_fail(d, DEC_UNDEFINED); /* memory only */
        break;
    }
}

static void set_reg(struct decoder *d, struct dec_operand *operand, const struct dec_operand_rule *rule)
{
    const unsigned reg = dec_modrm_reg(d->out);
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
        out->imm = cut(sign_extend(dec_take(d, encoded), encoded), operand->size_bytes);
        break;
    case DEC_PLACE_IMM2:
        operand->kind = DEC_OPERAND_IMM2;
        out->imm2 = (uint16_t)dec_take(d, encoded);
        break;
    case DEC_PLACE_ONE:
        operand->kind = DEC_OPERAND_IMM;
        out->imm = 1;
        break;
    case DEC_PLACE_REL:
        operand->kind = DEC_OPERAND_REL;
        out->imm = sign_extend(dec_take(d, encoded), encoded);
        break;
    default:
        operand->kind = DEC_OPERAND_FAR;
        out->imm = dec_take(d, encoded);
        out->imm2 = (uint16_t)dec_take(d, 2);
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
        out->disp = (int64_t)dec_take(d, out->address_size);
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

void dec_take_operands(struct decoder *d, const struct dec_row *row)
{
    struct dec_insn *out = d->out;

    if (row->flags & ROW_MODRM)
        dec_take_modrm(d);
    const bool is_register = out->modrm >= 0xC0 || row->flags & ROW_MOD3;
    for (unsigned i = 0; i < DEC_ROW_OPERANDS && row->operand[i] != DEC_OPR___; i++)
        set_operand(d, &out->operand[out->nr_operands++], row->operand[i], is_register);
}
