/* Prefixes, opcode and row of an instruction, and the checks that need the whole of it. */
#include "cpu/decode.h"

#include <string.h>

#include "cpu/decode_internal.h"

void dec_fail(struct decoder *d, enum dec_result why)
{
    if (d->failure == DEC_OK)
        d->failure = why;
}

uint64_t dec_take(struct decoder *d, unsigned nr_bytes)
{
    uint64_t value = 0;

    if (d->failure != DEC_OK || nr_bytes > (unsigned)(d->nr_readable - d->pos)) {
        d->pos = d->failure == DEC_OK ? d->nr_readable : d->pos;
        dec_fail(d, d->at_end);
        return 0;
    }
    for (unsigned i = 0; i < nr_bytes; i++)
        value |= (uint64_t)d->bytes[d->pos++] << (8 * i);
    return value;
}

/*
 * 64-bit code keeps FS and GS overrides only; the other four are ignored, not even cancelling an earlier FS
 * or GS.
 */
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
        const uint8_t byte = (uint8_t)dec_take(d, 1);

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
    out->opcode = (uint8_t)dec_take(d, 1);
    out->map = DEC_MAP_0F;
    if (out->opcode == 0x38 || out->opcode == 0x3A) {
        out->map = out->opcode == 0x38 ? DEC_MAP_0F38 : DEC_MAP_0F3A;
        out->opcode = (uint8_t)dec_take(d, 1);
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

void dec_take_modrm(struct decoder *d)
{
    if (d->out->has_modrm)
        return;
    d->out->modrm = (uint8_t)dec_take(d, 1);
    d->out->has_modrm = true;
}

static const struct dec_row *group_row(struct decoder *d, const struct dec_row *row)
{
    const struct dec_insn *out = d->out;

    if (row->select >= DEC_SELECT_MODRM)
        dec_take_modrm(d);

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
        return &dec_group_rows[row->group + is_register][dec_modrm_reg(out)];
    default:
        return &group[dec_modrm_reg(out)];
    }
}

/*
 * Follows the maps and groups to the instruction's own row; operands come from the last row that has any,
 * flags add up. DEC_INVALID in the result means undefined.
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

/* Registers that exist: SDM 2B MOV, 3A 2.5. CS cannot be loaded by MOV. */
static void check_registers(struct decoder *d)
{
    const struct dec_insn *out = d->out;

    for (unsigned i = 0; i < out->nr_operands; i++) {
        const unsigned reg = out->operand[i].reg;

        switch (out->operand[i].kind) {
        case DEC_OPERAND_SREG:
            if (reg >= DEC_NR_SEGS || (reg == DEC_SEG_CS && i == 0 && out->op == DEC_MOV))
                dec_fail(d, DEC_UNDEFINED);
            break;
        case DEC_OPERAND_CREG:
            if (reg == 1 || (reg > 4 && reg != 8))
                dec_fail(d, DEC_UNDEFINED);
            break;
        case DEC_OPERAND_DREG:
            if (reg > 7)
                dec_fail(d, DEC_UNDEFINED);
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
        dec_fail(d, DEC_UNDEFINED);
}

static void decode(struct decoder *d)
{
    struct dec_insn *out = d->out;

    take_opcode(d);
    set_default_sizes(d);
    const struct dec_row row = find_row(d);
    const uint16_t wrong_mode = d->mode == DEC_64 ? ROW_I64 : ROW_O64;
    if (row.op == DEC_INVALID || row.flags & wrong_mode) {
        dec_fail(d, DEC_UNDEFINED);
        return;
    }
    if (d->mode == DEC_64 && (row.flags & ROW_F64 || (row.flags & ROW_D64 && !d->opsize_prefix)))
        out->operand_size = 8;
    out->op = row.op;
    out->cond = out->opcode & 0xF;
    out->flags = row.flags & 0xF;
    dec_take_operands(d, &row);
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
